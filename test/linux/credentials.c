/* SPDX-License-Identifier: MIT */
/* setuid, setresuid, setgroups and the rest: what root and others may, what is saved, exec. */
#include "try.h"
#include <grp.h>

static void ids(void)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;

    getresuid(&r, &e, &s);
    getresgid(&rg, &eg, &sg);
    say("  uid %u %u %u gid %u %u %u", r, e, s, rg, eg, sg);
}

static void by_setuid(void)
{
    TRY(setgid(100));
    TRY(setuid(1000));
    ids();
    TRY(setuid(0));
    TRY(setuid(1001));
    TRY(setuid(1000));
    TRY(setgid(0));
    TRY(seteuid(0));
    TRY(setgroups(0, NULL));
}

static void by_seteuid(void)
{
    TRY(seteuid(1000));
    ids();
    TRY(setgid(5));
    TRY(seteuid(0));
    ids();
}

static void by_setresuid(void)
{
    TRY(setresgid(1, 2, 3));
    TRY(setresuid(10, 20, 30));
    ids();
    TRY(setresuid(-1, 30, -1));
    TRY(setresuid(20, 10, 30));
    ids();
    TRY(setresuid(40, -1, -1));
    TRY(setresgid(-1, 3, -1));
    TRY(setresgid(-1, 9, -1));
    TRY(setreuid(30, 10));
    ids();
    TRY(setreuid(99, -1));
    TRY(setregid(2, 1));
    ids();
    TRY(setuid(30));
    ids();
}

static void groups(void)
{
    gid_t set[4] = {7, 5, 9, 0}, got[4] = {0};

    TRY(setgroups(3, set));
    TRY(getgroups(0, NULL));
    TRY(getgroups(4, got));
    say("  %u %u %u", got[0], got[1], got[2]);
    TRY(getgroups(2, got));
    TRY(SYS(getgroups, -1, got));
    TRY(SYS(setgroups, 70000, set));
    TRY(SYS(setgroups, 2, BAD));
}

static void fs_ids(void)
{
    TRY(SYS(setfsuid, 1000));
    TRY(SYS(setfsuid, -1));
    TRY(open("secret", O_RDONLY));
    TRY(SYS(setfsuid, 0));
    TRY(open("secret", O_RDONLY));
}

int main(int count, char **arguments)
{
    if (count > 1) {
        ids();
        return 0;
    }
    put("secret", ""), chmod("secret", 0600);
    ids();
    TRY(getuid());
    TRY(geteuid());
    CHILD(by_setuid);
    CHILD(by_seteuid);
    CHILD(by_setresuid);
    CHILD(groups);
    CHILD(fs_ids);
    if (fork() == 0) {
        setresuid(10, 20, 30);
        execl("/proc/self/exe", arguments[0], "x", NULL); // the saved id becomes the effective one
        _exit(1);
    }
    wait(NULL);
    TRY(SYS(getresuid, BAD, BAD, BAD));
    TRY(SYS(setuid, -1));
    return 0;
}
