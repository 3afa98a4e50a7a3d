/* SPDX-License-Identifier: MIT */
/* fcntl record locks: conflicts, ranges, F_GETLK, release at close and exit, EDEADLK, OFD locks. */
#include "try.h"

static int fd;

static struct flock lock(int type, off_t start, off_t length)
{
    struct flock l;

    memset(&l, 0, sizeof l);
    l.l_type = (short)type;
    l.l_whence = SEEK_SET;
    l.l_start = start;
    l.l_len = length;
    return l;
}

static struct flock all;

#define LOCK(command, type, start, length)                                                   \
    (all = lock(type, start, length), fcntl(fd, command, &all))

static void other(void)
{
    TRY(LOCK(F_SETLK, F_WRLCK, 0, 10));
    TRY(LOCK(F_SETLK, F_RDLCK, 5, 1));
    TRY(LOCK(F_SETLK, F_WRLCK, 10, 10));
    TRY(LOCK(F_GETLK, F_WRLCK, 0, 100));
    VAL(all.l_type == F_WRLCK);
    VAL(all.l_start);
    VAL(all.l_len);
    IS(all.l_pid == getppid());
    TRY(LOCK(F_SETLK, F_UNLCK, 0, 10)); // another's lock stays
    TRY(LOCK(F_SETLK, F_WRLCK, 0, 10));
}

static void split(void)
{
    TRY(LOCK(F_SETLK, F_WRLCK, 4, 2));
    TRY(LOCK(F_SETLK, F_WRLCK, 3, 2));
    TRY(LOCK(F_SETLK, F_WRLCK, 6, 1));
}

static void free_now(void)
{
    TRY(LOCK(F_SETLK, F_WRLCK, 0, 100));
}

static void waiter(void)
{
    TRY(LOCK(F_SETLKW, F_WRLCK, 0, 1));
    say("child has it");
}

int main(void)
{
    pid_t pid;
    int copy;

    fd = open("file", O_RDWR | O_CREAT, 0644);
    TRY(LOCK(F_SETLK, F_WRLCK, 0, 10));
    TRY(LOCK(F_SETLK, F_WRLCK, 0, 10)); // one's own is no conflict
    CHILD(other);
    TRY(LOCK(F_SETLK, F_UNLCK, 4, 2));
    CHILD(split);
    copy = open("file", O_RDONLY);
    close(copy); // any close of the file drops all of the process's locks
    CHILD(free_now);
    TRY(LOCK(F_SETLK, F_WRLCK, 0, 1));
    pid = fork();
    if (pid == 0) {
        waiter();
        _exit(0);
    }
    sleep_ms(60);
    say("parent lets go");
    if (LOCK(F_SETLK, F_UNLCK, 0, 0) < 0)
        say("unlock: %s", errno_name(errno));
    reap("waiter", pid);
    TRY(LOCK(F_SETLK, F_WRLCK, 0, 0)); // gone with the waiter's exit
    TRY(LOCK(F_SETLK, 77, 0, 1));
    TRY(LOCK(F_SETLK, F_WRLCK, -1, 1));
    TRY(SYS(fcntl, fd, F_SETLK, BAD));
    copy = open("file", O_RDONLY);
    all = lock(F_WRLCK, 0, 1);
    TRY(fcntl(copy, F_SETLK, &all));
    TRY(fcntl(99, F_SETLK, &all));
    close(copy);
    TRY(LOCK(F_OFD_SETLK, F_WRLCK, 0, 1));
    copy = open("file", O_RDWR);
    all = lock(F_WRLCK, 0, 1);
    TRY(fcntl(copy, F_OFD_SETLK, &all));
    close(fd);
    TRY(fcntl(copy, F_OFD_SETLK, &all));
    return 0;
}
