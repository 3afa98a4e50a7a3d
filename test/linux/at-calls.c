/* SPDX-License-Identifier: MIT */
/* The *at calls: relative to a folder's fd, after its rename, absolute paths, wrong fds. */
#include "try.h"

int main(void)
{
    char text[16] = "";
    struct stat s;
    int folder, file;

    mkdir("folder", 0755);
    put("plain", "x");
    folder = open("folder", O_RDONLY | O_DIRECTORY);
    file = open("plain", O_RDONLY);
    TRY(openat(folder, "new", O_CREAT | O_WRONLY, 0644));
    TRY(access("folder/new", F_OK));
    TRY(mkdirat(folder, "sub", 0755));
    TRY(symlinkat("new", folder, "link"));
    TRY(readlinkat(folder, "link", text, sizeof text));
    STR(text);
    TRY(linkat(folder, "new", folder, "hard", 0));
    TRY(fstatat(folder, "hard", &s, 0));
    VAL(s.st_nlink);
    TRY(rename("folder", "moved"));
    TRY(openat(folder, "new", O_RDONLY));
    TRY(renameat(folder, "new", AT_FDCWD, "out"));
    TRY(access("out", F_OK));
    TRY(fchmodat(folder, "hard", 0600, 0));
    TRY(fchownat(folder, "hard", 3, 4, 0));
    TRY(fstatat(folder, "hard", &s, 0));
    say("%u:%u %o", s.st_uid, s.st_gid, s.st_mode & 0777);
    TRY(mknodat(folder, "fifo", S_IFIFO | 0600, 0));
    TRY(faccessat(folder, "fifo", R_OK, 0));
    TRY(unlinkat(folder, "sub", 0));
    TRY(unlinkat(folder, "sub", AT_REMOVEDIR));
    TRY(unlinkat(folder, "hard", AT_REMOVEDIR));
    TRY(unlinkat(folder, "hard", 0));
    TRY(openat(file, "x", O_RDONLY));
    TRY(mkdirat(file, "x", 0755));
    TRY(fstatat(file, "x", &s, 0));
    TRY(openat(99, "x", O_RDONLY));
    TRY(openat(-1, "/tmp", O_RDONLY));
    TRY(mkdirat(99, "x", 0755));
    TRY(unlinkat(99, "x", 0));
    TRY(symlinkat("t", 99, "x"));
    TRY(renameat(99, "x", AT_FDCWD, "y"));
    TRY(linkat(AT_FDCWD, "out", 99, "y", 0));
    TRY(openat(folder, "../plain", O_RDONLY));
    TRY(rmdir("moved/none"));
    return 0;
}
