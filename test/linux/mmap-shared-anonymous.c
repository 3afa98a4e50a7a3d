/* SPDX-License-Identifier: MIT */
/* Shared anonymous memory: one memory for parent and children, also untouched pages; atomics. */
#include "try.h"

static volatile int *shared, *private;

static void add(void)
{
    shared[0]++;
    shared[2048] = 5; // a page the parent has never touched
    private[0]++;
}

static void count(void)
{
    for (int i = 0; i < 10000; i++)
        __atomic_fetch_add(&shared[1], 1, __ATOMIC_SEQ_CST);
}

static void protect(void)
{
    mprotect((void *)shared, 4096, PROT_READ); // only here
    say("child protects");
}

int main(void)
{
    pid_t a, b;

    shared = PTR(mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    private = PTR(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    shared[0] = private[0] = 10;
    CHILD(add);
    VAL(shared[0]);
    VAL(private[0]);
    VAL(shared[2048]);
    a = fork();
    if (a == 0) {
        count();
        _exit(0);
    }
    b = fork();
    if (b == 0) {
        count();
        _exit(0);
    }
    reap("a", a);
    reap("b", b);
    VAL(shared[1]);
    a = fork();
    if (a == 0) {
        while (shared[2] == 0)
            sleep_ms(5);
        shared[3] = shared[2] + 1;
        _exit(0);
    }
    shared[2] = 41;
    reap("waiter", a);
    VAL(shared[3]);
    CHILD(protect);
    shared[0] = 12;
    VAL(shared[0]);
    TRY(munmap((void *)shared, 4096));
    VAL(shared[2048]);
    PTR(mmap(NULL, 0, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    PTR(mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS, 99, 0));
    PTR(mmap((void *)1, 4096, PROT_READ, MAP_SHARED | MAP_FIXED | MAP_ANONYMOUS, -1, 0));
    return 0;
}
