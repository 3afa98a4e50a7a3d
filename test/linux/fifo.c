/* SPDX-License-Identifier: MIT */
/* Named fifos: opening waits for the other side, O_NONBLOCK, ENXIO, end of file, mknod. */
#include "try.h"
#include <poll.h>

int main(void)
{
    char text[16] = "";
    struct pollfd event;
    struct stat s;
    pid_t pid;
    int fd, writer;

    TRY(mkfifo("fifo", 0640));
    TRY(stat("fifo", &s));
    IS(S_ISFIFO(s.st_mode));
    TRY(mkfifo("fifo", 0640));
    TRY(open("fifo", O_WRONLY | O_NONBLOCK));
    TRY(open("fifo", O_RDONLY | O_NONBLOCK));
    TRY(read(3, text, 1));
    TRY(open("fifo", O_WRONLY | O_NONBLOCK));
    TRY(read(3, text, 1));
    TRY(write(4, "abc", 3));
    TRY(read(3, text, 16));
    TRY(lseek(3, 0, SEEK_SET));
    TRY(close(4));
    TRY(read(3, text, 16));
    event = (struct pollfd){.fd = 3, .events = POLLIN};
    TRY(poll(&event, 1, 0));
    IS(event.revents & POLLHUP);
    TRY(close(3));
    pid = fork();
    if (pid == 0) {
        fd = open("fifo", O_WRONLY); // waits for the parent
        if (write(fd, "from the child", 14) != 14)
            _exit(1);
        _exit(0);
    }
    fd = open("fifo", O_RDONLY);
    IS(fd == 3);
    TRY(read(fd, text, 4));
    reap("writer", pid);
    TRY(read(fd, text, 16));
    TRY(read(fd, text, 16));
    close(fd);
    TRY(open("fifo", O_RDWR));
    writer = 3;
    TRY(write(writer, "self", 4));
    TRY(read(writer, text, 4));
    TRY(close(writer));
    TRY(mknod("second", S_IFIFO | 0600, 0));
    TRY(mknod("socket", S_IFSOCK | 0600, 0));
    TRY(mknod("folder", S_IFDIR | 0600, 0));
    TRY(open("socket", O_RDONLY));
    TRY(unlink("fifo"));
    TRY(mkfifo("none/fifo", 0600));
    TRY(mkfifo("", 0600));
    TRY(open("second", O_RDONLY | O_DIRECTORY));
    return 0;
}
