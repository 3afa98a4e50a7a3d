/* SPDX-License-Identifier: MIT */
/* Calls that do not exist, or that take fixed answers; huge and negative numbers. */
#include "try.h"
#include <sys/socket.h>

int main(void)
{
    TRY(syscall(335));
    TRY(syscall(400));
    TRY(syscall(511));
    TRY(syscall(600));
    TRY(syscall(1000000));
    TRY(syscall(-1));
    TRY(syscall(-100));
    TRY(syscall(0x40000000 + 1)); // x32
    TRY(SYS(create_module, 0));
    TRY(SYS(afs_syscall, 0));
    TRY(SYS(tuxcall, 0));
    TRY(SYS(security, 0));
    TRY(SYS(vserver, 0));
    TRY(SYS(getpmsg, 0));
    TRY(SYS(putpmsg, 0));
    TRY(SYS(epoll_ctl_old, 0));
    TRY(SYS(uselib, 0));
    TRY(SYS(_sysctl, 0));
    TRY(SYS(sync));
    TRY(SYS(alarm, 0));
    TRY(SYS(membarrier, 0, 1, 0));
    TRY(SYS(close, 1u << 31));
    TRY(SYS(fcntl, 1, 0xffff, 0));
    TRY(SYS(personality, 0xffffffff));
    TRY(SYS(umask, 022));
    TRY(SYS(restart_syscall));
    return 0;
}
