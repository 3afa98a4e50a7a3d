/* SPDX-License-Identifier: MIT */
/* Times beyond what anybody waits for; the clock's own state; times of access; signals and
 * policies by the number of a thread. */
#include "try.h"
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/uio.h>

static volatile int hits;
static int numbers[2], go[2];

static void hit(int signal)
{
    (void)signal;
    hits++;
}

static void *a_thread(void *unused)
{
    char text[1];

    (void)unused;
    int number = (int)syscall(SYS_gettid);
    if (write(numbers[1], &number, sizeof number) != sizeof number)
        return &numbers;
    return read(go[0], text, 1) == 1 ? NULL : &numbers;
}

static void timers(void)
{
    struct itimerval far = {
        .it_interval = {.tv_sec = 0x1ffffffffll}, .it_value = {.tv_sec = 1ll << 40}};
    struct itimerval old, off = {.it_interval = {.tv_sec = 5}};
    struct itimerspec spec = {.it_value = {.tv_sec = INT64_MAX}};
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    uint64_t count;

    TRY(setitimer(ITIMER_REAL, &far, NULL));
    TRY(setitimer(ITIMER_REAL, &off, &old));
    VAL(old.it_interval.tv_sec);
    IS(old.it_value.tv_sec > 1000000);
    TRY(setitimer(ITIMER_REAL, &off, &old));
    VAL(old.it_interval.tv_sec);
    VAL(old.it_value.tv_sec);
    far.it_value.tv_usec = 1000000;
    TRY(setitimer(ITIMER_REAL, &far, NULL));
    TRY(timerfd_settime(fd, 0, &spec, NULL));
    TRY(read(fd, &count, sizeof count));
    TRY(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
    TRY(read(fd, &count, sizeof count));
    spec.it_value.tv_nsec = 1000000000;
    TRY(timerfd_settime(fd, 0, &spec, NULL));
}

static void access_times(void)
{
    struct stat before, after;
    char text[8];
    int fd;

    put("file", "read me");
    stat("file", &before);
    sleep_ms(50);
    fd = open("file", O_RDONLY);
    TRY(read(fd, text, 4));
    fstat(fd, &after);
    IS(after.st_atim.tv_sec > before.st_atim.tv_sec ||
        after.st_atim.tv_nsec > before.st_atim.tv_nsec);
    IS(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
    before = after;
    sleep_ms(50);
    TRY(read(fd, text, 1)); /* once is enough until it changes again */
    fstat(fd, &after);
    IS(after.st_atim.tv_nsec == before.st_atim.tv_nsec);
    close(fd);
    put("file", "changed");
    fd = open("file", O_RDONLY | O_NOATIME);
    stat("file", &before);
    sleep_ms(50);
    TRY(read(fd, text, 4));
    fstat(fd, &after);
    IS(after.st_atim.tv_nsec == before.st_atim.tv_nsec);
    close(fd);
}

static void by_number(void)
{
    struct sched_param none = {.sched_priority = 0};
    pthread_t thread;
    int number = 0;

    TRY(pipe(numbers));
    TRY(pipe(go));
    pthread_create(&thread, NULL, a_thread, NULL);
    while (read(numbers[0], &number, sizeof number) != sizeof number)
        ;
    TRY(SYS(kill, number, 0));
    handle(SIGUSR1, hit, SA_RESTART);
    TRY(SYS(kill, number, SIGUSR1));
    while (!hits)
        sleep_ms(1);
    TRY(SYS(sched_setscheduler, number, 0, &none));
    TRY(SYS(sched_getscheduler, number));
    none.sched_priority = 1;
    TRY(SYS(sched_setscheduler, number, 0, &none));
    TRY(write(go[1], "x", 1));
    pthread_join(thread, NULL);
}

int main(void)
{
    struct timex clock = {.modes = 0};
    struct iovec vectors[2] = {
        {.iov_base = &clock, .iov_len = 4}, {.iov_len = (size_t)INT64_MAX + 1}};
    int fd = open("vectors", O_RDWR | O_CREAT, 0600), end[2];

    TRY(SYS(adjtimex, NULL));
    IS(adjtimex(&clock) >= 0);
    VAL(clock.tick);
    VAL(clock.offset);
    IS(clock.time.tv_sec > 1600000000);
    TRY(SYS(clock_adjtime, 77, &clock));
    timers();
    access_times();
    by_number();
    TRY(SYS(writev, fd, vectors, 2));
    TRY(SYS(preadv, fd, vectors, 2, 0, 0));
    TRY(SYS(pwritev2, fd, vectors, 1, 0, 0, 2)); /* RWF_DSYNC */
    TRY(SYS(pwritev2, fd, vectors, 1, 0, 0, 64));
    TRY(SYS(sync_file_range, fd, 0, 10, 7));
    TRY(SYS(sync_file_range, fd, -1l, 10l, 7));
    TRY(SYS(sync_file_range, fd, 0, 10, 8));
    TRY(SYS(sync_file_range, -1, 0, 10, 0));
    TRY(pipe(end));
    TRY(SYS(sync_file_range, end[0], 0, 10, 0));
    return 0;
}
