/* SPDX-License-Identifier: MIT */
/* EFAULT: wrong addresses for many calls, at the end of memory, read-only memory as a target. */
#include "try.h"
#include <sys/uio.h>

int main(void)
{
    char *page, *edge, text[16];
    struct stat s;
    int fd, ends[2];

    page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    edge = page + 4096 - 8;
    strcpy(edge, "1234567");
    put("file", "0123456789abcdef");
    fd = open("file", O_RDWR);
    pipe(ends);
    TRY(read(fd, BAD, 4));
    TRY(lseek(fd, 0, SEEK_CUR));
    TRY(read(fd, edge, 8));
    TRY(lseek(fd, 0, SEEK_SET));
    TRY(read(fd, edge + 8, 8));
    TRY(write(fd, BAD, 4));
    TRY(write(ends[1], BAD, 4));
    TRY(write(ends[1], edge, 8));
    TRY(read(ends[0], BAD, 4));
    TRY(read(ends[0], text, 8));
    strcpy(edge, "1234567");
    memcpy(edge, "file\0xx", 8);
    TRY(open(edge, O_RDONLY));
    memcpy(edge, "filefile", 8); // no end before the hole
    TRY(open(edge, O_RDONLY));
    TRY(SYS(stat, BAD, &s));
    TRY(SYS(stat, "file", edge));
    TRY(SYS(uname, BAD));
    TRY(SYS(sysinfo, BAD));
    TRY(SYS(getrandom, BAD, 16, 0));
    TRY(SYS(pipe2, BAD, 0));
    TRY(SYS(readlink, BAD, text, 16));
    TRY(SYS(chdir, BAD));
    TRY(SYS(rename, "file", BAD));
    TRY(SYS(rename, BAD, "file"));
    TRY(SYS(mkdir, BAD, 0755));
    TRY(SYS(symlink, BAD, "x"));
    TRY(SYS(link, "file", BAD));
    TRY(SYS(statfs, ".", BAD));
    TRY(SYS(fstatfs, fd, BAD));
    TRY(SYS(statfs, BAD, text));
    TRY(SYS(getitimer, 0, BAD));
    TRY(SYS(set_tid_address, BAD) > 0);
    TRY(SYS(rt_sigreturn + 1000)); // no such call
    TRY(SYS(poll, BAD, 1, 0));
    TRY(SYS(sethostname, BAD, 4));
    TRY(SYS(execve, BAD, NULL, NULL));
    TRY(SYS(read, fd, (void *)(1ul << 63), 4));
    TRY(SYS(read, fd, (void *)-4096ul, 4));
    TRY(SYS(write, fd, (void *)0x7ffffffff000ul, 4));
    TRY(SYS(read, fd, (void *)main, 4)); // text is not writable
    TRY(SYS(fstat, fd, (void *)main));
    return 0;
}
