/* SPDX-License-Identifier: MIT */
/* F_GETPIPE_SZ and F_SETPIPE_SZ: sizes rounded, what fits then, too small for what waits, errors. */
#include "try.h"

static long fill(int fd)
{
    static char block[4096];
    long filled = 0, got;

    while ((got = write(fd, block, sizeof block)) > 0)
        filled += got;
    return filled;
}

int main(void)
{
    static char block[65536];
    int ends[2];

    TRY(pipe2(ends, O_NONBLOCK));
    TRY(fcntl(ends[0], F_GETPIPE_SZ));
    TRY(fcntl(ends[1], F_SETPIPE_SZ, 32768));
    TRY(fcntl(ends[0], F_GETPIPE_SZ));
    VAL(fill(ends[1]));
    TRY(fcntl(ends[0], F_SETPIPE_SZ, 16384));
    TRY(fcntl(ends[0], F_GETPIPE_SZ));
    TRY(fcntl(ends[0], F_SETPIPE_SZ, 65536));
    VAL(fill(ends[1]));
    TRY(read(ends[0], block, sizeof block));
    TRY(fcntl(ends[0], F_SETPIPE_SZ, 1));
    TRY(fcntl(ends[0], F_SETPIPE_SZ, 0));
    TRY(fcntl(ends[0], F_SETPIPE_SZ, 5000));
    TRY(fcntl(ends[0], F_SETPIPE_SZ, 4096));
    VAL(fill(ends[1]));
    TRY(write(ends[1], "x", 1));
    TRY(fcntl(ends[1], F_SETPIPE_SZ, 8192));
    TRY(write(ends[1], "x", 1));
    TRY(fcntl(ends[1], F_SETPIPE_SZ, 0x80000001u));
    TRY(fcntl(0x7fff, F_SETPIPE_SZ, 4096));
    put("file", "x");
    TRY(fcntl(open("file", O_RDWR), F_SETPIPE_SZ, 4096));
    TRY(fcntl(open("file", O_RDWR), F_GETPIPE_SZ));
    return 0;
}
