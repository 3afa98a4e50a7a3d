/* SPDX-License-Identifier: MIT */
/* brk: growing, shrinking, zeroed again, refusing; the stack grows by itself; big allocations. */
#include "try.h"

static int __attribute__((noinline)) deep(int depth)
{
    volatile char room[4000];

    room[0] = (char)depth;
    room[3999] = (char)depth;
    return depth == 0 ? 0 : deep(depth - 1) + (room[0] == room[3999]);
}

static void hog(void)
{
    size_t got = 0;
    char *at;

    // Address space, not memory: untouched.
    while (got < 64 && (at = malloc(16 << 20)) != NULL)
        got++;
    VAL(got);
}

int main(void)
{
    char *start = (char *)SYS(brk, 0), *end;
    int zeros = 0;

    IS((char *)SYS(brk, start + 3 * 4096) == start + 3 * 4096);
    memset(start, 1, 3 * 4096);
    IS((char *)SYS(brk, start + 4096) == start + 4096);
    IS((char *)SYS(brk, start + 3 * 4096) == start + 3 * 4096);
    for (int i = 4096 + 4096; i < 3 * 4096; i++)
        zeros += start[i] == 0;
    VAL(zeros);
    IS((char *)SYS(brk, start + 100) == start + 100); // any byte
    IS((char *)SYS(brk, 0x1000) == start + 100); // refused: the old value comes back
    IS((char *)SYS(brk, -1) == start + 100);
    IS((char *)SYS(brk, (char *)(1ul << 46)) == start + 100);
    IS((char *)SYS(brk, start) == start);
    VAL(deep(1500)); // 6 MB of stack
    end = malloc(1000000);
    IS(end != NULL);
    memset(end, 3, 1000000);
    end = realloc(end, 3000000);
    VAL(end[999999]);
    free(end);
    CHILD(hog);
    TRY(SYS(mlock2, start, 4096, 77));
    TRY(SYS(munlock, (void *)0x10000, 4096));
    return 0;
}
