/* SPDX-License-Identifier: MIT */
/* timer_create: signals with values, periods, overruns, absolute times, deletion, errors. */
#include "try.h"

static volatile sig_atomic_t hits, value, code;

static void note(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    hits++;
    value = info->si_value.sival_int;
    code = info->si_code;
}

// The kernel's own interface: the C libraries differ in what they check first.
static int id;

static long create(int clock, int notify, int number, int data)
{
    struct sigevent event;

    memset(&event, 0, sizeof event);
    event.sigev_notify = notify;
    event.sigev_signo = number;
    event.sigev_value.sival_int = data;
    return SYS(timer_create, clock, &event, &id);
}

static struct itimerspec times(long value_ms, long interval_ms)
{
    return (struct itimerspec){{interval_ms / 1000, interval_ms % 1000 * 1000000},
        {value_ms / 1000, value_ms % 1000 * 1000000}};
}

int main(void)
{
    struct itimerspec set, old;
    struct sigaction action;
    sigset_t usr;
    int first;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = note;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &action, NULL);
    TRY(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 77));
    first = id;
    set = times(30, 0);
    TRY(SYS(timer_settime, first, 0, &set, &old));
    VAL(old.it_value.tv_nsec);
    TRY(SYS(timer_gettime, first, &old));
    IS(old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 30000000);
    TRY(pause());
    VAL(hits);
    VAL(value);
    VAL(code == SI_TIMER);
    TRY(SYS(timer_gettime, first, &old));
    VAL(old.it_value.tv_nsec);
    set = times(10, 10);
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr, NULL);
    hits = 0;
    TRY(SYS(timer_settime, first, 0, &set, NULL));
    sleep_ms(100);
    sigprocmask(SIG_UNBLOCK, &usr, NULL);
    IS(hits >= 1 && hits <= 3); // one signal, however often it went off
    IS(SYS(timer_getoverrun, first) >= 5);
    TRY(SYS(timer_delete, first));
    TRY(SYS(timer_delete, first));
    TRY(SYS(timer_gettime, first, &old));
    TRY(SYS(timer_getoverrun, 12345));
    TRY(create(CLOCK_REALTIME, SIGEV_NONE, 0, 0));
    set = times(1000, 0);
    TRY(SYS(timer_settime, id, 0, &set, NULL));
    TRY(SYS(timer_gettime, id, &old));
    IS(old.it_value.tv_sec == 0 || old.it_value.tv_sec == 1);
    set.it_value.tv_nsec = 1000000000;
    TRY(SYS(timer_settime, id, 0, &set, NULL));
    set = times(-1000, 0);
    TRY(SYS(timer_settime, id, 0, &set, NULL));
    TRY(SYS(timer_settime, id, 0, BAD, NULL));
    TRY(create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 65, 0));
    TRY(create(CLOCK_MONOTONIC, 99, SIGUSR1, 0));
    TRY(create(99, SIGEV_SIGNAL, SIGUSR1, 0));
    TRY(SYS(timer_create, CLOCK_MONOTONIC, NULL, BAD));
    TRY(SYS(timer_create, CLOCK_MONOTONIC, NULL, &id));
    signal(SIGALRM, SIG_IGN);
    TRY(create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 5));
    set = times(20, 0);
    hits = 0;
    TRY(SYS(timer_settime, id, 0, &set, NULL));
    for (long start = now_ms(); !hits && now_ms() - start < 5000;)
        ;
    VAL(hits);
    return 0;
}
