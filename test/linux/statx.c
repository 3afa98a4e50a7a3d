/* SPDX-License-Identifier: MIT */
/* statx: the basic fields, masks, flags, errors. */
#include "try.h"

struct statx_result {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, pad;
    uint64_t inode, size, blocks, attributes_mask;
    struct {
        int64_t seconds;
        uint32_t nanoseconds;
        int32_t pad;
    } access, birth, change, modify;
    uint32_t device_major, device_minor, fs_major, fs_minor;
    uint64_t more[14];
};

int main(void)
{
    struct statx_result x;
    struct stat s;

    put("file", "12345");
    symlink("file", "link");
    TRY(SYS(statx, AT_FDCWD, "file", 0, 0x7ff, &x));
    IS((x.mask & 0x7ff) == 0x7ff);
    VAL(x.size);
    VAL(x.links);
    VAL(x.mode);
    VAL(x.uid);
    TRY(stat("file", &s));
    IS(s.st_ino == x.inode);
    IS(s.st_mtim.tv_sec == x.modify.seconds && s.st_mtim.tv_nsec == x.modify.nanoseconds);
    TRY(SYS(statx, AT_FDCWD, "link", 0x100, 0x7ff, &x));
    IS(S_ISLNK(x.mode));
    TRY(SYS(statx, 1, "", 0x1000, 0x7ff, &x));
    IS(S_ISREG(x.mode));
    TRY(SYS(statx, AT_FDCWD, "file", 0x2000, 0x7ff, &x));
    TRY(SYS(statx, AT_FDCWD, "file", 0x6000, 0x7ff, &x));
    TRY(SYS(statx, AT_FDCWD, "/dev/zero", 0, 0x7ff, &x));
    VAL(x.device_major);
    VAL(x.device_minor);
    TRY(SYS(statx, AT_FDCWD, "", 0, 0x7ff, &x));
    TRY(SYS(statx, AT_FDCWD, "missing", 0, 0x7ff, &x));
    TRY(SYS(statx, AT_FDCWD, "file", 0, 0x80000000, &x));
    TRY(SYS(statx, AT_FDCWD, "file", 0x10, 0x7ff, &x));
    TRY(SYS(statx, 99, "file", 0, 0x7ff, &x));
    TRY(SYS(statx, AT_FDCWD, BAD, 0, 0x7ff, &x));
    TRY(SYS(statx, AT_FDCWD, "file", 0, 0x7ff, BAD));
    return 0;
}
