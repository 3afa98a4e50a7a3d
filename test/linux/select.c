/* SPDX-License-Identifier: MIT */
/* select and pselect: sets in and out, the remaining time, high numbers, masks, errors. */
#include "try.h"
#include <sys/select.h>

static volatile sig_atomic_t hits;

static void note(int number)
{
    (void)number;
    hits++;
}

int main(void)
{
    fd_set in, out, except;
    struct timeval time = {0, 0};
    sigset_t set, none;
    int a[2];
    char text[4];
    long start;

    pipe(a);
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&except);
    FD_SET(a[0], &in);
    FD_SET(a[1], &out);
    FD_SET(a[0], &except);
    TRY(select(a[1] + 1, &in, &out, &except, &time));
    say("%d %d %d", FD_ISSET(a[0], &in) != 0, FD_ISSET(a[1], &out) != 0,
        FD_ISSET(a[0], &except) != 0);
    write(a[1], "x", 1);
    FD_ZERO(&in);
    FD_SET(a[0], &in);
    TRY(select(a[1] + 1, &in, NULL, NULL, NULL));
    say("%d", FD_ISSET(a[0], &in) != 0);
    TRY(select(a[0], &in, NULL, NULL, &time)); // the number is one too small
    say("%d", FD_ISSET(a[0], &in) != 0);
    read(a[0], text, 1);
    time.tv_usec = 50000;
    start = now_ms();
    TRY(SYS(select, 0, NULL, NULL, NULL, &time));
    IS(now_ms() - start >= 50);
    VAL(time.tv_sec + time.tv_usec); // Linux writes what is left
    dup2(a[0], 1000);
    FD_ZERO(&in);
    FD_SET(1000, &in);
    close(a[1]);
    TRY(select(1001, &in, NULL, NULL, &time));
    say("%d", FD_ISSET(1000, &in) != 0);
    FD_ZERO(&in);
    FD_SET(500, &in);
    TRY(select(501, &in, NULL, NULL, &time));
    TRY(select(-1, NULL, NULL, NULL, &time));
    time.tv_sec = -1;
    TRY(SYS(select, 0, NULL, NULL, NULL, &time));
    TRY(SYS(select, 10, BAD, NULL, NULL, NULL));
    TRY(SYS(select, 0, NULL, NULL, NULL, BAD));
    handle(SIGUSR1, note, 0);
    sigemptyset(&set), sigemptyset(&none);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    TRY(pselect(0, NULL, NULL, NULL, &(struct timespec){0, 1000}, NULL));
    VAL(hits);
    TRY(pselect(0, NULL, NULL, NULL, NULL, &none));
    VAL(hits);
    TRY(pselect(0, NULL, NULL, NULL, &(struct timespec){0, 2000000000}, NULL));
    return 0;
}
