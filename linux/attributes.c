/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes: there are none. As on a Linux tmpfs the calls check what they are given and
 * then say that a name is not supported, or that the list is empty.
 */
#include "layer.h"
#include <proto/file_client.h>

#define NAME_MAX_BYTES 255
#define VALUE_MAX_BYTES 65536u

static int64_t path_exists(uint64_t text, uint32_t flags)
{
    struct file_attributes s;
    return look_at(AT_FDCWD, text, flags, &s);
}

static int64_t file_exists(uint64_t fd)
{
    struct file *f = file_of(fd);
    return f && !(f->flags & O_PATH) ? 0 : -EBADF;
}

static int64_t name_check(uint64_t name)
{
    char text[NAME_MAX_BYTES + 2];
    int64_t n = user_text(text, name, sizeof text);
    return n == -ENAMETOOLONG || n == 0 ? -ERANGE : n < 0 ? n : 0;
}

static int64_t set_check(const uint64_t *a)
{
    if (a[4] & ~3ull)
        return -EINVAL;
    int64_t e = name_check(a[1]);
    return e ? e : a[3] > VALUE_MAX_BYTES ? -E2BIG : 0;
}

static int64_t unsupported(int64_t e)
{
    return e ? e : -EOPNOTSUPP;
}

int64_t sys_setxattr(const uint64_t *a)
{
    int64_t e = set_check(a);
    return unsupported(e ? e : path_exists(a[0], 0));
}

int64_t sys_lsetxattr(const uint64_t *a)
{
    int64_t e = set_check(a);
    return unsupported(e ? e : path_exists(a[0], AT_SYMLINK_NOFOLLOW));
}

int64_t sys_fsetxattr(const uint64_t *a)
{
    int64_t e = file_exists(a[0]);
    return unsupported(e ? e : set_check(a));
}

int64_t sys_getxattr(const uint64_t *a)
{
    int64_t e = path_exists(a[0], 0);
    return unsupported(e ? e : name_check(a[1]));
}

int64_t sys_lgetxattr(const uint64_t *a)
{
    int64_t e = path_exists(a[0], AT_SYMLINK_NOFOLLOW);
    return unsupported(e ? e : name_check(a[1]));
}

int64_t sys_fgetxattr(const uint64_t *a)
{
    int64_t e = file_exists(a[0]);
    return unsupported(e ? e : name_check(a[1]));
}

int64_t sys_removexattr(const uint64_t *a)
{
    return sys_getxattr(a);
}

int64_t sys_lremovexattr(const uint64_t *a)
{
    return sys_lgetxattr(a);
}

int64_t sys_fremovexattr(const uint64_t *a)
{
    return sys_fgetxattr(a);
}

int64_t sys_listxattr(const uint64_t *a)
{
    return path_exists(a[0], 0);
}

int64_t sys_llistxattr(const uint64_t *a)
{
    return path_exists(a[0], AT_SYMLINK_NOFOLLOW);
}

int64_t sys_flistxattr(const uint64_t *a)
{
    return file_exists(a[0]);
}
