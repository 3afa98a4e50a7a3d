/* SPDX-License-Identifier: MIT */
/* dup, dup2, dup3, F_DUPFD: lowest numbers, shared positions and flags, close-on-exec, errors. */
#include "try.h"

int main(void)
{
    char text[4] = "";
    int fd;

    put("file", "abcdef");
    fd = open("file", O_RDONLY | O_CLOEXEC);
    TRY(dup(fd));
    TRY(fcntl(fd, F_GETFD));
    TRY(fcntl(4, F_GETFD));
    TRY(dup2(fd, 10));
    TRY(fcntl(10, F_GETFD));
    TRY(read(10, text, 2));
    TRY(lseek(fd, 0, SEEK_CUR));
    TRY(dup2(fd, fd));
    TRY(dup2(99, 5));
    TRY(dup2(99, 99));
    TRY(dup2(fd, -1));
    TRY(dup2(fd, 1 << 24));
    TRY(dup3(fd, 11, O_CLOEXEC));
    TRY(fcntl(11, F_GETFD));
    TRY(dup3(fd, fd, 0));
    TRY(SYS(dup3, fd, 12, 1));
    TRY(fcntl(fd, F_DUPFD, 8));
    TRY(fcntl(fd, F_DUPFD_CLOEXEC, 10));
    TRY(fcntl(12, F_GETFD));
    TRY(fcntl(fd, F_DUPFD, -1));
    TRY(fcntl(fd, F_DUPFD, 1 << 24));
    TRY(close(4));
    TRY(dup(10));
    TRY(fcntl(10, F_SETFD, FD_CLOEXEC));
    TRY(fcntl(10, F_GETFD));
    TRY(fcntl(10, F_SETFL, O_NONBLOCK | O_APPEND));
    IS(fcntl(fd, F_GETFL) & O_NONBLOCK); // the flags belong to the open file
    IS(fcntl(fd, F_GETFL) & O_APPEND);
    TRY(fcntl(fd, F_SETFL, O_WRONLY));
    TRY(fcntl(fd, F_GETFL) & O_ACCMODE);
    TRY(fcntl(fd, 9999));
    TRY(fcntl(99, F_GETFL));
    TRY(fcntl(-1, F_GETFD));
    TRY(close(99));
    TRY(close(-1));
    TRY(close(fd));
    TRY(close(fd));
    TRY(read(10, text, 2));
    return 0;
}
