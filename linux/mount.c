/* SPDX-License-Identifier: MIT */
/* mount(2), umount2(2), and what /proc shows of mounts. The table is the file server's. */
#include "proc.h"
#include <proto/file_client.h>
#include <proto/memory_client.h>

/* mount(2) */
enum {
    MS_REMOUNT = 1 << 5,
    MS_BIND = 1 << 12,
    MS_MOVE = 1 << 13,
    MS_REC = 1 << 14,
    MS_SILENT = 1 << 15,
    MS_UNBINDABLE = 1 << 17,
    MS_PRIVATE = 1 << 18,
    MS_SLAVE = 1 << 19,
    MS_SHARED = 1 << 20,
    MS_KINDS = MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED,
};
#define MS_MAGIC 0xc0ed0000u
/* umount2(2) */
enum { MNT_FORCE = 1, MNT_DETACH = 2, MNT_EXPIRE = 4, UMOUNT_NOFOLLOW = 8 };

#define TYPE_MAX 32
#define OPTIONS_MAX PAGE

struct request {
    struct path path;
    struct file *source;
    uint8_t kind;
    struct file_mount_options options;
    char type[TYPE_MAX], name[PATH_MAX];
};

/* ---- options --------------------------------------------------------------------------------- */

static uint64_t memory_pages(void)
{
    struct memory_totals t;
    own_ready(&t, sizeof t);
    return memory_totals(SLOT_MEMORY, &t) ? 0 : t.pages;
}

/* The number that a text begins with; false: none, or too large for 64 bits. */
static bool number_in(const char **text, unsigned base, uint64_t *number)
{
    const char *c = *text;
    uint64_t n = 0;
    for (; *c >= '0' && *c < (char)('0' + base); c++)
        if (__builtin_mul_overflow(n, base, &n) ||
            __builtin_add_overflow(n, (uint64_t)(*c - '0'), &n))
            return false;
    bool some = c != *text;
    *text = c;
    *number = n;
    return some;
}

/* A number with k, m, g or, of all memory, %. */
static bool size_of(const char *rest, uint64_t *bytes)
{
    static const char units[] = "kmgt";
    uint64_t n;
    if (!number_in(&rest, 10, &n))
        return false;
    const char *unit = *rest ? strchr(units, *rest | 0x20) : 0;
    if (*rest == '%') {
        n = n > 100 ? UINT64_MAX / 2 : memory_pages() * n / 100 * PAGE;
        rest++;
    } else if (unit) {
        unsigned shift = 10 * (unsigned)(unit - units + 1);
        if (n >> (64 - shift))
            return false;
        n <<= shift;
        rest++;
    }
    *bytes = n;
    return !*rest;
}

static bool number_of(const char *text, unsigned base, uint64_t most, uint32_t *number)
{
    uint64_t n;
    if (!number_in(&text, base, &n) || *text || n > most)
        return false;
    *number = (uint32_t)n;
    return true;
}

/* One of tmpfs's options, "name=value". */
static bool option_take(struct file_mount_options *o, const char *text, const char *value)
{
    size_t n = (size_t)(value - text);
    uint64_t number;
#define IS(word) (n == sizeof word && !memcmp(text, word "=", n))
    if (IS("size") && size_of(value, &number))
        o->pages = (number + PAGE - 1) / PAGE;
    else if (IS("nr_blocks") && size_of(value, &number))
        o->pages = number;
    else if (IS("nr_inodes") && size_of(value, &number))
        o->nodes = number;
    else if (IS("mode"))
        return number_of(value, 8, 07777, &o->mode);
    else if (IS("uid"))
        return number_of(value, 10, UINT32_MAX - 1, &o->owner);
    else if (IS("gid"))
        return number_of(value, 10, UINT32_MAX - 1, &o->group);
    else
        return IS("huge") || IS("mpol"); /* there is one kind of memory */
    return true;
#undef IS
}

static bool options_take(struct file_mount_options *o, char *text)
{
    while (*text) {
        char *end = strchrnul(text, ','), *value = strchr(text, '=');
        bool more = *end;
        *end = 0;
        if (*text && (!value || value > end || !option_take(o, text, value + 1)))
            return false;
        text = more ? end + 1 : end;
    }
    return true;
}

/* ---- mount ----------------------------------------------------------------------------------- */

/* What is to be seen a second time. A device is the file that stands for it. */
static int64_t source_open(struct request *r)
{
    struct path p;
    int64_t e = *r->name ? path_set(&p, AT_FDCWD, r->name) : -EINVAL;
    p.full[0] = 0;
    if (!e)
        e = open_path(&p, O_PATH, 0, &r->source);
    if (e)
        return e;
    if (r->source->kind == FILE_PROC && !strcmp(r->source->path, "/proc") &&
        r->kind != FILE_MOUNT_KIND_MOVE) {
        r->kind = FILE_MOUNT_KIND_FOREIGN;
        strlcpy(r->type, "proc", sizeof r->type);
        return 0;
    }
    return r->source->kind == FILE_DIRECTORY || r->source->kind == FILE_PATH ? 0 : -EINVAL;
}

/* By the type's name; what a device would hold is not known here. */
static int64_t new_kind(struct request *r, char *data)
{
    static const struct {
        const char *type, *place;
    } others[] = {{"devtmpfs", "/dev"}, {"devpts", "/dev/pts"}};
    r->kind = FILE_MOUNT_KIND_NEW;
    if (!strcmp(r->type, "proc")) {
        r->kind = FILE_MOUNT_KIND_FOREIGN;
        return 0;
    }
    if (!strcmp(r->type, "tmpfs") || !strcmp(r->type, "ramfs")) {
        r->options.mode = r->type[0] == 't' ? 01777 : 0755;
        r->options.owner = self.ids.file_user;
        r->options.group = self.ids.file_group;
        if (r->type[0] == 't')
            r->options.pages = r->options.nodes = memory_pages() / 2;
        return options_take(&r->options, data) ? 0 : -EINVAL;
    }
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(r->type, others[i].type)) { /* there is one of these, seen at several places */
            r->kind = FILE_MOUNT_KIND_BIND;
            strlcpy(r->name, others[i].place, sizeof r->name);
            return source_open(r);
        }
    return -ENODEV;
}

static int64_t kind_of(struct request *r, uint32_t flags, char *data)
{
    r->options.flags = flags & FILE_MOUNT_ALL;
    if (flags & MS_REMOUNT) {
        r->kind = FILE_MOUNT_KIND_CHANGE;
        return flags & MS_BIND || options_take(&r->options, data) ? 0 : -EINVAL;
    }
    if (flags & MS_BIND) {
        r->kind = flags & MS_REC ? FILE_MOUNT_KIND_BIND_ALL : FILE_MOUNT_KIND_BIND;
        return source_open(r);
    }
    if (flags & MS_MOVE) {
        r->kind = FILE_MOUNT_KIND_MOVE;
        return source_open(r);
    }
    return *r->type ? new_kind(r, data) : -EINVAL;
}

static int64_t text_optional(char *to, uint64_t from, size_t size)
{
    *to = 0;
    int64_t n = from ? user_text(to, from, size) : 0;
    return n < 0 ? n == -ENAMETOOLONG ? -EINVAL : n : 0;
}

/* There is one table, so that nothing is passed on from one to another. */
static int64_t propagation(uint32_t flags)
{
    uint32_t kind = flags & ~(uint32_t)(MS_REC | MS_SILENT);
    return kind == MS_PRIVATE ? 0 : -EINVAL;
}

static int64_t mount_request(struct request *r)
{
    struct path *p = &r->path;
    uint32_t source = r->source && r->kind != FILE_MOUNT_KIND_FOREIGN ? r->source->slot : 0;
    if (!*r->type)
        strlcpy(r->type, "none", sizeof r->type);
    return WALK(p, file_mount(p->gate, p->at ? p->at : p->gate, source, p->text, p->length, r->kind,
                       &r->options, r->type, strlen(r->type), r->name, strlen(r->name), WALK_OUT));
}

/* Of who is not the super-user: whether the place is there is told first. */
static int64_t denied(uint64_t place)
{
    struct file_attributes a;
    int64_t e = look_at(AT_FDCWD, place, 0, &a);
    return e ? e : -EPERM;
}

int64_t sys_mount(const uint64_t *a)
{
    struct request r = {.source = 0};
    char data[OPTIONS_MAX];
    uint32_t flags = (uint32_t)a[3];
    if ((flags & 0xffff0000u) == MS_MAGIC)
        flags &= 0xffffu;
    int64_t e = text_optional(r.type, a[2], sizeof r.type);
    if (!e)
        e = text_optional(r.name, a[0], sizeof r.name);
    if (!e)
        e = text_optional(data, flags & MS_BIND ? 0 : a[4], sizeof data);
    if (!e)
        e = path_user(&r.path, AT_FDCWD, a[1]);
    if (e)
        return e;
    if (self.ids.user)
        e = denied(a[1]);
    else if (!(flags & (MS_REMOUNT | MS_BIND)) && flags & MS_KINDS)
        e = propagation(flags);
    else if (!(e = kind_of(&r, flags, data)))
        e = mount_request(&r);
    if (r.source)
        file_drop(r.source);
    return e == -EPERM && r.path.proc ? -ENOENT : e;
}

int64_t sys_umount2(const uint64_t *a)
{
    struct path p;
    uint32_t how = (a[1] & MNT_DETACH ? FILE_UNMOUNT_DETACH : 0) |
                   (a[1] & UMOUNT_NOFOLLOW ? FILE_UNMOUNT_NO_FOLLOW : 0);
    if (a[1] & ~(uint64_t)(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW) ||
        (a[1] & MNT_EXPIRE && a[1] & (MNT_FORCE | MNT_DETACH)))
        return -EINVAL;
    int64_t e = path_user(&p, AT_FDCWD, a[0]);
    if (e)
        return e;
    if (self.ids.user)
        return denied(a[0]);
    if (a[1] & MNT_EXPIRE)
        return -EAGAIN; /* nobody remembers that it was asked for before */
    e = WALK(&p, file_unmount(p.gate, p.at ? p.at : p.gate, p.text, p.length, how, WALK_OUT));
    return e == -EPERM && p.proc ? -EINVAL : e;
}

/* ---- /proc ----------------------------------------------------------------------------------- */

struct mounted {
    const struct file_mounted *head;
    const char *place, *root, *type, *name;
};

static const char *behind(const char *text)
{
    return text + strlen(text) + 1;
}

/* What would separate words, as octal numbers. */
static size_t add_word(char *to, size_t size, size_t n, const char *text)
{
    for (; *text && n + 5 < size; text++) {
        if (strchr(" \t\n\\", *text))
            n += (size_t)snprintf(to + n, size - n, "\\%03o", (unsigned)*text);
        else
            to[n++] = *text;
    }
    if (n < size)
        to[n] = 0;
    return n;
}

static size_t add_flags(char *to, size_t size, size_t n, uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *text;
    } shown[] = {{FILE_MOUNT_NO_SET_ID, ",nosuid"}, {FILE_MOUNT_NO_DEVICES, ",nodev"},
        {FILE_MOUNT_NO_PROGRAMS, ",noexec"}, {FILE_MOUNT_NO_ACCESS_TIMES, ",noatime"}};
    n = text_add(to, size, n, flags & FILE_MOUNT_READ_ONLY ? "ro" : "rw");
    for (unsigned i = 0; i < sizeof shown / sizeof *shown; i++)
        if (flags & shown[i].flag)
            n = text_add(to, size, n, "%s", shown[i].text);
    return flags & FILE_MOUNT_NO_ACCESS_TIMES ? n : text_add(to, size, n, ",relatime");
}

static size_t add_limits(char *to, size_t size, size_t n, const struct file_mounted *m)
{
    if (m->pages)
        n = text_add(to, size, n, ",size=%luk", (unsigned long)(m->pages * (PAGE / 1024)));
    return m->nodes ? text_add(to, size, n, ",nr_inodes=%lu", (unsigned long)m->nodes) : n;
}

static size_t add_mount(char *to, size_t size, size_t n, const struct mounted *m)
{
    n = add_word(to, size, n, *m->name ? m->name : "none");
    n = text_add(to, size, n, " ");
    n = add_word(to, size, n, m->place);
    n = text_add(to, size, n, " %s ", m->type);
    n = add_flags(to, size, n, m->head->flags);
    n = add_limits(to, size, n, m->head);
    return text_add(to, size, n, " 0 0\n");
}

static size_t add_mountinfo(char *to, size_t size, size_t n, const struct mounted *m)
{
    const unsigned proc_device = 4; /* as files in it say */
    unsigned device = m->head->device ? (unsigned)m->head->device : proc_device;
    n = text_add(to, size, n, "%lu %lu 0:%u ", (unsigned long)m->head->number,
        (unsigned long)m->head->parent, device);
    n = add_word(to, size, n, m->root);
    n = text_add(to, size, n, " ");
    n = add_word(to, size, n, m->place);
    n = text_add(to, size, n, " ");
    n = add_flags(to, size, n, m->head->flags);
    n = text_add(to, size, n, " - %s ", m->type);
    n = add_word(to, size, n, *m->name ? m->name : "none");
    n = text_add(to, size, n, " rw");
    n = add_limits(to, size, n, m->head);
    return text_add(to, size, n, "\n");
}

static size_t each(
    char *to, size_t size, size_t (*show)(char *to, size_t size, size_t n, const struct mounted *m))
{
    static TABLE uint8_t list[4 * PAGE] __attribute__((aligned(8)));
    uint64_t after = 0;
    size_t n = 0, bytes = 0;
    uint32_t count = 0;
    do {
        own_ready(list, sizeof list);
        if (file_mounts(SLOT_ROOT, after, list, sizeof list, &bytes, &count))
            break;
        const uint8_t *at = list;
        for (uint32_t i = 0; i < count; i++) {
            const struct file_mounted *head = (const struct file_mounted *)at;
            struct mounted m = {.head = head, .place = (const char *)(head + 1)};
            m.root = behind(m.place);
            m.type = behind(m.root);
            m.name = behind(m.type);
            n = show(to, size, n, &m);
            after = head->number;
            at += head->whole;
        }
    } while (count && n < size);
    return n;
}

size_t proc_mounts(const struct about *a, char *to, size_t size)
{
    (void)a;
    return each(to, size, add_mount);
}

size_t proc_mountinfo(const struct about *a, char *to, size_t size)
{
    (void)a;
    return each(to, size, add_mountinfo);
}
