/* SPDX-License-Identifier: MIT */
/* poll and ppoll: readiness of pipes, files, closed fds; hang-ups, timeouts, masks, errors. */
#include "try.h"
#include <poll.h>

static volatile sig_atomic_t hits;

static void note(int number)
{
    (void)number;
    hits++;
}

int main(void)
{
    struct pollfd events[4];
    struct timespec zero = {0, 0}, bad = {0, -1};
    sigset_t set, none;
    int a[2], b[2];
    char text[4];
    long start;

    pipe(a), pipe(b);
    events[0] = (struct pollfd){.fd = a[0], .events = POLLIN};
    events[1] = (struct pollfd){.fd = a[1], .events = POLLOUT};
    events[2] = (struct pollfd){.fd = 99, .events = POLLIN};
    events[3] = (struct pollfd){.fd = -1, .events = POLLIN};
    TRY(poll(events, 4, 0));
    say("%x %x %x %x", events[0].revents, events[1].revents, events[2].revents, events[3].revents);
    write(a[1], "x", 1);
    TRY(poll(events, 2, -1));
    say("%x %x", events[0].revents, events[1].revents);
    close(a[1]);
    TRY(poll(events, 1, 0));
    say("%x", events[0].revents);
    read(a[0], text, 1);
    TRY(poll(events, 1, 0));
    say("%x", events[0].revents);
    events[0] = (struct pollfd){.fd = b[1], .events = POLLOUT};
    close(b[0]);
    TRY(poll(events, 1, 0));
    say("%x", events[0].revents);
    events[0].events = 0;
    TRY(poll(events, 1, 0)); // errors and hang-ups come unasked
    say("%x", events[0].revents);
    put("file", "x");
    events[0] = (struct pollfd){.fd = open("file", O_RDWR), .events = POLLIN | POLLOUT | POLLPRI};
    TRY(poll(events, 1, 0));
    say("%x", events[0].revents);
    events[0] = (struct pollfd){.fd = open("/dev/null", O_RDWR), .events = POLLIN | POLLOUT};
    TRY(poll(events, 1, 0));
    say("%x", events[0].revents);
    start = now_ms();
    TRY(poll(NULL, 0, 50));
    IS(now_ms() - start >= 50);
    pipe(a);
    events[0] = (struct pollfd){.fd = a[0], .events = POLLIN};
    start = now_ms();
    TRY(poll(events, 1, 50));
    IS(now_ms() - start >= 50);
    if (fork() == 0) {
        sleep_ms(40);
        _exit(write(a[1], "x", 1) == 1 ? 0 : 1);
    }
    TRY(poll(events, 1, 5000));
    wait(NULL);
    handle(SIGUSR1, note, 0);
    sigemptyset(&set), sigemptyset(&none);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    read(a[0], text, 1);
    TRY(ppoll(events, 1, &zero, NULL));
    VAL(hits);
    TRY(ppoll(events, 1, NULL, &none));
    VAL(hits);
    TRY(SYS(ppoll, events, 1, &bad, NULL, 8));
    TRY(SYS(ppoll, events, 1, &zero, &none, 4));
    TRY(SYS(poll, BAD, 1, 0));
    TRY(SYS(poll, events, 1 << 24, 0));
    return 0;
}
