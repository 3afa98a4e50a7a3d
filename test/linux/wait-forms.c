/* SPDX-License-Identifier: MIT */
/* wait4 and waitid: statuses, WNOHANG, WUNTRACED, WCONTINUED, WNOWAIT, which children, errors. */
#include "try.h"
#include <sys/resource.h>

static void exit_7(void)
{
    _exit(7);
}

static void abort_now(void)
{
    abort();
}

static void term_self(void)
{
    kill(getpid(), SIGTERM);
}

int main(void)
{
    struct rusage usage;
    siginfo_t info;
    int status;
    pid_t pid, other;

    CHILD(exit_7);
    CHILD(abort_now);
    CHILD(term_self);
    TRY(waitpid(-1, &status, 0));
    TRY(waitpid(getpid(), &status, 0));
    TRY(waitpid(-1, &status, 0x1000));
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    TRY(waitpid(pid, &status, WNOHANG));
    kill(pid, SIGSTOP);
    IS(waitpid(pid, &status, WUNTRACED) == pid);
    show_status("child", status);
    TRY(waitpid(pid, &status, WUNTRACED | WNOHANG));
    kill(pid, SIGCONT);
    IS(waitpid(pid, &status, WCONTINUED) == pid);
    show_status("child", status);
    kill(pid, SIGKILL);
    memset(&info, 0, sizeof info);
    TRY(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
    IS(info.si_pid == pid);
    VAL(info.si_code == CLD_KILLED);
    VAL(info.si_status);
    IS(wait4(pid, &status, 0, &usage) == pid);
    show_status("child", status);
    IS(usage.ru_maxrss >= 0);
    TRY(waitid(P_PID, (id_t)pid, &info, WEXITED));
    TRY(waitid(P_ALL, 0, &info, 0));
    TRY(waitid(99, 0, &info, WEXITED));
    pid = fork();
    if (pid == 0)
        _exit(3);
    other = fork();
    if (other == 0)
        _exit(4);
    TRY(waitid(P_PID, (id_t)other, &info, WEXITED));
    VAL(info.si_code == CLD_EXITED);
    VAL(info.si_status);
    VAL(info.si_signo == SIGCHLD);
    IS(waitpid(0, &status, 0) == pid);
    show_status("child", status);
    TRY(waitpid(-12345, &status, 0));
    pid = fork();
    if (pid == 0)
        _exit(0);
    sleep_ms(50);
    TRY(SYS(wait4, pid, BAD, 0, NULL));
    memset(&info, 0x55, sizeof info);
    pid = fork();
    if (pid == 0) {
        sleep_ms(100);
        _exit(1);
    }
    TRY(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG));
    VAL(info.si_pid);
    reap("last", pid);
    TRY(wait(NULL));
    signal(SIGCHLD, SIG_IGN);
    if (fork() == 0)
        _exit(0);
    TRY(wait(NULL));
    return 0;
}
