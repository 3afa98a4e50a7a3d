/* SPDX-License-Identifier: MIT */
/* lseek: SEEK_SET, SEEK_CUR, SEEK_END, beyond the end, below zero, on pipes; shared by dup. */
#include "try.h"

int main(void)
{
    char text[8] = "";
    int pipes[2];
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    int copy = dup(fd);

    TRY(write(fd, "0123456789", 10));
    TRY(lseek(fd, 0, SEEK_CUR));
    TRY(lseek(fd, 3, SEEK_SET));
    TRY(read(copy, text, 2));
    STR(text);
    TRY(lseek(copy, 0, SEEK_CUR));
    TRY(lseek(fd, -1, SEEK_END));
    TRY(lseek(fd, -1, SEEK_SET));
    TRY(lseek(fd, -100, SEEK_CUR));
    TRY(lseek(fd, 0, 99));
    TRY(lseek(fd, 100, SEEK_SET));
    TRY(read(fd, text, 4));
    TRY(write(fd, "x", 1));
    TRY(lseek(fd, 0, SEEK_END));
    TRY(lseek(fd, LONG_MAX, SEEK_SET));
    TRY(lseek(fd, LONG_MAX, SEEK_END));
    TRY(lseek(-1, 0, SEEK_SET));
    TRY(lseek(77, 0, SEEK_SET));
    TRY(pipe(pipes));
    TRY(lseek(pipes[0], 0, SEEK_CUR));
    TRY(lseek(pipes[1], 0, SEEK_END));
    TRY(close(fd));
    TRY(lseek(fd, 0, SEEK_CUR));
    TRY(lseek(copy, 1, SEEK_SET));
    return 0;
}
