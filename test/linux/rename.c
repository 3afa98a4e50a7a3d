/* SPDX-License-Identifier: MIT */
/* rename: over files and folders, open files, loops, RENAME_NOREPLACE and RENAME_EXCHANGE. */
#include "try.h"

#define NOREPLACE 1
#define EXCHANGE 2

int main(void)
{
    char text[8] = "";
    int fd;
    struct stat a, b;

    put("a", "A");
    put("b", "B");
    fd = open("b", O_RDONLY);
    stat("a", &a);
    TRY(rename("a", "b"));
    stat("b", &b);
    IS(a.st_ino == b.st_ino);
    show_file("b");
    TRY(read(fd, text, 8));
    STR(text);
    TRY(fstat(fd, &a));
    VAL(a.st_nlink);
    TRY(access("a", F_OK));
    TRY(rename("a", "c"));
    TRY(rename("b", "b"));
    TRY(link("b", "same"));
    TRY(rename("b", "same"));
    TRY(access("b", F_OK));
    TRY(unlink("same"));
    TRY(mkdir("d", 0755));
    TRY(mkdir("d/sub", 0755));
    TRY(mkdir("e", 0755));
    TRY(rename("b", "d"));
    TRY(rename("d", "b"));
    TRY(rename("d", "d/sub/x"));
    TRY(rename("d/sub", "d"));
    TRY(rename("e", "d"));
    TRY(rename("d", "e"));
    TRY(access("e/sub", F_OK));
    TRY(rename("e/sub", "e/sub/"));
    TRY(rename("e/.", "x"));
    TRY(rename("e/..", "x"));
    TRY(rename("b/", "x"));
    TRY(rename("b", "x/"));
    TRY(rename("b", "none/x"));
    TRY(rename("b", ""));
    TRY(rename("b", BAD));
    TRY(symlink("nowhere", "s"));
    TRY(rename("s", "t"));
    TRY(readlink("t", text, 8));
    put("one", "1");
    put("two", "2");
    TRY(SYS(renameat2, AT_FDCWD, "one", AT_FDCWD, "two", NOREPLACE));
    TRY(SYS(renameat2, AT_FDCWD, "one", AT_FDCWD, "three", NOREPLACE));
    TRY(SYS(renameat2, AT_FDCWD, "three", AT_FDCWD, "two", EXCHANGE));
    show_file("two");
    TRY(SYS(renameat2, AT_FDCWD, "three", AT_FDCWD, "none", EXCHANGE));
    TRY(SYS(renameat2, AT_FDCWD, "three", AT_FDCWD, "e", EXCHANGE));
    TRY(SYS(renameat2, AT_FDCWD, "three", AT_FDCWD, "two", NOREPLACE | EXCHANGE));
    TRY(SYS(renameat2, AT_FDCWD, "three", AT_FDCWD, "two", 0x100));
    return 0;
}
