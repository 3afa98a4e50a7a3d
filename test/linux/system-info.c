/* SPDX-License-Identifier: MIT */
/* uname, sysinfo, getrandom, sethostname, gethostname, statfs, getcpu, sysconf. */
#include "try.h"
#include <sched.h>
#include <sys/random.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static void user(void)
{
    setuid(1000);
    TRY(sethostname("x", 1));
}

int main(void)
{
    struct utsname name;
    struct sysinfo info;
    struct statfs fs;
    unsigned char a[64], b[64];
    unsigned cpu = 99, node = 99;

    TRY(uname(&name));
    STR(name.sysname);
    STR(name.machine);
    IS(atoi(name.release) >= 3);
    TRY(sethostname("some-name", 9));
    TRY(uname(&name));
    STR(name.nodename);
    TRY(gethostname((char *)a, 64));
    STR((char *)a);
    TRY(SYS(sethostname, "x", -1));
    TRY(SYS(sethostname, "x", 65));
    CHILD(user);
    TRY(sysinfo(&info));
    IS(info.uptime < 100000);
    IS(info.totalram * info.mem_unit > 16 << 20);
    IS(info.freeram <= info.totalram);
    IS(info.procs >= 1);
    TRY(getrandom(a, 64, 0));
    TRY(getrandom(b, 64, GRND_RANDOM));
    IS(memcmp(a, b, 64) != 0);
    TRY(getrandom(a, 0, 0));
    TRY(getrandom(a, 64, GRND_NONBLOCK));
    TRY(getrandom(a, 1, 0x100));
    TRY(getrandom(a, 1, GRND_RANDOM | 4));
    TRY(statfs("/tmp", &fs));
    VAL(fs.f_type == 0x01021994); // tmpfs
    VAL(fs.f_bsize);
    VAL(fs.f_namelen);
    IS(fs.f_blocks >= fs.f_bfree && fs.f_bfree >= fs.f_bavail);
    TRY(statfs("/proc", &fs));
    VAL(fs.f_type == 0x9fa0);
    TRY(statfs("missing", &fs));
    TRY(fstatfs(99, &fs));
    TRY(SYS(getcpu, &cpu, &node, NULL));
    VAL(cpu);
    VAL(node);
    TRY(SYS(getcpu, NULL, NULL, NULL));
    TRY(SYS(getcpu, BAD, NULL, NULL));
    VAL(sysconf(_SC_PAGESIZE));
    VAL(sysconf(_SC_NPROCESSORS_ONLN));
    VAL(getpagesize());
    return 0;
}
