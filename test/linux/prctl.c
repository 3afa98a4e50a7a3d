/* SPDX-License-Identifier: MIT */
/* prctl: names, parent-death signals, subreapers, no_new_privs, dumpable; arch_prctl; errors. */
#include "try.h"
#include <sys/prctl.h>

static int told[2]; // by the orphan: what it says itself may come before its parent's end

static void note(int number)
{
    write(told[1], &number, sizeof number);
    _exit(6);
}

static void orphaned(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        handle(SIGUSR1, note, 0);
        prctl(PR_SET_PDEATHSIG, SIGUSR1);
        sleep_ms(3000);
        _exit(1);
    }
    sleep_ms(60);
}

static void grandparent(void)
{
    int status = 0;
    pid_t pid;

    TRY(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            sleep_ms(60);
            _exit(44);
        }
        _exit(33);
    }
    reap("child", pid);
    IS(wait(&status) > 0);
    show_status("adopted", status);
}

int main(void)
{
    char name[32] = "";
    unsigned long base = 0;
    int value = -1;

    TRY(prctl(PR_SET_NAME, "a name that is too long"));
    TRY(prctl(PR_GET_NAME, name));
    STR(name);
    TRY(prctl(PR_SET_NAME, BAD));
    TRY(prctl(PR_GET_PDEATHSIG, &value));
    VAL(value);
    TRY(prctl(PR_SET_PDEATHSIG, 65));
    pipe(told);
    CHILD(orphaned);
    close(told[1]);
    if (read(told[0], &value, sizeof value) == sizeof value)
        say("%s", signal_name(value));
    CHILD(grandparent);
    TRY(prctl(PR_GET_CHILD_SUBREAPER, &value));
    VAL(value);
    TRY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    TRY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    TRY(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    TRY(prctl(PR_GET_DUMPABLE));
    TRY(prctl(PR_SET_DUMPABLE, 0));
    TRY(prctl(PR_GET_DUMPABLE));
    TRY(prctl(PR_SET_DUMPABLE, 7));
    TRY(prctl(PR_GET_KEEPCAPS));
    TRY(prctl(PR_CAPBSET_READ, 0));
    TRY(prctl(PR_CAPBSET_READ, 999));
    TRY(prctl(PR_GET_SECCOMP));
    TRY(prctl(987654));
    TRY(SYS(arch_prctl, 0x1003, &base)); // ARCH_GET_FS
    IS(base != 0);
    TRY(SYS(arch_prctl, 0x1004, &base)); // ARCH_GET_GS
    TRY(SYS(arch_prctl, 0x1003, BAD));
    TRY(SYS(arch_prctl, 0x1002, 1UL << 63)); // ARCH_SET_FS
    TRY(SYS(arch_prctl, 0x77, 0));
    TRY(SYS(arch_prctl, 0x1001, 0x1234)); // ARCH_SET_GS
    TRY(SYS(arch_prctl, 0x1004, &base));
    VAL(base);
    return 0;
}
