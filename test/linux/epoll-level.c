/* SPDX-License-Identifier: MIT */
/* epoll, level-triggered: readiness stays, counts, user data, hang-ups, removal, timeouts. */
#include "try.h"
#include <sys/epoll.h>

static struct epoll_event got[8];

static void show_events(int count)
{
    for (int i = 0; i < count; i++)
        say("  data %d events %x", got[i].data.fd, got[i].events);
}

int main(void)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = 100};
    int a[2], b[2], epoll;
    char text[8];

    TRY(epoll_create1(EPOLL_CLOEXEC));
    epoll = 3;
    pipe(a), pipe(b);
    TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, a[0], &event));
    TRY(epoll_wait(epoll, got, 8, 0));
    TRY(write(a[1], "xy", 2));
    TRY(epoll_wait(epoll, got, 8, 0));
    show_events(1);
    TRY(read(a[0], text, 1));
    TRY(epoll_wait(epoll, got, 8, 0)); // still one byte there
    TRY(read(a[0], text, 1));
    TRY(epoll_wait(epoll, got, 8, 0));
    TRY(epoll_wait(epoll, got, 8, 20));
    event.events = EPOLLOUT, event.data.fd = 200;
    TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, b[1], &event));
    TRY(epoll_wait(epoll, got, 8, 0));
    show_events(1);
    event.data.fd = 201, event.events = EPOLLOUT | EPOLLIN;
    TRY(epoll_ctl(epoll, EPOLL_CTL_MOD, b[1], &event));
    TRY(epoll_wait(epoll, got, 8, -1));
    show_events(1);
    TRY(close(b[0]));
    TRY(epoll_wait(epoll, got, 8, -1));
    show_events(1);
    TRY(epoll_ctl(epoll, EPOLL_CTL_DEL, b[1], NULL));
    TRY(close(a[1]));
    TRY(epoll_wait(epoll, got, 8, 0));
    show_events(1);
    TRY(close(a[0])); // the last close takes it out
    TRY(epoll_wait(epoll, got, 8, 0));
    TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event)); // /dev/null cannot be waited for
    if (fork() == 0) {
        pipe(a);
        event.events = EPOLLIN | EPOLLRDHUP, event.data.fd = 300;
        epoll_ctl(epoll, EPOLL_CTL_ADD, a[0], &event);
        if (fork() == 0) {
            sleep_ms(50);
            _exit(write(a[1], "late", 4) == 4 ? 0 : 1);
        }
        TRY(epoll_wait(epoll, got, 8, 5000));
        show_events(1);
        wait(NULL);
        _exit(0);
    }
    wait(NULL);
    TRY(SYS(epoll_wait, epoll, got, 0, 0));
    TRY(SYS(epoll_wait, epoll, got, -1, 0));
    TRY(epoll_wait(epoll, BAD, 8, 0));
    return 0;
}
