/* SPDX-License-Identifier: MIT */
/* Signals and threads: to one thread, to the process, masks of each, sigwait, faults. */
#include "try.h"
#include <pthread.h>

static volatile pid_t handled_by;
static volatile int hits, stop;
static pthread_barrier_t barrier;

static void note(int number)
{
    (void)number;
    handled_by = (pid_t)SYS(gettid);
    hits++;
}

static void *blocked(void *argument)
{
    sigset_t set;

    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    *(pid_t *)argument = (pid_t)SYS(gettid);
    pthread_barrier_wait(&barrier);
    while (!stop)
        sleep_ms(5);
    sigpending(&set);
    return (void *)(intptr_t)sigismember(&set, SIGUSR2);
}

static void *waiter(void *argument)
{
    sigset_t set;
    int number = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_barrier_wait(&barrier);
    sigwait(&set, &number);
    (void)argument;
    return (void *)(intptr_t)number;
}

static void *reader(void *argument)
{
    char byte;
    long got;

    pthread_barrier_wait(&barrier);
    got = read(*(int *)argument, &byte, 1);
    return (void *)(intptr_t)(got < 0 ? errno : 0);
}

int main(void)
{
    pthread_t thread;
    pid_t other = 0;
    sigset_t set;
    void *value = NULL;
    int ends[2];

    pthread_barrier_init(&barrier, NULL, 2);
    handle(SIGUSR1, note, 0), handle(SIGUSR2, note, 0);
    if (pthread_create(&thread, NULL, blocked, &other) != 0)
        return 1;
    pthread_barrier_wait(&barrier);
    kill(getpid(), SIGUSR1); // the process: only this thread takes it
    IS(handled_by == getpid());
    CODE(pthread_kill(thread, SIGUSR2)); // the thread, which blocks it
    sleep_ms(30);
    VAL(hits);
    stop = 1;
    pthread_join(thread, &value);
    VAL((intptr_t)value);
    VAL(hits);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sigpending(&set);
    VAL(sigismember(&set, SIGUSR2)); // another thread's pending signals are its own
    pthread_create(&thread, NULL, waiter, NULL);
    pthread_barrier_wait(&barrier);
    sleep_ms(30);
    kill(getpid(), SIGUSR1);
    pthread_join(thread, &value);
    VAL((intptr_t)value);
    VAL(hits);
    pipe(ends);
    handle(SIGUSR2, note, 0);
    pthread_create(&thread, NULL, reader, &ends[0]);
    pthread_barrier_wait(&barrier);
    sleep_ms(50);
    CODE(pthread_kill(thread, SIGUSR2));
    pthread_join(thread, &value);
    say("read: %s", errno_name((int)(intptr_t)value));
    IS(handled_by != getpid());
    CODE(pthread_kill(pthread_self(), 0));
    CODE(pthread_kill(pthread_self(), 100));
    CODE(pthread_sigmask(77, &set, NULL));
    return 0;
}
