/* SPDX-License-Identifier: MIT */
/* EINTR and SA_RESTART: which calls go on after a handler, which never do. */
#include "try.h"
#include <poll.h>
#include <sys/select.h>

static volatile sig_atomic_t hits;
static int ends[2];

static void note(int number)
{
    (void)number;
    hits++;
}

// A child that sends SIGUSR1 after a while, then writes to the pipe or exits.
static pid_t helper(bool writes)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0) {
        sleep_ms(60);
        kill(parent, SIGUSR1);
        sleep_ms(120);
        if (writes && write(ends[1], "w", 1) != 1)
            _exit(1);
        _exit(0);
    }
    return pid;
}

#define WITH(writes, call)                                                                   \
    do {                                                                                     \
        pid_t pid_ = helper(writes);                                                         \
        hits = 0;                                                                            \
        TRY(call);                                                                           \
        VAL(hits);                                                                           \
        waitpid(pid_, NULL, 0);                                                              \
        if (writes)                                                                          \
            drain();                                                                         \
    } while (0)

static void drain(void)
{
    char byte;

    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while (read(ends[0], &byte, 1) == 1)
        ;
    fcntl(ends[0], F_SETFL, 0);
}

int main(void)
{
    struct pollfd event;
    struct timespec left = {0, 0};
    char byte;
    fd_set set;
    int status;

    pipe(ends);
    event = (struct pollfd){.fd = ends[0], .events = POLLIN};
    say("without SA_RESTART");
    handle(SIGUSR1, note, 0);
    WITH(true, read(ends[0], &byte, 1));
    WITH(false, waitpid(-1, &status, 0));
    WITH(false, pause());
    WITH(true, poll(&event, 1, 1000));
    WITH(false, nanosleep(&(struct timespec){10, 0}, &left));
    IS(left.tv_sec == 9);
    say("with SA_RESTART");
    handle(SIGUSR1, note, SA_RESTART);
    WITH(true, read(ends[0], &byte, 1));
    WITH(false, waitpid(-1, &status, 0) > 0);
    WITH(false, pause());
    WITH(true, poll(&event, 1, 1000));
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    WITH(true, select(ends[0] + 1, &set, 0, 0, 0));
    WITH(false, nanosleep(&(struct timespec){10, 0}, &left));
    WITH(false, SYS(clock_nanosleep, CLOCK_MONOTONIC, 0, &(struct timespec){10, 0}, &left));
    say("a signal that is ignored");
    signal(SIGUSR1, SIG_IGN);
    WITH(true, read(ends[0], &byte, 1));
    WITH(true, poll(&event, 1, 1000));
    return 0;
}
