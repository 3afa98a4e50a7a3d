/* SPDX-License-Identifier: MIT */
/* pipes: order, end of file, EPIPE and SIGPIPE, O_NONBLOCK, sizes, the wrong end. */
#include "try.h"
#include <sys/ioctl.h>

static volatile sig_atomic_t got_sigpipe;

static void on_sigpipe(int number)
{
    (void)number;
    got_sigpipe++;
}

static void write_to_nobody(void)
{
    int ends[2];

    signal(SIGPIPE, SIG_DFL);
    if (pipe(ends) == 0) {
        close(ends[0]);
        if (write(ends[1], "x", 1) != 1)
            say("not killed");
    }
}

int main(void)
{
    static char block[70000];
    char text[32] = "";
    int ends[2], waiting = 0;
    long filled = 0, got;
    struct stat s;

    TRY(pipe(ends));
    TRY(write(ends[1], "abc", 3));
    TRY(write(ends[1], "defg", 4));
    TRY(ioctl(ends[0], FIONREAD, &waiting));
    VAL(waiting);
    TRY(read(ends[0], text, sizeof text));
    STR(text);
    TRY(write(ends[0], "x", 1));
    TRY(read(ends[1], text, 1));
    TRY(fstat(ends[0], &s));
    IS(S_ISFIFO(s.st_mode));
    TRY(fcntl(ends[0], F_SETFL, O_NONBLOCK));
    TRY(read(ends[0], text, 1));
    TRY(read(ends[0], text, 0));
    TRY(fcntl(ends[1], F_SETFL, O_NONBLOCK));
    while ((got = write(ends[1], block, 4096)) > 0)
        filled += got;
    say("full: %s", errno_name(errno));
    VAL(filled);
    TRY(write(ends[1], "x", 1));
    TRY(read(ends[0], block, 4096));
    TRY(write(ends[1], block, 4096));
    TRY(write(ends[1], block, 4097));
    while ((got = read(ends[0], block, sizeof block)) > 0)
        filled -= got;
    VAL(filled);
    TRY(write(ends[1], block, 70000));
    handle(SIGPIPE, on_sigpipe, 0);
    TRY(close(ends[0]));
    TRY(write(ends[1], "x", 1));
    VAL(got_sigpipe);
    signal(SIGPIPE, SIG_IGN);
    TRY(write(ends[1], "x", 1));
    TRY(write(ends[1], "x", 0));
    TRY(close(ends[1]));
    TRY(pipe(ends));
    TRY(write(ends[1], "end", 3));
    TRY(close(ends[1]));
    TRY(read(ends[0], text, sizeof text));
    TRY(read(ends[0], text, sizeof text));
    TRY(close(ends[0]));
    TRY(SYS(pipe2, ends, 0x7fff0000));
    TRY(SYS(pipe, BAD));
    CHILD(write_to_nobody);
    return 0;
}
