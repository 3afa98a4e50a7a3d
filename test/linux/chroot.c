/* SPDX-License-Identifier: MIT */
/* chroot and chdir: the new root holds ".." and links, the old folder stays; fchdir; errors. */
#include "try.h"

int main(void)
{
    char path[256];
    int outside;

    mkdir("jail", 0755);
    mkdir("jail/in", 0755);
    put("jail/file", "jail");
    put("file", "outside");
    symlink("/file", "jail/link");
    outside = open(".", O_RDONLY);
    TRY(chroot("missing"));
    TRY(chroot("file"));
    TRY(chroot(BAD));
    TRY(chdir("file"));
    TRY(chdir("missing"));
    TRY(chdir(""));
    TRY(fchdir(99));
    TRY(fchdir(open("file", O_RDONLY)));
    TRY(chroot("jail"));
    show_file("file"); // the working folder has stayed outside
    show_file("/file");
    show_file("/../file");
    show_file("/link");
    TRY(SYS(getcwd, path, sizeof path) > 0);
    TRY(strncmp(path, "(unreachable)", 13));
    TRY(chdir("/in"));
    ID(SYS(getcwd, path, sizeof path));
    STR(path);
    show_file("../../../file");
    TRY(open("/bin/busybox", O_RDONLY));
    TRY(fchdir(outside));
    show_file("file");
    TRY(chroot("."));
    show_file("/file");
    return 0;
}
