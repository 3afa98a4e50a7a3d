/* SPDX-License-Identifier: MIT */
/* Permissions of an ordinary user: reading, writing, searching, executing, creating, removing. */
#include "try.h"
#include <grp.h>

static void user(void)
{
    gid_t groups[1] = {50};
    char text[4];

    TRY(setgroups(1, groups));
    TRY(setgid(100));
    TRY(setuid(1000));
    TRY(open("readable", O_RDONLY));
    TRY(read(3, text, 4));
    TRY(open("readable", O_WRONLY));
    TRY(open("readable", O_RDWR));
    TRY(open("readable", O_RDONLY | O_TRUNC));
    TRY(open("secret", O_RDONLY));
    TRY(open("group", O_RDONLY)); // by the supplementary group
    TRY(open("owner-none", O_RDONLY)); // the owner's bits count, not the others'
    TRY(open("closed/file", O_RDONLY));
    TRY(open("search/file", O_RDONLY));
    TRY(open("search", O_RDONLY));
    TRY(open("fixed/new", O_WRONLY | O_CREAT, 0644));
    TRY(unlink("fixed/file"));
    TRY(rename("fixed/file", "fixed/other"));
    TRY(mkdir("fixed/new", 0755));
    TRY(symlink("x", "fixed/new"));
    TRY(rmdir("closed/in"));
    TRY(stat("closed/file", &(struct stat){0}));
    TRY(chdir("closed"));
    TRY(chdir("search"));
    TRY(access("file", R_OK));
    TRY(chdir(".."));
    TRY(truncate("readable", 0));
    TRY(utimensat(AT_FDCWD, "readable", NULL, 0));
    TRY(utimensat(AT_FDCWD, "readable", (struct timespec[2]){{1, 0}, {1, 0}}, 0));
    TRY(execl("./readable", "readable", NULL));
    TRY(mknod("device", S_IFCHR | 0666, 0x103));
    TRY(chroot("."));
}

int main(void)
{
    chmod(".", 0755);
    put("readable", "abcd");
    put("secret", "s"), chmod("secret", 0600);
    put("group", "g"), chown("group", 0, 50), chmod("group", 0640);
    put("owner-none", "o"), chown("owner-none", 1000, 0), chmod("owner-none", 0044);
    mkdir("closed", 0700), put("closed/file", ""), mkdir("closed/in", 0777);
    mkdir("search", 0711), put("search/file", "");
    mkdir("fixed", 0755), put("fixed/file", "");
    CHILD(user);
    TRY(open("owner-none", O_RDWR)); // root may
    TRY(chmod("secret", 0));
    TRY(open("secret", O_RDWR));
    TRY(execl("./secret", "secret", NULL)); // but not execute what has no x bit
    return 0;
}
