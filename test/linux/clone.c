/* SPDX-License-Identifier: MIT */
/* clone: shared memory, files, file systems' state, exit signals, tid addresses, bad flags. */
#include "try.h"
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));
static volatile int shared;
static int tid_here;

static int child(void *argument)
{
    shared += 5;
    if (argument) {
        close(3);
        if (chdir("/") < 0)
            return 1;
    }
    return 9;
}

static int stays(void *argument)
{
    (void)argument;
    return *(int *)&tid_here == getpid() ? 0 : 1;
}

int main(void)
{
    char path[100];
    int status;
    pid_t pid;

    TRY(open("/dev/null", O_RDONLY));
    pid = clone(child, stack + sizeof stack, SIGCHLD, NULL);
    reap("copy", pid);
    VAL(shared);
    pid = clone(child, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
    reap("shared memory", pid);
    VAL(shared);
    pid = clone(child, stack + sizeof stack, CLONE_FILES | SIGCHLD, &status);
    reap("shared files", pid);
    TRY(fcntl(3, F_GETFD));
    pid = clone(child, stack + sizeof stack, CLONE_FS | SIGCHLD, &status);
    reap("shared folder", pid);
    IS(getcwd(path, sizeof path) && strcmp(path, "/") == 0);
    pid = clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    VAL(shared); // the child has run by now
    reap("vfork", pid);
    pid = clone(child, stack + sizeof stack, 0, NULL);
    TRY(waitpid(pid, &status, 0)); // no exit signal: only __WALL or __WCLONE sees it
    IS(waitpid(pid, &status, __WALL) == pid);
    show_status("silent", status);
    pid = clone(stays, stack + sizeof stack, CLONE_CHILD_SETTID | SIGCHLD, NULL, NULL, NULL,
        &tid_here);
    reap("CLONE_CHILD_SETTID", pid);
    pid = clone(child, stack + sizeof stack, CLONE_PARENT_SETTID | SIGCHLD, NULL, &tid_here);
    IS(tid_here == pid);
    reap("CLONE_PARENT_SETTID", pid);
    TRY(SYS(clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
    TRY(SYS(clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0));
    TRY(SYS(clone, CLONE_FS | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0));
    return 0;
}
