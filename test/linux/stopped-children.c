/* SPDX-License-Identifier: MIT */
/* Children that are stopped and go on: what waitid and SIGCHLD say, what /proc says meanwhile,
 * and that another child's end is no reason to hang up. */
#include "try.h"

static int status_file;

static char state(void)
{
    char text[2048] = "", *at;

    lseek(status_file, 0, SEEK_SET);
    if (read(status_file, text, sizeof text - 1) < 0)
        return '?';
    at = strstr(text, "State:");
    return at ? at[7] : '?';
}

static void until(char wanted)
{
    for (int i = 0; i < 1000 && state() != wanted; i++)
        sleep_ms(5);
    say("%c", state());
}

static void told(void)
{
    siginfo_t info;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    memset(&info, 0, sizeof info);
    IS(sigwaitinfo(&set, &info) == SIGCHLD);
    VAL(info.si_code);
    VAL(info.si_status);
}

static void waited(pid_t pid, int options)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    TRY(waitid(P_PID, (id_t)pid, &info, options | WNOHANG));
    VAL(info.si_code);
    VAL(info.si_status);
    IS(info.si_pid == (options && info.si_signo ? pid : 0));
}

static int hung_up;

static void hang_up(int signal)
{
    (void)signal;
    hung_up++;
}

int main(void)
{
    char name[64];
    sigset_t set;
    pid_t pid, other;

    handle(SIGHUP, hang_up, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    pid = fork();
    if (!pid) {
        raise(SIGSTOP);
        for (;;)
            pause();
    }
    snprintf(name, sizeof name, "/proc/%d/status", pid);
    status_file = open(name, O_RDONLY);
    IS(status_file >= 0);
    until('T');
    told();
    waited(pid, WEXITED | WCONTINUED);
    waited(pid, WSTOPPED);
    other = fork();
    if (!other)
        _exit(3);
    told();
    waited(other, WEXITED | 0x40000000); /* __WALL */
    VAL(hung_up);
    kill(pid, SIGCONT);
    until('S');
    told();
    waited(pid, WCONTINUED | WNOWAIT);
    waited(pid, WCONTINUED);
    waited(pid, WCONTINUED);
    kill(pid, SIGSTOP);
    until('T');
    told();
    kill(pid, SIGKILL);
    until('Z');
    waited(pid, WEXITED);
    told();
    TRY(lseek(status_file, 0, SEEK_SET));
    TRY(read(status_file, name, sizeof name));
    TRY(waitid(P_PID, (id_t)pid, NULL, WEXITED));
    TRY(waitid(P_PID, (id_t)pid, NULL, 0x10000000 | WEXITED));
    VAL(hung_up);
    return 0;
}
