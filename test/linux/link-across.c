/* SPDX-License-Identifier: MIT */
/* rename, link, symlink, mkdir, unlink where the way leads over a link to an absolute path. */
#include "try.h"

static void made(const char *path)
{
    struct stat s;

    if (lstat(path, &s) < 0)
        say("%s: %s", path, errno_name(errno));
    else
        say("%s: type %o, %u links", path, s.st_mode & S_IFMT,
            S_ISDIR(s.st_mode) ? 0 : (unsigned)s.st_nlink);
}

int main(void)
{
    char path[PATH_MAX + 20], here[PATH_MAX];

    getcwd(here, sizeof here);
    mkdir("real", 0755), mkdir("real/in", 0755);
    snprintf(path, sizeof path, "%s/real", here);
    TRY(symlink(path, "way"));
    snprintf(path, sizeof path, "%s/real/file", here);
    put("way/file", "content");
    TRY(symlink("file", "way/soft"));
    TRY(symlink(path, "way/absolute"));
    TRY(symlink("x", "way/soft"));
    TRY(symlink("x", "way/none/soft"));
    TRY(symlink("x", "dangling/soft"));
    TRY(link("way/file", "hard"));
    TRY(link("hard", "way/hard"));
    TRY(link("way/hard", "way/in/hard"));
    TRY(link("way/hard", "way/hard"));
    TRY(link("way/none", "way/hard2"));
    TRY(link("way/in", "way/in2"));
    TRY(linkat(AT_FDCWD, "way/absolute", AT_FDCWD, "way/followed", AT_SYMLINK_FOLLOW));
    TRY(linkat(AT_FDCWD, "way/absolute", AT_FDCWD, "way/itself", 0));
    made("real/followed"), made("real/itself"), made("real/hard");
    TRY(rename("way/hard", "way/moved"));
    TRY(rename("way/moved", "moved"));
    TRY(rename("moved", "way/in/moved"));
    TRY(rename("way/in", "way/in/deeper"));
    TRY(rename("way/in/", "way/other/"));
    TRY(rename("way/none", "way/x"));
    TRY(rename("way/file", "way/other"));
    TRY(rename("way/other", "way/file"));
    TRY(SYS(renameat2, AT_FDCWD, "way/file", AT_FDCWD, "way/soft", 2)); // changes places
    made("real/other"), made("real/other/moved"), made("real/soft");
    TRY(mkdir("way/new", 0755));
    TRY(rmdir("way/new"));
    TRY(unlink("way/followed"));
    TRY(rename("way", "way2"));
    made("way2"), made("way2/other");
    return 0;
}
