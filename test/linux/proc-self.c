/* SPDX-License-Identifier: MIT */
/* /proc/self: exe, fd, cwd, root, cmdline, comm, status, stat, maps, environ; wrong entries. */
#include "try.h"
#include <dirent.h>
#include <sys/prctl.h>

static char text[65536];

static long slurp(const char *path)
{
    int fd = open(path, O_RDONLY);
    long total = 0, got;

    if (fd < 0) {
        say("%s: %s", path, errno_name(errno));
        return -1;
    }
    while (total < (long)sizeof text - 1 &&
           (got = read(fd, text + total, sizeof text - 1 - (size_t)total)) > 0)
        total += got;
    text[total] = 0;
    close(fd);
    return total;
}

static const char *field(const char *name)
{
    static char value[128];
    char *at = strstr(text, name);

    if (!at)
        return "missing";
    at += strlen(name);
    at += strspn(at, " \t");
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\n"), at);
    return value;
}

int main(int count, char **arguments)
{
    char path[300] = "", expected[64];
    int names = 0;
    DIR *dir;
    long length;

    (void)count;
    length = readlink("/proc/self/exe", path, sizeof path - 1);
    IS(length > 0 && strcmp(strrchr(path, '/'), "/proc-self") == 0);
    length = readlink("/proc/self/cwd", path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    IS(length > 0 && strcmp(path, "/tmp/proc-self") == 0);
    TRY(readlink("/proc/self/root", path, sizeof path));
    length = readlink("/proc/self", path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    IS(atoi(path) == getpid());
    put("file", "x");
    TRY(open("file", O_RDONLY));
    length = readlink("/proc/self/fd/3", path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    STR(path);
    unlink("file");
    length = readlink("/proc/self/fd/3", path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    STR(path);
    TRY(open("/proc/self/fd/3", O_RDONLY));
    TRY(pipe((int[2]){0}));
    length = readlink("/proc/self/fd/5", path, sizeof path - 1);
    IS(length > 6 && strncmp(path, "pipe:[", 6) == 0);
    TRY(readlink("/proc/self/fd/77", path, sizeof path));
    dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        names++;
    VAL(names);
    VAL(slurp("/proc/self/cmdline") == (long)strlen(arguments[0]) + 1);
    IS(strcmp(text, arguments[0]) == 0);
    slurp("/proc/self/comm");
    STR(field(""));
    prctl(PR_SET_NAME, "renamed");
    slurp("/proc/self/comm");
    STR(field(""));
    slurp("/proc/self/environ");
    STR(text);
    slurp("/proc/self/status");
    STR(field("Name:"));
    STR(field("State:"));
    snprintf(expected, sizeof expected, "%d", getpid());
    IS(strcmp(field("\nPid:"), expected) == 0);
    snprintf(expected, sizeof expected, "%d", getppid());
    IS(strcmp(field("\nPPid:"), expected) == 0);
    STR(field("\nUid:"));
    STR(field("\nThreads:"));
    IS(strcmp(field("\nVmRSS:"), "missing") != 0);
    slurp("/proc/self/stat");
    IS(atoi(text) == getpid());
    IS(strstr(text, "(renamed) R ") != NULL);
    slurp("/proc/self/maps");
    IS(strstr(text, "[stack]") != NULL);
    IS(strstr(text, "r-xp") != NULL);
    IS(strstr(text, "/proc-self\n") != NULL);
    IS(slurp("/proc/self/statm") > 10);
    TRY(open("/proc/self/none", O_RDONLY));
    TRY(open("/proc/self/status", O_WRONLY));
    TRY(mkdir("/proc/self/x", 0755));
    TRY(unlink("/proc/self/status"));
    TRY(open("/proc/999999/stat", O_RDONLY));
    TRY(access("/proc/1/stat", R_OK));
    return 0;
}
