/* SPDX-License-Identifier: MIT */
/* link and unlink: link counts, unlinked but open files, folders, what cannot be linked. */
#include "try.h"

static long links_of(const char *path)
{
    struct stat s;

    return lstat(path, &s) < 0 ? -1 : (long)s.st_nlink;
}

int main(void)
{
    char text[16] = "";
    struct stat s;
    int fd;

    put("file", "text");
    VAL(links_of("file"));
    TRY(link("file", "second"));
    TRY(link("file", "third"));
    VAL(links_of("file"));
    TRY(link("file", "third"));
    TRY(link("missing", "x"));
    TRY(link("file", "none/x"));
    TRY(unlink("file"));
    VAL(links_of("second"));
    show_file("third");
    fd = open("second", O_RDWR);
    TRY(unlink("second"));
    TRY(unlink("third"));
    TRY(unlink("third"));
    TRY(fstat(fd, &s));
    VAL(s.st_nlink);
    TRY(pread(fd, text, 16, 0));
    TRY(pwrite(fd, "more", 4, 4));
    TRY(fstat(fd, &s));
    VAL(s.st_size);
    TRY(close(fd));
    TRY(mkdir("folder", 0755));
    VAL(links_of("folder"));
    TRY(mkdir("folder/in", 0755));
    VAL(links_of("folder"));
    put("folder/file", "");
    VAL(links_of("folder"));
    TRY(link("folder", "other"));
    TRY(unlink("folder"));
    TRY(rmdir("folder"));
    TRY(rmdir("folder/file"));
    TRY(rmdir("folder/in"));
    VAL(links_of("folder"));
    TRY(rmdir("folder/."));
    TRY(rmdir("folder/.."));
    TRY(rmdir("/"));
    TRY(unlink("folder/file"));
    TRY(unlink("folder/file/x"));
    TRY(rmdir("folder"));
    TRY(rmdir("folder"));
    TRY(symlink("target", "link"));
    TRY(link("link", "hard"));
    VAL(links_of("link"));
    put("target", "T");
    TRY(linkat(AT_FDCWD, "link", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
    show_file("followed");
    TRY(linkat(AT_FDCWD, "link", AT_FDCWD, "y", 0x8000));
    TRY(unlinkat(AT_FDCWD, "link", 0x8000));
    TRY(unlinkat(AT_FDCWD, "link", AT_REMOVEDIR));
    TRY(unlink(BAD));
    TRY(unlink(""));
    return 0;
}
