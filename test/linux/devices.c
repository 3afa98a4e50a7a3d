/* SPDX-License-Identifier: MIT */
/* /dev: null, zero, full, random, urandom, tty without a terminal, fd; devices made by mknod. */
#include "try.h"
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

int main(void)
{
    unsigned char text[64];
    struct stat s;
    int fd, zeros = 0;

    fd = open("/dev/null", O_RDWR);
    TRY(read(fd, text, 10));
    TRY(write(fd, text, 10));
    TRY(lseek(fd, 5, SEEK_SET));
    TRY(ftruncate(fd, 0));
    close(fd);
    TRY(open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0644));
    close(3);
    fd = open("/dev/zero", O_RDWR);
    memset(text, 1, sizeof text);
    TRY(read(fd, text, 64));
    for (int i = 0; i < 64; i++)
        zeros += text[i] == 0;
    VAL(zeros);
    TRY(write(fd, text, 10));
    close(fd);
    fd = open("/dev/full", O_RDWR);
    TRY(read(fd, text, 10));
    VAL(text[0]);
    TRY(write(fd, text, 10));
    TRY(write(fd, text, 0));
    close(fd);
    fd = open("/dev/urandom", O_RDONLY);
    TRY(read(fd, text, 64));
    IS(memcmp(text, text + 32, 32) != 0);
    close(fd);
    fd = open("/dev/random", O_RDONLY);
    TRY(read(fd, text, 16));
    close(fd);
    TRY(open("/dev/tty", O_RDWR));
    TRY(open("/dev/none", O_RDWR));
    TRY(stat("/dev/full", &s));
    say("%u %u %o", major(s.st_rdev), minor(s.st_rdev), s.st_mode);
    TRY(stat("/dev/urandom", &s));
    say("%u %u %o", major(s.st_rdev), minor(s.st_rdev), s.st_mode);
    TRY(readlink("/dev/fd", (char *)text, sizeof text));
    TRY(readlink("/dev/stdin", (char *)text, sizeof text));
    TRY(mknod("zero", S_IFCHR | 0666, makedev(1, 5)));
    fd = open("zero", O_RDONLY);
    TRY(read(fd, text, 3));
    close(fd);
    TRY(mknod("nodevice", S_IFCHR | 0666, makedev(250, 77)));
    TRY(open("nodevice", O_RDONLY));
    fd = open("/dev/null", O_RDWR);
    TRY(ioctl(fd, TIOCGWINSZ, text));
    TRY(isatty(fd));
    PTR(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
    fd = open("/dev/zero", O_RDWR);
    PTR(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    return 0;
}
