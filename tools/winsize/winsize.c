/* SPDX-License-Identifier: MIT */
/*
 * winsize: tells the guest how large this terminal is, now and whenever that changes.
 *
 *     winsize PID FILE      writes "ROWS COLUMNS" lines to FILE until the process PID is gone
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct timespec second = { 1, 0 };
    struct winsize now, told = { 0, 0, 0, 0 };
    sigset_t set;
    if (argc != 3) {
        fprintf(stderr, "usage: winsize PID FILE\n");
        return 2;
    }
    pid_t pid = atoi(argv[1]);
    int out = open(argv[2], O_RDWR | O_CLOEXEC);
    if (pid <= 0 || out < 0) {
        perror(argv[2]);
        return 2;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, 0);
    signal(SIGINT, SIG_IGN);
    while (!kill(pid, 0)) {
        if (!ioctl(0, TIOCGWINSZ, &now) &&
            (now.ws_row != told.ws_row || now.ws_col != told.ws_col) && now.ws_row && now.ws_col) {
            dprintf(out, "%u %u\n", now.ws_row, now.ws_col);
            told = now;
        }
        sigtimedwait(&set, 0, &second);
    }
    return 0;
}
