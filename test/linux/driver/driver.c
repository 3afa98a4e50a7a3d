/* SPDX-License-Identifier: MIT */
/*
 * driver: runs the programs that /conform/list names, one after the other, inside the system
 * that is tested, and prints what came of each:
 *
 *     @@BEGIN NAME
 *     what it wrote
 *     @@END NAME exited 0 | killed 9 | late
 *
 *     driver [--after NAME] [NAME-PREFIX...]
 *
 * A line of the list is "NAME SECONDS COMMAND ARG...". Each program gets a session, an empty
 * working directory, /dev/null as its input and one appended file as its output; what runs
 * longer than its seconds is killed, with all it has started. --after goes on where a run
 * that ended early had been.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 16, OUTPUT_LIMIT = 256 * 1024 };
static const char output_path[] = "/tmp/output";

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void write_all(const char *bytes, size_t count)
{
    while (count) {
        ssize_t done = write(1, bytes, count);

        if (done < 0 && errno != EINTR)
            _exit(3);
        if (done > 0)
            bytes += done, count -= (size_t)done;
    }
}

static void print(const char *text)
{
    write_all(text, strlen(text));
}

static void start(const char *name, char **words)
{
    static char *environment[] = {"PATH=/usr/bin:/bin:/conform", "HOME=/root", "TERM=dumb",
        "LC_ALL=C", "SHELL=/bin/sh", NULL};
    char folder[256];
    int input = open("/dev/null", O_RDWR);
    int output = open(output_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);

    for (const char *c = name; *c; c++)
        if (*c == '/')
            name = c + 1;
    snprintf(folder, sizeof folder, "/tmp/%s", name);
    mkdir(folder, 0755);
    if (chdir(folder) < 0)
        _exit(126);
    setsid();
    umask(022);
    if (input != 0)
        dup2(input, 0), close(input);
    dup2(output, 1);
    dup2(output, 2);
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    execve(words[0], words, environment);
    dprintf(2, "driver: %s: %s\n", words[0], strerror(errno));
    _exit(127);
}

// Waits for the program; what it left behind is ended too. False when it took too long.
static bool finish(pid_t pid, long seconds, int *status)
{
    long limit = now_ms() + seconds * 1000;
    struct timespec pause = {0, 1000000};
    bool late = false;

    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);

        if (got == pid)
            break;
        if (now_ms() > limit && !late) {
            late = true;
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            limit += 2000;
        } else if (late && now_ms() > limit) {
            break; // it cannot even be killed
        }
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 8000000)
            pause.tv_nsec *= 2;
    }
    kill(-pid, SIGKILL);
    if (late)
        kill(-1, SIGKILL);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    return !late;
}

static void show_output(void)
{
    static char bytes[65536];
    int fd = open(output_path, O_RDONLY);
    size_t total = 0;
    ssize_t got;
    char last = '\n';

    while (fd >= 0 && total < OUTPUT_LIMIT && (got = read(fd, bytes, sizeof bytes)) > 0) {
        write_all(bytes, (size_t)got);
        total += (size_t)got;
        last = bytes[got - 1];
    }
    if (fd >= 0)
        close(fd);
    unlink(output_path);
    if (last != '\n')
        print("\n@@NO NEWLINE\n");
}

static void run(const char *name, long seconds, char **words)
{
    char line[300];
    int status = 0;
    pid_t pid;

    snprintf(line, sizeof line, "@@BEGIN %s\n", name);
    print(line);
    pid = fork();
    if (pid == 0)
        start(name, words);
    if (pid < 0 || !finish(pid, seconds, &status))
        snprintf(line, sizeof line, "@@END %s %s\n", name, pid < 0 ? "no fork" : "late");
    else if (WIFEXITED(status))
        snprintf(line, sizeof line, "@@END %s exited %d\n", name, WEXITSTATUS(status));
    else
        snprintf(line, sizeof line, "@@END %s killed %d\n", name, WTERMSIG(status));
    show_output();
    print(line);
}

static bool is_wanted(const char *name, char **prefixes)
{
    if (!*prefixes)
        return true;
    for (; *prefixes; prefixes++)
        if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
            return true;
    return false;
}

int main(int count, char **arguments)
{
    const char *after = NULL;
    char line[1024];
    FILE *list = fopen("/conform/list", "re");

    arguments++;
    if (count > 2 && strcmp(arguments[0], "--after") == 0) {
        after = arguments[1];
        arguments += 2;
    }
    mkdir("/tmp", 01777);
    chmod("/tmp", 01777);
    while (list && fgets(line, sizeof line, list)) {
        char *words[WORDS + 1] = {NULL}, *rest = line;
        int used = 0;

        while (used < WORDS && (words[used] = strtok(rest, " \n")) != NULL)
            rest = NULL, used++;
        if (used < 3)
            continue;
        if (after) {
            if (strcmp(after, words[0]) == 0)
                after = NULL;
            continue;
        }
        if (is_wanted(words[0], arguments))
            run(words[0], atol(words[1]), words + 2);
    }
    print("@@DONE\n");
    return 0;
}
