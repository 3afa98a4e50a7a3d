/* SPDX-License-Identifier: MIT */
/* sched_yield: a thread that does nothing else lets those run that have a signal to take, whatever
 * they were waiting for. */
#include "try.h"
#include <pthread.h>
#include <sched.h>

#define THREADS 3
#define YIELDS_MAX 1000000
#define WAIT_PRIVATE 128

static volatile int taken, number[THREADS];
static int word, sleeps;

static void handler(int signal)
{
    (void)signal;
    taken++;
}

static void *wait_here(void *argument)
{
    long index = (long)argument;

    number[index] = (int)SYS(gettid);
    for (;;)
        if (sleeps)
            nanosleep(&(struct timespec){0, 10000}, NULL);
        else
            SYS(futex, &word, WAIT_PRIVATE, 0, NULL);
    return NULL;
}

static void signal_all(const char *how)
{
    long yields = 0;

    for (int round = 0; round < 50; round++) {
        taken = 0;
        for (int i = 0; i < THREADS; i++)
            SYS(tgkill, getpid(), number[i], SIGRTMIN);
        while (taken < THREADS && yields++ < YIELDS_MAX)
            sched_yield();
    }
    say("%s: %s", how, yields < YIELDS_MAX ? "all were let run" : "somebody was not");
}

int main(void)
{
    pthread_t thread;

    TRY(sched_yield());
    TRY(sigaction(SIGRTMIN, &(struct sigaction){.sa_handler = handler}, NULL));
    for (long i = 0; i < THREADS; i++)
        TRY(pthread_create(&thread, NULL, wait_here, (void *)i));
    while (!number[0] || !number[1] || !number[2])
        sched_yield();
    signal_all("futex");
    sleeps = 1;
    signal_all("nanosleep");
    TRY(SYS(tgkill, getpid(), 0, SIGRTMIN));
    TRY(SYS(tgkill, getpid(), getpid(), 65));
    TRY(SYS(tkill, 999999, 0));
    return 0;
}
