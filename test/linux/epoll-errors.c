/* SPDX-License-Identifier: MIT */
/* epoll: wrong fds, twice, unknown operations, dup'ed fds, epoll_pwait's mask. */
#include "try.h"
#include <sys/epoll.h>

static volatile sig_atomic_t hits;

static void note(int number)
{
    (void)number;
    hits++;
}

int main(void)
{
    struct epoll_event event = {.events = EPOLLIN}, got[4];
    sigset_t set, none;
    int a[2], copy;

    TRY(epoll_create1(77));
    TRY(SYS(epoll_create, 0));
    TRY(epoll_create1(0));
    pipe(a);
    TRY(epoll_ctl(3, EPOLL_CTL_ADD, a[0], &event));
    TRY(epoll_ctl(3, EPOLL_CTL_ADD, a[0], &event));
    TRY(epoll_ctl(3, EPOLL_CTL_MOD, a[1], &event));
    TRY(epoll_ctl(3, EPOLL_CTL_DEL, a[1], &event));
    TRY(epoll_ctl(3, EPOLL_CTL_ADD, 99, &event));
    TRY(epoll_ctl(99, EPOLL_CTL_ADD, a[0], &event));
    TRY(epoll_ctl(a[0], EPOLL_CTL_ADD, a[1], &event));
    TRY(epoll_ctl(3, 9, a[0], &event));
    TRY(epoll_ctl(3, EPOLL_CTL_ADD, a[1], BAD));
    TRY(epoll_ctl(3, EPOLL_CTL_ADD, 1, &event)); // a regular file
    TRY(epoll_wait(99, got, 4, 0));
    TRY(epoll_wait(a[0], got, 4, 0));
    copy = dup(a[0]);
    event.data.fd = 42;
    TRY(epoll_ctl(3, EPOLL_CTL_ADD, copy, &event)); // another fd of the same pipe
    TRY(write(a[1], "x", 1));
    TRY(epoll_wait(3, got, 4, 0));
    TRY(epoll_wait(3, got, 1, 0));
    TRY(close(a[0]));
    TRY(epoll_wait(3, got, 4, 0)); // the open file lives on through the copy
    handle(SIGUSR1, note, 0);
    sigemptyset(&set), sigemptyset(&none);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    TRY(read(copy, got, 1));
    TRY(epoll_wait(3, got, 4, 0));
    VAL(hits);
    TRY(epoll_pwait(3, got, 4, 1000, &none));
    VAL(hits);
    TRY(SYS(epoll_pwait, 3, got, 4, 0, BAD, 8));
    TRY(read(3, got, 1));
    TRY(write(3, got, 1));
    TRY(lseek(3, 0, SEEK_SET));
    return 0;
}
