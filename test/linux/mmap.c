/* SPDX-License-Identifier: MIT */
/* mmap and munmap: zeroed memory, protections, holes, fixed addresses, errors. */
#include "try.h"

#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static bool mapped(const void *at)
{
    return msync((void *)((uintptr_t)at & ~4095ul), 4096, MS_ASYNC) == 0;
}

int main(void)
{
    char *at, *second;
    int zeros = 0, fd;

    at = PTR(mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0));
    for (int i = 0; i < 5 * 4096; i++)
        zeros += at[i] == 0;
    VAL(zeros);
    VAL((uintptr_t)at % 4096);
    at[0] = at[4 * 4096] = 7;
    TRY(munmap(at + 4096, 4096));
    IS(mapped(at));
    IS(mapped(at + 4096));
    IS(mapped(at + 2 * 4096));
    second = PTR(mmap(at + 4096, 4096, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0));
    IS(second == at + 4096);
    second = PTR(mmap(at + 4096, 4096, PROT_READ, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    TRY(munmap(at + 4096, 4096));
    second = PTR(mmap(at + 4096, 4096, PROT_READ, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    IS(second == at + 4096);
    second = mmap(at, 4096, PROT_READ | PROT_WRITE, ANONYMOUS | MAP_FIXED, -1, 0);
    VAL(at[0]); // replaced
    second = mmap(at, 4096, PROT_READ, ANONYMOUS, -1, 0); // only a hint
    IS(second != at && second != MAP_FAILED);
    TRY(munmap(at, 5 * 4096));
    TRY(munmap(at, 5 * 4096)); // nothing there: no error
    TRY(munmap(at + 1, 4096));
    TRY(munmap(at, 0));
    PTR(mmap(NULL, 0, PROT_READ, ANONYMOUS, -1, 0));
    PTR(mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0));
    PTR(mmap(at + 1, 4096, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0));
    PTR(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0));
    PTR(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0));
    PTR(mmap(NULL, 1ul << 47, PROT_READ, ANONYMOUS, -1, 0));
    PTR(mmap(NULL, SIZE_MAX, PROT_READ, ANONYMOUS, -1, 0));
    PTR(mmap(NULL, 1ul << 36, PROT_NONE, ANONYMOUS | MAP_NORESERVE, -1, 0));
    fd = open("file", O_WRONLY | O_CREAT, 0644);
    PTR(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
    PTR(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, open(".", O_RDONLY), 0));
    fd = open("file", O_RDONLY);
    PTR(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    PTR(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    TRY(SYS(mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 1));
    PTR(mmap(NULL, 100, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0));
    return 0;
}
