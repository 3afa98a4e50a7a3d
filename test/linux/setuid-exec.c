/* SPDX-License-Identifier: MIT */
/* Set-uid and set-gid programs: the ids after exec, AT_SECURE, no_new_privs, what writing takes. */
#include "try.h"
#include <sys/auxv.h>
#include <sys/prctl.h>

static void copy_self(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
    char block[8192];
    ssize_t got;
    int in = open("/proc/self/exe", O_RDONLY), out = open(path, O_WRONLY | O_CREAT, 0755);

    while ((got = read(in, block, sizeof block)) > 0)
        if (write(out, block, (size_t)got) != got)
            _exit(8);
    close(in), close(out);
    chown(path, uid, gid);
    chmod(path, mode);
}

static void run(const char *path, bool no_new)
{
    pid_t pid = fork();

    if (pid == 0) {
        setgid(100), setuid(1000);
        if (no_new)
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        execl(path, path, "x", NULL);
        say("%s: %s", path, errno_name(errno));
        _exit(1);
    }
    reap(path, pid);
}

int main(int count, char **arguments)
{
    struct stat s;
    uid_t r, e, saved;
    gid_t rg, eg, sg;
    int fd;

    if (count > 1) {
        getresuid(&r, &e, &saved);
        getresgid(&rg, &eg, &sg);
        say("%s: uid %u %u %u gid %u %u %u secure %lu", arguments[0], r, e, saved, rg, eg, sg,
            getauxval(AT_SECURE));
        return 0;
    }
    chmod(".", 0755);
    copy_self("plain", 0, 0, 0755);
    copy_self("as-root", 0, 0, 04755);
    copy_self("as-2000", 2000, 0, 04755);
    copy_self("as-group", 0, 3000, 02755);
    copy_self("not-group", 0, 3000, 02745); // set-gid without x for the group is no set-gid
    run("./plain", false), run("./as-root", false), run("./as-2000", false);
    run("./as-group", false), run("./not-group", false), run("./as-root", true);
    if (fork() == 0) {
        setgid(100), setuid(1000);
        TRY(open("as-2000", O_WRONLY));
        _exit(0);
    }
    wait(NULL);
    chmod("as-2000", 06777);
    if (fork() == 0) {
        setgid(100), setuid(1000);
        fd = open("as-2000", O_WRONLY);
        TRY(write(fd, "x", 1)); // takes both bits away
        TRY(chown("as-2000", 1000, -1));
        _exit(0);
    }
    wait(NULL);
    TRY(stat("as-2000", &s));
    VAL((s.st_mode & 06000) == 0);
    return 0;
}
