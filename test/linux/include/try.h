/* SPDX-License-Identifier: MIT */
/*
 * try.h: what each program in test/linux shares. A program tries calls and says what came of
 * them; the same lines must come on Linux and on Pith, from glibc and from musl.
 *
 *     TRY(expression)   "expression = value", or "expression = -1 ERRNO"
 *     ID(expression)    the same, but a value above 0 is only called "positive" (pids, sizes)
 *     PTR(expression)   the same for what returns an address or MAP_FAILED or NULL
 *     CODE(expression)  the same for what returns an errno (pthread, posix_ functions)
 *     VAL(expression)   "expression: value"; STR(expression): "expression: "text""
 *     IS(expression)    "expression: yes" or "no"
 *     SYS(name, ...)    the system call itself, without the C library's wrapper
 *
 * No line may hold what differs from run to run: pids, addresses, times, inode numbers.
 * tools/conform/report reads these lines too: it counts errnos by the name before the "(".
 */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wnonnull"

// An address where nothing is ever mapped; the compiler does not know.
static void *volatile bad_address = (void *)16;
#define BAD bad_address

// One line, in one write, so that lines of parent and child do not mix.
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char line[2048];
    va_list arguments;
    int length, saved = errno;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    if (write(1, line, (size_t)length) != length)
        _exit(99);
    errno = saved;
}

struct number_name {
    int number;
    const char *name;
};

static const char *errno_name(int number)
{
#define E(name) {name, #name}
    static const struct number_name names[] = {E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO),
        E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF), E(ECHILD), E(EAGAIN), E(ENOMEM), E(EACCES),
        E(EFAULT), E(ENOTBLK), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR),
        E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY), E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE),
        E(EROFS), E(EMLINK), E(EPIPE), E(EDOM), E(ERANGE), E(EDEADLK), E(ENAMETOOLONG),
        E(ENOLCK), E(ENOSYS), E(ENOTEMPTY), E(ELOOP), E(ENODATA), E(ETIME), E(EOVERFLOW),
        E(EILSEQ), E(ENOTSOCK), E(EOPNOTSUPP), E(EAFNOSUPPORT), E(ETIMEDOUT), E(EALREADY),
        E(ESTALE), E(ECANCELED), E(EOWNERDEAD), E(ENOTRECOVERABLE), E(EDESTADDRREQ),
        E(EPROTONOSUPPORT), E(ENOTCONN), E(ECONNREFUSED)};
#undef E
    static char other[24];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            return names[i].name;
    snprintf(other, sizeof other, "errno %d", number);
    return other;
}

static const char *signal_name(int number)
{
#define S(name) {name, #name}
    static const struct number_name names[] = {S(SIGHUP), S(SIGINT), S(SIGQUIT), S(SIGILL),
        S(SIGTRAP), S(SIGABRT), S(SIGBUS), S(SIGFPE), S(SIGKILL), S(SIGUSR1), S(SIGSEGV),
        S(SIGUSR2), S(SIGPIPE), S(SIGALRM), S(SIGTERM), S(SIGCHLD), S(SIGCONT), S(SIGSTOP),
        S(SIGTSTP), S(SIGTTIN), S(SIGTTOU), S(SIGURG), S(SIGXCPU), S(SIGXFSZ), S(SIGVTALRM),
        S(SIGPROF), S(SIGWINCH), S(SIGIO), S(SIGSYS)};
#undef S
    static char other[24];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number)
            return names[i].name;
    snprintf(other, sizeof other, "signal %d", number);
    return other;
}

static long show_value(const char *text, long value, bool hide)
{
    int saved = errno;

    if (value == -1)
        say("%s = -1 %s", text, errno_name(saved));
    else if (hide && value > 0)
        say("%s = positive", text);
    else
        say("%s = %ld", text, value);
    errno = saved;
    return value;
}

static void *show_pointer(const char *text, const void *pointer)
{
    int saved = errno;

    if (pointer == MAP_FAILED)
        say("%s = -1 %s", text, errno_name(saved));
    else
        say("%s = %s", text, pointer ? "an address" : "NULL");
    errno = saved;
    return (void *)(uintptr_t)pointer;
}

static int show_code(const char *text, int code)
{
    if (code == 0)
        say("%s = 0", text);
    else
        say("%s = %s", text, errno_name(code));
    return code;
}

#define TRY(...) show_value(#__VA_ARGS__, (errno = 0, (long)(__VA_ARGS__)), false)
#define ID(...) show_value(#__VA_ARGS__, (errno = 0, (long)(__VA_ARGS__)), true)
#define PTR(...) show_pointer(#__VA_ARGS__, (errno = 0, (__VA_ARGS__)))
#define CODE(...) show_code(#__VA_ARGS__, (__VA_ARGS__))
#define VAL(...) say("%s: %ld", #__VA_ARGS__, (long)(__VA_ARGS__))
#define STR(...) say("%s: \"%s\"", #__VA_ARGS__, (const char *)(__VA_ARGS__))
#define IS(...) say("%s: %s", #__VA_ARGS__, (__VA_ARGS__) ? "yes" : "no")
#define SYS(name, ...) syscall(SYS_##name, ##__VA_ARGS__)

// How a child ended, as waitpid's status says it.
static void show_status(const char *who, int status)
{
    if (WIFEXITED(status))
        say("%s: exited with %d", who, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        say("%s: killed by %s", who, signal_name(WTERMSIG(status)));
    else if (WIFSTOPPED(status))
        say("%s: stopped by %s", who, signal_name(WSTOPSIG(status)));
    else if (WIFCONTINUED(status))
        say("%s: continued", who);
}

static void reap(const char *who, pid_t pid)
{
    int status = 0;
    pid_t got;

    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got == pid)
        show_status(who, status);
    else
        say("%s: waitpid says %s", who, errno_name(errno));
}

// Runs a function in a child, and says how it ended.
static void in_child(const char *who, void (*function)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        function();
        _exit(0);
    }
    reap(who, pid);
}
#define CHILD(function) in_child(#function, function)

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
}

static long now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// A new file with this text.
static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    size_t length = strlen(text);

    if (fd < 0 || write(fd, text, length) != (ssize_t)length)
        say("put %s: %s", path, errno_name(errno));
    close(fd);
}

// What is in a file, up to 400 bytes.
static void show_file(const char *path)
{
    char text[401];
    int fd = open(path, O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (length < 0) {
        say("%s: %s", path, errno_name(errno));
    } else {
        text[length] = 0;
        say("%s holds \"%s\"", path, text);
    }
    if (fd >= 0)
        close(fd);
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(number, &action, NULL);
}
