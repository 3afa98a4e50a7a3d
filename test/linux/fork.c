/* SPDX-License-Identifier: MIT */
/* fork and vfork: what is copied, what is shared, what is not; exit statuses; many children. */
#include "try.h"
#include <sys/times.h>

static int global = 1;

static void child(void)
{
    global++;
    VAL(global);
    TRY(lseek(3, 0, SEEK_CUR));
    TRY(lseek(3, 5, SEEK_SET)); // the position is shared with the parent
    TRY(close(3));
    TRY(chdir("/"));
    TRY(umask(0));
}

static void grandchild_orphan(void)
{
    if (fork() == 0) {
        sleep_ms(60);
        say("orphan's parent is init: %s", getppid() == 1 ? "yes" : "no");
        _exit(0);
    }
}

int main(void)
{
    volatile int local = 7;
    char path[100];
    int status;
    volatile int sum = 0;
    struct tms before;
    pid_t pid;

    put("file", "0123456789");
    TRY(open("file", O_RDONLY));
    CHILD(child);
    VAL(global);
    TRY(lseek(3, 0, SEEK_CUR));
    IS(getcwd(path, sizeof path) && strcmp(path, "/") != 0);
    TRY(umask(022));
    pid = vfork();
    if (pid == 0) {
        local = 8; // the memory is shared until exec or exit
        _exit(3);
    }
    IS(waitpid(pid, &status, 0) == pid);
    show_status("vfork", status);
    CHILD(grandchild_orphan);
    sleep_ms(150);
    for (int i = 0; i < 30; i++)
        if (fork() == 0)
            _exit(i);
    while (wait(&status) > 0)
        sum += WEXITSTATUS(status);
    VAL(sum);
    pid = fork();
    if (pid == 0)
        _exit(256 + 77);
    reap("status is a byte", pid);
    IS(getpid() != getppid());
    IS(times(&before) != (clock_t)-1);
    pid = fork();
    if (pid == 0)
        _exit(getpgrp() == getpgid(getppid()) && getsid(0) == getsid(getppid()) ? 0 : 1);
    reap("group and session", pid);
    TRY(waitpid(pid, &status, 0));
    TRY(wait(NULL));
    VAL(local > 6);
    return 0;
}
