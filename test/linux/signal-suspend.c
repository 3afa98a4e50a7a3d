/* SPDX-License-Identifier: MIT */
/* sigsuspend, pause, sigwait: the mask during and after, what ends them, errors. */
#include "try.h"

static volatile sig_atomic_t hits;

static void note(int number)
{
    (void)number;
    hits++;
}

static pid_t send_later(int number)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0) {
        sleep_ms(50);
        kill(parent, number);
        _exit(0);
    }
    return pid;
}

int main(void)
{
    sigset_t usr, empty, now, all;
    int number = 0;

    sigemptyset(&usr), sigemptyset(&empty), sigfillset(&all);
    sigaddset(&usr, SIGUSR1);
    handle(SIGUSR1, note, 0);
    sigprocmask(SIG_BLOCK, &usr, NULL);
    raise(SIGUSR1);
    VAL(hits);
    TRY(sigsuspend(&empty)); // the pending one ends it at once
    VAL(hits);
    sigprocmask(SIG_BLOCK, NULL, &now);
    VAL(sigismember(&now, SIGUSR1));
    send_later(SIGUSR1);
    TRY(sigsuspend(&empty));
    VAL(hits);
    wait(NULL);
    TRY(SYS(rt_sigsuspend, BAD, 8));
    TRY(SYS(rt_sigsuspend, &empty, 4));
    raise(SIGUSR1);
    CODE(sigwait(&usr, &number));
    VAL(number);
    VAL(hits);
    send_later(SIGUSR1);
    CODE(sigwait(&usr, &number));
    VAL(hits);
    wait(NULL);
    sigprocmask(SIG_UNBLOCK, &usr, NULL);
    send_later(SIGUSR1);
    TRY(pause());
    VAL(hits);
    wait(NULL);
    handle(SIGCHLD, note, SA_NOCLDSTOP);
    sigaddset(&usr, SIGCHLD);
    sigprocmask(SIG_BLOCK, &usr, NULL);
    send_later(SIGUSR2 + 100); // an invalid number: only the child's end comes
    TRY(sigsuspend(&empty));
    VAL(hits);
    return 0;
}
