// SPDX-License-Identifier: MIT
/*
 * guard: runs a command (an emulator) that must never be left behind.
 *
 *     guard [--timeout SECONDS] [--watch PID] [--remove DIR] COMMAND [ARG...]
 *     guard --watch PID --remove DIR
 *
 * Three processes: the front waits and hands on the exit status; the keeper, in a process group of
 * its own so that a signal to the whole group misses it, starts the command and watches; the
 * command dies with the keeper (PR_SET_PDEATHSIG). When the front ends, however it ends, or the
 * process PID is gone, or the time is over, the keeper kills the command, sets the terminal and the
 * descriptors' flags back to what they were, and removes DIR. After an ordinary end DIR stays: its
 * owner still wants it.
 *
 * Status: the command's; 128+N when signal N ended it; 124 after the timeout; 127 when it
 * cannot be started. The second form only removes DIR when PID is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 200, STATUS_TIMEOUT = 124, STATUS_NO_COMMAND = 127 };

static struct {
    double timeout_s; // 0: none
    pid_t watched;    // 0: none
    const char *remove;
    char **command;
} options;

static struct {
    bool is_terminal;
    struct termios settings;
    int flags[3];
} terminal;

static volatile sig_atomic_t stop_signal;

static void usage(const char *problem)
{
    fprintf(stderr,
        "guard: %s\nusage: guard [--timeout SECONDS] [--watch PID] [--remove DIR] "
        "[COMMAND [ARG...]]\n",
        problem);
    exit(2);
}

static double option_number(const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (*end || end == text || value <= 0)
        usage("not a positive number");
    return value;
}

static void parse(char **arguments)
{
    for (; *arguments && strncmp(*arguments, "--", 2) == 0; arguments += 2) {
        if (!arguments[1])
            usage("an option lacks its value");
        if (strcmp(*arguments, "--timeout") == 0)
            options.timeout_s = option_number(arguments[1]);
        else if (strcmp(*arguments, "--watch") == 0)
            options.watched = (pid_t)option_number(arguments[1]);
        else if (strcmp(*arguments, "--remove") == 0)
            options.remove = arguments[1];
        else
            usage("unknown option");
    }
    options.command = arguments;
    if (!*arguments && !(options.watched && options.remove))
        usage("no command");
}

static void terminal_save(void)
{
    terminal.is_terminal = tcgetattr(0, &terminal.settings) == 0;
    for (int fd = 0; fd < 3; fd++)
        terminal.flags[fd] = fcntl(fd, F_GETFL);
}

static void terminal_restore(void)
{
    if (terminal.is_terminal)
        tcsetattr(0, TCSADRAIN, &terminal.settings);
    for (int fd = 0; fd < 3; fd++)
        if (terminal.flags[fd] >= 0)
            fcntl(fd, F_SETFL, terminal.flags[fd]);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    remove(path);
    return 0;
}

static void remove_folder(void)
{
    if (options.remove)
        nftw(options.remove, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// A process that nobody waits for stays as a zombie, in containers for ever: that is gone, too.
static bool watched_is_gone(void)
{
    char path[32], state = 'Z';
    FILE *stat;

    if (!options.watched)
        return false;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)options.watched);
    stat = fopen(path, "re");
    if (!stat)
        return true;
    if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
        state = 'Z';
    fclose(stat);
    return state == 'Z' || state == 'X';
}

static volatile int alive_fd = -1; // open while the front wants the command

static void wake(int number)
{
    (void)number;
}

static void on_signal(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    sigaction(number, &action, NULL);
}

static void default_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTTOU, SIGPIPE, SIGCHLD};
    sigset_t none;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        on_signal(numbers[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void __attribute__((noreturn)) run_command(pid_t front_group, pid_t keeper)
{
    // An interactive command belongs to the terminal's foreground group, any other is kept
    // away from the terminal's signals.
    if (terminal.is_terminal)
        setpgid(0, front_group);
    default_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper)
        _exit(STATUS_NO_COMMAND);
    execvp(options.command[0], options.command);
    fprintf(stderr, "guard: %s: %s\n", options.command[0], strerror(errno));
    _exit(STATUS_NO_COMMAND);
}

// Ends the command: politely, then not. Its status is of no interest any more.
static void end_command(pid_t command)
{
    kill(command, SIGTERM);
    for (int i = 0; i < 20; i++) {
        if (waitpid(command, NULL, WNOHANG) == command)
            return;
        poll(NULL, 0, 50);
    }
    kill(command, SIGKILL);
    waitpid(command, NULL, 0);
}

static int status_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Waits for the command. `front` reads end-of-file once the front process is gone.
static int keep(pid_t command, int front, bool *abandoned)
{
    double deadline_s = now_s() + options.timeout_s;
    sigset_t none;
    int status;

    sigemptyset(&none);
    for (;;) {
        struct pollfd event = {.fd = front, .events = POLLIN};
        struct timespec step = {.tv_nsec = POLL_MS * 1000000l};

        if (waitpid(command, &status, WNOHANG) == command)
            return status_of(status);
        if (options.timeout_s > 0 && now_s() >= deadline_s) {
            end_command(command);
            return STATUS_TIMEOUT;
        }
        // SIGCHLD is blocked except in here, so the command's end is never missed.
        if (ppoll(&event, 1, &step, &none) > 0 || watched_is_gone()) {
            end_command(command);
            *abandoned = true;
            return 128 + SIGTERM;
        }
    }
}

static int keeper_main(pid_t front_group, int front)
{
    bool abandoned = false;
    sigset_t child;
    pid_t self = getpid(), command;
    int status;

    setpgid(0, 0);
    on_signal(SIGINT, SIG_IGN), on_signal(SIGTERM, SIG_IGN), on_signal(SIGHUP, SIG_IGN);
    on_signal(SIGQUIT, SIG_IGN), on_signal(SIGTTOU, SIG_IGN), on_signal(SIGPIPE, SIG_IGN);
    on_signal(SIGCHLD, wake);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    command = fork();
    if (command == 0)
        run_command(front_group, self);
    status = command < 0 ? STATUS_NO_COMMAND : keep(command, front, &abandoned);
    terminal_restore();
    if (abandoned)
        remove_folder();
    return status;
}

static void stop_front(int number)
{
    stop_signal = number;
    close(alive_fd);
}

static int front_main(pid_t keeper, pid_t parent)
{
    int status = 0;

    on_signal(SIGINT, stop_front), on_signal(SIGTERM, stop_front);
    on_signal(SIGHUP, stop_front), on_signal(SIGQUIT, stop_front);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        stop_front(SIGTERM);
    while (waitpid(keeper, &status, 0) < 0 && errno == EINTR)
        ;
    return stop_signal ? 128 + stop_signal : status_of(status);
}

static int watch_only(void)
{
    setpgid(0, 0);
    while (!watched_is_gone())
        poll(NULL, 0, POLL_MS);
    remove_folder();
    return 0;
}

int main(int argc, char **argv)
{
    pid_t parent = getppid(), group = getpgrp(), keeper;
    int alive[2];

    (void)argc;
    parse(argv + 1);
    if (!options.command[0])
        return watch_only();
    terminal_save();
    if (pipe2(alive, O_CLOEXEC) != 0 || (keeper = fork()) < 0) {
        perror("guard");
        return STATUS_NO_COMMAND;
    }
    if (keeper == 0) {
        close(alive[1]);
        return keeper_main(group, alive[0]);
    }
    close(alive[0]);
    alive_fd = alive[1];
    return front_main(keeper, parent);
}
