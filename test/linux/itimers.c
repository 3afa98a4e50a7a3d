/* SPDX-License-Identifier: MIT */
/* setitimer, getitimer, alarm: real, virtual, profiling; what fork and exec keep; errors. */
#include "try.h"
#include <sys/time.h>

static volatile sig_atomic_t hits;

static void note(int number)
{
    (void)number;
    hits++;
}

static void child(void)
{
    struct itimerval left;

    getitimer(ITIMER_REAL, &left);
    VAL(left.it_value.tv_sec + left.it_value.tv_usec); // not inherited
}

static void burn(int number, int which)
{
    struct itimerval set = {{0, 0}, {0, 20000}};
    long start = now_ms();

    hits = 0;
    handle(number, note, 0);
    TRY(setitimer(which, &set, NULL));
    while (!hits && now_ms() - start < 5000)
        ;
    VAL(hits);
}

int main(int count, char **arguments)
{
    struct itimerval set = {{0, 20000}, {0, 20000}}, old;

    if (count > 1) {
        getitimer(ITIMER_REAL, &old);
        IS(old.it_value.tv_sec > 50);
        return 0;
    }
    handle(SIGALRM, note, 0);
    TRY(setitimer(ITIMER_REAL, &set, &old));
    VAL(old.it_value.tv_sec + old.it_value.tv_usec);
    while (hits < 3)
        pause();
    TRY(getitimer(ITIMER_REAL, &old));
    VAL(old.it_interval.tv_usec);
    IS(old.it_value.tv_usec <= 20000);
    set.it_value.tv_usec = 0;
    TRY(setitimer(ITIMER_REAL, &set, NULL));
    hits = 0;
    sleep_ms(60);
    VAL(hits);
    TRY(alarm(100));
    TRY(alarm(1));
    TRY(getitimer(ITIMER_REAL, &old));
    VAL(old.it_interval.tv_sec + old.it_interval.tv_usec);
    TRY(pause());
    VAL(hits);
    TRY(alarm(0));
    alarm(77);
    CHILD(child);
    burn(SIGVTALRM, ITIMER_VIRTUAL);
    burn(SIGPROF, ITIMER_PROF);
    TRY(setitimer(3, &set, NULL));
    TRY(getitimer(3, &old));
    set.it_value.tv_usec = 1000000;
    TRY(setitimer(ITIMER_REAL, &set, NULL));
    TRY(SYS(getitimer, ITIMER_REAL, BAD));
    TRY(SYS(setitimer, ITIMER_REAL, BAD, NULL));
    alarm(77);
    TRY(execl("/proc/self/exe", arguments[0], "again", NULL));
    return 1;
}
