/* SPDX-License-Identifier: MIT */
/* O_TMPFILE: a file without a name, that can be given one; O_EXCL; wrong use. */
#include "try.h"

int main(void)
{
    char path[64], text[16] = "";
    struct stat s;
    int fd;

    TRY(open(".", O_TMPFILE | O_RDWR, 0640));
    fd = 3;
    TRY(write(fd, "hidden", 6));
    TRY(fstat(fd, &s));
    VAL(s.st_nlink);
    VAL(s.st_size);
    VAL(s.st_mode & 07777);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    TRY(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    show_file("named");
    TRY(fstat(fd, &s));
    VAL(s.st_nlink);
    TRY(unlink("named"));
    TRY(pread(fd, text, sizeof text, 0));
    TRY(close(fd));
    TRY(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
    TRY(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    TRY(close(fd));
    TRY(open(".", O_TMPFILE | O_RDONLY, 0600));
    TRY(open("missing", O_TMPFILE | O_RDWR, 0600));
    put("file", "x");
    TRY(open("file", O_TMPFILE | O_RDWR, 0600));
    TRY(open(".", O_TMPFILE | O_RDWR | O_CREAT, 0600));
    return 0;
}
