/* SPDX-License-Identifier: MIT */
/* fallocate: growing, keeping the size, punching holes, errors; posix_fallocate, fadvise, fsync. */
#include "try.h"

#define KEEP_SIZE 1
#define PUNCH_HOLE 2

int main(void)
{
    char text[8];
    struct stat s;
    int ends[2], fd = open("file", O_RDWR | O_CREAT, 0644);

    TRY(fallocate(fd, 0, 0, 10000));
    TRY(fstat(fd, &s));
    VAL(s.st_size);
    IS(s.st_blocks * 512 >= 10000);
    TRY(fallocate(fd, KEEP_SIZE, 0, 20000));
    TRY(fstat(fd, &s));
    VAL(s.st_size);
    TRY(pwrite(fd, "abcdefgh", 8, 4092));
    TRY(fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 4096, 4096));
    TRY(pread(fd, text, 8, 4092));
    IS(memcmp(text, "abcd\0\0\0\0", 8) == 0);
    TRY(fallocate(fd, PUNCH_HOLE, 4096, 4096));
    TRY(fallocate(fd, 0, -1, 10));
    TRY(fallocate(fd, 0, 0, 0));
    TRY(fallocate(fd, 0, 0, -1));
    TRY(fallocate(fd, 0, LONG_MAX, 10));
    TRY(fallocate(99, 0, 0, 10));
    pipe(ends);
    TRY(fallocate(ends[1], 0, 0, 10));
    TRY(fallocate(open("file", O_RDONLY), 0, 0, 10));
    CODE(posix_fallocate(fd, 0, 30000));
    TRY(fstat(fd, &s));
    VAL(s.st_size);
    CODE(posix_fallocate(fd, 0, 0));
    CODE(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    CODE(posix_fadvise(fd, 0, 0, 99));
    CODE(posix_fadvise(ends[0], 0, 0, 0));
    CODE(posix_fadvise(99, 0, 0, 0));
    TRY(fsync(fd));
    TRY(fdatasync(fd));
    TRY(fsync(ends[0]));
    TRY(fsync(99));
    TRY(syncfs(fd));
    TRY(syncfs(99));
    return 0;
}
