/* SPDX-License-Identifier: MIT */
/* getrusage and times: own and children's time, page faults, errors. */
#include "try.h"
#include <sys/resource.h>
#include <sys/times.h>

static long micro(struct timeval time)
{
    return time.tv_sec * 1000000 + time.tv_usec;
}

static void burn(void)
{
    volatile long sink = 0;
    struct timespec start, now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    do {
        for (int i = 0; i < 100000; i++)
            sink += i;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < 60);
}

int main(void)
{
    struct rusage before, after;
    struct tms start, end;
    char *memory;

    TRY(getrusage(RUSAGE_SELF, &before));
    IS(times(&start) > 0);
    VAL(start.tms_cutime + start.tms_cstime);
    burn();
    TRY(getrusage(RUSAGE_SELF, &after));
    IS(micro(after.ru_utime) + micro(after.ru_stime) - micro(before.ru_utime) -
            micro(before.ru_stime) >=
        40000);
    times(&end);
    IS(end.tms_utime + end.tms_stime > start.tms_utime + start.tms_stime);
    TRY(getrusage(RUSAGE_CHILDREN, &after));
    VAL(micro(after.ru_utime));
    CHILD(burn);
    TRY(getrusage(RUSAGE_CHILDREN, &after));
    IS(micro(after.ru_utime) + micro(after.ru_stime) >= 40000);
    times(&end);
    IS(end.tms_cutime + end.tms_cstime >= 4);
    TRY(getrusage(RUSAGE_SELF, &before));
    memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 256; i++)
        memory[i * 4096] = 1;
    TRY(getrusage(RUSAGE_SELF, &after));
    IS(after.ru_minflt - before.ru_minflt >= 1);
    IS(after.ru_maxrss > 0);
    TRY(SYS(getrusage, 99, &after));
    TRY(SYS(getrusage, RUSAGE_SELF, BAD));
    TRY(SYS(times, BAD));
    IS(SYS(times, NULL) > 0);
    VAL(sysconf(_SC_CLK_TCK));
    return 0;
}
