/* SPDX-License-Identifier: MIT */
/* What a handler is told: who sent it and why, SIGCHLD's status, faults and their addresses. */
#include "try.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile siginfo_t last;
static char *page;

static void note(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    memcpy((void *)&last, info, sizeof last);
}

static void jump(int number, siginfo_t *info, void *context)
{
    note(number, info, context);
    siglongjmp(back, 1);
}

static void on(int number, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO;
    sigaction(number, &action, NULL);
}

#define FAULT(statement)                                                                     \
    do {                                                                                     \
        if (sigsetjmp(back, 1) == 0) {                                                       \
            statement;                                                                       \
            say("%s: no fault", #statement);                                                 \
        } else {                                                                             \
            say("%s: %s code %d at %s", #statement, signal_name(last.si_signo), last.si_code, \
                (char *)last.si_addr == page      ? "the page"                               \
                : (char *)last.si_addr == page + 5 ? "the page + 5"                          \
                : last.si_addr == NULL            ? "null"                                   \
                                                  : "elsewhere");                            \
        }                                                                                    \
    } while (0)

static volatile int zero, sink;

int main(void)
{
    pid_t pid;

    on(SIGUSR1, note), on(SIGCHLD, note);
    kill(getpid(), SIGUSR1);
    VAL(last.si_code == SI_USER);
    IS(last.si_pid == getpid());
    VAL(last.si_uid);
    SYS(tgkill, getpid(), getpid(), SIGUSR1);
    VAL(last.si_code == SI_TKILL);
    pid = fork();
    if (pid == 0)
        _exit(5);
    reap("child", pid);
    VAL(last.si_signo == SIGCHLD);
    VAL(last.si_code == CLD_EXITED);
    VAL(last.si_status);
    IS(last.si_pid == pid);
    pid = fork();
    if (pid == 0)
        kill(getpid(), SIGKILL);
    reap("child", pid);
    VAL(last.si_code == CLD_KILLED);
    VAL(last.si_status);
    on(SIGSEGV, jump), on(SIGBUS, jump), on(SIGILL, jump), on(SIGFPE, jump), on(SIGTRAP, jump);
    page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAULT(page[0] = 1);
    FAULT(page[5] = 1);
    FAULT(sink = page[0]);
    munmap(page, 4096);
    FAULT(sink = page[5]);
    FAULT(sink = *(volatile char *)0);
    FAULT(sink = 1 / zero);
    FAULT(__asm__ volatile("ud2"));
    FAULT(__asm__ volatile("int3"));
    FAULT(__asm__ volatile("hlt"));
    FAULT(sink = *(volatile char *)0x8000000000000000);
    return 0;
}
