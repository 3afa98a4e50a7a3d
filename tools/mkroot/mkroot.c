/* SPDX-License-Identifier: MIT */
/*
 * mkroot DIR OUT: packs a directory as a root file system: a cpio archive ("newc") whose
 * files belong to root. Links stay links, hard links hard links; DIR is only read. What
 * cannot be packed (sockets; files that cannot be read) is named and left out. What programs
 * expect of every system (/tmp, /dev with its usual names, /proc, /sys) is added where it is
 * missing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static FILE *out;
static unsigned long left_out;

static void pad(void)
{
    while (ftell(out) % 4)
        fputc(0, out);
}

static void header(const char *name, const struct stat *s, unsigned long long size)
{
    fprintf(out, "070701%08lX%08X%08X%08X%08lX%08lX%08llX%08X%08X%08X%08X%08zX%08X",
            (unsigned long)(s->st_ino & 0xffffffff), (unsigned)s->st_mode, 0u, 0u,
            (unsigned long)s->st_nlink, (unsigned long)(s->st_mtime & 0xffffffff), size, 0u, 0u,
            (unsigned)major(s->st_rdev), (unsigned)minor(s->st_rdev), strlen(name) + 1, 0u);
    fwrite(name, 1, strlen(name) + 1, out);
    pad();
}

static void skip(const char *name, const char *why)
{
    if (left_out++ < 10)
        fprintf(stderr, "mkroot: %s: %s: left out\n", name, why);
}

static void pack_file(int at, const char *leaf, const char *name, const struct stat *s)
{
    char buffer[65536];
    int f = openat(at, leaf, O_RDONLY | O_NOFOLLOW);
    off_t left = s->st_size;
    if (f < 0 || s->st_size > 0xffffffffl) {
        skip(name, f < 0 ? strerror(errno) : "larger than 4 GiB");
        if (f >= 0)
            close(f);
        return;
    }
    header(name, s, (unsigned long long)s->st_size);
    while (left > 0) {
        ssize_t n = read(f, buffer, left < (off_t)sizeof buffer ? (size_t)left : sizeof buffer);
        if (n <= 0) { /* shrank meanwhile: zeros keep the archive in step */
            memset(buffer, 0, sizeof buffer);
            n = left < (off_t)sizeof buffer ? left : (ssize_t)sizeof buffer;
        }
        fwrite(buffer, 1, (size_t)n, out);
        left -= n;
    }
    pad();
    close(f);
}

static void pack(int at, const char *leaf, const char *name);

static void pack_directory(int at, const char *leaf, const char *name)
{
    int fd = openat(at, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    struct dirent **entries = NULL;
    /* No locale is set: alphasort orders by bytes, so that equal trees give equal archives. */
    int count = fd < 0 ? -1 : scandirat(fd, ".", &entries, NULL, alphasort);
    char path[PATH_MAX];
    if (count < 0) {
        skip(name, strerror(errno));
        if (fd >= 0)
            close(fd);
        return;
    }
    for (int i = 0; i < count; i++) {
        const char *entry = entries[i]->d_name;
        bool top = *name == '.';
        int length = snprintf(path, sizeof path, "%s%s%s", top ? "" : name, top ? "" : "/", entry);
        if (length >= (int)sizeof path)
            skip(entry, "path too long");
        else if (strcmp(entry, ".") && strcmp(entry, ".."))
            pack(fd, entry, path);
        free(entries[i]);
    }
    free(entries);
    close(fd);
}

static void pack(int at, const char *leaf, const char *name)
{
    struct stat s;
    char target[PATH_MAX];
    if (fstatat(at, leaf, &s, AT_SYMLINK_NOFOLLOW)) {
        skip(name, strerror(errno));
        return;
    }
    if (S_ISREG(s.st_mode)) {
        pack_file(at, leaf, name, &s);
    } else if (S_ISLNK(s.st_mode)) {
        ssize_t n = readlinkat(at, leaf, target, sizeof target);
        if (n < 0) {
            skip(name, strerror(errno));
            return;
        }
        header(name, &s, (unsigned long long)n);
        fwrite(target, 1, (size_t)n, out);
        pad();
    } else if (S_ISSOCK(s.st_mode)) {
        skip(name, "a socket");
    } else {
        header(name, &s, 0);
        if (S_ISDIR(s.st_mode))
            pack_directory(at, leaf, name);
    }
}

/* What every root gets. Device numbers: Linux's Documentation/admin-guide/devices.txt. */
static const struct expected {
    const char *name;
    mode_t mode;
    unsigned major, minor;
    const char *target;
} expected[] = {
    {"tmp", S_IFDIR | 01777, 0, 0, NULL},
    {"proc", S_IFDIR | 0555, 0, 0, NULL},
    {"sys", S_IFDIR | 0555, 0, 0, NULL},
    {"dev", S_IFDIR | 0755, 0, 0, NULL}, /* before what is in it */
    {"dev/shm", S_IFDIR | 01777, 0, 0, NULL},
    {"dev/pts", S_IFDIR | 0755, 0, 0, NULL},
    {"dev/null", S_IFCHR | 0666, 1, 3, NULL},
    {"dev/zero", S_IFCHR | 0666, 1, 5, NULL},
    {"dev/full", S_IFCHR | 0666, 1, 7, NULL},
    {"dev/random", S_IFCHR | 0666, 1, 8, NULL},
    {"dev/urandom", S_IFCHR | 0666, 1, 9, NULL},
    {"dev/tty", S_IFCHR | 0666, 5, 0, NULL},
    {"dev/console", S_IFCHR | 0600, 5, 1, NULL},
    {"dev/ptmx", S_IFCHR | 0666, 5, 2, NULL},
    {"dev/pith", S_IFCHR | 0600, 10, 1, NULL}, /* ours: a line to the supervisor */
    {"dev/fd", S_IFLNK | 0777, 0, 0, "/proc/self/fd"},
    {"dev/stdin", S_IFLNK | 0777, 0, 0, "/proc/self/fd/0"},
    {"dev/stdout", S_IFLNK | 0777, 0, 0, "/proc/self/fd/1"},
    {"dev/stderr", S_IFLNK | 0777, 0, 0, "/proc/self/fd/2"},
};

/* What is there is taken as it is; nothing is put behind a link. */
static void expect(int fd, const struct expected *e)
{
    struct stat s;
    const char *slash = strchr(e->name, '/');
    if (slash && !fstatat(fd, "dev", &s, AT_SYMLINK_NOFOLLOW) && !S_ISDIR(s.st_mode))
        return;
    if (!fstatat(fd, e->name, &s, AT_SYMLINK_NOFOLLOW) || errno != ENOENT)
        return;
    size_t bytes = e->target ? strlen(e->target) : 0;
    time_t time = fstat(fd, &s) ? 0 : s.st_mtime;
    memset(&s, 0, sizeof s);
    s.st_mtime = time;
    s.st_mode = e->mode;
    s.st_nlink = S_ISDIR(e->mode) ? 2 : 1;
    s.st_rdev = makedev(e->major, e->minor);
    header(e->name, &s, bytes);
    if (bytes)
        fwrite(e->target, 1, bytes, out);
    pad();
}

int main(int argc, char **argv)
{
    struct stat none;
    if (argc != 3) {
        fprintf(stderr, "usage: mkroot DIR OUT\n");
        return 2;
    }
    out = fopen(argv[2], "wb");
    if (!out || stat(argv[1], &none) || !S_ISDIR(none.st_mode)) {
        fprintf(stderr, "mkroot: %s: %s\n", out ? argv[1] : argv[2],
                out && !errno ? "not a directory" : strerror(errno));
        return 1;
    }
    int fd = open(argv[1], O_RDONLY | O_DIRECTORY);
    memset(&none, 0, sizeof none);
    pack(fd, ".", ".");
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        expect(fd, &expected[i]);
    memset(&none, 0, sizeof none);
    header("TRAILER!!!", &none, 0);
    if (fclose(out)) {
        fprintf(stderr, "mkroot: %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    if (left_out)
        fprintf(stderr, "mkroot: %lu left out\n", left_out);
    return 0;
}
