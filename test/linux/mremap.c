/* SPDX-License-Identifier: MIT */
/* mremap: growing in place and by moving, shrinking, fixed targets; madvise, mincore, mlock. */
#include "try.h"
#include <sys/resource.h>

int main(void)
{
    unsigned char resident[4] = {0};
    char *at, *moved, *blocker;

    at = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(at, "contents");
    munmap(at + 2 * 4096, 6 * 4096);
    moved = PTR(mremap(at, 2 * 4096, 4 * 4096, 0));
    IS(moved == at);
    at[3 * 4096] = 1;
    blocker = mmap(at + 4 * 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    IS(blocker == at + 4 * 4096);
    PTR(mremap(at, 4 * 4096, 6 * 4096, 0));
    moved = PTR(mremap(at, 4 * 4096, 6 * 4096, MREMAP_MAYMOVE));
    IS(moved != at);
    STR(moved);
    VAL(moved[3 * 4096]);
    VAL(moved[5 * 4096]);
    TRY(msync(at, 4096, MS_ASYNC)); // the old place is empty
    IS(mremap(moved, 6 * 4096, 4096, 0) == moved);
    TRY(msync(moved + 4096, 4096, MS_ASYNC));
    at = PTR(mremap(moved, 4096, 2 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, blocker));
    IS(at == blocker);
    STR(at);
    PTR(mremap(at, 2 * 4096, 0, MREMAP_MAYMOVE));
    PTR(mremap(at + 1, 4096, 8192, MREMAP_MAYMOVE));
    PTR(mremap(at, 2 * 4096, 4096, 0x100));
    PTR(mremap(at, 2 * 4096, 4096, MREMAP_FIXED, blocker));
    PTR(mremap((void *)0x10000, 4096, 8192, MREMAP_MAYMOVE));
    at = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    at[0] = at[4096] = 7;
    TRY(mincore(at, 4 * 4096, resident));
    say("%d %d %d %d", resident[0] & 1, resident[1] & 1, resident[2] & 1, resident[3] & 1);
    TRY(madvise(at, 4096, MADV_DONTNEED));
    VAL(at[0]);
    VAL(at[4096]);
    TRY(madvise(at, 4096, MADV_WILLNEED));
    TRY(madvise(at, 4096, MADV_SEQUENTIAL));
    TRY(madvise(at, 4096, 999));
    TRY(madvise(at + 1, 4096, MADV_DONTNEED));
    munmap(at + 4096, 4096);
    TRY(madvise(at, 3 * 4096, MADV_DONTNEED));
    TRY(mincore(at, 3 * 4096, resident));
    TRY(mincore(at + 1, 4096, resident));
    TRY(SYS(mincore, at, 4096, BAD));
    TRY(mlock(at, 4096));
    TRY(munlock(at, 4096));
    TRY(mlock(at, 3 * 4096));
    TRY(mlockall(77));
    TRY(munlockall());
    return 0;
}
