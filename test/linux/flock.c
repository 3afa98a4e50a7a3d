/* SPDX-License-Identifier: MIT */
/* flock: belongs to the open file: shared by dup and fork, not by a second open; upgrades. */
#include "try.h"
#include <sys/file.h>

static int fd;

static void inherited(void)
{
    TRY(flock(fd, LOCK_EX | LOCK_NB)); // the same open file
}

static void fresh(void)
{
    fd = open("file", O_RDONLY);
    TRY(flock(fd, LOCK_SH | LOCK_NB));
    TRY(flock(fd, LOCK_EX | LOCK_NB));
}

static void waiter(void)
{
    fd = open("file", O_RDONLY);
    TRY(flock(fd, LOCK_EX));
    say("child has it");
}

int main(void)
{
    int second;
    pid_t pid;

    fd = open("file", O_RDWR | O_CREAT, 0644);
    TRY(flock(fd, LOCK_EX));
    TRY(flock(dup(fd), LOCK_EX | LOCK_NB));
    second = open("file", O_RDWR);
    TRY(flock(second, LOCK_EX | LOCK_NB));
    TRY(flock(second, LOCK_SH | LOCK_NB));
    CHILD(inherited);
    CHILD(fresh);
    TRY(flock(fd, LOCK_SH));
    CHILD(fresh);
    pid = fork();
    if (pid == 0) {
        close(fd), close(second), close(4);
        waiter();
        _exit(0);
    }
    sleep_ms(60);
    say("parent lets go");
    if (flock(fd, LOCK_UN) < 0)
        say("unlock: %s", errno_name(errno));
    reap("waiter", pid);
    TRY(flock(second, LOCK_EX | LOCK_NB));
    TRY(close(second));
    TRY(flock(fd, LOCK_EX | LOCK_NB)); // the close let it go
    TRY(flock(fd, LOCK_UN));
    TRY(flock(fd, LOCK_UN));
    TRY(flock(fd, 0));
    TRY(flock(fd, 77));
    TRY(flock(99, LOCK_EX));
    TRY(flock(-1, LOCK_UN));
    return 0;
}
