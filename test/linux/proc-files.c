/* SPDX-License-Identifier: MIT */
/* /proc: meminfo, stat, uptime, loadavg, mounts, filesystems, cpuinfo, sys/kernel, other pids. */
#include "try.h"
#include <dirent.h>

static char text[65536];

static long slurp(const char *path)
{
    int fd = open(path, O_RDONLY);
    long total = 0, got;

    text[0] = 0;
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

static bool has(const char *part)
{
    return strstr(text, part) != NULL;
}

int main(void)
{
    double up = -1, idle = -1, load[3];
    int running, all, last, fields, numbers = 0;
    struct dirent *entry;
    char path[64], state = '?';
    pid_t pid;
    DIR *dir;

    slurp("/proc/meminfo");
    IS(has("MemTotal:") && has("MemFree:") && has("MemAvailable:"));
    IS(has("SwapTotal:") && has("Buffers:") && has("Cached:"));
    slurp("/proc/uptime");
    fields = sscanf(text, "%lf %lf", &up, &idle);
    VAL(fields);
    IS(up >= 0 && up < 100000);
    slurp("/proc/loadavg");
    fields = sscanf(text, "%lf %lf %lf %d/%d %d", load, load + 1, load + 2, &running, &all, &last);
    VAL(fields);
    IS(running >= 1 && all >= running && last >= getpid());
    slurp("/proc/stat");
    IS(has("cpu ") && has("cpu0 ") && has("btime ") && has("processes ") && has("ctxt "));
    slurp("/proc/mounts");
    IS(has(" / ") && has(" /proc proc "));
    slurp("/proc/self/mountinfo");
    IS(has(" / / ") && has(" - "));
    slurp("/proc/filesystems");
    IS(has("tmpfs") && has("proc"));
    slurp("/proc/cpuinfo");
    IS(has("processor\t: 0") && has("flags\t"));
    IS(slurp("/proc/version") > 10 && strncmp(text, "Linux version ", 14) == 0);
    IS(slurp("/proc/sys/kernel/hostname") > 0);
    IS(slurp("/proc/sys/kernel/osrelease") > 0);
    slurp("/proc/sys/kernel/ostype");
    STR(text);
    IS(slurp("/proc/sys/kernel/pid_max") > 0 && atoi(text) >= 32768);
    slurp("/proc/sys/kernel/ngroups_max");
    STR(text);
    pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    sleep_ms(30);
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    slurp(path);
    if (strrchr(text, ')'))
        sscanf(strrchr(text, ')'), ") %c", &state);
    say("child's state %c", state);
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    IS(readlink(path, text, sizeof text) > 0);
    kill(pid, SIGKILL);
    sleep_ms(30);
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    slurp(path);
    if (strrchr(text, ')'))
        sscanf(strrchr(text, ')'), ") %c", &state);
    say("child's state %c", state);
    reap("child", pid);
    TRY(access(path, F_OK));
    dir = opendir("/proc");
    while (dir && (entry = readdir(dir)) != NULL)
        numbers += entry->d_name[0] > '0' && entry->d_name[0] <= '9';
    IS(numbers >= 2);
    TRY(open("/proc/none", O_RDONLY));
    TRY(mkdir("/proc/x", 0755));
    TRY(open("/proc/new", O_CREAT | O_WRONLY, 0644));
    return 0;
}
