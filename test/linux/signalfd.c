/* SPDX-License-Identifier: MIT */
/* signalfd: reading pending signals, non-blocking, poll, changing the mask, errors. */
#include "try.h"
#include <poll.h>
#include <sys/signalfd.h>

int main(void)
{
    struct signalfd_siginfo info[3];
    struct pollfd event;
    sigset_t set;
    int fd;
    pid_t pid;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1), sigaddset(&set, SIGRTMIN), sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    TRY(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    fd = 3;
    TRY(fcntl(fd, F_GETFD));
    TRY(read(fd, info, sizeof info));
    event = (struct pollfd){.fd = fd, .events = POLLIN};
    TRY(poll(&event, 1, 0));
    raise(SIGUSR1);
    TRY(poll(&event, 1, 0));
    TRY(read(fd, info, 10));
    TRY(read(fd, info, sizeof info));
    VAL(info[0].ssi_signo);
    IS(info[0].ssi_pid == (uint32_t)getpid());
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 11});
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 22});
    TRY(read(fd, info, sizeof info));
    VAL(info[0].ssi_int);
    VAL(info[1].ssi_int);
    pid = fork();
    if (pid == 0)
        _exit(4);
    TRY(poll(&event, 1, 2000));
    TRY(read(fd, info, sizeof info));
    VAL(info[0].ssi_signo == SIGCHLD);
    VAL(info[0].ssi_status);
    reap("child", pid);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    TRY(signalfd(fd, &set, 0));
    raise(SIGUSR1);
    TRY(read(fd, info, sizeof info));
    TRY(write(fd, info, sizeof info));
    TRY(lseek(fd, 0, SEEK_SET));
    TRY(signalfd(99, &set, 0));
    TRY(signalfd(0, &set, 0));
    TRY(SYS(signalfd4, -1, &set, 8, 1));
    TRY(SYS(signalfd4, -1, &set, 4, 0));
    TRY(SYS(signalfd4, -1, BAD, 8, 0));
    TRY(read(fd, BAD, sizeof info));
    return 0;
}
