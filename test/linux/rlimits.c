/* SPDX-License-Identifier: MIT */
/* getrlimit, setrlimit, prlimit: soft and hard, inheritance, who may raise; FSIZE, AS, DATA,
 * STACK. */
#include "try.h"
#include <sys/resource.h>

static void user(void)
{
    struct rlimit limit = {100, 200};

    setgid(100), setuid(1000);
    TRY(setrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 200;
    TRY(setrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_max = 201;
    TRY(setrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 10, limit.rlim_max = 10;
    TRY(setrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 11, limit.rlim_max = 10;
    TRY(setrlimit(RLIMIT_NOFILE, &limit));
    TRY(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
}

static void file_size(void)
{
    struct rlimit limit = {1000, 2000};
    static char block[4000];
    int fd = open("file", O_RDWR | O_CREAT, 0644);

    TRY(setrlimit(RLIMIT_FSIZE, &limit));
    signal(SIGXFSZ, SIG_IGN);
    TRY(write(fd, block, 4000));
    TRY(write(fd, block, 1));
    TRY(ftruncate(fd, 1001));
    TRY(pwrite(fd, "x", 1, 999));
    TRY(fallocate(fd, 0, 0, 1001));
    signal(SIGXFSZ, SIG_DFL);
    TRY(write(fd, block, 1));
}

static void address_space(void)
{
    struct rlimit limit = {64 << 20, 64 << 20};

    TRY(setrlimit(RLIMIT_AS, &limit));
    PTR(mmap(NULL, 128 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    PTR(mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    PTR(malloc(100 << 20));
}

static int __attribute__((noinline)) deep(int depth)
{
    volatile char room[4000];

    room[0] = room[3999] = (char)depth;
    return depth == 0 ? 0 : deep(depth - 1) + room[0];
}

static void stack(void)
{
    struct rlimit limit = {256 << 10, 256 << 10};

    TRY(setrlimit(RLIMIT_STACK, &limit));
    say("not reached %d", deep(300));
}

static void processes(void)
{
    struct rlimit limit = {3, 3};
    int made = 0;
    pid_t pid;

    setgid(1234), setuid(1234);
    TRY(setrlimit(RLIMIT_NPROC, &limit));
    while (made < 10 && (pid = fork()) > 0)
        made++;
    if (pid == 0) {
        sleep_ms(100);
        _exit(0);
    }
    say("fork: %s", errno_name(errno));
    VAL(made);
    while (wait(NULL) > 0)
        ;
}

static void inherited(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_CORE, &limit);
    VAL(limit.rlim_cur);
    VAL(limit.rlim_max);
}

int main(void)
{
    struct rlimit limit = {5, 6};

    TRY(setrlimit(RLIMIT_CORE, &limit));
    CHILD(inherited);
    TRY(prlimit(0, RLIMIT_CORE, &(struct rlimit){1, 2}, &limit));
    VAL(limit.rlim_cur);
    CHILD(inherited);
    CHILD(user);
    CHILD(file_size);
    CHILD(address_space);
    CHILD(stack);
    CHILD(processes);
    TRY(SYS(getrlimit, 99, &limit));
    TRY(SYS(setrlimit, -1, &limit));
    TRY(SYS(getrlimit, RLIMIT_CORE, BAD));
    TRY(SYS(setrlimit, RLIMIT_CORE, BAD));
    TRY(prlimit(999999, RLIMIT_CORE, NULL, &limit));
    return 0;
}
