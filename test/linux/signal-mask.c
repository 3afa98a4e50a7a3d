/* SPDX-License-Identifier: MIT */
/* sigprocmask: blocking, pending, order of delivery, inheritance by fork and exec, in handlers. */
#include "try.h"

static char order[64];
static volatile int used;

static void note(int number)
{
    order[used++] = (char)(number == SIGUSR1 ? '1' : number == SIGUSR2 ? '2' : 't');
}

static void mask_in_handler(int number)
{
    sigset_t now;

    (void)number;
    sigprocmask(SIG_BLOCK, NULL, &now);
    VAL(sigismember(&now, SIGUSR1)); // the signal itself
    VAL(sigismember(&now, SIGUSR2)); // sa_mask
    VAL(sigismember(&now, SIGTERM));
}

static void child(void)
{
    sigset_t now;

    sigprocmask(SIG_BLOCK, NULL, &now);
    VAL(sigismember(&now, SIGUSR1));
    sigpending(&now);
    VAL(sigismember(&now, SIGUSR1)); // pending ones are not inherited
}

int main(int count, char **arguments)
{
    struct sigaction action;
    sigset_t set, old;

    if (count > 1) {
        sigprocmask(SIG_BLOCK, NULL, &old);
        say("after exec: USR1 %s, %s", sigismember(&old, SIGUSR1) ? "blocked" : "open",
            arguments[1]);
        sigaction(SIGUSR2, NULL, &action);
        say("handler %s", action.sa_handler == SIG_DFL ? "gone" : "kept");
        sigaction(SIGTERM, NULL, &action);
        say("ignoring %s", action.sa_handler == SIG_IGN ? "kept" : "gone");
        sigpending(&old);
        VAL(sigismember(&old, SIGUSR1)); // stays pending over exec
        return 0;
    }
    handle(SIGUSR1, note, 0), handle(SIGUSR2, note, 0), handle(SIGTERM, note, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1), sigaddset(&set, SIGUSR2), sigaddset(&set, SIGTERM);
    TRY(sigprocmask(SIG_BLOCK, &set, &old));
    kill(getpid(), SIGTERM), kill(getpid(), SIGUSR2), kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    STR(order);
    CHILD(child);
    TRY(sigpending(&set));
    VAL(sigismember(&set, SIGUSR1) + sigismember(&set, SIGUSR2) + sigismember(&set, SIGTERM));
    TRY(sigprocmask(SIG_SETMASK, &old, NULL));
    VAL(used);
    sigfillset(&set);
    TRY(sigprocmask(SIG_BLOCK, &set, &old));
    sigprocmask(SIG_BLOCK, NULL, &set);
    VAL(sigismember(&set, SIGKILL));
    VAL(sigismember(&set, SIGSTOP));
    VAL(sigismember(&set, SIGTERM));
    TRY(sigprocmask(SIG_UNBLOCK, &set, NULL));
    memset(&action, 0, sizeof action);
    action.sa_handler = mask_in_handler;
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sigprocmask(SIG_BLOCK, NULL, &set);
    VAL(sigismember(&set, SIGUSR1));
    TRY(SYS(rt_sigprocmask, 3, &set, NULL, 8));
    TRY(SYS(rt_sigprocmask, 0, &set, BAD, 8));
    TRY(SYS(rt_sigpending, BAD, 8));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGTERM, SIG_IGN);
    handle(SIGUSR2, note, 0);
    raise(SIGUSR1);
    TRY(execl("/proc/self/exe", "signal-mask", "again", NULL));
    return 1;
}
