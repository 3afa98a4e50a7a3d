/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals: ptmx, names, both directions, cooked input, echo, window size, hang-up. */
#include "try.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

// What has come out of the master by now, with control characters spelt.
static void show_output(const char *when)
{
    char text[200], shown[800];
    struct pollfd event = {.fd = master, .events = POLLIN};
    ssize_t got = poll(&event, 1, 50) == 1 ? read(master, text, sizeof text) : 0;
    int at = 0;

    shown[0] = 0;
    for (ssize_t i = 0; i < got; i++)
        at += snprintf(shown + at, sizeof shown - (size_t)at,
            text[i] < ' ' || text[i] == 127 ? "\\%o" : "%c", (unsigned char)text[i]);
    say("%s: \"%s\"", when, shown);
}

int main(void)
{
    char name[64] = "", text[64] = "";
    struct winsize size = {24, 80, 0, 0};
    struct termios settings;
    struct pollfd event;
    int number = -1, lock = 0, waiting = 0;

    TRY(posix_openpt(O_RDWR | O_NOCTTY));
    master = 3;
    TRY(ioctl(master, TIOCGPTN, &number));
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    TRY(open(name, O_RDWR | O_NOCTTY)); // still locked
    TRY(ioctl(master, TIOCSPTLCK, &lock));
    IS(strcmp(ptsname(master), name) == 0);
    TRY(open(name, O_RDWR | O_NOCTTY));
    slave = 4;
    TRY(isatty(slave));
    TRY(isatty(master));
    TRY(tcgetattr(slave, &settings));
    IS((settings.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG));
    IS((settings.c_oflag & (OPOST | ONLCR)) == (OPOST | ONLCR));
    IS((settings.c_iflag & ICRNL) == ICRNL);
    VAL(settings.c_cc[VINTR]);
    VAL(settings.c_cc[VEOF]);
    VAL(settings.c_cc[VMIN]);
    TRY(write(slave, "out\n", 4));
    show_output("written to the slave");
    TRY(write(master, "line one\nline two\n", 18));
    show_output("echoed");
    TRY(read(slave, text, sizeof text));
    TRY(read(slave, text, 4));
    TRY(read(slave, text, sizeof text));
    TRY(write(master, "par", 3));
    event = (struct pollfd){.fd = slave, .events = POLLIN};
    TRY(poll(&event, 1, 30)); // no whole line yet
    TRY(write(master, "t\177ty\r", 5));
    TRY(poll(&event, 1, 1000));
    TRY(ioctl(slave, FIONREAD, &waiting));
    VAL(waiting);
    memset(text, 0, sizeof text);
    TRY(read(slave, text, sizeof text));
    STR(text);
    show_output("erasing echoed");
    TRY(write(master, "\4", 1));
    TRY(read(slave, text, sizeof text));
    TRY(write(master, "no newline\4", 11));
    TRY(read(slave, text, sizeof text));
    TRY(write(master, "one two\27x\n", 10));
    memset(text, 0, sizeof text);
    TRY(read(slave, text, sizeof text));
    STR(text);
    TRY(write(master, "gone\25y\n", 7));
    memset(text, 0, sizeof text);
    TRY(read(slave, text, sizeof text));
    STR(text);
    TRY(ioctl(slave, TIOCGWINSZ, &size));
    VAL(size.ws_row);
    size.ws_row = 50, size.ws_col = 132;
    TRY(ioctl(master, TIOCSWINSZ, &size));
    memset(&size, 0, sizeof size);
    TRY(ioctl(slave, TIOCGWINSZ, &size));
    say("%d x %d", size.ws_row, size.ws_col);
    TRY(ioctl(slave, TIOCGPTN, &number));
    TRY(ioctl(slave, 0x5499, &number));
    TRY(tcsetattr(slave, 77, &settings));
    TRY(tcflush(slave, 77));
    TRY(tcflow(slave, 77));
    TRY(lseek(slave, 0, SEEK_SET));
    show_output("the rest");
    TRY(close(slave));
    TRY(read(master, text, 1));
    TRY(open(name, O_RDWR | O_NOCTTY));
    TRY(close(master));
    TRY(read(slave, text, 1));
    TRY(write(slave, "x", 1));
    TRY(tcgetattr(slave, &settings));
    TRY(open(name, O_RDWR | O_NOCTTY));
    return 0;
}
