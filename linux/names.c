/* SPDX-License-Identifier: MIT */
/* Changing the tree: mkdir, unlink, rename, link, symlink, mknod, chmod, chown, times; and
 * reading directories. */
#include "layer.h"
#include <proto/file_client.h>

static bool text_is_empty(uint64_t text)
{
    char first = 0;
    return user_read(&first, text, 1) && !first;
}

static int64_t make_at(int64_t at, uint64_t text, uint32_t mode, uint64_t special)
{
    struct path p;
    struct file_attributes a;
    int64_t e = path_user(&p, at, text);
    if (e)
        return e;
    if (device_attributes(p.full, &a))
        return -EEXIST;
    e = WALK(&p, file_make(p.gate, p.at, p.text, p.length, mode & ~self.umask, special, WALK_OUT));
    return !p.proc ? e : proc_attributes(p.full, &a) ? -EEXIST : -ENOENT;
}

int64_t sys_mkdir(const uint64_t *a)
{
    return make_at(AT_FDCWD, a[0], S_IFDIR | (a[1] & 01777), 0);
}

int64_t sys_mkdirat(const uint64_t *a)
{
    return make_at((int64_t)a[0], a[1], S_IFDIR | (a[2] & 01777), 0);
}

static int64_t mknod_at(int64_t at, uint64_t text, uint32_t mode, uint64_t device)
{
    struct path p;
    struct file *f;
    uint32_t type = mode & S_IFMT;
    if (type == S_IFDIR)
        return -EPERM;
    if (type && type != S_IFREG)
        return make_at(at, text, mode, device);
    int64_t e = path_user(&p, at, text);
    if (!e)
        e = open_path(&p, O_CREAT | O_EXCL | O_WRONLY, mode & 07777, &f);
    if (!e)
        file_drop(f);
    return e;
}

int64_t sys_mknod(const uint64_t *a)
{
    return mknod_at(AT_FDCWD, a[0], (uint32_t)a[1], a[2]);
}

int64_t sys_mknodat(const uint64_t *a)
{
    return mknod_at((int64_t)a[0], a[1], (uint32_t)a[2], a[3]);
}

static int64_t unlink_at(int64_t at, uint64_t text, bool directory)
{
    struct path p;
    int64_t e = path_user(&p, at, text);
    if (e)
        return e;
    const char *last = strrchr(p.text, '/');
    last = last ? last + 1 : p.text;
    if (directory && !strcmp(last, "."))
        return -EINVAL;
    if (directory && !strcmp(last, ".."))
        return -ENOTEMPTY;
    return WALK(&p, file_unlink(p.gate, p.at, p.text, p.length,
                        directory ? FILE_UNLINK_DIRECTORY : 0, WALK_OUT));
}

int64_t sys_unlink(const uint64_t *a)
{
    return unlink_at(AT_FDCWD, a[0], false);
}

int64_t sys_rmdir(const uint64_t *a)
{
    return unlink_at(AT_FDCWD, a[0], true);
}

int64_t sys_unlinkat(const uint64_t *a)
{
    if (a[2] & ~(uint64_t)AT_REMOVEDIR)
        return -EINVAL;
    return unlink_at((int64_t)a[0], a[1], a[2] & AT_REMOVEDIR);
}

/* The gate of the place that a path starts from. */
static uint32_t place_of(const struct path *p)
{
    return p->at ? p->at : p->gate;
}

/* The second path's place goes along when it is not the first's. */
static uint32_t second_place(const struct path *p, const struct path *q)
{
    return place_of(q) == place_of(p) ? 0 : place_of(q);
}

/*
 * Opens the directory of a path's last part: the path is that part then. For calls whose paths the
 * server does not follow out of the file system, to an absolute link's target.
 */
static int64_t parent_open(struct path *p, struct file **directory)
{
    struct path up = *p;
    size_t end = p->length, start;
    while (end && p->text[end - 1] == '/')
        end--;
    for (start = end; start && p->text[start - 1] != '/';)
        start--;
    up.length = start;
    up.text[start] = 0;
    char *full_end = strrchr(up.full, '/');
    if (full_end)
        full_end[full_end == up.full] = 0;
    int64_t e = open_path(&up, O_PATH | O_DIRECTORY, 0, directory);
    if (e)
        return e;
    p->at = (*directory)->slot;
    p->length -= start;
    memmove(p->text, p->text + start, p->length + 1);
    return p->at ? 0 : -EXDEV;
}

static int64_t rename_once(const struct path *p, const struct path *q, uint32_t flags)
{
    return errno_of(file_rename(
        p->gate, place_of(p), second_place(p, q), p->text, p->length, q->text, q->length, flags));
}

static int64_t rename_at(int64_t from, uint64_t old, int64_t to, uint64_t new, uint32_t flags)
{
    struct path p, q;
    struct file *f = 0, *g = 0;
    if (flags & ~3u || flags == 3)
        return -EINVAL;
    int64_t e = path_user(&p, from, old);
    if (!e)
        e = path_user(&q, to, new);
    if (!e)
        e = rename_once(&p, &q, flags);
    if (e != -EXDEV)
        return e;
    e = parent_open(&p, &f);
    if (!e)
        e = parent_open(&q, &g);
    if (!e)
        e = rename_once(&p, &q, flags);
    if (f)
        file_drop(f);
    if (g)
        file_drop(g);
    return e;
}

int64_t sys_rename(const uint64_t *a)
{
    return rename_at(AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

int64_t sys_renameat(const uint64_t *a)
{
    return rename_at((int64_t)a[0], a[1], (int64_t)a[2], a[3], 0);
}

int64_t sys_renameat2(const uint64_t *a)
{
    return rename_at((int64_t)a[0], a[1], (int64_t)a[2], a[3], (uint32_t)a[4]);
}

/* Gives the file at `slot` a name. */
static int64_t link_file(uint32_t slot, const struct path *q)
{
    return errno_of(file_link(q->gate, slot, place_of(q), "", 0, q->text, q->length, 0));
}

static int64_t link_at(int64_t from, uint64_t old, int64_t to, uint64_t new, uint32_t flags)
{
    struct path p, q;
    struct file *f, *opened = 0, *directory = 0;
    bool follow = flags & AT_SYMLINK_FOLLOW;
    if (flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    int64_t e = path_user(&q, to, new);
    if (e)
        return e;
    /* A descriptor itself: by an empty path, or by its name in /proc. */
    if (flags & AT_EMPTY_PATH && text_is_empty(old))
        f = file_of((uint32_t)from);
    else if ((e = path_user(&p, from, old)))
        return e;
    else
        f = 0;
    if (!f && flags & AT_EMPTY_PATH)
        return -EBADF;
    if (f && f->kind != FILE_PLAIN)
        return -EPERM;
    e = f ? link_file(f->slot, &q)
          : errno_of(file_link(p.gate, place_of(&p), second_place(&p, &q), p.text, p.length, q.text,
                q.length, follow ? 0 : FILE_LOOK_NO_FOLLOW));
    if (e != -EXDEV)
        return e;
    /* An absolute link is on one of the ways, or the name of a descriptor. */
    e = f ? 0 : open_path(&p, O_PATH | (follow ? 0 : O_NOFOLLOW), 0, &opened);
    if (!e)
        e = parent_open(&q, &directory);
    if (!e && opened && opened->kind != FILE_PLAIN && opened->kind != FILE_PATH)
        e = opened->kind == FILE_DIRECTORY ? -EPERM : -EXDEV;
    if (!e)
        e = link_file(f ? f->slot : opened->slot, &q);
    if (opened)
        file_drop(opened);
    if (directory)
        file_drop(directory);
    return e;
}

int64_t sys_link(const uint64_t *a)
{
    return link_at(AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

int64_t sys_linkat(const uint64_t *a)
{
    return link_at((int64_t)a[0], a[1], (int64_t)a[2], a[3], (uint32_t)a[4]);
}

static int64_t symlink_at(uint64_t text, int64_t at, uint64_t path)
{
    struct path p;
    char target[PATH_MAX];
    int64_t n = user_text(target, text, sizeof target);
    if (n <= 0)
        return n ? n : -ENOENT;
    struct file *directory = 0;
    int64_t e = path_user(&p, at, path);
    if (!e)
        e = errno_of(file_symlink(p.gate, p.at, target, (size_t)n, p.text, p.length));
    if (e != -EXDEV)
        return e;
    e = parent_open(&p, &directory);
    if (!e)
        e = errno_of(file_symlink(p.gate, p.at, target, (size_t)n, p.text, p.length));
    if (directory)
        file_drop(directory);
    return e;
}

int64_t sys_symlink(const uint64_t *a)
{
    return symlink_at(a[0], AT_FDCWD, a[1]);
}

int64_t sys_symlinkat(const uint64_t *a)
{
    return symlink_at(a[0], (int64_t)a[1], a[2]);
}

/* ---- attributes --------------------------------------------------------------------------- */

static int64_t change_path(struct path *p, struct file_changes *c)
{
    struct file_attributes a;
    if (device_attributes(p->full, &a))
        return self.ids.user ? -EPERM : 0; /* it has none to change */
    return WALK(p, file_set_attributes(p->gate, p->at, c, p->text, p->length, WALK_OUT));
}

/* path: one that is only a place in the tree will do. */
static int64_t change_file(struct file *f, struct file_changes *c, bool path)
{
    uint8_t walk = 0;
    uint16_t walked = 0;
    size_t length = 0;
    char target[1];
    if (!f)
        return -EBADF;
    if (f->flags & O_PATH && !path)
        return -EBADF;
    uint32_t slot = f->kind == FILE_PIPE ? fifo_slot(f) : f->slot;
    bool named = f->kind == FILE_PLAIN || f->kind == FILE_DIRECTORY || f->kind == FILE_PATH ||
                 f->kind == FILE_PIPE;
    if (!named || !slot)
        return 0;
    return errno_of(
        file_set_attributes(SLOT_ROOT, slot, c, "", 0, &walk, &walked, target, 0, &length));
}

static int64_t change_at(int64_t at, uint64_t text, uint32_t flags, struct file_changes *c)
{
    struct path p;
    if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    if (flags & AT_EMPTY_PATH && (int32_t)at != AT_FDCWD && text_is_empty(text))
        return change_file(file_of((uint32_t)at), c, true);
    int64_t e = flags & AT_EMPTY_PATH && text_is_empty(text) ? path_set(&p, at, ".")
                                                            : path_user(&p, at, text);
    if (flags & AT_SYMLINK_NOFOLLOW)
        c->what |= FILE_CHANGE_NO_FOLLOW;
    return e ? e : change_path(&p, c);
}

static struct file_changes mode_change(uint64_t mode)
{
    return (struct file_changes){ .mode = mode & 07777, .what = FILE_CHANGE_MODE };
}

int64_t sys_chmod(const uint64_t *a)
{
    struct file_changes c = mode_change(a[1]);
    return change_at(AT_FDCWD, a[0], 0, &c);
}

int64_t sys_fchmod(const uint64_t *a)
{
    struct file_changes c = mode_change(a[1]);
    return change_file(file_of(a[0]), &c, false);
}

int64_t sys_fchmodat(const uint64_t *a)
{
    struct file_changes c = mode_change(a[2]);
    return change_at((int64_t)a[0], a[1], 0, &c);
}

static struct file_changes owner_change(uint64_t owner, uint64_t group)
{
    struct file_changes c = { .owner = (uint32_t)owner, .group = (uint32_t)group };
    c.what = FILE_CHANGE_OWNER | FILE_CHANGE_GROUP;
    return c;
}

int64_t sys_chown(const uint64_t *a)
{
    struct file_changes c = owner_change(a[1], a[2]);
    return change_at(AT_FDCWD, a[0], 0, &c);
}

int64_t sys_lchown(const uint64_t *a)
{
    struct file_changes c = owner_change(a[1], a[2]);
    return change_at(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, &c);
}

int64_t sys_fchown(const uint64_t *a)
{
    struct file_changes c = owner_change(a[1], a[2]);
    return change_file(file_of(a[0]), &c, false);
}

int64_t sys_fchownat(const uint64_t *a)
{
    struct file_changes c = owner_change(a[2], a[3]);
    return change_at((int64_t)a[0], a[1], (uint32_t)a[4], &c);
}

static int64_t times_set(struct file_changes *c, const struct linux_timespec t[2])
{
    enum { NOW = 0x3fffffff, OMIT = 0x3ffffffe };
    struct file_time *to[2] = { &c->accessed, &c->modified };
    static const uint32_t set[2] = { FILE_CHANGE_ACCESS_TIME, FILE_CHANGE_MODIFY_TIME };
    static const uint32_t now[2] = { FILE_CHANGE_ACCESS_NOW, FILE_CHANGE_MODIFY_NOW };
    for (unsigned i = 0; i < 2; i++) {
        if (t[i].nanoseconds == OMIT)
            continue;
        c->what |= set[i];
        if (t[i].nanoseconds == NOW) {
            c->what |= now[i];
            continue;
        }
        if ((uint64_t)t[i].nanoseconds >= NS_PER_S)
            return -EINVAL;
        *to[i] = (struct file_time){ t[i].seconds, (uint32_t)t[i].nanoseconds, { 0 } };
    }
    return 0;
}

int64_t sys_utimensat(const uint64_t *a)
{
    struct linux_timespec t[2] = { { 0, 0x3fffffff }, { 0, 0x3fffffff } };
    struct file_changes c = { .what = 0 };
    if (a[2] && !user_read(t, a[2], sizeof t))
        return -EFAULT;
    int64_t e = times_set(&c, t);
    if (e)
        return e;
    if (!a[1])
        return change_file(file_of(a[0]), &c, false);
    return change_at((int64_t)a[0], a[1], (uint32_t)a[3], &c);
}

/* Times in microseconds. Numbers that are none in nanoseconds either are refused by times_set. */
static int64_t futimes_at(int64_t at, uint64_t path, uint64_t times)
{
    struct linux_timespec t[2] = { { 0, 0x3fffffff }, { 0, 0x3fffffff } };
    struct file_changes c = { .what = 0 };
    if (times) {
        if (!user_read(t, times, sizeof t))
            return -EFAULT;
        for (unsigned i = 0; i < 2; i++) {
            if ((uint64_t)t[i].nanoseconds >= 1000000)
                return -EINVAL;
            t[i].nanoseconds *= 1000;
        }
    }
    int64_t e = times_set(&c, t);
    return e      ? e
           : path ? change_at(at, path, 0, &c)
                  : change_file(file_of((uint64_t)at), &c, false);
}

int64_t sys_utimes(const uint64_t *a)
{
    return a[0] ? futimes_at(AT_FDCWD, a[0], a[1]) : -EFAULT;
}

int64_t sys_futimesat(const uint64_t *a)
{
    return futimes_at((int32_t)a[0], a[1], a[2]);
}

int64_t sys_utime(const uint64_t *a)
{
    int64_t seconds[2];
    struct linux_timespec t[2] = {{0, 0x3fffffff}, {0, 0x3fffffff}};
    struct file_changes c = {.what = 0};
    if (a[1] && !user_read(seconds, a[1], sizeof seconds))
        return -EFAULT;
    for (unsigned i = 0; a[1] && i < 2; i++)
        t[i] = (struct linux_timespec){seconds[i], 0};
    int64_t e = times_set(&c, t);
    return e ? e : change_at(AT_FDCWD, a[0], 0, &c);
}

int64_t sys_umask(const uint64_t *a)
{
    uint32_t old = self.umask;
    self.umask = a[0] & 0777;
    return old;
}
