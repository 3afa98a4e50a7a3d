/* SPDX-License-Identifier: MIT */
/* /proc/self/task, thread-self, fdinfo; directories of descriptors read while they are closed;
 * texts of more than a page; clocks of threads and processes. */
#include "try.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/mman.h>

static pthread_barrier_t begun, ended;

static long spin(void)
{
    volatile long n = 0;
    struct timespec from, now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    do {
        n++;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < 30000000);
    return n;
}

static void *thread(void *unused)
{
    char path[64] = "", expected[64];

    (void)unused;
    ssize_t length = readlink("/proc/thread-self", path, sizeof path - 1);
    snprintf(expected, sizeof expected, "%d/task/%d", getpid(), (int)SYS(gettid));
    IS(length > 0 && strcmp(path, expected) == 0);
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)SYS(gettid));
    TRY(access(path, R_OK));
    pthread_barrier_wait(&begun);
    pthread_barrier_wait(&ended);
    return NULL;
}

static int count_entries(const char *path)
{
    DIR *dir = opendir(path);
    int names = 0;

    while (dir && readdir(dir))
        names++;
    if (dir)
        closedir(dir);
    return names;
}

/* Each entry that is told is closed at once, with room for few in a buffer. */
static int close_all(void)
{
    char buffer[64];
    int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY), closed = 0;
    long got;

    while ((got = SYS(getdents64, dir, buffer, sizeof buffer)) > 0)
        for (long at = 0; at < got;) {
            const struct dirent64 *entry = (const struct dirent64 *)(buffer + at);
            int fd = atoi(entry->d_name);

            if (fd > 2 && fd != dir)
                closed += close(fd) == 0;
            at += entry->d_reclen;
        }
    close(dir);
    return closed;
}

int main(void)
{
    static char text[262144];
    pthread_t other;
    char path[64];
    struct timespec process, own, t;
    clockid_t clock;
    long total = 0, got;

    pthread_barrier_init(&begun, NULL, 2);
    pthread_barrier_init(&ended, NULL, 2);
    VAL(count_entries("/proc/self/task"));
    pthread_create(&other, NULL, thread, NULL);
    pthread_barrier_wait(&begun);
    VAL(count_entries("/proc/self/task"));
    spin();
    TRY(pthread_getcpuclockid(other, &clock));
    TRY(clock_gettime(clock, &t));
    IS(t.tv_sec == 0 && t.tv_nsec < 20000000);
    TRY(pthread_getcpuclockid(pthread_self(), &clock));
    TRY(clock_gettime(clock, &t));
    TRY(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own));
    TRY(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &process));
    IS(t.tv_nsec >= 20000000 || t.tv_sec);
    IS(own.tv_nsec >= 20000000 || own.tv_sec);
    IS(process.tv_nsec >= 20000000 || process.tv_sec);
    TRY(clock_getcpuclockid(0, &clock));
    TRY(clock_gettime(clock, &t));
    TRY(clock_getcpuclockid(getpid(), &clock));
    TRY(clock_gettime(clock, &t));
    TRY(clock_getcpuclockid(1, &clock));
    TRY(clock_gettime(clock, &t));
    TRY(clock_getcpuclockid(999999, &clock));
    TRY(SYS(clock_gettime, ~999999u << 3 | 2, &t));
    TRY(SYS(clock_gettime, ~999999u << 3 | 6, &t));
    TRY(SYS(clock_gettime, 99, &t));
    pthread_barrier_wait(&ended);
    pthread_join(other, NULL);
    TRY(access("/proc/self/task/999999", F_OK));
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", getpid());
    TRY(access(path, R_OK));

    put("file", "contents");
    TRY(open("file", O_RDWR | O_APPEND | O_CLOEXEC));
    TRY(lseek(3, 5, SEEK_SET));
    int info = open("/proc/self/fdinfo/3", O_RDONLY);
    got = read(info, text, 22);
    text[got > 0 ? got : 0] = 0;
    STR(text);
    close(info);
    TRY(access("/proc/self/fdinfo/77", F_OK));
    TRY(access("/proc/self/fd/03", F_OK));
    for (int i = 0; i < 20; i++)
        dup(0);
    VAL(close_all());

    for (int i = 0; i < 200; i++)
        mmap(NULL, 4096, i & 1 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
            -1, 0);
    int maps = open("/proc/self/maps", O_RDONLY);
    while ((got = read(maps, text + total, sizeof text - 1 - (size_t)total)) > 0)
        total += got;
    IS(total > 8192);
    IS(strstr(text, "[stack]") != NULL);
    close(maps);
    return 0;
}
