/* SPDX-License-Identifier: MIT */
/* Real-time signals: queued in order with their values, lower numbers first; sigqueue errors. */
#include "try.h"

static void note(int number, siginfo_t *info, void *context)
{
    (void)context;
    say("%d code %d value %d from self %s", number - SIGRTMIN, info->si_code,
        info->si_value.sival_int, info->si_pid == getpid() ? "yes" : "no");
}

static void send(int number, int value)
{
    sigqueue(getpid(), number, (union sigval){.sival_int = value});
}

int main(void)
{
    struct sigaction action;
    struct timespec zero = {0, 0};
    siginfo_t info;
    sigset_t set, old;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = note;
    action.sa_flags = SA_SIGINFO;
    sigfillset(&action.sa_mask);
    sigemptyset(&set);
    for (int i = 0; i < 4; i++) {
        sigaction(SIGRTMIN + i, &action, NULL);
        sigaddset(&set, SIGRTMIN + i);
    }
    sigprocmask(SIG_BLOCK, &set, &old);
    send(SIGRTMIN + 2, 1), send(SIGRTMIN, 2), send(SIGRTMIN, 3), send(SIGRTMIN + 1, 4);
    send(SIGRTMIN + 2, 5), send(SIGRTMIN, 6);
    kill(getpid(), SIGRTMIN + 3);
    sigprocmask(SIG_SETMASK, &old, NULL);
    say("all delivered");
    sigprocmask(SIG_BLOCK, &set, NULL);
    send(SIGRTMIN + 1, 7), send(SIGRTMIN, 8);
    IS(sigtimedwait(&set, &info, &zero) == SIGRTMIN);
    VAL(info.si_value.sival_int);
    IS(sigwaitinfo(&set, &info) == SIGRTMIN + 1);
    VAL(info.si_value.sival_int);
    VAL(info.si_code == SI_QUEUE);
    TRY(sigtimedwait(&set, &info, &zero));
    TRY(sigtimedwait(&set, &info, &(struct timespec){0, 20000000}));
    TRY(sigtimedwait(&set, &info, &(struct timespec){0, -1}));
    TRY(SYS(rt_sigtimedwait, &set, &info, &zero, 4));
    TRY(SYS(rt_sigtimedwait, BAD, &info, &zero, 8));
    TRY(sigqueue(999999, SIGRTMIN, (union sigval){0}));
    TRY(sigqueue(getpid(), 65, (union sigval){0}));
    TRY(sigqueue(getpid(), 0, (union sigval){0}));
    memset(&info, 0, sizeof info);
    info.si_code = SI_USER;
    TRY(SYS(rt_sigqueueinfo, getppid(), 0, &info));
    info.si_code = SI_QUEUE;
    info.si_value.sival_int = 9;
    info.si_pid = getpid();
    TRY(SYS(rt_sigqueueinfo, getpid(), SIGRTMIN, &info));
    IS(sigwaitinfo(&set, &info) == SIGRTMIN);
    VAL(info.si_value.sival_int);
    TRY(SYS(rt_sigqueueinfo, getpid(), SIGRTMIN, BAD));
    return 0;
}
