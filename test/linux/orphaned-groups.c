/* SPDX-License-Identifier: MIT */
/* A stopped group that becomes orphaned gets SIGHUP and SIGCONT; its stop signals do nothing. */
#include "try.h"

static int report[2];

static void on_hup(int number)
{
    (void)number;
    if (write(report[1], "hup ", 4) != 4)
        _exit(1);
}

static void on_cont(int number)
{
    (void)number;
    if (write(report[1], "cont ", 5) != 5)
        _exit(1);
}

static void read_report(void)
{
    char text[64];
    ssize_t got = read(report[0], text, sizeof text - 1);

    text[got > 0 ? got : 0] = 0;
    say("reported: %s%s", strstr(text, "hup") ? "hup " : "", strstr(text, "cont") ? "cont" : "");
}

int main(void)
{
    int status, ready[2];
    char byte;
    pid_t parent, pid;

    pipe(report);
    pipe(ready);
    parent = fork();
    if (parent == 0) {
        pid = fork();
        if (pid == 0) {
            setpgid(0, 0);
            handle(SIGHUP, on_hup, 0);
            handle(SIGCONT, on_cont, 0);
            write(ready[1], "r", 1);
            raise(SIGSTOP);
            sleep_ms(50);
            write(report[1], ".", 1);
            raise(SIGTSTP); // nobody could continue it: not stopped
            write(report[1], "on ", 3);
            _exit(0);
        }
        waitpid(pid, &status, WUNTRACED);
        show_status("grandchild", status);
        _exit(0); // the grandchild's group is orphaned now
    }
    read(ready[0], &byte, 1); // no line: "grandchild" is said at the same time
    reap("parent", parent);
    sleep_ms(300);
    read_report();
    // A group with a parent in the session is not orphaned, and is stopped.
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        raise(SIGTSTP);
        _exit(3);
    }
    IS(waitpid(pid, &status, WUNTRACED) == pid);
    show_status("child", status);
    TRY(kill(pid, SIGCONT));
    reap("child", pid);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        raise(SIGSTOP);
        _exit(3);
    }
    IS(waitpid(pid, &status, WUNTRACED) == pid);
    TRY(kill(pid, SIGTERM)); // stays pending while it is stopped
    TRY(waitpid(pid, &status, WNOHANG));
    TRY(kill(pid, SIGCONT));
    reap("child", pid);
    TRY(kill(pid, SIGCONT));
    TRY(waitpid(pid, &status, WUNTRACED));
    return 0;
}
