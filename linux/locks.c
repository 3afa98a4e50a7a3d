/* SPDX-License-Identifier: MIT */
/*
 * fcntl's record locks and flock. The file's server keeps them (fs/ramfs/lock.c). A process's
 * record locks go when it closes any descriptor of the file, and when it ends: the layer says so to
 * the server. Of a process that was killed nobody says it: the locks go with the open file, or,
 * where others still have that, when somebody finds one in the way and its owner gone.
 */
#include "layer.h"
#include <proto/file_client.h>
#include <proto/process_client.h>

enum { GETLK = 5, SETLK, SETLKW, OFD_GETLK = 36, OFD_SETLK, OFD_SETLKW };
#define OWNER_WHOLE (1ull << 32) /* flock's; the server knows these two */
#define OWNER_OPEN (2ull << 32)

struct linux_flock {
    int16_t type, whence;
    uint32_t pad;
    int64_t start, length;
    int32_t pid, pad2;
};
struct range { uint64_t owner, start, length; uint8_t kind; };

static uint32_t locking_pid; /* ours, once we have set a record lock */

/* Is it a dead process's lock that is in the way? Then it is taken away. */
static bool dead_unlocked(struct file *f, const struct range *r)
{
    uint8_t kind = FILE_LOCK_KIND_UNLOCK;
    uint64_t owner = 0, start, length;
    if (file_lock_query(f->slot, r->kind, r->owner, r->start, r->length, &kind, &owner, &start,
                        &length) || kind == FILE_LOCK_KIND_UNLOCK || owner >= OWNER_WHOLE)
        return false;
    return errno_of(process_kill(SLOT_PROCESS, (int32_t)owner, 0)) == -ESRCH &&
           !file_lock(f->slot, FILE_LOCK_KIND_UNLOCK, false, owner, 0, 0);
}

static int64_t lock(struct file *f, const struct range *r, bool wait)
{
    for (;;) {
        int64_t e = errno_of(file_lock(f->slot, r->kind, false, r->owner, r->start, r->length));
        if (e != -EAGAIN)
            return e;
        if (!dead_unlocked(f, r))
            break;
    }
    if (!wait)
        return -EAGAIN;
    return errno_of(file_lock(f->slot, r->kind, true, r->owner, r->start, r->length));
}

static int64_t range_of(struct file *f, const struct linux_flock *l, struct range *r)
{
    struct file_attributes s;
    int64_t start = l->start, length = l->length, e;
    if (l->whence == 1)
        start += (int64_t)file_position(f);
    if (l->whence == 2) {
        if ((e = file_attributes_of(f, &s)))
            return e;
        start += (int64_t)s.size;
    }
    if (length < 0) {
        start += length;
        length = -length;
    }
    if (start < 0)
        return -EINVAL;
    if (length > INT64_MAX - start)
        return -EOVERFLOW;
    r->start = (uint64_t)start;
    r->length = (uint64_t)length;
    r->kind = (uint8_t)l->type;
    return 0;
}

static int64_t query(struct file *f, const struct range *r, struct linux_flock *l, bool open)
{
    uint8_t kind = FILE_LOCK_KIND_UNLOCK;
    uint64_t owner = 0, start = 0, length = 0;
    int64_t e;
    do
        e = errno_of(file_lock_query(f->slot, r->kind, r->owner, r->start, r->length, &kind, &owner,
                                     &start, &length));
    while (!e && kind != FILE_LOCK_KIND_UNLOCK && dead_unlocked(f, r));
    if (e)
        return e;
    l->type = kind;
    if (kind == FILE_LOCK_KIND_UNLOCK)
        return 0;
    l->whence = 0;
    l->start = (int64_t)start;
    l->length = (int64_t)length;
    l->pid = open || owner >= OWNER_WHOLE ? -1 : (int32_t)owner;
    return 0;
}

int64_t locks_control(struct file *f, uint64_t command, uint64_t at)
{
    bool open = command >= OFD_GETLK;
    struct linux_flock l;
    struct range r;
    int64_t e;
    if (f->kind == FILE_PATH)
        return -EBADF;
    if (!user_read(&l, at, sizeof l))
        return -EFAULT;
    if ((uint16_t)l.type > 2 || (uint16_t)l.whence > 2 || (open && l.pid))
        return -EINVAL;
    if (f->kind != FILE_PLAIN)
        return 0;
    r.owner = open ? OWNER_OPEN : self.pid;
    if ((e = range_of(f, &l, &r)))
        return e;
    if (command == GETLK || command == OFD_GETLK) {
        if (l.type == FILE_LOCK_KIND_UNLOCK)
            return -EINVAL;
        e = query(f, &r, &l, open);
        return e ? e : user_write(at, &l, sizeof l) ? 0 : -EFAULT;
    }
    if (!open)
        locking_pid = self.pid;
    return lock(f, &r, command == SETLKW || command == OFD_SETLKW);
}

void locks_close(struct file *f)
{
    if (locking_pid == self.pid && f->kind == FILE_PLAIN)
        (void)file_lock(f->slot, FILE_LOCK_KIND_UNLOCK, false, self.pid, 0, 0);
}

int64_t sys_flock(const uint64_t *a)
{
    struct file *f = file_hold(a[0]);
    uint64_t how = a[1] & ~4ull;
    if (how != 1 && how != 2 && how != 8)
        return -EINVAL;
    if (!f || f->kind == FILE_PATH)
        return -EBADF;
    if (f->kind != FILE_PLAIN && f->kind != FILE_DIRECTORY)
        return 0;
    const struct range r = {OWNER_WHOLE, 0, 0,
        how == 1   ? FILE_LOCK_KIND_SHARED
        : how == 2 ? FILE_LOCK_KIND_EXCLUSIVE
                   : FILE_LOCK_KIND_UNLOCK};
    return lock(f, &r, !(a[1] & 4));
}
