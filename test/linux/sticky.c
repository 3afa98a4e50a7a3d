/* SPDX-License-Identifier: MIT */
/* Sticky folders: only the file's or the folder's owner removes or renames; setgid folders. */
#include "try.h"

static void user(void)
{
    TRY(setgid(100));
    TRY(setuid(1000));
    TRY(unlink("sticky/other"));
    TRY(rename("sticky/other", "sticky/x"));
    TRY(rename("sticky/other", "open/x"));
    TRY(rename("sticky/mine", "sticky/other"));
    TRY(rmdir("sticky/folder"));
    TRY(rename("sticky/mine", "sticky/mine2"));
    TRY(unlink("sticky/mine2"));
    TRY(unlink("own-sticky/other"));
    TRY(unlink("open/other"));
    close(open("setgid/file", O_CREAT | O_WRONLY, 0644));
    mkdir("setgid/folder", 0755);
}

static void owner_of(const char *path)
{
    struct stat s;

    if (stat(path, &s) < 0)
        say("%s: %s", path, errno_name(errno));
    else
        say("%s: %u:%u %o", path, s.st_uid, s.st_gid, s.st_mode & 07777);
}

int main(void)
{
    mkdir("sticky", 0755), chmod("sticky", 01777);
    mkdir("open", 0755), chmod("open", 0777);
    mkdir("own-sticky", 0755), chmod("own-sticky", 01777), chown("own-sticky", 1000, 100);
    mkdir("setgid", 0755), chown("setgid", 0, 77), chmod("setgid", 02777);
    put("sticky/other", ""), mkdir("sticky/folder", 0755);
    put("sticky/mine", ""), chown("sticky/mine", 1000, 100);
    put("own-sticky/other", ""), put("open/other", "");
    CHILD(user);
    owner_of("setgid");
    owner_of("setgid/file");
    owner_of("setgid/folder");
    owner_of("sticky");
    owner_of("sticky/mine2");
    TRY(unlink("sticky/other"));
    return 0;
}
