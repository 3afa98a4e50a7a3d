/* SPDX-License-Identifier: MIT */
/* Many children that become others: ids, groups, sessions with the file system, chroot. The test
 * that matters while servers are killed, since the ids are the process server's and the file
 * system must know them. Only what went wrong is told. */
#include "try.h"
#include <grp.h>

#define OK(what)                                                                                   \
    do {                                                                                           \
        if (!(what))                                                                               \
            say("child %d: not so: %s (%s)", number, #what, errno_name(errno));                    \
    } while (0)

static void user(int number, uid_t uid)
{
    char name[40], other[40];
    struct stat s;
    int fd;

    OK(open("secret", O_RDONLY) < 0 && errno == EACCES);
    snprintf(name, sizeof name, "drop/f%d", number);
    snprintf(other, sizeof other, "drop/g%d", number);
    fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0640);
    OK(fd >= 0);
    OK(!fstat(fd, &s) && s.st_uid == uid && s.st_gid == 100);
    OK(chown(name, 0, 0) < 0 && errno == EPERM);
    OK(!chown(name, -1, 5));
    OK(!stat(name, &s) && s.st_gid == 5);
    OK(!rename(name, other));
    OK(!unlink(other));
}

static void back_and_into_jail(int number)
{
    char path[100];

    OK(!seteuid(0));
    OK(open("secret", O_RDONLY) >= 0);
    OK(!chroot("jail"));
    OK(!chdir("/"));
    OK(open("/file", O_RDONLY) >= 0);
    OK(open("/secret", O_RDONLY) < 0 && errno == ENOENT);
    OK(!setuid(5));
    OK(getuid() == 5 && geteuid() == 5);
    OK(getcwd(path, sizeof path) && !strcmp(path, "/"));
}

static void child(int number)
{
    gid_t groups[3] = {7, 5, (gid_t)number + 10}, got[4];
    uid_t uid = (uid_t)(1000 + number % 7);

    OK(!setgroups(3, groups));
    OK(!setresgid(100, 100, 100));
    OK(!setresuid(uid, uid, number % 2 ? 0 : uid));
    OK(geteuid() == uid);
    OK(getgroups(4, got) == 3 && got[0] == 5 && got[1] == 7);
    user(number, uid);
    if (number % 2)
        back_and_into_jail(number);
    else
        OK(setuid(0) < 0 && errno == EPERM);
    _exit(0);
}

int main(void)
{
    int status, number;

    put("secret", ""), chmod("secret", 0600);
    mkdir("drop", 0777), chmod("drop", 01777);
    mkdir("jail", 0755), put("jail/file", "");
    chmod(".", 0755);
    for (number = 0; number < 100; number++) {
        pid_t pid = fork();

        if (pid == 0)
            child(number);
        OK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    VAL(number);
    return 0;
}
