/* SPDX-License-Identifier: MIT */
/* execve: what cannot be executed and why; ETXTBSY; execveat; close-on-exec. */
#include "try.h"

static const char *self_name;

static void writable_program(void)
{
    char block[4096];
    ssize_t got;
    int in = open("/proc/self/exe", O_RDONLY), out = open("copy", O_WRONLY | O_CREAT, 0755);

    while ((got = read(in, block, sizeof block)) > 0)
        if (write(out, block, (size_t)got) != got)
            say("copy: %s", errno_name(errno));
    TRY(execl("./copy", "copy", "x", NULL)); // open for writing
    close(out);
    TRY(execl("./copy", "copy", "x", NULL));
}

static void by_fd(void)
{
    int fd = open("copy", O_RDONLY | O_CLOEXEC);
    char *arguments[] = {"by-fd", "x", NULL}, *none[] = {NULL};

    TRY(SYS(execveat, fd, "", arguments, none, 0));
    TRY(SYS(execveat, fd, "", arguments, none, AT_EMPTY_PATH));
}

int main(int count, char **arguments)
{
    char truncated[70] = "\177ELF\2\1\1";

    self_name = arguments[0];
    if (count > 1) {
        say("%s runs; 5 is %s, 6 is %s", arguments[0], fcntl(5, F_GETFD) >= 0 ? "open" : "closed",
            fcntl(6, F_GETFD) >= 0 ? "open" : "closed");
        return 0;
    }
    dup2(0, 5);
    dup3(0, 6, O_CLOEXEC);
    put("text", "no program\n"), chmod("text", 0755);
    put("empty", ""), chmod("empty", 0755);
    put("plain", "x");
    mkdir("folder", 0755);
    close(open("truncated", O_CREAT | O_WRONLY, 0755));
    truncate("truncated", 0);
    int fd = open("truncated", O_WRONLY);
    if (write(fd, truncated, sizeof truncated) != (ssize_t)sizeof truncated)
        return 1;
    close(fd);
    TRY(SYS(execve, "text", arguments, NULL));
    TRY(SYS(execve, "empty", arguments, NULL));
    TRY(SYS(execve, "truncated", arguments, NULL));
    TRY(SYS(execve, "plain", arguments, NULL));
    TRY(SYS(execve, "folder", arguments, NULL));
    TRY(SYS(execve, "missing", arguments, NULL));
    TRY(SYS(execve, "plain/x", arguments, NULL));
    TRY(SYS(execve, "", arguments, NULL));
    TRY(SYS(execve, BAD, arguments, NULL));
    TRY(SYS(execve, "/dev/null", arguments, NULL));
    CHILD(writable_program);
    CHILD(by_fd);
    if (fork() == 0)
        TRY(execl("/proc/self/exe", "self", "x", NULL));
    wait(NULL);
    return 0;
}
