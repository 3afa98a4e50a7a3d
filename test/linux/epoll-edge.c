/* SPDX-License-Identifier: MIT */
/* epoll, edge-triggered and one-shot: each change once; re-arming; eventfds; an epoll within. */
#include "try.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static struct epoll_event got[8];
static int epoll;

static void look(const char *when)
{
    int count = epoll_wait(epoll, got, 8, 0);

    say("%s: %d", when, count);
    for (int i = 0; i < count; i++)
        say("  data %d events %x", got[i].data.fd, got[i].events);
}

int main(void)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = 1};
    int a[2], counter, outer;
    uint64_t one = 1;
    char text[8];

    TRY(SYS(epoll_create, 1));
    epoll = 3;
    pipe(a);
    TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, a[0], &event));
    look("empty");
    write(a[1], "ab", 2);
    look("after a write");
    look("again");
    read(a[0], text, 1);
    look("one byte left");
    write(a[1], "c", 1);
    look("written again");
    read(a[0], text, 8);
    look("all read");
    event.data.fd = 2;
    TRY(epoll_ctl(epoll, EPOLL_CTL_MOD, a[0], &event));
    look("modified while empty");
    write(a[1], "d", 1);
    look("written");
    TRY(epoll_ctl(epoll, EPOLL_CTL_MOD, a[0], &event));
    look("modified while full"); // a modification looks again
    TRY(epoll_ctl(epoll, EPOLL_CTL_DEL, a[0], NULL));
    event.events = EPOLLIN | EPOLLONESHOT, event.data.fd = 3;
    TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, a[0], &event));
    look("one-shot");
    look("one-shot again");
    write(a[1], "e", 1);
    look("one-shot written");
    TRY(epoll_ctl(epoll, EPOLL_CTL_MOD, a[0], &event));
    look("re-armed");
    TRY(epoll_ctl(epoll, EPOLL_CTL_DEL, a[0], NULL));
    counter = eventfd(0, EFD_NONBLOCK);
    event.events = EPOLLIN | EPOLLOUT | EPOLLET, event.data.fd = 4;
    TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &event));
    look("eventfd");
    look("eventfd again");
    TRY(write(counter, &one, 8));
    look("eventfd written");
    outer = epoll_create1(0);
    event.events = EPOLLIN, event.data.fd = 5;
    TRY(epoll_ctl(outer, EPOLL_CTL_ADD, epoll, &event));
    TRY(epoll_wait(outer, got, 8, 0));
    TRY(write(counter, &one, 8));
    TRY(epoll_wait(outer, got, 8, 0));
    VAL(got[0].data.fd);
    close(a[1]);
    event.events = EPOLLIN | EPOLLET, event.data.fd = 6;
    TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, a[0], &event));
    look("hang-up");
    TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, epoll, &event));
    TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, outer, &event));
    return 0;
}
