/* SPDX-License-Identifier: MIT */
/* Process groups and sessions: setpgid's rules, setsid, kill by group, wait by group, errors. */
#include "try.h"

static int go[2], done[2];

static void wait_for(int fd)
{
    char byte;

    if (read(fd, &byte, 1) != 1)
        _exit(9);
}

static void signal_to(int fd)
{
    if (write(fd, "x", 1) != 1)
        _exit(9);
}

static void leader(void)
{
    TRY(setpgid(0, 0));
    IS(getpgrp() == getpid());
    IS(setsid() == -1 && errno == EPERM); // a group leader cannot
    if (fork() == 0) {
        IS(setsid() == getpid());
        IS(getsid(0) == getpid());
        IS(getpgrp() == getpid());
        TRY(setpgid(0, 0)); // a session leader cannot
        _exit(0);
    }
    wait(NULL);
}

int main(void)
{
    int status;
    pid_t pid, group, other;

    pipe(go), pipe(done);
    IS(getpgid(0) == getpgrp());
    IS(getsid(0) == getpgrp()); // the driver has made this a session
    CHILD(leader);
    pid = fork();
    if (pid == 0) {
        signal_to(done[1]);
        wait_for(go[0]);
        pause();
    }
    wait_for(done[0]);
    TRY(setpgid(pid, pid));
    IS(getpgid(pid) == pid);
    other = fork();
    if (other == 0) {
        signal_to(done[1]);
        pause();
    }
    wait_for(done[0]);
    TRY(setpgid(other, pid)); // joins the first one's group
    IS(getpgid(other) == pid);
    group = pid;
    TRY(kill(-group, 0));
    TRY(kill(-group, SIGTERM));
    IS(waitpid(-group, &status, 0) > 0);
    show_status("first", status);
    IS(waitpid(-group, &status, 0) > 0);
    show_status("second", status);
    TRY(waitpid(-group, &status, 0));
    TRY(kill(-group, 0));
    pid = fork();
    if (pid == 0) {
        execl("/bin/busybox", "sleep", "5", NULL);
        _exit(127);
    }
    sleep_ms(200);
    TRY(setpgid(pid, pid)); // too late: it has executed
    kill(pid, SIGKILL);
    reap("sleep", pid);
    TRY(setpgid(999999, 0));
    TRY(setpgid(0, 999999));
    TRY(setpgid(0, -1));
    TRY(setpgid(getppid(), 0));
    TRY(getpgid(999999));
    TRY(getsid(999999));
    TRY(getpgid(-1));
    TRY(kill(-getpgrp(), 0));
    TRY(kill(0, 0));
    return 0;
}
