/* SPDX-License-Identifier: MIT */
/* futex itself: wait and wake, values, time-outs, bitsets, requeue, shared memory, errors. */
#include "try.h"
#include <pthread.h>

enum { WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAIT_BITSET = 9, WAKE_BITSET = 10 };
#define PRIVATE 128
#define REALTIME 256

static int word, second, *shared;
static volatile int started, woken;

static void *wait_private(void *argument)
{
    __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
    long result = SYS(futex, &word, WAIT | PRIVATE, 0, NULL, NULL, 0);
    __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
    (void)argument;
    return (void *)(intptr_t)(result < 0 ? errno : 0);
}

static void *wait_bit(void *argument)
{
    __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
    SYS(futex, &word, WAIT_BITSET | PRIVATE, 0, NULL, NULL, (int)(intptr_t)argument);
    __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void start(pthread_t *threads, int count, void *(*function)(void *), intptr_t argument)
{
    started = woken = 0;
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, function, (void *)(argument << i)) != 0)
            _exit(1);
    while (started < count)
        sleep_ms(2);
    sleep_ms(40);
}

static void join(pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void note(int number)
{
    (void)number;
}

int main(void)
{
    struct timespec soon = {0, 30000000}, bad = {0, 1000000000}, when;
    pthread_t threads[4];
    pid_t pid;

    TRY(SYS(futex, &word, WAIT, 1, NULL, NULL, 0));
    TRY(SYS(futex, &word, WAIT | PRIVATE, 1, NULL, NULL, 0));
    TRY(SYS(futex, &word, WAIT | PRIVATE, 0, &soon, NULL, 0));
    TRY(SYS(futex, &word, WAIT | PRIVATE, 0, &bad, NULL, 0));
    TRY(SYS(futex, &word, WAKE, 1, NULL, NULL, 0));
    clock_gettime(CLOCK_MONOTONIC, &when);
    TRY(SYS(futex, &word, WAIT_BITSET | PRIVATE, 0, &when, NULL, -1));
    clock_gettime(CLOCK_REALTIME, &when);
    TRY(SYS(futex, &word, WAIT_BITSET | PRIVATE | REALTIME, 0, &when, NULL, -1));
    start(threads, 3, wait_private, 0);
    TRY(SYS(futex, &word, WAKE | PRIVATE, 1, NULL, NULL, 0));
    sleep_ms(40);
    VAL(woken);
    TRY(SYS(futex, &word, WAKE | PRIVATE, 10, NULL, NULL, 0));
    join(threads, 3);
    VAL(woken);
    start(threads, 3, wait_bit, 1); // bits 1, 2, 4
    TRY(SYS(futex, &word, WAKE_BITSET | PRIVATE, 10, NULL, NULL, 5));
    sleep_ms(40);
    VAL(woken);
    TRY(SYS(futex, &word, WAKE_BITSET | PRIVATE, 10, NULL, NULL, 2));
    join(threads, 3);
    start(threads, 4, wait_private, 0);
    TRY(SYS(futex, &word, CMP_REQUEUE | PRIVATE, 1, (long)2, &second, 7));
    TRY(SYS(futex, &word, CMP_REQUEUE | PRIVATE, 1, (long)2, &second, 0));
    TRY(SYS(futex, &second, WAKE | PRIVATE, 10, NULL, NULL, 0));
    TRY(SYS(futex, &word, WAKE | PRIVATE, 10, NULL, NULL, 0));
    join(threads, 4);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid = fork();
    if (pid == 0) {
        long result = SYS(futex, shared, WAIT, 0, NULL, NULL, 0);
        _exit(result == 0 ? shared[1] : 99);
    }
    sleep_ms(60);
    shared[1] = 12;
    TRY(SYS(futex, shared, WAKE, 1, NULL, NULL, 0));
    reap("child", pid);
    handle(SIGALRM, note, SA_RESTART);
    alarm(1);
    TRY(SYS(futex, &word, WAIT | PRIVATE, 0, &(struct timespec){10, 0}, NULL, 0));
    TRY(SYS(futex, BAD, WAIT, 0, NULL, NULL, 0));
    TRY(SYS(futex, BAD, WAKE, 1, NULL, NULL, 0));
    TRY(SYS(futex, (char *)&word + 1, WAIT, 0, NULL, NULL, 0));
    TRY(SYS(futex, &word, 77, 0, NULL, NULL, 0));
    TRY(SYS(futex, &word, WAIT_BITSET, 0, NULL, NULL, 0));
    TRY(SYS(futex, &word, WAIT, 0, BAD, NULL, 0));
    return 0;
}
