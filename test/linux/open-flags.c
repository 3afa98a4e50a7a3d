/* SPDX-License-Identifier: MIT */
/* open: which flags create, truncate, refuse; modes and umask; folders; access modes. */
#include "try.h"

static long mode_of(const char *path)
{
    struct stat s;

    return stat(path, &s) < 0 ? -1 : (long)s.st_mode;
}

int main(void)
{
    char text[4];
    int fd;

    TRY(open("missing", O_RDONLY));
    TRY(open("file", O_WRONLY | O_CREAT | O_EXCL, 0666));
    IS(mode_of("file") == (S_IFREG | 0644));
    TRY(open("file", O_WRONLY | O_CREAT | O_EXCL, 0666));
    TRY(write(3, "hello", 5));
    TRY(read(3, text, 1));
    TRY(fcntl(3, F_GETFL) & O_ACCMODE);
    TRY(close(3));
    fd = open("file", O_RDONLY);
    TRY(write(fd, "x", 1));
    TRY(ftruncate(fd, 0));
    close(fd);
    TRY(open("file", O_WRONLY | O_TRUNC));
    TRY(lseek(3, 0, SEEK_END));
    TRY(close(3));
    TRY(mkdir("folder", 0777));
    IS(mode_of("folder") == (S_IFDIR | 0755));
    TRY(open("folder", O_WRONLY));
    TRY(open("folder", O_RDWR));
    TRY(open("folder", O_RDONLY | O_CREAT, 0666));
    TRY(open("folder", O_RDONLY | O_DIRECTORY));
    TRY(read(3, text, 1));
    TRY(write(3, text, 1));
    TRY(close(3));
    TRY(open("file", O_RDONLY | O_DIRECTORY));
    TRY(open("file/", O_RDONLY));
    TRY(open("file/x", O_RDONLY));
    TRY(open("new/", O_WRONLY | O_CREAT, 0666));
    TRY(open("folder/a/b", O_WRONLY | O_CREAT, 0666));
    TRY(open("", O_RDONLY));
    TRY(open(BAD, O_RDONLY));
    TRY(symlink("file", "link"));
    TRY(open("link", O_RDONLY | O_NOFOLLOW));
    TRY(open("link", O_WRONLY | O_CREAT | O_EXCL, 0666));
    TRY(symlink("later", "dangling"));
    TRY(open("dangling", O_RDONLY));
    TRY(open("dangling", O_WRONLY | O_CREAT, 0600));
    IS(mode_of("later") == (S_IFREG | 0600));
    TRY(creat("created", 04755));
    IS(mode_of("created") == (S_IFREG | 04755));
    TRY(read(4, text, 1));
    return 0;
}
