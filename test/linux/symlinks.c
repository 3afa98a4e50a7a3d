/* SPDX-License-Identifier: MIT */
/* symlinks: reading, following, loops, chains, in the middle of paths, trailing slashes. */
#include "try.h"

/* A target of more than fits where short ones do. */
static void far_away(void)
{
    static char target[2048];
    struct stat s;

    TRY(!getcwd(target, 512));
    for (int i = 0; i < 5; i++) {
        strcat(target, "/");
        memset(target + strlen(target), 'a' + i, 100);
        TRY(mkdir(target, 0755));
    }
    TRY(symlink(target, "far"));
    put("far/file", "found");
    show_file("far/file");
    strcat(target, "/file");
    TRY(symlink(target, "far-file"));
    show_file("far-file");
    put("far-file", "again");
    show_file("far/file");
    TRY(stat("far/none", &s));
    TRY(open("far-file/x", O_RDONLY));
    TRY(unlink("far/file"));
    TRY(stat("far-file", &s));
    put("far-file", "made");
    show_file("far/file");
}

int main(void)
{
    char text[64], long_name[5000], path[32], target[32];
    struct stat s;

    put("file", "content");
    TRY(symlink("file", "a"));
    TRY(symlink("file", "a"));
    memset(text, '#', sizeof text);
    TRY(readlink("a", text, sizeof text));
    VAL(text[4] == '#');
    TRY(readlink("a", text, 2));
    TRY(SYS(readlink, "a", text, 0));
    TRY(readlink("file", text, sizeof text));
    TRY(readlink("missing", text, sizeof text));
    TRY(readlink("a", BAD, 16));
    TRY(lstat("a", &s));
    IS(S_ISLNK(s.st_mode));
    VAL(s.st_size);
    VAL(s.st_mode & 07777);
    TRY(stat("a", &s));
    VAL(s.st_size);
    TRY(symlink("loop2", "loop1"));
    TRY(symlink("loop1", "loop2"));
    TRY(stat("loop1", &s));
    TRY(open("loop1/x", O_RDONLY));
    TRY(symlink("self/x", "self"));
    TRY(open("self", O_RDONLY));
    put("c0", "end");
    for (int i = 1; i <= 41; i++) {
        snprintf(path, sizeof path, "c%d", i);
        snprintf(target, sizeof target, "c%d", i - 1);
        if (symlink(target, path) < 0)
            say("symlink: %s", errno_name(errno));
    }
    TRY(stat("c40", &s));
    TRY(stat("c41", &s));
    TRY(mkdir("folder", 0755));
    put("folder/inside", "in");
    TRY(symlink("folder", "f"));
    show_file("f/inside");
    TRY(stat("f/../file", &s));
    TRY(lstat("f/", &s));
    IS(S_ISDIR(s.st_mode));
    TRY(lstat("a/", &s));
    TRY(unlink("f/"));
    TRY(rmdir("f"));
    TRY(mkdir("f", 0755));
    TRY(symlink("nothing", "dangling"));
    TRY(mkdir("dangling", 0755));
    TRY(stat("dangling", &s));
    TRY(symlink("", "empty"));
    TRY(symlink("x", ""));
    memset(long_name, 'x', sizeof long_name);
    long_name[4095] = 0;
    TRY(symlink(long_name, "long"));
    TRY(stat("long", &s));
    long_name[4095] = 'x', long_name[4096] = 0;
    TRY(symlink(long_name, "longer"));
    far_away();
    return 0;
}
