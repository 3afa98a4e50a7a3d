/* SPDX-License-Identifier: MIT */
/* truncate and ftruncate: shorter, longer, through links, on folders, pipes and read-only fds. */
#include "try.h"

int main(void)
{
    struct stat s;
    int fd, ends[2];

    put("file", "0123456789");
    TRY(truncate("file", 4));
    show_file("file");
    TRY(truncate("file", 6));
    TRY(stat("file", &s));
    VAL(s.st_size);
    symlink("file", "link");
    TRY(truncate("link", 2));
    show_file("file");
    TRY(truncate("missing", 0));
    TRY(mkdir("folder", 0755));
    TRY(truncate("folder", 0));
    TRY(truncate("file/x", 0));
    TRY(truncate("file", -1));
    TRY(truncate(BAD, 0));
    TRY(truncate("", 0));
    fd = open("file", O_RDONLY);
    TRY(ftruncate(fd, 0));
    close(fd);
    fd = open("file", O_WRONLY);
    TRY(lseek(fd, 2, SEEK_SET));
    TRY(ftruncate(fd, 0));
    TRY(lseek(fd, 0, SEEK_CUR));
    TRY(write(fd, "x", 1));
    TRY(fstat(fd, &s));
    VAL(s.st_size);
    TRY(ftruncate(99, 0));
    pipe(ends);
    TRY(ftruncate(ends[1], 0));
    fd = open("folder", O_RDONLY);
    TRY(ftruncate(fd, 0));
    TRY(mkfifo("fifo", 0644));
    TRY(truncate("fifo", 0));
    return 0;
}
