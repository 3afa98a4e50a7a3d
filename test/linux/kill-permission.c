/* SPDX-License-Identifier: MIT */
/* kill: who may signal whom by uids, EPERM and ESRCH, groups with some that may not, -1. */
#include "try.h"

static pid_t victim(uid_t uid)
{
    int ready[2];
    char byte;
    pid_t pid;

    pipe(ready);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        setuid(uid);
        write(ready[1], "r", 1);
        for (;;)
            pause();
    }
    if (read(ready[0], &byte, 1) != 1)
        _exit(9);
    close(ready[0]), close(ready[1]);
    return pid;
}

static pid_t root, same, other;

static void user(void)
{
    setgid(100), setuid(1000);
    TRY(kill(root, SIGTERM));
    TRY(kill(root, 0));
    TRY(kill(other, SIGTERM));
    TRY(kill(other, SIGCONT)); // only within the session
    TRY(kill(1, 0));
    TRY(kill(same, 0));
    TRY(kill(same, SIGTERM));
    TRY(kill(-root, SIGTERM));
    TRY(kill(999999, 0));
    TRY(SYS(tgkill, root, root, SIGTERM));
    TRY(SYS(tkill, root, 0));
    TRY(SYS(tgkill, 999999, 999999, 0));
    TRY(SYS(tgkill, -1, root, 0));
    TRY(SYS(tkill, 0, SIGTERM));
    TRY(kill(other, 100));
}

static void by_real_uid(void)
{
    setresuid(1500, 1600, 1600);
    pause();
}

static void everyone(void)
{
    setgid(100), setuid(2000);
    TRY(kill(-1, SIGKILL)); // those of uid 2000, but not the caller
    say("the caller is alive");
    TRY(kill(-1, SIGKILL));
}

int main(void)
{
    pid_t pid, killer;

    root = victim(0), same = victim(1000), other = victim(2000);
    CHILD(user);
    reap("same", same);
    CHILD(everyone);
    reap("other", other);
    pid = fork();
    if (pid == 0)
        by_real_uid();
    sleep_ms(50);
    killer = fork();
    if (killer == 0) {
        setuid(1500);
        TRY(kill(pid, SIGTERM)); // the target's real uid counts
        _exit(0);
    }
    reap("killer", killer);
    reap("real uid", pid);
    TRY(kill(root, SIGKILL));
    reap("root", root);
    return 0;
}
