/* SPDX-License-Identifier: MIT */
/*
 * memfd_create: a nameless file of the root's file system. Its seals are kept with the open file
 * and heeded by the layers of those who share it: they keep programs from mistakes, and do not
 * protect one program from another that has broken its own layer.
 */
#include "layer.h"
#include <proto/file_client.h>

enum { MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, NAME_MOST = 249 };
enum { SEAL_SEAL = 1, SEAL_SHRINK = 2, SEAL_GROW = 4, SEAL_WRITE = 8, SEAL_FUTURE_WRITE = 16 };
#define SEALS_KNOWN 31u
#define IS_MEMFD (1ull << 32) /* in the file's value, beside the seals */

int64_t sys_memfd_create(const uint64_t *a)
{
    char name[NAME_MOST + 2];
    struct path p;
    struct file *f;
    if (a[1] & ~(uint64_t)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
        return -EINVAL;
    int64_t e = user_text(name, a[0], sizeof name);
    if (e < 0)
        return e == -ENAMETOOLONG ? -EINVAL : e;
    e = path_set(&p, AT_FDCWD, "/");
    if (!e)
        e = open_path(&p, O_TMPFILE | O_DIRECTORY | O_RDWR, 0777, &f);
    if (e)
        return e;
    f->value = IS_MEMFD | (a[1] & MFD_ALLOW_SEALING ? 0 : SEAL_SEAL);
    return fd_new(f, 0, a[1] & MFD_CLOEXEC);
}

int64_t seals_add(struct file *f, uint64_t seals)
{
    if (f->kind != FILE_PLAIN || !(f->value & IS_MEMFD) || seals & ~(uint64_t)SEALS_KNOWN)
        return -EINVAL;
    if (f->value & SEAL_SEAL || (f->flags & O_ACCMODE) == O_RDONLY)
        return -EPERM;
    f->value |= seals;
    return 0;
}

int64_t seals_get(const struct file *f)
{
    return f->kind == FILE_PLAIN && f->value & IS_MEMFD ? (int64_t)(f->value & SEALS_KNOWN)
                                                        : -EINVAL;
}

bool seals_forbid_write(const struct file *f)
{
    return f->kind == FILE_PLAIN && f->value & (SEAL_WRITE | SEAL_FUTURE_WRITE);
}

int64_t seals_size(struct file *f, uint64_t size)
{
    struct file_attributes s;
    if (!(f->value & (SEAL_SHRINK | SEAL_GROW)))
        return 0;
    int64_t e = file_attributes_of(f, &s);
    if (e)
        return e;
    return (size < s.size && f->value & SEAL_SHRINK) || (size > s.size && f->value & SEAL_GROW)
               ? -EPERM
               : 0;
}
