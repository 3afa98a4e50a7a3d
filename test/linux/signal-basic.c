/* SPDX-License-Identifier: MIT */
/* sigaction and kill: handlers, SA_RESETHAND, SA_NODEFER, SIG_IGN, what cannot be caught, errors.
 * */
#include "try.h"

static volatile sig_atomic_t count, depth, deepest;

static void on_signal(int number)
{
    (void)number;
    count++;
    deepest = ++depth > deepest ? depth : deepest;
    if (count == 1)
        raise(SIGUSR1);
    depth--;
}

static void once(void)
{
    handle(SIGUSR2, on_signal, SA_RESETHAND);
    raise(SIGUSR2);
    say("after the first");
    raise(SIGUSR2);
    say("not reached");
}

int main(void)
{
    struct sigaction action, old;
    sigset_t set;

    handle(SIGUSR1, on_signal, 0);
    raise(SIGUSR1);
    VAL(count); // the raise within is delivered once the handler has returned
    VAL(deepest);
    count = deepest = 0;
    handle(SIGUSR1, on_signal, SA_NODEFER);
    depth = 0;
    raise(SIGUSR1);
    VAL(count);
    VAL(deepest);
    TRY(sigaction(SIGUSR1, NULL, &old));
    IS(old.sa_handler == on_signal);
    IS(old.sa_flags & SA_NODEFER);
    CHILD(once);
    signal(SIGUSR1, SIG_IGN);
    TRY(raise(SIGUSR1));
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    TRY(sigaction(SIGKILL, &action, NULL));
    TRY(sigaction(SIGSTOP, &action, NULL));
    TRY(sigaction(0, &action, NULL));
    TRY(sigaction(65, &action, NULL));
    TRY(SYS(rt_sigaction, SIGUSR1, BAD, NULL, 8));
    TRY(SYS(rt_sigaction, SIGUSR1, NULL, BAD, 8));
    TRY(SYS(rt_sigaction, SIGUSR1, NULL, NULL, 4));
    TRY(kill(getpid(), 0));
    TRY(kill(getpid(), 65));
    TRY(kill(getpid(), -1));
    TRY(kill(999999, SIGTERM));
    TRY(kill(-999999, SIGTERM));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    TRY(sigprocmask(SIG_BLOCK, &set, NULL));
    handle(SIGUSR2, on_signal, 0);
    count = 0, depth = 1;
    raise(SIGUSR2);
    raise(SIGUSR2);
    VAL(count);
    sigpending(&set);
    VAL(sigismember(&set, SIGUSR2));
    signal(SIGUSR2, SIG_IGN); // takes the pending one away
    sigpending(&set);
    VAL(sigismember(&set, SIGUSR2));
    TRY(SYS(rt_sigprocmask, 77, &set, NULL, 8));
    TRY(SYS(rt_sigprocmask, SIG_BLOCK, &set, NULL, 16));
    TRY(SYS(rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8));
    return 0;
}
