/* SPDX-License-Identifier: MIT */
/* eventfd: counter and semaphore, overflow, non-blocking, poll, across fork, errors. */
#include "try.h"
#include <poll.h>
#include <sys/eventfd.h>

static int fd;

static void add_7(void)
{
    uint64_t value = 7;

    sleep_ms(40);
    TRY(write(fd, &value, 8));
}

int main(void)
{
    struct pollfd event;
    uint64_t value = 5;
    pid_t pid;

    TRY(eventfd(3, EFD_NONBLOCK));
    fd = 3;
    TRY(write(fd, &value, 8));
    TRY(read(fd, &value, 8));
    VAL(value);
    TRY(read(fd, &value, 8));
    event = (struct pollfd){.fd = fd, .events = POLLIN | POLLOUT};
    TRY(poll(&event, 1, 0));
    VAL(event.revents);
    value = UINT64_MAX - 1;
    TRY(write(fd, &value, 8));
    TRY(poll(&event, 1, 0));
    VAL(event.revents);
    value = 1;
    TRY(write(fd, &value, 8));
    value = UINT64_MAX;
    TRY(write(fd, &value, 8));
    TRY(write(fd, &value, 4));
    TRY(read(fd, &value, 4));
    TRY(read(fd, &value, 8));
    IS(value == UINT64_MAX - 1);
    TRY(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
    TRY(read(4, &value, 8));
    VAL(value);
    TRY(read(4, &value, 8));
    TRY(read(4, &value, 8));
    TRY(fcntl(fd, F_SETFL, 0));
    pid = fork();
    if (pid == 0) {
        add_7();
        _exit(0);
    }
    if (read(fd, &value, 8) == 8)
        reap("child", pid);
    VAL(value);
    TRY(SYS(eventfd2, 0, 0x10));
    value = 1;
    TRY(write(fd, &value, 8));
    TRY(read(fd, BAD, 8));
    TRY(write(fd, BAD, 8));
    return 0;
}
