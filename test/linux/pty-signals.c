/* SPDX-License-Identifier: MIT */
/* A terminal's session: TIOCSCTTY, foreground groups, ^C ^Z ^\, SIGWINCH, SIGTTIN, SIGTTOU,
 * hang-up. */
#include "try.h"
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave, ready[2];
static volatile sig_atomic_t last;

static void note(int number)
{
    last = number;
}

static void expect(const char *what)
{
    long start = now_ms();

    while (!last && now_ms() - start < 1000)
        sleep_ms(5);
    say("%s: %s", what, last ? signal_name(last) : "nothing");
    last = 0;
}

static void type(const char *text)
{
    if (write(master, text, strlen(text)) != (ssize_t)strlen(text))
        say("type: %s", errno_name(errno));
}

static void background(void (*function)(void), const char *what)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        signal(SIGTTIN, SIG_DFL), signal(SIGTTOU, SIG_DFL);
        function();
        _exit(0);
    }
    setpgid(pid, pid);
    waitpid(pid, &status, WUNTRACED);
    show_status(what, status);
    if (WIFSTOPPED(status)) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
}

static void reads(void)
{
    char byte;

    TRY(read(slave, &byte, 1));
}

static void reads_ignoring(void)
{
    char byte;

    signal(SIGTTIN, SIG_IGN);
    TRY(read(slave, &byte, 1));
}

static void writes(void)
{
    TRY(write(slave, "x", 1));
}

static void sets(void)
{
    struct termios settings;

    tcgetattr(slave, &settings);
    TRY(tcsetattr(slave, TCSANOW, &settings));
}

static void takes(void)
{
    TRY(tcsetpgrp(slave, getpgrp()));
}

static void session(void)
{
    static const int numbers[] = {SIGINT, SIGTSTP, SIGQUIT, SIGWINCH, SIGHUP, SIGCONT};
    struct winsize size = {30, 90, 0, 0};
    struct termios settings;
    int fd;

    IS(setsid() == getpid());
    TRY(open("/dev/tty", O_RDWR));
    TRY(ioctl(slave, TIOCSCTTY, 0));
    TRY(open("/dev/tty", O_RDWR) >= 0);
    IS(tcgetpgrp(slave) == getpgrp());
    IS(tcgetsid(slave) == getpid());
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        handle(numbers[i], note, SA_RESTART);
    type("\3"), expect("^C");
    type("\32"), expect("^Z");
    type("\34"), expect("^\\");
    TRY(ioctl(master, TIOCSWINSZ, &size)), expect("resized");
    TRY(ioctl(master, TIOCSWINSZ, &size)), expect("the same size");
    TRY(tcgetattr(slave, &settings));
    settings.c_lflag &= ~(tcflag_t)ISIG;
    TRY(tcsetattr(slave, TCSANOW, &settings));
    type("\3"), expect("^C without ISIG");
    settings.c_lflag |= ISIG;
    TRY(tcsetattr(slave, TCSANOW, &settings));
    background(reads, "reads");
    background(reads_ignoring, "reads, ignoring SIGTTIN");
    background(writes, "writes");
    settings.c_lflag |= TOSTOP;
    TRY(tcsetattr(slave, TCSANOW, &settings));
    background(writes, "writes with TOSTOP");
    background(sets, "sets attributes");
    background(takes, "takes the foreground");
    TRY(tcsetpgrp(slave, 999999));
    TRY(tcsetpgrp(slave, -1));
    TRY(ioctl(slave, TIOCSPGRP, BAD));
    fd = open("/dev/null", O_RDWR);
    TRY(tcgetpgrp(fd));
    TRY(tcsetpgrp(fd, getpgrp()));
    if (write(ready[1], "r", 1) != 1)
        _exit(1);
    close(master);
    expect("the master is closed");
    TRY(read(slave, &size, 1));
    TRY(write(slave, "x", 1));
    TRY(open("/dev/tty", O_RDWR));
}

int main(void)
{
    pid_t pid;
    char byte;

    pipe(ready);
    master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
        return 1;
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    TRY(tcgetpgrp(slave)); // not our terminal
    pid = fork();
    if (pid == 0) {
        session();
        _exit(0);
    }
    TRY(read(ready[0], &byte, 1));
    close(master);
    reap("session", pid);
    return 0;
}
