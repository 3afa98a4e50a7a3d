/* SPDX-License-Identifier: MIT */
/* Sparse files: holes read as zeros and take no blocks; SEEK_DATA and SEEK_HOLE; sizes. */
#include "try.h"

int main(void)
{
    char text[16];
    struct stat s;
    int fd = open("file", O_RDWR | O_CREAT, 0644);

    TRY(pwrite(fd, "end", 3, 10 * 1024 * 1024));
    TRY(fstat(fd, &s));
    VAL(s.st_size);
    IS(s.st_blocks * 512 < 1024 * 1024);
    IS(s.st_blocks > 0);
    TRY(pread(fd, text, 16, 5 * 1024 * 1024));
    IS(text[0] == 0 && memcmp(text, text + 1, 15) == 0);
    TRY(pread(fd, text, 16, 10 * 1024 * 1024 - 2));
    IS(memcmp(text, "\0\0end", 5) == 0);
    TRY(lseek(fd, 0, SEEK_DATA));
    TRY(lseek(fd, 0, SEEK_HOLE));
    TRY(lseek(fd, 10 * 1024 * 1024, SEEK_HOLE));
    TRY(lseek(fd, 11 * 1024 * 1024, SEEK_DATA));
    TRY(lseek(fd, 11 * 1024 * 1024, SEEK_HOLE));
    TRY(ftruncate(fd, 1L << 40));
    TRY(fstat(fd, &s));
    VAL(s.st_size);
    TRY(pread(fd, text, 16, (1L << 40) - 4));
    TRY(pread(fd, text, 16, 1L << 40));
    TRY(pread(fd, text, 16, -1));
    TRY(pwrite(fd, "x", 1, -1));
    TRY(ftruncate(fd, -1));
    TRY(ftruncate(fd, 0));
    TRY(fstat(fd, &s));
    VAL(s.st_blocks);
    TRY(pwrite(fd, "0123456789", 10, 0));
    TRY(ftruncate(fd, 5));
    TRY(ftruncate(fd, 8));
    TRY(pread(fd, text, 16, 0));
    IS(memcmp(text, "01234\0\0\0", 8) == 0);
    return 0;
}
