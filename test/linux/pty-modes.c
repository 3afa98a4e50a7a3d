/* SPDX-License-Identifier: MIT */
/* The line discipline: raw mode, VMIN and VTIME, no echo, translations, special characters. */
#include "try.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static struct termios settings;

static void show_bytes(const char *when, int fd, bool wait)
{
    char text[200], shown[800];
    struct pollfd event = {.fd = fd, .events = POLLIN};
    ssize_t got = !wait || poll(&event, 1, 50) == 1 ? read(fd, text, sizeof text) : 0;
    int at = 0;

    if (got < 0) {
        say("%s: %s", when, errno_name(errno));
        return;
    }
    shown[0] = 0;
    for (ssize_t i = 0; i < got; i++)
        at += snprintf(shown + at, sizeof shown - (size_t)at,
            text[i] < ' ' || text[i] == 127 ? "\\%o" : "%c", (unsigned char)text[i]);
    say("%s: %zd \"%s\"", when, got, shown);
}

static void set(void)
{
    if (tcsetattr(slave, TCSANOW, &settings) < 0)
        say("tcsetattr: %s", errno_name(errno));
}

static void type(const char *text)
{
    if (write(master, text, strlen(text)) != (ssize_t)strlen(text))
        say("type: %s", errno_name(errno));
}

int main(void)
{
    struct termios again;
    char byte;
    long start;

    master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
        return 1;
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    TRY(tcgetattr(slave, &settings));
    cfmakeraw(&settings);
    settings.c_cc[VMIN] = 1, settings.c_cc[VTIME] = 0;
    TRY(tcsetattr(slave, TCSANOW, &settings));
    TRY(tcgetattr(master, &again));
    IS(again.c_lflag == settings.c_lflag && again.c_iflag == settings.c_iflag);
    type("a\r\3\4\177\n");
    show_bytes("raw", slave, false);
    show_bytes("no echo", master, true);
    TRY(write(slave, "x\ny\n", 4));
    show_bytes("raw output", master, false);
    settings.c_cc[VMIN] = 0, settings.c_cc[VTIME] = 0;
    set();
    show_bytes("VMIN 0", slave, false);
    settings.c_cc[VTIME] = 2;
    set();
    start = now_ms();
    show_bytes("VTIME 2", slave, false);
    IS(now_ms() - start >= 190);
    settings.c_cc[VMIN] = 3, settings.c_cc[VTIME] = 0;
    set();
    type("ab");
    if (fork() == 0) {
        sleep_ms(50);
        type("c");
        _exit(0);
    }
    show_bytes("VMIN 3", slave, false);
    wait(NULL);
    settings.c_lflag |= ICANON;
    settings.c_cc[VEOF] = 4, settings.c_cc[VEOL] = 0, settings.c_cc[VERASE] = 127;
    set();
    type("no echo\n");
    show_bytes("canonical", slave, false);
    show_bytes("still no echo", master, true);
    settings.c_lflag |= ECHO | ECHOE;
    settings.c_iflag |= ICRNL;
    set();
    type("cr\r");
    show_bytes("ICRNL", slave, false);
    show_bytes("echo", master, true);
    settings.c_iflag = (settings.c_iflag & ~(tcflag_t)ICRNL) | INLCR;
    settings.c_cc[VEOL] = ';';
    set();
    type("eol;");
    show_bytes("VEOL", slave, false);
    show_bytes("echo", master, true);
    settings.c_iflag = IUTF8;
    settings.c_lflag |= ECHOCTL;
    set();
    type("u\xc3\xa4\177v\n");
    show_bytes("UTF-8 erased", slave, false);
    show_bytes("echo", master, true);
    type("\1\n");
    show_bytes("control", slave, false);
    show_bytes("echoed as", master, true);
    settings.c_lflag |= IEXTEN;
    settings.c_cc[VLNEXT] = 026;
    set();
    type("\026\4q\n");
    show_bytes("quoted", slave, false);
    show_bytes("echo", master, true);
    settings.c_oflag = OPOST | ONLCR;
    set();
    TRY(write(slave, "1\n2\r\n", 5));
    show_bytes("ONLCR", master, false);
    type("flushed\n");
    sleep_ms(10);
    TRY(tcflush(slave, TCIFLUSH));
    TRY(fcntl(slave, F_SETFL, O_NONBLOCK));
    TRY(read(slave, &byte, 1));
    TRY(fcntl(slave, F_SETFL, 0));
    TRY(tcdrain(slave));
    TRY(tcsendbreak(slave, 0));
    TRY(tcgetattr(0, &again));
    TRY(tcsetattr(99, TCSANOW, &settings));
    TRY(ioctl(slave, TCGETS, BAD));
    return 0;
}
