/* SPDX-License-Identifier: MIT */
/* close_range, RLIMIT_NOFILE, F_GETFD sweeps; memfd_create and seals; many open files. */
#include "try.h"
#include <sys/resource.h>

int main(void)
{
    struct rlimit limit = {20, 64};
    struct stat s;
    char text[8] = "";
    int opened = 0, fd;

    for (int i = 3; i < 12; i++)
        dup2(0, i);
    TRY(SYS(close_range, 5, 7, 0));
    TRY(fcntl(4, F_GETFD));
    TRY(fcntl(5, F_GETFD));
    TRY(fcntl(7, F_GETFD));
    TRY(fcntl(8, F_GETFD));
    TRY(SYS(close_range, 8, ~0u, 4));
    TRY(fcntl(8, F_GETFD));
    TRY(fcntl(4, F_GETFD));
    TRY(SYS(close_range, 3, ~0u, 0));
    TRY(fcntl(11, F_GETFD));
    TRY(SYS(close_range, 9, 3, 0));
    TRY(SYS(close_range, 3, 9, 0x100));
    TRY(setrlimit(RLIMIT_NOFILE, &limit));
    while ((fd = open("/dev/null", O_RDONLY)) >= 0)
        opened++;
    say("open: %s", errno_name(errno));
    VAL(opened);
    TRY(dup(0));
    TRY(pipe((int[2]){0, 0}));
    TRY(dup2(0, 20));
    TRY(dup2(0, 19));
    TRY(fcntl(0, F_DUPFD, 20));
    TRY(SYS(close_range, 3, ~0u, 0));
    TRY(SYS(memfd_create, "name", 3));
    TRY(write(3, "memory", 6));
    TRY(fstat(3, &s));
    VAL(s.st_size);
    IS(S_ISREG(s.st_mode));
    TRY(pread(3, text, 6, 0));
    TRY(fcntl(3, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK));
    TRY(fcntl(3, F_GET_SEALS));
    TRY(write(3, "x", 1));
    TRY(ftruncate(3, 0));
    TRY(ftruncate(3, 100));
    TRY(SYS(memfd_create, BAD, 0));
    TRY(SYS(memfd_create, "name", 0x1000));
    return 0;
}
