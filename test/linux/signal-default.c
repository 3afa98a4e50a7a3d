/* SPDX-License-Identifier: MIT */
/* What each signal does when nobody handles it; abort with SIGABRT ignored; stop and continue. */
#include "try.h"
#include <sys/resource.h>

static void with(int number)
{
    struct rlimit none = {0, 0};
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &none);
        kill(getpid(), number);
        _exit(0);
    }
    waitpid(pid, &status, WUNTRACED);
    show_status(signal_name(number), status);
    if (WIFSTOPPED(status)) {
        kill(pid, SIGCONT);
        waitpid(pid, &status, 0);
        show_status("then", status);
    }
}

static void abort_ignored(void)
{
    signal(SIGABRT, SIG_IGN);
    abort();
}

static void stop_ignored(void)
{
    signal(SIGTSTP, SIG_IGN);
    TRY(raise(SIGTSTP));
    say("not stopped");
}

static void blocked_kill(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    kill(getpid(), SIGKILL);
    say("alive?");
}

static void blocked_fault(void)
{
    struct rlimit none = {0, 0};
    sigset_t all;

    setrlimit(RLIMIT_CORE, &none);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    *(volatile char *)BAD = 1;
    say("alive?");
}

static void ignored_fault(void)
{
    signal(SIGSEGV, SIG_IGN);
    *(volatile char *)BAD = 1;
    say("alive?");
}

int main(void)
{
    for (int number = 1; number < 32; number++)
        with(number);
    with(40);
    with(64);
    CHILD(abort_ignored);
    CHILD(stop_ignored);
    CHILD(blocked_kill);
    CHILD(blocked_fault);
    CHILD(ignored_fault);
    TRY(kill(getpid(), 100));
    TRY(kill(1 << 22, SIGTERM));
    return 0;
}
