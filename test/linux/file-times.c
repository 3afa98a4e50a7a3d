/* SPDX-License-Identifier: MIT */
/* Times of files: which calls change which, utimensat with NOW and OMIT, links, errors. */
#include "try.h"
#include <sys/time.h>

static struct stat s;

static const char *times_of(const char *path)
{
    static char text[80];

    if (lstat(path, &s) < 0)
        return errno_name(errno);
    snprintf(text, sizeof text, "access %ld.%09ld modify %ld.%09ld", (long)s.st_atim.tv_sec,
        s.st_atim.tv_nsec, (long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
    return text;
}

static bool later(struct timespec a, struct timespec b)
{
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

int main(void)
{
    struct timespec two[2] = {{1000, 5}, {2000, 999999999}}, before;
    struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
    struct timespec bad[2] = {{0, 1000000000}, {0, 0}};
    struct timeval micro[2] = {{11, 22}, {33, 44}};
    long seconds[2] = {55, -66};
    char text[4];
    int fd;

    put("file", "abc");
    TRY(utimensat(AT_FDCWD, "file", two, 0));
    STR(times_of("file"));
    before = s.st_ctim;
    sleep_ms(20);
    TRY(chmod("file", 0600));
    STR(times_of("file"));
    IS(later(s.st_ctim, before));
    TRY(utimensat(AT_FDCWD, "file", now, 0));
    STR(times_of("file") + strlen(times_of("file")) - 14);
    IS(s.st_atim.tv_sec > 1000000000);
    TRY(utimensat(AT_FDCWD, "file", bad, 0));
    fd = open("file", O_RDWR);
    TRY(futimens(fd, two));
    STR(times_of("file"));
    TRY(pwrite(fd, "x", 1, 0));
    lstat("file", &s);
    VAL(s.st_atim.tv_sec);
    IS(s.st_mtim.tv_sec > 1000000000);
    TRY(futimens(fd, two));
    TRY(pread(fd, text, 1, 0));
    lstat("file", &s);
    VAL(s.st_mtim.tv_sec);
    TRY(ftruncate(fd, 1));
    lstat("file", &s);
    IS(s.st_mtim.tv_sec > 1000000000);
    symlink("file", "link");
    TRY(utimensat(AT_FDCWD, "link", two, AT_SYMLINK_NOFOLLOW));
    STR(times_of("link"));
    TRY(utimes("file", micro));
    STR(times_of("file"));
    mkdir("folder", 0755);
    TRY(utimensat(AT_FDCWD, "folder", two, 0));
    put("folder/new", "");
    lstat("folder", &s);
    IS(s.st_mtim.tv_sec > 1000000000);
    TRY(utimensat(AT_FDCWD, "folder", two, 0));
    TRY(unlink("folder/new"));
    lstat("folder", &s);
    IS(s.st_mtim.tv_sec > 1000000000);
    TRY(utimensat(AT_FDCWD, "missing", two, 0));
    TRY(SYS(utimensat, AT_FDCWD, "file", BAD, 0));
    TRY(utimensat(AT_FDCWD, "file", two, 0x8000));
    TRY(SYS(utimensat, 99, NULL, two, 0));
    TRY(utimensat(AT_FDCWD, "file", NULL, 0));
    TRY(SYS(utime, "file", seconds));
    STR(times_of("file"));
    TRY(SYS(utime, "missing", seconds));
    TRY(SYS(utime, "file", BAD));
    TRY(SYS(utime, "file", NULL));
    lstat("file", &s);
    IS(s.st_mtim.tv_sec > 1000000000);
    TRY(SYS(futimesat, AT_FDCWD, "file", micro));
    STR(times_of("file"));
    TRY(SYS(futimesat, fd, NULL, micro));
    TRY(SYS(futimesat, 99, NULL, micro));
    TRY(SYS(futimesat, 99, "file", micro));
    micro[0].tv_usec = 1000000;
    TRY(utimes("file", micro));
    micro[0].tv_usec = -1;
    TRY(SYS(utimes, "file", micro));
    TRY(SYS(utimes, NULL, NULL));
    return 0;
}
