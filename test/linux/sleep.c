/* SPDX-License-Identifier: MIT */
/* nanosleep and clock_nanosleep: length, absolute times, interruption, wrong values. */
#include "try.h"

static void note(int number)
{
    (void)number;
}

static long slept(struct timespec time)
{
    long start = now_ms();

    nanosleep(&time, NULL);
    return now_ms() - start;
}

int main(void)
{
    struct timespec time, left = {0, 0};
    long start;

    IS(slept((struct timespec){0, 30000000}) >= 30);
    IS(slept((struct timespec){0, 0}) < 1000);
    TRY(nanosleep(&(struct timespec){0, 1}, NULL));
    TRY(nanosleep(&(struct timespec){-1, 0}, NULL));
    TRY(nanosleep(&(struct timespec){0, -1}, NULL));
    TRY(nanosleep(&(struct timespec){0, 1000000000}, NULL));
    TRY(SYS(nanosleep, BAD, NULL));
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_nsec += 40000000;
    if (time.tv_nsec >= 1000000000)
        time.tv_nsec -= 1000000000, time.tv_sec++;
    start = now_ms();
    CODE(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL));
    IS(now_ms() - start >= 39);
    CODE(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL)); // already past
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec--;
    CODE(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL));
    CODE(clock_nanosleep(99, 0, &time, NULL));
    TRY(SYS(clock_nanosleep, CLOCK_MONOTONIC, 0, BAD, NULL));
    TRY(SYS(clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &(struct timespec){0, 1}, NULL));
    handle(SIGALRM, note, 0);
    alarm(1);
    TRY(nanosleep(&(struct timespec){30, 0}, &left));
    IS(left.tv_sec >= 28 && left.tv_sec < 30);
    alarm(1);
    TRY(SYS(nanosleep, &(struct timespec){30, 0}, BAD));
    return 0;
}
