/* SPDX-License-Identifier: MIT */
/* getcwd and chdir: renamed and removed folders, small buffers, deep paths, links. */
#include "try.h"

int main(void)
{
    char path[8192], *end;
    int depth = 0;

    ID(SYS(getcwd, path, sizeof path));
    STR(strrchr(path, '/'));
    TRY(mkdir("a", 0755));
    TRY(mkdir("a/b", 0755));
    TRY(symlink("a/b", "link"));
    TRY(chdir("link"));
    ID(SYS(getcwd, path, sizeof path));
    STR(strstr(path, "/a"));
    TRY(rename("../../a", "../../c"));
    ID(SYS(getcwd, path, sizeof path));
    STR(strstr(path, "/c"));
    TRY(chdir(".."));
    ID(SYS(getcwd, path, sizeof path));
    STR(strrchr(path, '/'));
    TRY(SYS(getcwd, path, 2));
    TRY(SYS(getcwd, path, 0));
    TRY(SYS(getcwd, BAD, 100));
    TRY(chdir("/"));
    TRY(SYS(getcwd, path, 2));
    TRY(chdir("/tmp"));
    TRY(SYS(getcwd, path, 5));
    TRY(mkdir("gone", 0755));
    TRY(chdir("gone"));
    TRY(rmdir("../gone"));
    TRY(SYS(getcwd, path, sizeof path));
    TRY(open("x", O_CREAT | O_WRONLY, 0644));
    TRY(mkdir("x", 0755));
    TRY(access(".", F_OK));
    TRY(chdir(".."));
    memset(path, 'd', 200);
    path[200] = 0;
    mkdir("/tmp/deep", 0755);
    chdir("/tmp/deep");
    while (depth < 25 && mkdir(path, 0755) == 0 && chdir(path) == 0)
        depth++;
    VAL(depth);
    TRY(SYS(getcwd, path, sizeof path));
    end = path;
    memset(path, 'd', 300);
    path[300] = 0;
    TRY(mkdir(end, 0755));
    return 0;
}
