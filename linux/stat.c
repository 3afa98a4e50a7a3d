/* SPDX-License-Identifier: MIT */
/* What files are like: stat, access, readlink, statfs. */
#include "layer.h"
#include "sockets.h"
#include <proto/file_client.h>

/* Of the link in /proc/self/fd itself. */
static void descriptor_link_attributes(const struct file *f, struct file_attributes *a)
{
    static const uint32_t modes[4] = { 0500, 0300, 0700, 0 };
    memset(a, 0, sizeof *a);
    a->mode = S_IFLNK | (f->flags & O_PATH ? 0 : modes[f->flags & O_ACCMODE]);
    a->links = 1;
    a->size = 64;
    a->node = (uint64_t)f;
    a->device = 4;
    a->block_size = 1024;
    a->accessed.seconds = a->modified.seconds = a->changed.seconds =
        (int64_t)(realtime_ns() / NS_PER_S);
}

/* In /proc; p may lead out of it. */
static int64_t look_proc(struct path *p, uint32_t flags, struct file_attributes *out)
{
    bool stay = flags & FILE_LOOK_NO_FOLLOW;
    const char *rest, *to = stay ? 0 : proc_leading(p->full, &rest);
    struct file *f = descriptor_named(p->full);
    if (to)
        return path_again(p, to);
    if (!f)
        return proc_attributes(p->full, out) ? 0 : -ENOENT;
    if (!stay)
        return f->kind == FILE_FREE ? -ENOENT : file_attributes_of(f, out);
    descriptor_link_attributes(f, out);
    return 0;
}

static int64_t look(struct path *p, uint32_t flags, struct file_attributes *out)
{
    struct { struct file_attributes a; char target[PAGE - 1]; } reply;
    own_ready(&reply, sizeof reply);
    for (;;) {
        if (p->proc) {
            int64_t e = look_proc(p, flags, out);
            if (e || p->proc)
                return e;
        }
        if (device_attributes(p->full, out))
            return 0;
        uint8_t walk = 0;
        uint16_t walked = 0;
        size_t length = 0;
        int64_t e = errno_of(PATH_LOOK(p, file_look(gate, at, p->text, p->length, flags, &walk,
                                              &walked, &reply.a, sizeof reply.target, &length)));
        if (e)
            return e;
        if (walk == FILE_WALK_DONE) {
            *out = reply.a;
            return 0;
        }
        if ((e = path_follow(p, walk, walked, reply.target, length)))
            return e;
    }
}

int64_t file_attributes_of(struct file *f, struct file_attributes *a)
{
    uint8_t walk = 0;
    uint16_t walked = 0;
    size_t length = 0;
    int64_t e;
    if (seen_look(f, a))
        return 0;
    own_ready(a, sizeof *a);
    memset(a, 0, sizeof *a);
    a->node = (uint64_t)f->kind;
    a->block_size = PAGE;
    a->links = 1;
    switch (f->kind) {
    case FILE_PLAIN:
    case FILE_DIRECTORY:
    case FILE_PATH:
        e = errno_of(file_look(f->slot, 0, "", 0, 0, &walk, &walked, a, 0, &length));
        if (!e && f->kind != FILE_PATH)
            seen_keep(f, a);
        return e;
    case FILE_PIPE:
        if (fifo_slot(f))
            return errno_of(file_look(fifo_slot(f), 0, "", 0, 0, &walk, &walked, a, 0, &length));
        /* fall through */
    case FILE_STREAM:
        a->mode = S_IFIFO | 0600;
        a->node = f->slot;
        return 0;
    case FILE_SOCKET:
        a->mode = S_IFSOCK | 0777;
        a->node = socket_number(f);
        return 0;
    case FILE_PROC:
        return proc_attributes(f->path, a) ? 0 : -ENOENT;
    case FILE_TEXT:
        a->mode = S_IFREG | 0444;
        a->node = f->value;
        return 0;
    case FILE_EVENT:
    case FILE_EPOLL:
        a->mode = 0600;
        return 0;
    case FILE_TERMINAL:
        if (device_attributes(f->path, a))
            return 0;
        return errno_of(file_look(f->slot, 0, "", 0, 0, &walk, &walked, a, 0, &length));
    case FILE_NULL:
        device_attributes("/dev/null", a);
        return 0;
    case FILE_ZERO:
        device_attributes("/dev/zero", a);
        return 0;
    case FILE_FULL:
        device_attributes("/dev/full", a);
        return 0;
    default:
        device_attributes("/dev/urandom", a);
        return 0;
    }
}

static int64_t stat_out(uint64_t to, const struct file_attributes *a)
{
    struct linux_stat s = {
        .st_dev = a->device, .st_ino = a->node, .st_nlink = a->links, .st_mode = a->mode,
        .st_uid = a->owner, .st_gid = a->group, .st_rdev = a->special, .st_size = a->size,
        .st_blksize = a->block_size, .st_blocks = a->blocks,
        .st_atime = (uint64_t)a->accessed.seconds, .st_atime_ns = a->accessed.nanoseconds,
        .st_mtime = (uint64_t)a->modified.seconds, .st_mtime_ns = a->modified.nanoseconds,
        .st_ctime = (uint64_t)a->changed.seconds, .st_ctime_ns = a->changed.nanoseconds,
    };
    return user_write(to, &s, sizeof s) ? 0 : -EFAULT;
}

/* By descriptor and path, as the …at calls do. */
int64_t look_at(int64_t at, uint64_t text, uint32_t flags, struct file_attributes *a)
{
    struct path p;
    char first = 0;
    if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
        return -EINVAL;
    if (flags & AT_EMPTY_PATH && (!text || (user_read(&first, text, 1) && !first))) {
        struct file *f = file_of((uint32_t)at);
        if ((int32_t)at == AT_FDCWD)
            return path_set(&p, AT_FDCWD, ".") ? -ENOENT : look(&p, 0, a);
        return f ? file_attributes_of(f, a) : -EBADF;
    }
    bool stay = flags & AT_SYMLINK_NOFOLLOW;
    int64_t e = path_user(&p, at, text);
    bool through = (int32_t)at != AT_FDCWD && p.text[0] != '/';
    if (!e && listing_look(&p, through ? file_of((uint32_t)at) : 0, !stay, a))
        return 0;
    return e ? e : look(&p, stay ? FILE_LOOK_NO_FOLLOW : 0, a);
}

static int64_t stat_at(int64_t at, uint64_t text, uint64_t to, uint32_t flags)
{
    struct file_attributes a;
    int64_t e = look_at(at, text, flags, &a);
    return e ? e : stat_out(to, &a);
}

int64_t sys_stat(const uint64_t *a)
{
    return stat_at(AT_FDCWD, a[0], a[1], 0);
}

int64_t sys_lstat(const uint64_t *a)
{
    return stat_at(AT_FDCWD, a[0], a[1], AT_SYMLINK_NOFOLLOW);
}

int64_t sys_fstat(const uint64_t *a)
{
    struct file_attributes at;
    struct file *f = file_of(a[0]);
    int64_t e = f ? file_attributes_of(f, &at) : -EBADF;
    return e ? e : stat_out(a[1], &at);
}

int64_t sys_newfstatat(const uint64_t *a)
{
    return stat_at((int64_t)a[0], a[1], a[2], (uint32_t)a[3]);
}

struct statx_time { int64_t seconds; uint32_t nanoseconds, pad; };
struct statx {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, pad;
    uint64_t ino, size, blocks, attributes_mask;
    struct statx_time atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t spare[14];
};
_Static_assert(sizeof(struct statx) == 256, "size");

static struct statx_time statx_time(struct file_time t)
{
    return (struct statx_time){ t.seconds, t.nanoseconds, 0 };
}

int64_t sys_statx(const uint64_t *a)
{
    enum { SYNC_AS_STAT = 0x6000, RESERVED = 1u << 31 };
    struct file_attributes s;
    if ((a[2] & SYNC_AS_STAT) == SYNC_AS_STAT || a[3] & RESERVED)
        return -EINVAL;
    int64_t e = look_at((int64_t)a[0], a[1], (uint32_t)a[2] & ~(uint32_t)SYNC_AS_STAT, &s);
    if (e)
        return e;
    struct statx x = {
        .mask = 0xfff, .blksize = s.block_size, .nlink = s.links, .uid = s.owner, .gid = s.group,
        .mode = (uint16_t)s.mode, .ino = s.node, .size = s.size, .blocks = s.blocks,
        .atime = statx_time(s.accessed), .btime = statx_time(s.born),
        .ctime = statx_time(s.changed), .mtime = statx_time(s.modified),
        .rdev_major = (uint32_t)(s.special >> 8), .rdev_minor = (uint32_t)(s.special & 255),
        .dev_major = (uint32_t)(s.device >> 8), .dev_minor = (uint32_t)(s.device & 255),
    };
    return user_write(a[4], &x, sizeof x) ? 0 : -EFAULT;
}

/* A path that means what a descriptor stands for. */
static int64_t path_open(struct path *p, int64_t at)
{
    struct file *f = file_of((uint32_t)at);
    if ((int32_t)at == AT_FDCWD)
        return path_set(p, at, ".");
    if (!f)
        return -EBADF;
    path_descriptor(p, (uint32_t)at);
    if (f->slot) {
        p->proc = false;
        p->at = f->slot;
        p->full[0] = 0;
    }
    return 0;
}

static int64_t access_at(int64_t at, uint64_t text, uint32_t mode, uint32_t flags)
{
    struct path p;
    struct file_attributes a;
    char target[PAGE];
    char first = 0;
    if (mode & ~7u || flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EACCESS | AT_EMPTY_PATH))
        return -EINVAL;
    int64_t e = flags & AT_EMPTY_PATH && user_read(&first, text, 1) && !first
                    ? path_open(&p, at)
                    : path_user(&p, at, text);
    if (e)
        return e;
    own_ready(target, sizeof target);
    for (;;) {
        uint8_t walk = 0;
        uint16_t walked = 0;
        size_t length = 0;
        uint32_t what = mode | (flags & AT_SYMLINK_NOFOLLOW ? FILE_ACCESS_NO_FOLLOW : 0) |
                        (flags & AT_EACCESS ? FILE_ACCESS_EFFECTIVE : 0);
        if (p.proc) {
            e = look_proc(&p, flags & AT_SYMLINK_NOFOLLOW ? FILE_LOOK_NO_FOLLOW : 0, &a);
            if (e || p.proc)
                return e;
        }
        if (device_attributes(p.full, &a))
            return mode & 1 && (a.mode & S_IFMT) == S_IFCHR ? -EACCES : 0;
        e = errno_of(file_access(p.gate, p.at, p.text, p.length, what, &walk, &walked, target,
            sizeof target - 1, &length));
        if (e || walk == FILE_WALK_DONE || (e = path_follow(&p, walk, walked, target, length)))
            return e;
    }
}

int64_t sys_access(const uint64_t *a)
{
    return access_at(AT_FDCWD, a[0], (uint32_t)a[1], 0);
}

int64_t sys_faccessat(const uint64_t *a)
{
    return access_at((int64_t)a[0], a[1], (uint32_t)a[2], 0);
}

int64_t sys_faccessat2(const uint64_t *a)
{
    return access_at((int64_t)a[0], a[1], (uint32_t)a[2], (uint32_t)a[3]);
}

static int64_t link_text(struct path *p, char *target, size_t *length)
{
    own_ready(target, PAGE);
    for (;;) {
        if (p->proc) {
            struct file_attributes a;
            if ((*length = proc_link(p->full, target, PAGE)) != 0)
                return 0;
            if (!proc_attributes(p->full, &a))
                return -ENOENT;
            return (a.mode & S_IFMT) == S_IFLNK ? -EACCES : -EINVAL;
        }
        uint8_t walk = 0;
        uint16_t walked = 0;
        int64_t e = errno_of(PATH_LOOK(p,
            file_readlink(gate, at, p->text, p->length, &walk, &walked, target, PAGE - 1, length)));
        if (e || walk == FILE_WALK_DONE || (e = path_follow(p, walk, walked, target, *length)))
            return e;
    }
}

static int64_t readlink_at(int64_t at, uint64_t text, uint64_t to, int64_t size)
{
    struct path p;
    char target[PAGE];
    size_t length = 0;
    char first = 0;
    if (size <= 0)
        return -EINVAL;
    struct file *f = user_read(&first, text, 1) && !first ? file_of((uint32_t)at) : 0;
    int64_t e = f && f->kind == FILE_PATH ? path_open(&p, at) : path_user(&p, at, text);
    if (!e)
        e = link_text(&p, target, &length);
    if (e)
        return e;
    if (length > (size_t)size)
        length = (size_t)size;
    return user_write(to, target, length) ? (int64_t)length : -EFAULT;
}

int64_t sys_readlink(const uint64_t *a)
{
    return readlink_at(AT_FDCWD, a[0], a[1], (int32_t)a[2]);
}

int64_t sys_readlinkat(const uint64_t *a)
{
    return readlink_at((int64_t)a[0], a[1], a[2], (int32_t)a[3]);
}

struct linux_statfs {
    uint64_t type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen, frsize, flags;
    uint64_t spare[4];
};

static int64_t statfs_proc(uint64_t to)
{
    const struct linux_statfs l = { .type = 0x9fa0, .bsize = PAGE, .namelen = 255, .frsize = PAGE };
    return user_write(to, &l, sizeof l) ? 0 : -EFAULT;
}

static int64_t statfs_file(const struct file *f, uint64_t to)
{
    struct file_file_system s;
    bool at_server = f->kind == FILE_PLAIN || f->kind == FILE_DIRECTORY || f->kind == FILE_PATH;
    if (f->kind == FILE_PROC || f->kind == FILE_TEXT)
        return statfs_proc(to);
    own_ready(&s, sizeof s);
    int64_t e = errno_of(file_file_system(at_server ? f->slot : SLOT_ROOT, &s));
    if (e)
        return e;
    struct linux_statfs l = { s.type, s.block_size, s.blocks, s.blocks_free, s.blocks_available,
                              s.nodes, s.nodes_free, s.id, s.name_max, s.block_size, s.flags,
                              { 0 } };
    return user_write(to, &l, sizeof l) ? 0 : -EFAULT;
}

int64_t sys_statfs(const uint64_t *a)
{
    struct path p;
    struct file *f;
    int64_t e = path_user(&p, AT_FDCWD, a[0]);
    if (!e)
        e = open_path(&p, O_PATH, 0, &f);
    if (e)
        return e;
    e = statfs_file(f, a[1]);
    file_drop(f);
    return e;
}

int64_t sys_fstatfs(const uint64_t *a)
{
    struct file *f = file_of(a[0]);
    return f ? statfs_file(f, a[1]) : -EBADF;
}
