/* SPDX-License-Identifier: MIT */
/* exit_group with threads, the first thread ending before the others, exec and fork in threads. */
#include "try.h"
#include <pthread.h>

static void *sleeps(void *argument)
{
    sleep_ms(5000);
    say("not reached");
    return argument;
}

static void *exits(void *argument)
{
    sleep_ms(20);
    exit(42);
    return argument;
}

static void *executes(void *argument)
{
    execl("/proc/self/exe", "thread-exit", "again", NULL);
    return argument;
}

static void *forks(void *argument)
{
    pid_t pid = fork();

    if (pid == 0) {
        say("child of a thread: one thread, %s", SYS(gettid) == getpid() ? "the first" : "another");
        _exit(5);
    }
    reap("child", pid);
    return argument;
}

static void *later(void *argument)
{
    sleep_ms(60);
    say("the other thread goes on");
    exit(7);
    return argument;
}

static void *faults(void *argument)
{
    *(volatile char *)BAD = 1;
    return argument;
}

static void start(void *(*function)(void *))
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, function, NULL) != 0) {
        say("no thread");
        _exit(9);
    }
}

static void exit_in_first(void)
{
    start(sleeps), start(sleeps);
    sleep_ms(20);
    exit(3);
}

static void exit_in_other(void)
{
    start(sleeps), start(exits);
    sleep_ms(5000);
}

static void first_ends(void)
{
    start(later);
    pthread_exit(NULL);
}

static void exec_in_first(void)
{
    start(sleeps), start(sleeps);
    sleep_ms(20);
    execl("/proc/self/exe", "thread-exit", "again", NULL);
}

static void exec_in_other(void)
{
    start(sleeps), start(executes);
    sleep_ms(5000);
}

static void fork_in_other(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, forks, NULL);
    pthread_join(thread, NULL);
}

static void fault_in_other(void)
{
    start(faults);
    sleep_ms(5000);
}

static void raw_exit(void)
{
    start(later);
    SYS(exit, 99); // only this thread; the process ends with the last one's status
}

static void killed(void)
{
    start(sleeps), start(sleeps);
    sleep_ms(20);
    kill(getpid(), SIGTERM);
    sleep_ms(5000);
}

int main(int count, char **arguments)
{
    if (count > 1) {
        say("%s, thread %s", arguments[1], SYS(gettid) == getpid() ? "is the first" : "is another");
        return 8;
    }
    CHILD(exit_in_first);
    CHILD(exit_in_other);
    CHILD(first_ends);
    CHILD(exec_in_first);
    CHILD(exec_in_other);
    CHILD(fork_in_other);
    CHILD(fault_in_other);
    CHILD(raw_exit);
    CHILD(killed);
    TRY(SYS(tgkill, getpid(), getpid() + 1000, SIGTERM));
    TRY(SYS(tkill, -1, SIGTERM));
    return 0;
}
