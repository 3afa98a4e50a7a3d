/* SPDX-License-Identifier: MIT */
/*
 * Names in the process: which gate a path goes to, and where it goes on when the way leaves
 * a file system.
 *
 * `full` is cleaned by its words alone ("a/../b" is "b"): it is for device names and for what is
 * shown; what is sent to the server is the text as the program gave it. A walk that comes to where
 * /proc is mounted stops there: from then on `full` says where in /proc it is.
 */
#include "layer.h"
#include <proto/file_client.h>

/* A full path that is too long to be told: nothing is looked for by it. */
#define FULL_UNKNOWN "?"
#define LINKS_MAX 40u /* path_resolution(7) */

/* Adds the parts of text to an absolute, clean path, which stays below the root. */
static void full_add(char *full, const char *text)
{
    size_t n = strlen(full), floor = strlen(self.root);
    if (*full != '/')
        return;
    if (strncmp(full, self.root, floor) || (floor > 1 && full[floor] && full[floor] != '/'))
        floor = 1; /* a directory that was opened before the root was changed */
    while (*text) {
        const char *end = strchrnul(text, '/');
        size_t part = (size_t)(end - text);
        if (part == 2 && text[0] == '.' && text[1] == '.') {
            while (n > floor && full[n - 1] != '/')
                n--;
            if (n > floor)
                n--;
        } else if (part && !(part == 1 && text[0] == '.')) {
            if (n + part + 2 > PATH_MAX) {
                strlcpy(full, FULL_UNKNOWN, PATH_MAX);
                return;
            }
            if (n > 1)
                full[n++] = '/';
            memcpy(full + n, text, part);
            n += part;
        }
        full[n] = 0;
        text = *end ? end + 1 : end;
    }
}

const char *full_shown(const char *full)
{
    size_t n = strlen(self.root);
    if (n == 1 || strncmp(full, self.root, n))
        return full;
    return full[n] == '/' ? full + n : full[n] ? full : "/";
}

/* From an open file on, as far as that is a place. */
static int64_t start_at(struct path *p, const struct file *f, const char *text)
{
    p->proc = false;
    p->at = f->slot;
    p->length = strlen(text);
    memmove(p->text, text, p->length + 1);
    strlcpy(p->full, f->path ? f->path : "/", sizeof p->full);
    full_add(p->full, p->text);
    return 0;
}

/* From the start again, by another path; the count of links goes on. */
int64_t path_again(struct path *p, const char *text)
{
    unsigned links = p->links + 1;
    int64_t e = links > LINKS_MAX ? -ELOOP : path_set(p, AT_FDCWD, text);
    p->links = links;
    return e;
}

/* The way leads on in /proc, or out of it again; text is its name before it was cleaned. Behind the
 * name of a descriptor, or of another link to a place, it goes on there. */
static int64_t in_proc(struct path *p, const char *text)
{
    const char *rest, *to;
    p->at = 0;
    p->proc = proc_is(p->full);
    if (!p->proc) {
        p->length = strlcpy(p->text, full_shown(p->full), sizeof p->text);
        return 0;
    }
    bool slash = p->length && p->text[p->length - 1] == '/'; /* the link itself is not meant */
    const struct file *f = descriptor_leading(text, &rest);
    bool behind = slash || *rest;
    if (f && behind && f->kind != FILE_DIRECTORY && f->kind != FILE_PATH)
        return -ENOTDIR;
    if (f && behind)
        return start_at(p, f, rest);
    if ((to = proc_leading(text, &rest)) != 0 && (slash || *rest)) {
        char there[PATH_MAX];
        if (snprintf(there, sizeof there, "%s/%s", to, rest) >= (int)sizeof there)
            return -ENAMETOOLONG;
        return path_again(p, there);
    }
    return 0;
}

void path_descriptor(struct path *p, uint32_t fd)
{
    *p = (struct path){.gate = SLOT_ROOT, .proc = true};
    snprintf(p->full, sizeof p->full, "/proc/self/fd/%u", fd);
}

static int64_t path_start(struct path *p, int64_t at)
{
    p->links = 0;
    p->length = strlen(p->text);
    p->gate = SLOT_ROOT;
    p->at = 0;
    p->proc = false;
    if (p->text[0] == '/') {
        strlcpy(p->full, self.root, sizeof p->full);
    } else if ((int32_t)at == AT_FDCWD) {
        p->at = self.cwd_slot == SLOT_ROOT ? 0 : self.cwd_slot;
        p->proc = !p->at && proc_is(self.cwd);
        strlcpy(p->full, self.cwd, sizeof p->full);
    } else {
        struct file *f = file_of((uint32_t)at);
        if (!f)
            return -EBADF;
        if (f->kind != FILE_DIRECTORY && f->kind != FILE_PATH && f->kind != FILE_PROC)
            return -ENOTDIR;
        p->at = f->slot;
        p->proc = f->kind == FILE_PROC;
        strlcpy(p->full, f->path ? f->path : "/", sizeof p->full);
    }
    full_add(p->full, p->text);
    return p->proc ? in_proc(p, p->full) : 0;
}

int64_t path_set(struct path *p, int64_t at, const char *text)
{
    if (strlcpy(p->text, text, sizeof p->text) >= sizeof p->text)
        return -ENAMETOOLONG;
    return path_start(p, at);
}

int64_t path_user(struct path *p, int64_t at, uint64_t text)
{
    int64_t n = user_text(p->text, text, sizeof p->text);
    if (n < 0)
        return n;
    return n ? path_start(p, at) : -ENOENT;
}

int64_t path_follow(struct path *p, uint8_t walk, uint16_t walked, const char *target,
                    size_t target_length)
{
    char old[PATH_MAX];
    size_t rest = walked < p->length ? p->length - walked : 0;
    if (++p->links > LINKS_MAX)
        return -ELOOP;
    if (walk == FILE_WALK_FOREIGN) {
        if (strncmp(target, "proc", 4) || (target_length > 4 && target[4] != '/'))
            return -ENODEV;
        if (target_length + rest + 3 > PATH_MAX)
            return -ENAMETOOLONG;
        old[0] = '/';
        memcpy(old + 1, target, target_length);
        old[1 + target_length] = '/';
        memcpy(old + target_length + 2, p->text + p->length - rest, rest);
        old[target_length + 2 + rest] = 0;
        strlcpy(p->full, "/", sizeof p->full);
        full_add(p->full, old);
        return in_proc(p, old);
    }
    memcpy(old, p->text + p->length - rest, rest);
    if (walk == FILE_WALK_PARENT)
        target_length = 0; /* above the root is the root */
    if (target_length + rest + 3 > PATH_MAX)
        return -ENAMETOOLONG;
    p->text[0] = '/';
    size_t n = 1;
    memcpy(p->text + n, target, target_length);
    n += target_length;
    if (rest)
        p->text[n++] = '/'; /* the server has used up those behind the link */
    memcpy(p->text + n, old, rest);
    n += rest;
    p->text[n] = 0;
    p->length = n;
    p->at = 0;
    strlcpy(p->full, self.root, sizeof p->full);
    full_add(p->full, p->text);
    return 0;
}

static uint32_t open_flags(uint32_t flags)
{
    static const uint32_t access[4] = { FILE_OPEN_READ, FILE_OPEN_WRITE,
                                        FILE_OPEN_READ | FILE_OPEN_WRITE, 0 };
    uint32_t f = flags & O_PATH ? FILE_OPEN_PATH : access[flags & O_ACCMODE];
    if (flags & O_DIRECTORY)
        f |= FILE_OPEN_DIRECTORY;
    if (flags & O_NOFOLLOW)
        f |= FILE_OPEN_NO_FOLLOW;
    if (flags & O_APPEND && !(flags & O_PATH))
        f |= FILE_OPEN_APPEND;
    if (flags & O_EXECUTE)
        f |= FILE_OPEN_EXECUTE;
    if (flags & O_NOATIME)
        f |= FILE_OPEN_NO_ACCESS_TIME;
    return f;
}

static uint32_t create_flags(uint32_t flags)
{
    uint32_t f = open_flags(flags);
    if (flags & O_TMPFILE)
        f |= FILE_OPEN_TEMPORARY;
    if (flags & O_TRUNC)
        f |= FILE_OPEN_TRUNCATE;
    if (flags & O_EXCL)
        f |= FILE_OPEN_EXCLUSIVE;
    return f;
}

/* What comes with an open file: what a small one holds, or what a link says. */
struct reply {
    struct file_attributes a;
    char content[PAGE];
    size_t length;
};

static int64_t open_at_server(
    struct path *p, uint32_t flags, uint32_t mode, uint32_t slot, struct reply *reply)
{
    own_ready(reply, sizeof *reply);
    for (;;) {
        uint8_t walk = 0;
        uint16_t walked = 0;
        uint32_t got = 0;
        reply->length = 0;
        bool created;
        int64_t status;
        rt_self()->recv_slot = slot;
        if (flags & (O_CREAT | O_TMPFILE) && !(flags & O_PATH))
            status = file_create(p->gate, p->at, p->text, p->length, create_flags(flags),
                (uint16_t)(mode & 07777), &walk, &walked, &created, &reply->a,
                sizeof reply->content, &reply->length, &got);
        else
            status = PATH_LOOK(p, file_open(gate, at, p->text, p->length, open_flags(flags), &walk,
                                      &walked, &reply->a, sizeof reply->content, &reply->length,
                                      &got));
        rt_self()->recv_slot = SLOT_RECEIVE;
        if (status)
            return errno_of(status);
        if (walk == FILE_WALK_DONE)
            return 0;
        status = path_follow(p, walk, walked, reply->content, reply->length);
        if (status || p->proc)
            return status;
    }
}

/* A nameless file must be written to and is not created by name. */
static int64_t flags_check(uint32_t flags)
{
    if (!(flags & O_TMPFILE) || flags & O_PATH)
        return flags & O_CREAT && flags & O_DIRECTORY && !(flags & O_PATH) ? -EINVAL : 0;
    return !(flags & O_DIRECTORY) || flags & O_CREAT || (flags & O_ACCMODE) == O_RDONLY ? -EINVAL
                                                                                        : 0;
}

/* Of a file that is open for reading only. */
static int64_t truncate_unwritten(uint32_t slot)
{
    struct path p = {.gate = SLOT_ROOT, .at = slot};
    struct reply reply;
    uint32_t second = slot_take();
    int64_t e = second ? open_at_server(&p, O_WRONLY, 0, second, &reply) : -ENFILE;
    if (!e)
        e = errno_of(file_truncate(second, 0));
    if (second)
        slot_delete(second);
    return e;
}

/* What is in /proc. Of a descriptor what is at the server is opened anew, what is the layer's own
 * is shared. Done, or (*out still NULL) p has left /proc and goes on. */
static int64_t open_proc(struct path *p, uint32_t *flags, struct file **out)
{
    const char *rest, *to = *flags & O_NOFOLLOW ? 0 : proc_leading(p->full, &rest);
    struct file *f = descriptor_named(p->full);
    if (to)
        return path_again(p, to);
    if (!f)
        return text_open(p->full, *flags, out);
    if ((*flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if (*flags & O_NOFOLLOW && !(*flags & O_PATH))
        return -ELOOP;
    if (f->kind == FILE_PLAIN || f->kind == FILE_PATH || f->kind == FILE_DIRECTORY) {
        *flags &= ~(uint32_t)O_CREAT;
        return start_at(p, f, "");
    }
    f->users++;
    *out = f;
    return 0;
}

/* Until it is open, at the server and in `slot`, or as something of the layer's own: *out. */
static int64_t open_somewhere(struct path *p, uint32_t *flags, uint32_t mode, uint32_t slot,
    struct reply *reply, struct file **out)
{
    int64_t e;
    *out = 0;
    do {
        e = p->proc ? open_proc(p, flags, out) : device_open(p->full, *flags, out);
        if (*out || (e && (p->proc || e != -ENOENT)))
            return e;
        if (!p->proc)
            e = open_at_server(p, *flags, mode & ~self.umask, slot, reply);
    } while (!e && p->proc);
    return e;
}

int64_t open_path(struct path *p, uint32_t flags, uint32_t mode, struct file **out)
{
    struct reply reply;
    struct file *f;
    int64_t e = flags_check(flags);
    if (e)
        return e;
    uint32_t slot = slot_take();
    if (!slot)
        return -ENFILE;
    e = open_somewhere(p, &flags, mode, slot, &reply, out);
    if (*out || e) {
        slot_give(slot);
        return e;
    }
    const struct file_attributes *a = &reply.a;
    if (flags & O_TRUNC && !(flags & (O_CREAT | O_PATH)) && (a->mode & S_IFMT) == S_IFREG)
        e = (flags & O_ACCMODE) != O_RDONLY ? errno_of(file_truncate(slot, 0))
                                            : truncate_unwritten(slot);
    uint32_t type = a->mode & S_IFMT;
    if (!e && !(flags & O_PATH) && (type == S_IFCHR || type == S_IFBLK)) {
        slot_delete(slot);
        return type == S_IFCHR ? device_open_number(a->special, flags, out) : -ENXIO;
    }
    if (!e)
        e = file_new(&f);
    if (e) {
        slot_delete(slot);
        return e;
    }
    if (type == S_IFIFO && !(flags & O_PATH)) {
        f->flags = flags & (O_ACCMODE | O_NONBLOCK | O_APPEND);
        f->path = layer_text(p->full);
        e = fifo_open(slot, flags, f);
        if (e && f->kind != FILE_PIPE)
            slot_delete(slot);
        if (e)
            file_drop(f);
        else
            *out = f;
        return e;
    }
    f->slot = (uint16_t)slot;
    f->flags = flags & ~(uint32_t)(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_TMPFILE |
                                   O_EXECUTE);
    f->kind = flags & O_PATH && (a->mode & S_IFMT) != S_IFDIR ? FILE_PATH
              : (a->mode & S_IFMT) == S_IFDIR                 ? FILE_DIRECTORY
                                                             : FILE_PLAIN;
    if (!(f->path = layer_text(p->full))) {
        file_drop(f);
        return -ENOMEM;
    }
    if (f->kind != FILE_PATH)
        seen_keep(f, a);
    if (f->kind == FILE_PLAIN && reply.length)
        seen_whole(f, reply.content, reply.length);
    *out = f;
    return 0;
}

static int64_t open_common(int64_t at, uint64_t text, uint32_t flags, uint32_t mode)
{
    struct path p;
    struct file *f;
    char first[256]; /* a longer one is not remembered */
    first[0] = 0;
    uint32_t places = seen_places();
    int64_t e = path_user(&p, at, text);
    bool told = !e && flags & O_DIRECTORY && (p.text[0] == '/' || (int32_t)at == AT_FDCWD);
    if (told && strlcpy(first, p.text, sizeof first) >= sizeof first)
        first[0] = 0;
    if (!e)
        e = open_path(&p, flags & ~(uint32_t)O_EXECUTE, mode, &f);
    if (!e && flags & O_DIRECTORY)
        listing_opened(f, first, places);
    return e ? e : fd_new(f, 0, flags & O_CLOEXEC);
}

int64_t sys_open(const uint64_t *a)
{
    return open_common(AT_FDCWD, a[0], (uint32_t)a[1], (uint32_t)a[2]);
}

int64_t sys_openat(const uint64_t *a)
{
    return open_common((int64_t)a[0], a[1], (uint32_t)a[2], (uint32_t)a[3]);
}

int64_t sys_creat(const uint64_t *a)
{
    return open_common(AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC, (uint32_t)a[1]);
}

/* A directory of /proc has no gate: its name alone finds what is in it. */
static int64_t cwd_set(struct file *f, const char *full)
{
    if (f->slot && !may_search(f->slot))
        return -EACCES;
    uint32_t slot = f->slot ? slot_take() : SLOT_ROOT;
    if (!slot)
        return -ENFILE;
    if (f->slot && slot_copy(f->slot, slot)) {
        slot_give(slot);
        return -EIO;
    }
    if (self.cwd_slot != SLOT_ROOT)
        slot_delete(self.cwd_slot);
    listings_forget(0);
    self.cwd_slot = slot;
    strlcpy(self.cwd, full, sizeof self.cwd);
    return 0;
}

int64_t sys_chdir(const uint64_t *a)
{
    struct path p;
    struct file *f;
    int64_t e = path_user(&p, AT_FDCWD, a[0]);
    if (!e)
        e = open_path(&p, O_PATH | O_DIRECTORY, 0, &f);
    if (e)
        return e;
    e = f->kind == FILE_DIRECTORY || f->kind == FILE_PROC ? cwd_set(f, f->path) : -ENOTDIR;
    file_drop(f);
    return e;
}

int64_t sys_fchdir(const uint64_t *a)
{
    struct file *f = file_of(a[0]);
    if (!f)
        return -EBADF;
    return f->kind == FILE_DIRECTORY || f->kind == FILE_PROC ? cwd_set(f, f->path) : -ENOTDIR;
}

/* What the working directory is called by now: it, or one above it, may have been renamed. */
int64_t sys_getcwd(const uint64_t *a)
{
    char path[PATH_MAX + 1] = "/";
    size_t n = 0;
    if (self.cwd_slot == SLOT_ROOT) {
        n = strlcpy(path, self.cwd, sizeof path); /* the root, or in /proc */
    } else {
        own_ready(path, sizeof path);
        int64_t e = errno_of(file_locate(SLOT_ROOT, self.cwd_slot, path + 1, PATH_MAX - 1, &n));
        if (e && e != -EXDEV)
            return e;
        if (e)
            n = (size_t)snprintf(path, sizeof path, "(unreachable)%s", self.cwd);
        else
            path[++n] = 0;
    }
    if (a[1] < n + 1)
        return -ERANGE;
    return user_write(a[0], path, n + 1) ? (int64_t)n + 1 : -EFAULT;
}
