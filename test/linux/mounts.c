/* SPDX-License-Identifier: MIT */
/* mount and umount2: file systems in memory with their limits, binds, what is read-only, what is in
 * use, links into /proc; and what /proc/mounts says of all that. */
#include "try.h"
#include <sys/mount.h>
#include <sys/statfs.h>

static char here[128];

static void *path(const char *name)
{
    static char text[4][256];
    static unsigned next;

    snprintf(text[next % 4], sizeof text[0], "%s/%s", here, name);
    return text[next++ % 4];
}

/* The lines of /proc/mounts that are about our directory, without options that depend on memory. */
static void mounts(void)
{
    char line[1024], source[64], place[256], type[64], options[256];
    size_t n = strlen(here);
    FILE *f = fopen("/proc/mounts", "r");

    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%63s %255s %63s %255s", source, place, type, options) != 4 ||
            strncmp(place, here, n) || (place[n] && place[n] != '/'))
            continue;
        char *size = strstr(options, ",size="), *nodes = strstr(options, ",nr_inodes=");
        if (size && !strncmp(size, ",size=256k", 10))
            size = 0;
        if (nodes && (!size || nodes < size))
            *nodes = 0;
        if (size)
            *size = 0;
        char *inodes = strstr(options, ",inode64"); /* which Linux says since 5.9 */
        if (inodes)
            *inodes = 0;
        say("  %s %s %s", place + n, type, options);
    }
    if (f)
        fclose(f);
}

static void limits(void)
{
    char page[4096];
    struct statfs s;
    long blocks = 0, files = 0;
    int fd;

    memset(page, 'x', sizeof page);
    TRY(mount("none", "small", "tmpfs", 0, "size=256k,nr_inodes=8,mode=750"));
    TRY(statfs("small", &s));
    IS(s.f_type == 0x01021994);
    VAL((long)s.f_blocks);
    VAL((long)s.f_bfree);
    VAL((long)s.f_files);
    VAL((long)s.f_ffree);
    fd = open("small/file", O_RDWR | O_CREAT, 0600);
    while (write(fd, page, sizeof page) == (ssize_t)sizeof page)
        blocks++;
    say("errno %s", errno_name(errno));
    VAL(blocks);
    TRY(ftruncate(fd, 3 * 4096));
    TRY(statfs("small", &s));
    VAL((long)s.f_bfree);
    TRY(posix_fallocate(fd, 0, 1 << 20));
    close(fd);
    for (;; files++) {
        char name[32];

        snprintf(name, sizeof name, "small/%ld", files);
        fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd < 0)
            break;
        close(fd);
    }
    say("errno %s", errno_name(errno));
    VAL(files);
    TRY(mkdir("small/directory", 0700));
    TRY(unlink("small/0"));
    TRY(mkdir("small/directory", 0700));
    TRY(mount(NULL, "small", NULL, MS_REMOUNT, "size=4k"));
    TRY(mount(NULL, "small", NULL, MS_REMOUNT, "size=512k"));
    TRY(statfs("small", &s));
    VAL((long)s.f_blocks);
}

static void crossing(void)
{
    struct stat s, t, u;

    TRY(stat("small", &s));
    TRY(stat(".", &t));
    TRY(lstat("small/..", &u));
    IS(s.st_dev != t.st_dev);
    IS(u.st_dev == t.st_dev && u.st_ino == t.st_ino);
    VAL(s.st_mode & 07777);
    put("outside", "outside");
    TRY(rename("outside", "small/outside"));
    TRY(rename("small/1", "one"));
    TRY(link("outside", "small/outside"));
    TRY(rmdir("small"));
    TRY(rename("small", "other"));
    TRY(mkdir("small", 0755));
    TRY(symlink("../outside", "small/link"));
    unlink("small/1");
    TRY(symlink("../outside", "small/link"));
    show_file("small/link");
    TRY(chdir("small/directory"));
    char name[256];
    TRY(SYS(getcwd, name, sizeof name) > 0);
    STR(name + strlen(here));
    TRY(umount(path("small")));
    TRY(chdir("../.."));
    TRY(SYS(getcwd, name, sizeof name) > 0);
    STR(name + strlen(here));
    int fd = open("small/file", O_RDONLY);
    TRY(umount("small"));
    TRY(umount2("small", MNT_DETACH));
    mounts();
    TRY(access("small/file", F_OK));
    TRY(read(fd, name, 4));
    close(fd);
    TRY(umount("small"));
}

static void binds(void)
{
    struct stat s, t;
    int fd;

    mkdir("tree", 0755);
    mkdir("tree/inner", 0755);
    put("tree/file", "in the tree");
    TRY(mount("tree", "small", NULL, MS_BIND, NULL));
    show_file("small/file");
    TRY(stat("tree/file", &s));
    TRY(stat("small/file", &t));
    IS(s.st_dev == t.st_dev && s.st_ino == t.st_ino);
    TRY(rename("small/file", "tree/file2"));
    TRY(link("small/file", "tree/file2"));
    put("small/new", "seen by both");
    show_file("tree/new");
    TRY(mount(NULL, "small", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOEXEC, NULL));
    TRY(open("small/file", O_WRONLY));
    TRY(open("small/another", O_WRONLY | O_CREAT, 0600));
    TRY(unlink("small/file"));
    TRY(unlink("small/missing"));
    TRY(mkdir("small/inner", 0700));
    TRY(mkdir("small/more", 0700));
    TRY(chmod("small/file", 0600));
    TRY(access("small/file", W_OK));
    TRY(access("small/file", R_OK));
    TRY(chmod("tree/file", 0700));
    TRY(execl("small/file", "file", (char *)NULL));
    TRY(access("small/file", X_OK));
    mounts();
    TRY(mount(NULL, "small", NULL, MS_REMOUNT | MS_BIND, NULL));
    fd = open("small/file", O_WRONLY);
    TRY(mount(NULL, "small", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
    close(fd);
    TRY(mount("none", "tree/inner", "tmpfs", MS_NOSUID | MS_NODEV, NULL));
    put("tree/inner/deep", "deep");
    TRY(access("small/inner/deep", F_OK));
    mkdir("all", 0755);
    TRY(mount("tree", "all", NULL, MS_BIND | MS_REC, NULL));
    show_file("all/inner/deep");
    mkdir("moved", 0755);
    TRY(mount("all", "moved", NULL, MS_MOVE, NULL));
    show_file("moved/inner/deep");
    TRY(access("all/file", F_OK));
    TRY(mount("moved", "moved/inner", NULL, MS_MOVE, NULL));
    TRY(mount("tree", "moved", NULL, MS_MOVE, NULL));
    mounts();
    TRY(umount("moved"));
    TRY(umount2("moved", MNT_DETACH));
    put("covered", "covered");
    TRY(mount("tree/file", "covered", NULL, MS_BIND, NULL));
    show_file("covered");
    TRY(unlink("covered"));
    TRY(rename("covered", "elsewhere"));
    TRY(mount("tree/file", "tree", NULL, MS_BIND, NULL));
    TRY(mount("tree", "covered", NULL, MS_BIND, NULL));
    mounts();
    TRY(umount("covered"));
    show_file("covered");
}

static void errors(void)
{
    TRY(mount("none", "missing", "tmpfs", 0, NULL));
    TRY(mount("none", "tree/file", "tmpfs", 0, NULL));
    TRY(mount("none", "tree", "no-such-type", 0, NULL));
    TRY(mount("none", "tree", NULL, 0, NULL));
    TRY(mount("none", "tree", "tmpfs", 0, "nonsense=1"));
    TRY(mount("none", "tree", "tmpfs", 0, "size=large"));
    TRY(mount("missing", "tree", NULL, MS_BIND, NULL));
    TRY(mount(NULL, "tree", NULL, MS_BIND, NULL));
    TRY(mount(NULL, "tree", NULL, MS_REMOUNT, NULL));
    TRY(mount("none", BAD, "tmpfs", 0, NULL));
    TRY(mount("none", "tree", BAD, 0, NULL));
    TRY(umount("tree"));
    TRY(umount("tree/file"));
    TRY(umount("missing"));
    TRY(umount(BAD));
    TRY(umount2("tree/inner", 16));
    if (!fork()) {
        TRY(setuid(1000));
        TRY(mount("none", "tree", "tmpfs", 0, NULL));
        TRY(mount("none", "missing", "tmpfs", 0, NULL));
        TRY(umount("tree/inner"));
        _exit(0);
    }
    wait(NULL);
}

static void foreign(void)
{
    char text[256];
    ssize_t n;
    int fd;

    mkdir("proc", 0755);
    symlink("/proc/self/comm", "absolute");
    symlink("proc/self/comm", "relative");
    TRY(access("relative", F_OK));
    TRY(mount("proc", "proc", "proc", 0, NULL));
    show_file("proc/self/comm");
    show_file("absolute");
    show_file("relative");
    TRY(readlink("proc/self/exe", text, sizeof text) > 0);
    symlink("/proc/self/cwd/around", "around");
    TRY(open("around", O_RDONLY));
    TRY(access("around", F_OK));
    TRY(chdir("proc/self"));
    show_file("comm");
    TRY(chdir(here));
    fd = open("proc", O_RDONLY | O_DIRECTORY);
    int comm = openat(fd, "self/comm", O_RDONLY);
    n = read(comm, text, sizeof text);
    VAL(n);
    TRY(rmdir("proc"));
    close(fd);
    close(comm);
    mounts();
    TRY(umount("proc"));
    TRY(access("relative", F_OK));
    show_file("/proc/self/cwd/tree/file");
    fd = open("tree", O_RDONLY | O_DIRECTORY);
    snprintf(text, sizeof text, "/proc/self/fd/%d/file", fd);
    show_file(text);
}

int main(void)
{
    struct stat s;

    if (!getcwd(here, sizeof here))
        return 1;
    mkdir("small", 0755);
    limits();
    crossing();
    binds();
    errors();
    foreign();
    TRY(umount("tree/inner"));
    TRY(umount("small"));
    mounts();
    TRY(stat("tree/inner/deep", &s));
    return 0;
}
