/* SPDX-License-Identifier: MIT */
/* /proc/self/fd/N and /dev/fd/N: opened anew, gone through, of what was removed, and run. */
#include "try.h"

static void read_from(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY);

    if (fd < 0) {
        say("%s", errno_name(errno));
        return;
    }
    TRY(read(fd, text, sizeof text - 1));
    say("%s", text);
    close(fd);
}

static void read_through(const char *format, int fd)
{
    char name[64];

    snprintf(name, sizeof name, format, fd);
    read_from(name);
}

static void run(int fd, const char *name, int flags)
{
    char *argv[] = {"fd-names", "ran", NULL}, *envp[] = {NULL};
    int status = 0;

    fflush(stdout);
    if (!fork()) {
        SYS(execveat, fd, name, argv, envp, flags);
        _exit(errno);
    }
    wait(&status);
    if (WIFEXITED(status) && WEXITSTATUS(status) != 7)
        say("%s", errno_name(WEXITSTATUS(status)));
    else
        VAL(WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
    char name[64], text[8];
    struct stat s;
    int fd;

    if (argc > 1)
        return !strcmp(argv[1], "ran") ? 7 : 8;
    put("file", "contents");
    fd = open("file", O_RDONLY);
    TRY(read(fd, text, 3));
    read_through("/proc/self/fd/%d", fd);
    read_through("/dev/fd/%d", fd);
    TRY(read(fd, text, 3));
    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    TRY(open(name, O_RDONLY | O_CREAT | O_EXCL, 0600));
    TRY(unlink("file"));
    read_from(name);
    TRY(close(fd));
    read_from(name);
    TRY(mkdir("folder", 0755));
    put("folder/inside", "found");
    fd = open("folder", O_RDONLY | O_DIRECTORY);
    read_through("/proc/self/fd/%d/inside", fd);
    snprintf(name, sizeof name, "/proc/self/fd/%d/inside", fd);
    TRY(stat(name, &s));
    VAL(s.st_size);
    snprintf(name, sizeof name, "/proc/self/fd/%d/none", fd);
    TRY(stat(name, &s));
    read_through("/proc/self/fd/%d/../folder/inside", fd);
    close(fd);
    fd = open("folder/inside", O_PATH);
    TRY(read(fd, text, 1));
    read_through("/proc/self/fd/%d", fd);
    read_through("/proc/self/fd/%d/x", fd);
    run(fd, "", 0x1000); /* AT_EMPTY_PATH */
    close(fd);
    fd = open("/proc/self/exe", O_RDONLY);
    run(fd, "", 0x1000);
    run(fd, "", 0);
    close(fd);
    fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    run(fd, "", 0x1000);
    close(fd);
    return 0;
}
