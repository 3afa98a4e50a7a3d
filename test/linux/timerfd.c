/* SPDX-License-Identifier: MIT */
/* timerfd: one shot and periodic, absolute times, settings read back, expirations, errors. */
#include "try.h"
#include <poll.h>
#include <sys/timerfd.h>

int main(void)
{
    struct itimerspec set = {{0, 0}, {0, 30000000}}, old;
    struct pollfd event;
    uint64_t count = 0;
    int fd;

    TRY(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    fd = 3;
    TRY(read(fd, &count, 8));
    TRY(timerfd_settime(fd, 0, &set, &old));
    VAL(old.it_value.tv_nsec);
    TRY(timerfd_gettime(fd, &old));
    IS(old.it_value.tv_sec == 0 && old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 30000000);
    TRY(read(fd, &count, 8));
    event = (struct pollfd){.fd = fd, .events = POLLIN};
    TRY(poll(&event, 1, 2000));
    TRY(read(fd, &count, 4));
    TRY(read(fd, &count, 8));
    VAL(count);
    TRY(read(fd, &count, 8));
    TRY(timerfd_gettime(fd, &old));
    VAL(old.it_value.tv_nsec);
    set.it_interval.tv_nsec = 10000000;
    set.it_value.tv_nsec = 10000000;
    TRY(timerfd_settime(fd, 0, &set, NULL));
    sleep_ms(100);
    TRY(read(fd, &count, 8));
    IS(count >= 8);
    set.it_value.tv_nsec = 0;
    TRY(timerfd_settime(fd, 0, &set, &old));
    VAL(old.it_interval.tv_nsec);
    sleep_ms(30);
    TRY(read(fd, &count, 8));
    clock_gettime(CLOCK_MONOTONIC, &set.it_value);
    set.it_interval.tv_nsec = 0;
    set.it_value.tv_sec--;
    TRY(fcntl(fd, F_SETFL, 0));
    TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL));
    TRY(read(fd, &count, 8));
    VAL(count);
    TRY(timerfd_create(77, 0));
    TRY(timerfd_create(CLOCK_REALTIME, 1));
    TRY(timerfd_create(CLOCK_BOOTTIME, 0));
    set.it_value.tv_nsec = 1000000000;
    TRY(timerfd_settime(fd, 0, &set, NULL));
    TRY(timerfd_settime(fd, 77, &set, NULL));
    TRY(timerfd_settime(0, 0, &(struct itimerspec){{0, 0}, {1, 0}}, NULL));
    TRY(timerfd_gettime(99, &old));
    TRY(SYS(timerfd_settime, fd, 0, BAD, NULL));
    TRY(write(fd, &count, 8));
    return 0;
}
