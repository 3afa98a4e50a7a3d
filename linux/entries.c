/* SPDX-License-Identifier: MIT */
/* Directories read: getdents64, and getdents for the C libraries that still call it (dietlibc). */
#include "entries.h"
#include "layer.h"
#include <proto/file_client.h>

/* getdents(2), NOTES: the old form has no type field; the type is the entry's last byte. */
struct dirent_old {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    char name[];
};
struct dirent_new {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    uint8_t type;
    char name[];
};

int64_t entry_out(struct entries *out, const struct entry *entry)
{
    union {
        struct dirent_old old;
        struct dirent_new new;
        char bytes[sizeof(struct dirent_new) + FILE_NAME_MAX + 10];
    } d;
    size_t head = out->old ? offsetof(struct dirent_old, name) : offsetof(struct dirent_new, name);
    size_t need = (head + entry->name_bytes + (out->old ? 2 : 1) + 7) & ~(size_t)7;
    if (out->done + need > out->room)
        return -EINVAL;
    memset(d.bytes, 0, need);
    d.new.inode = entry->inode;
    d.new.next = (int64_t)entry->next;
    d.new.length = (uint16_t)need;
    if (out->old)
        d.bytes[need - 1] = (char)entry->type;
    else
        d.new.type = entry->type;
    memcpy(d.bytes + head, entry->name, entry->name_bytes);
    if (!user_write(out->to + out->done, &d, need))
        return -EFAULT;
    out->done += need;
    return 0;
}

static int64_t file_entries(struct file *f, struct entries *out)
{
    uint8_t block[8192];
    size_t bytes = 0, room = out->room < sizeof block - 512 ? out->room + 512 : sizeof block;
    uint32_t count = 0;
    own_ready(block, room);
    listing_read(f, f->position);
    int64_t e = errno_of(file_getdents(f->slot, f->position, true, block, room, &bytes, &count));
    for (size_t at = 0; !e && at + sizeof(struct file_name) <= bytes;) {
        const struct file_name *from = (const struct file_name *)(block + at);
        e = entry_out(out, &(struct entry){.inode = from->node,
                               .next = from->next,
                               .type = (uint8_t)((from->mode & S_IFMT) >> 12),
                               .name = (const char *)(from + 1),
                               .name_bytes = from->name_bytes});
        if (!e)
            f->position = from->next;
        at += from->entry_bytes;
    }
    return e;
}

static int64_t getdents(const uint64_t *a, bool old)
{
    struct file *f = file_of(a[0]);
    struct entries out = {.to = a[1], .room = a[2] & 0xffffffff, .old = old};
    if (!f || (f->flags & O_PATH))
        return -EBADF;
    if (f->kind != FILE_PROC && f->kind != FILE_DIRECTORY)
        return -ENOTDIR;
    int64_t e = f->kind == FILE_PROC ? proc_entries(f, &out) : file_entries(f, &out);
    return e == -EINVAL && out.done ? (int64_t)out.done : e ? e : (int64_t)out.done;
}

int64_t sys_getdents(const uint64_t *a)
{
    return getdents(a, true);
}

int64_t sys_getdents64(const uint64_t *a)
{
    return getdents(a, false);
}
