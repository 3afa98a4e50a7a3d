/* SPDX-License-Identifier: MIT */
/* socketpair: streams and records both ways, flags, poll and epoll, shutdown, forks, options,
 * errors. */
#include "try.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static char text[128];

static const char *got(int fd, size_t bytes, int flags)
{
    ssize_t n = recv(fd, text, bytes, flags);

    if (n < 0)
        return errno_name(errno);
    text[n] = 0;
    return text;
}

static void show_poll(int fd, const char *when)
{
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};

    poll(&p, 1, 0);
    say("%s:%s%s%s%s%s", when, p.revents & POLLIN ? " in" : "", p.revents & POLLOUT ? " out" : "",
        p.revents & POLLRDHUP ? " rdhup" : "", p.revents & POLLHUP ? " hup" : "",
        p.revents & POLLERR ? " err" : "");
}

static void try_stream(void)
{
    int s[2];
    char big[200];
    struct iovec v[2] = {{big, 3}, {big + 3, 5}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};

    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    show_poll(s[0], "new");
    TRY(write(s[0], "hello", 5));
    TRY(send(s[0], " world", 6, 0));
    show_poll(s[1], "written to");
    STR(got(s[1], 4, MSG_PEEK));
    STR(got(s[1], 100, 0));
    STR(got(s[1], 100, MSG_DONTWAIT));
    TRY(write(s[1], "back", 4));
    TRY(read(s[0], text, 2));
    int waiting = 0;
    TRY(ioctl(s[0], FIONREAD, &waiting));
    VAL(waiting);
    STR(got(s[0], 100, 0));
    memcpy(big, "abcdefgh", 8);
    TRY(sendmsg(s[0], &m, 0));
    memset(big, 0, sizeof big);
    TRY(recvmsg(s[1], &m, 0));
    STR(big);
    VAL(m.msg_flags);
    TRY(writev(s[0], v, 2));
    TRY(readv(s[1], v, 2));
    TRY(lseek(s[0], 0, SEEK_SET));
    TRY(pread(s[0], text, 1, 0));
    struct stat st;
    TRY(fstat(s[0], &st));
    IS(S_ISSOCK(st.st_mode));
    VAL(fcntl(s[0], F_GETFL));
    VAL(fcntl(s[0], F_GETFD));
    TRY(close(s[1]));
    show_poll(s[0], "the other is closed");
    TRY(read(s[0], text, 10));
    signal(SIGPIPE, SIG_IGN);
    TRY(write(s[0], "x", 1));
    TRY(send(s[0], "x", 1, MSG_NOSIGNAL));
    close(s[0]);
}

static void try_shutdown(void)
{
    int s[2];

    TRY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s));
    IS(fcntl(s[0], F_GETFL) & O_NONBLOCK);
    VAL(fcntl(s[0], F_GETFD));
    TRY(read(s[0], text, 10));
    TRY(write(s[0], "last", 4));
    TRY(shutdown(s[0], SHUT_WR));
    TRY(send(s[0], "x", 1, MSG_NOSIGNAL));
    STR(got(s[1], 10, 0));
    TRY(read(s[1], text, 10));
    show_poll(s[1], "the other writes no more");
    show_poll(s[0], "shut for writing");
    TRY(write(s[1], "still", 5));
    STR(got(s[0], 10, 0));
    TRY(shutdown(s[0], SHUT_RD));
    TRY(send(s[1], "x", 1, MSG_NOSIGNAL));
    TRY(read(s[0], text, 10));
    show_poll(s[0], "shut for both");
    show_poll(s[1], "the other is shut");
    TRY(shutdown(s[0], 3));
    close(s[0]);
    close(s[1]);
}

static void try_records(int type)
{
    int s[2];
    char part[3];
    struct iovec v[2] = {{part, 3}, {text, 2}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};

    TRY(socketpair(AF_UNIX, type, 0, s));
    TRY(send(s[0], "first one", 9, 0));
    TRY(send(s[0], "", 0, 0));
    TRY(send(s[0], "second", 6, 0));
    STR(got(s[1], 100, MSG_PEEK));
    STR(got(s[1], 5, 0));
    STR(got(s[1], 100, 0));
    TRY(recvmsg(s[1], &m, 0));
    IS(m.msg_flags & MSG_TRUNC);
    STR(got(s[1], 5, MSG_DONTWAIT));
    close(s[0]);
    close(s[1]);
}

static void try_fork(void)
{
    int s[2], status, count = 0;
    char block[1000];
    size_t sum = 0;

    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    pid_t child = fork();
    if (child == 0) {
        close(s[0]);
        for (int i = 0; i < 300; i++) {
            memset(block, i, sizeof block);
            if (write(s[1], block, sizeof block) != sizeof block)
                _exit(1);
        }
        shutdown(s[1], SHUT_WR);
        ssize_t n = read(s[1], block, sizeof block);
        _exit(n == 4 && memcmp(block, "done", 4) == 0 ? 7 : 2);
    }
    close(s[1]);
    for (ssize_t n; (n = read(s[0], block, sizeof block)) > 0; count += (int)n)
        for (ssize_t i = 0; i < n; i++)
            sum += (unsigned char)block[i];
    VAL(count);
    VAL(sum);
    TRY(write(s[0], "done", 4));
    TRY(waitpid(child, &status, 0) == child);
    VAL(WEXITSTATUS(status));
    VAL(read(s[0], block, 1));
    close(s[0]);
}

static void try_epoll(void)
{
    int s[2], e = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET}, found;

    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
    TRY(epoll_ctl(e, EPOLL_CTL_ADD, s[0], &event));
    VAL(epoll_wait(e, &found, 1, 0));
    VAL(found.events);
    VAL(epoll_wait(e, &found, 1, 0));
    write(s[1], "1", 1);
    VAL(epoll_wait(e, &found, 1, 1000));
    VAL(found.events);
    VAL(epoll_wait(e, &found, 1, 0));
    write(s[1], "2", 1);
    VAL(epoll_wait(e, &found, 1, 1000));
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(50);
        _exit(write(s[1], "3", 1) == 1 ? 0 : 1);
    }
    long before = now_ms();
    VAL(epoll_wait(e, &found, 1, 60000));
    IS(now_ms() - before < 30000);
    VAL(found.events);
    waitpid(child, NULL, 0);
    STR(got(s[0], 10, 0));
    close(s[1]);
    VAL(epoll_wait(e, &found, 1, 1000));
    VAL(found.events);
    close(s[0]);
    close(e);
}

int main(void)
{
    int s[2], value = 0;
    socklen_t length = sizeof value;
    struct sockaddr_un name;

    try_stream();
    try_shutdown();
    try_records(SOCK_SEQPACKET);
    try_records(SOCK_DGRAM);
    try_fork();
    try_epoll();
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    TRY(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, &length));
    VAL(value);
    TRY(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &value, &length));
    VAL(value);
    TRY(getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &value, &length));
    VAL(value);
    TRY(getsockopt(s[0], SOL_SOCKET, 9999, &value, &length));
    TRY(getsockopt(s[0], 77, 1, &value, &length));
    TRY(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, BAD));
    TRY(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof value));
    TRY(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &value, 2));
    TRY(setsockopt(s[0], SOL_SOCKET, 9999, &value, sizeof value));
    length = sizeof name;
    TRY(getsockname(s[0], (struct sockaddr *)&name, &length));
    VAL(length);
    VAL(name.sun_family);
    TRY(listen(s[0], 1));
    TRY(accept(s[0], NULL, NULL));
    TRY(recv(s[0], BAD, 1, MSG_DONTWAIT));
    write(s[1], "x", 1);
    TRY(recv(s[0], BAD, 1, 0));
    TRY(send(s[0], BAD, 1, 0));
    TRY(socketpair(AF_UNIX, 42, 0, s));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 99, s));
    TRY(socketpair(AF_UNIX, SOCK_RDM, 0, s));
    TRY(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, BAD));
    TRY(shutdown(0, 0));
    TRY(shutdown(99, 0));
    return 0;
}
