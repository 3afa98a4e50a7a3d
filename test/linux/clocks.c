/* SPDX-License-Identifier: MIT */
/* clock_gettime, clock_getres, gettimeofday, time: which clocks there are, that they run. */
#include "try.h"
#include <sys/time.h>

static void look(const char *name, int clock)
{
    struct timespec a = {0, 0}, b, resolution = {0, 0};
    bool got = clock_gettime(clock, &a) == 0;
    long result = SYS(clock_gettime, clock, &b);

    say("%s: %s, %s, %s", name, got ? "there" : errno_name(errno),
        result == 0 && (b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec))
            ? "runs forward"
            : "backward",
        SYS(clock_getres, clock, &resolution) == 0 && resolution.tv_sec == 0 &&
                resolution.tv_nsec >= 1 && resolution.tv_nsec <= 10000000
            ? "has a resolution"
            : "has none");
}

int main(void)
{
    struct timespec later, cpu, real;
    struct timeval day;
    time_t seconds;
    volatile long sink = 0;

#define LOOK(clock) look(#clock, clock)
    LOOK(CLOCK_REALTIME), LOOK(CLOCK_MONOTONIC), LOOK(CLOCK_PROCESS_CPUTIME_ID);
    LOOK(CLOCK_THREAD_CPUTIME_ID), LOOK(CLOCK_MONOTONIC_RAW), LOOK(CLOCK_REALTIME_COARSE);
    LOOK(CLOCK_MONOTONIC_COARSE), LOOK(CLOCK_BOOTTIME);
    TRY(clock_gettime(77, &later));
    TRY(clock_gettime(-1, &later));
    TRY(SYS(clock_gettime, CLOCK_REALTIME, BAD));
    TRY(SYS(clock_getres, 77, &later));
    TRY(SYS(clock_getres, CLOCK_MONOTONIC, NULL));
    TRY(gettimeofday(&day, NULL));
    clock_gettime(CLOCK_REALTIME, &real);
    IS(real.tv_sec - day.tv_sec <= 2);
    seconds = time(NULL);
    IS(seconds >= real.tv_sec && seconds - real.tv_sec <= 2);
    IS(seconds > 1700000000); // the date is that of a machine that is on
    IS(SYS(time, NULL) - seconds <= 2);
    TRY(SYS(time, BAD));
    TRY(SYS(gettimeofday, BAD, NULL));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    sleep_ms(100);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &later);
    IS((later.tv_sec - cpu.tv_sec) * 1000 + (later.tv_nsec - cpu.tv_nsec) / 1000000 < 60);
    for (long i = 0; i < 20000000; i++)
        sink += i;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    IS((cpu.tv_sec - later.tv_sec) * 1000000000L + cpu.tv_nsec - later.tv_nsec > 1000000);
    if (fork() == 0) {
        setuid(1000);
        TRY(clock_settime(CLOCK_REALTIME, &real));
        _exit(0);
    }
    wait(NULL);
    TRY(clock_settime(CLOCK_MONOTONIC, &real));
    return 0;
}
