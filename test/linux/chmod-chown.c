/* SPDX-License-Identifier: MIT */
/* chmod and chown: who may, which bits go away with which change, links, errors. */
#include "try.h"

static const char *owner_of(const char *path)
{
    static char text[60];
    struct stat s;

    if (lstat(path, &s) < 0)
        return errno_name(errno);
    snprintf(text, sizeof text, "%u:%u %o", s.st_uid, s.st_gid, s.st_mode & 07777);
    return text;
}

static void as_user(void)
{
    TRY(setgid(100));
    TRY(setuid(1000));
    TRY(chmod("mine", 0640));
    STR(owner_of("mine"));
    TRY(chmod("roots", 0777));
    TRY(chown("mine", 1001, -1));
    TRY(chown("mine", 1000, 100));
    TRY(chown("mine", -1, 5));
    TRY(chown("roots", -1, -1));
    TRY(chmod("mine", 02750)); // the file's group is ours
    STR(owner_of("mine"));
}

int main(void)
{
    int fd;

    chmod(".", 0777);
    put("mine", "x");
    put("roots", "x");
    TRY(chmod("mine", 06777));
    STR(owner_of("mine"));
    TRY(chown("mine", 1000, 100));
    STR(owner_of("mine"));
    TRY(chmod("mine", 0107777));
    STR(owner_of("mine"));
    TRY(chown("mine", -1, -1));
    STR(owner_of("mine"));
    CHILD(as_user);
    symlink("mine", "link");
    TRY(lchown("link", 7, 8));
    STR(owner_of("link"));
    TRY(chown("link", 9, 10));
    STR(owner_of("mine"));
    fd = open("mine", O_RDONLY);
    TRY(fchmod(fd, 0400));
    TRY(fchown(fd, 0, 0));
    STR(owner_of("mine"));
    TRY(fchownat(fd, "", 11, 12, AT_EMPTY_PATH));
    STR(owner_of("mine"));
    TRY(fchownat(AT_FDCWD, "link", 13, 14, AT_SYMLINK_NOFOLLOW));
    STR(owner_of("link"));
    TRY(SYS(fchmodat, AT_FDCWD, "link", 0644));
    STR(owner_of("mine"));
    TRY(chmod("missing", 0644));
    TRY(chmod(BAD, 0644));
    TRY(chown("missing", 0, 0));
    TRY(chown("mine/x", 0, 0));
    TRY(fchmod(99, 0644));
    TRY(fchown(99, 0, 0));
    TRY(fchownat(AT_FDCWD, "mine", 0, 0, 0x8000));
    return 0;
}
