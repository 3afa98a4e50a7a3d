/* SPDX-License-Identifier: MIT */
/* umask: what it takes from files, folders, fifos; that it is inherited and not shared. */
#include "try.h"

static long mode_of(const char *path)
{
    struct stat s;

    return stat(path, &s) < 0 ? -1 : (long)(s.st_mode & 07777);
}

static void child(void)
{
    TRY(umask(0));
    close(open("in-child", O_CREAT | O_WRONLY, 0666));
    VAL(mode_of("in-child"));
}

int main(void)
{
    TRY(umask(027));
    close(open("file", O_CREAT | O_WRONLY, 0666));
    VAL(mode_of("file"));
    TRY(mkdir("folder", 0777));
    VAL(mode_of("folder"));
    TRY(mkfifo("fifo", 0666));
    VAL(mode_of("fifo"));
    TRY(mknod("plain", S_IFREG | 0666, 0));
    VAL(mode_of("plain"));
    CHILD(child);
    TRY(umask(0777));
    close(open("nothing", O_CREAT | O_WRONLY, 0777));
    VAL(mode_of("nothing"));
    TRY(umask(07777));
    TRY(umask(0));
    TRY(mkdir("sticky", 07777));
    VAL(mode_of("sticky"));
    TRY(open("fresh", O_CREAT | O_RDWR, 0));
    VAL(mode_of("fresh"));
    TRY(write(3, "x", 1));
    TRY(mkdir("sticky", 0777));
    TRY(mkdir("none/x", 0777));
    TRY(mkdir("", 0777));
    TRY(mkdir("file/x", 0777));
    TRY(mkdir("/", 0777));
    TRY(mkdir(".", 0777));
    return 0;
}
