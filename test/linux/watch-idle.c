/* SPDX-License-Identifier: MIT */
/* Watching what stays idle, thousands of times, and what ends just then: no end is missed. */
#include "try.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define TIMES 5000
#define CHILDREN 100
#define WATCHERS 40

static void idle(int fd, int times)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct timespec short_time = {.tv_nsec = 1000};
    int found = 0;

    for (int i = 0; i < times; i++)
        found += ppoll(&p, 1, &short_time, NULL);
    VAL(found);
}

static void then_written(void)
{
    int end[2];
    char text[8];
    struct pollfd p;

    TRY(pipe(end));
    idle(end[0], TIMES);
    p = (struct pollfd){.fd = end[0], .events = POLLIN};
    if (!fork()) {
        sleep_ms(30);
        _exit(write(end[1], "data", 4) == 4 ? 0 : 1);
    }
    TRY(poll(&p, 1, 10000));
    say("%x", p.revents);
    TRY(read(end[0], text, sizeof text));
    wait(NULL);
    close(end[0]);
    TRY(write(end[1], "x", 1));
    close(end[1]);
}

/* What Go does with a command's output: the parent's writing end is closed, the child's goes with
 * it, and its death is told at about the same time. */
static void ends_with_a_child(int watch)
{
    int ends = 0, missed = 0, end[2];

    for (int i = 0; i < CHILDREN; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};
        char text[8];
        if (pipe(end))
            break;
        fcntl(end[0], F_SETFL, O_NONBLOCK);
        epoll_ctl(watch, EPOLL_CTL_ADD, end[0], &event);
        pid_t pid = fork();
        if (!pid) {
            if (i % 2)
                sleep_ms(1);
            _exit(0);
        }
        close(end[1]);
        while (read(end[0], text, sizeof text) < 0 && errno == EAGAIN)
            if (epoll_wait(watch, &event, 1, 5000) <= 0 && errno != EINTR) {
                missed++;
                break;
            }
        ends += read(end[0], text, sizeof text) == 0;
        waitpid(pid, NULL, 0);
        close(end[0]);
    }
    VAL(ends);
    VAL(missed);
}

/* Who watched is no more: those who still watch are told all the same. */
static void then_died(void)
{
    int end[2], status, ended = 0;
    struct pollfd p;

    TRY(pipe(end));
    p = (struct pollfd){.fd = end[0], .events = POLLIN};
    fflush(stdout);
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = fork();
        if (!pid) {
            poll(&p, 1, i % 2 ? 1 : 10000);
            _exit(0);
        }
        if (i % 2 == 0)
            kill(pid, SIGKILL);
        ended += waitpid(pid, &status, 0) == pid;
    }
    VAL(ended);
    if (!fork()) {
        sleep_ms(30);
        _exit(write(end[1], "data", 4) == 4 ? 0 : 1);
    }
    TRY(poll(&p, 1, 10000));
    say("%x", p.revents);
    wait(NULL);
    close(end[0]);
    close(end[1]);
}

static int shared[2];

static void *watches(void *unused)
{
    struct pollfd p = {.fd = shared[0], .events = POLLIN};
    struct timespec short_time = {.tv_nsec = 1000};

    (void)unused;
    for (int i = 0; i < 20; i++)
        ppoll(&p, 1, &short_time, NULL);
    return poll(&p, 1, 10000) == 1 && p.revents == POLLHUP ? NULL : &shared;
}

static void many_at_once(void)
{
    pthread_t thread[WATCHERS];
    void *result;
    int bad = 0;

    TRY(pipe(shared));
    for (int i = 0; i < WATCHERS; i++)
        pthread_create(&thread[i], NULL, watches, NULL);
    sleep_ms(20);
    TRY(close(shared[1]));
    for (int i = 0; i < WATCHERS; i++) {
        pthread_join(thread[i], &result);
        bad += result != NULL;
    }
    VAL(bad);
}

/* Blocked in read, not in poll, and more than one. */
static void *reads(void *unused)
{
    char text[8];

    (void)unused;
    return read(shared[0], text, sizeof text) == 0 ? NULL : &shared;
}

static void many_readers(void)
{
    pthread_t thread[4];
    void *result;
    int bad = 0;

    TRY(pipe(shared));
    for (int i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, reads, NULL);
    fflush(stdout);
    if (!fork()) {
        sleep_ms(30);
        _exit(0);
    }
    close(shared[1]);
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], &result);
        bad += result != NULL;
    }
    VAL(bad);
    wait(NULL);
}

static void handler(int signal)
{
    (void)signal;
}

int main(void)
{
    int watch = epoll_create1(EPOLL_CLOEXEC), counter = eventfd(0, EFD_NONBLOCK);

    IS(watch >= 0 && counter >= 0);
    signal(SIGPIPE, SIG_IGN);
    then_written();
    idle(counter, 200);
    ends_with_a_child(watch);
    handle(SIGCHLD, handler, SA_RESTART);
    ends_with_a_child(watch);
    handle(SIGCHLD, SIG_DFL, 0);
    then_died();
    many_at_once();
    many_readers();
    return 0;
}
