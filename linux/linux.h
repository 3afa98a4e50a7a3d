/* SPDX-License-Identifier: MIT */
/* Linux's constants and structures for x86_64 (include/uapi). */
#pragma once
#include <stdint.h>

enum {
    O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3, O_CREAT = 0100, O_EXCL = 0200,
    O_NOCTTY = 0400, O_TRUNC = 01000, O_APPEND = 02000, O_NONBLOCK = 04000, O_DSYNC = 010000,
    O_DIRECT = 040000, O_LARGEFILE = 0100000, O_DIRECTORY = 0200000, O_NOFOLLOW = 0400000,
    O_NOATIME = 01000000, O_CLOEXEC = 02000000, O_PATH = 010000000, O_TMPFILE = 020000000,
    O_EXECUTE = 1 << 30, /* the layer's own: open it to run it */
};
enum {
    S_IFMT = 0170000, S_IFSOCK = 0140000, S_IFLNK = 0120000, S_IFREG = 0100000,
    S_IFBLK = 0060000, S_IFDIR = 0040000, S_IFCHR = 0020000, S_IFIFO = 0010000,
};
enum {
    AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_SYMLINK_FOLLOW = 0x400,
    AT_EACCESS = 0x200, AT_EMPTY_PATH = 0x1000, AT_NO_AUTOMOUNT = 0x800,
};
struct linux_stat {
    uint64_t st_dev, st_ino, st_nlink;
    uint32_t st_mode, st_uid, st_gid, pad;
    uint64_t st_rdev, st_size, st_blksize, st_blocks;
    uint64_t st_atime, st_atime_ns, st_mtime, st_mtime_ns, st_ctime, st_ctime_ns;
    uint64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "size");
struct linux_timespec { int64_t seconds, nanoseconds; };
struct linux_iovec { uint64_t base, length; };

enum {
    PROT_READ = 1,
    PROT_WRITE = 2,
    PROT_EXEC = 4,
    MAP_SHARED_LINUX = 1,
    MAP_PRIVATE_LINUX = 2,
    MAP_FIXED_LINUX = 0x10,
    MAP_ANONYMOUS = 0x20,
    MAP_32BIT = 0x40,
    MAP_NORESERVE_LINUX = 0x4000,
    MAP_POPULATE_LINUX = 0x8000,
    MAP_FIXED_NOREPLACE = 0x100000,
};
enum {
    SIGHUP = 1,
    SIGINT = 2,
    SIGQUIT = 3,
    SIGILL = 4,
    SIGTRAP = 5,
    SIGABRT = 6,
    SIGBUS = 7,
    SIGFPE = 8,
    SIGKILL = 9,
    SIGUSR1 = 10,
    SIGSEGV = 11,
    SIGUSR2 = 12,
    SIGPIPE = 13,
    SIGALRM = 14,
    SIGTERM = 15,
    SIGSTKFLT = 16,
    SIGCHLD = 17,
    SIGCONT = 18,
    SIGSTOP = 19,
    SIGTSTP = 20,
    SIGTTIN = 21,
    SIGTTOU = 22,
    SIGURG = 23,
    SIGXCPU = 24,
    SIGXFSZ = 25,
    SIGWINCH = 28,
    SIGNALS = 64,
};
