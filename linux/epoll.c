/* SPDX-License-Identifier: MIT */
/*
 * epoll: a list of watched files per instance, asked in turn as poll does. An item belongs to a
 * file and a descriptor number, as in Linux, and goes with the file's last descriptor.
 */
#include "layer.h"
#include "ring.h"

#define EPOLL_TYPES 0x3fffu  /* what poll knows */
#define EPOLL_EXCLUSIVE (1u << 28)
#define EPOLL_WAKEUP (1u << 29)
#define EPOLL_ONESHOT (1u << 30)
#define EPOLL_EDGE (1u << 31)
#define DEPTH_MAX 5u
#define EVENTS_MAX (INT32_MAX / 12)

struct item {
    struct item *next;
    struct file *file;
    const struct ring_hold *ring;           /* of a pipe's reading end: most of what is watched */
    uint32_t fd, events, reported, changes; /* as last reported, for edges */
    bool told, off;                         /* off: one shot, fired */
    uint64_t data;
};
struct epoll { struct epoll *next; struct item *items; uint32_t passes; };
#define PASSES_TRUSTED 32u                  /* between looks at quiet pipes, as in ring.c */
struct epoll_event { uint32_t events; uint64_t data; } __attribute__((packed));

static struct epoll *epolls;

static struct epoll *epoll_of(const struct file *f)
{
    return (struct epoll *)f->value;
}

int64_t sys_epoll_create1(const uint64_t *a)
{
    struct file *f;
    if (a[0] & ~(uint64_t)O_CLOEXEC)
        return -EINVAL;
    int64_t e = file_new(&f);
    if (e)
        return e;
    struct epoll *p = layer_alloc(sizeof *p);
    if (!p) {
        file_drop(f);
        return -ENOMEM;
    }
    p->next = epolls;
    epolls = p;
    f->kind = FILE_EPOLL;
    f->value = (uint64_t)p;
    f->flags = O_RDWR;
    return fd_new(f, 0, a[0] & O_CLOEXEC);
}

int64_t sys_epoll_create(const uint64_t *a)
{
    static const uint64_t none[1];
    return (int32_t)a[0] <= 0 ? -EINVAL : sys_epoll_create1(none);
}

static void items_drop(struct epoll *p, const struct file *f) /* NULL: all */
{
    for (struct item **link = &p->items; *link;) {
        struct item *i = *link;
        if (f && i->file != f) {
            link = &i->next;
            continue;
        }
        *link = i->next;
        layer_free(i);
    }
}

void epoll_forget(struct file *f)
{
    for (struct epoll *p = epolls; p; p = p->next)
        items_drop(p, f);
}

void epoll_free(struct file *f)
{
    struct epoll *p = epoll_of(f), **link = &epolls;
    items_drop(p, 0);
    while (*link != p)
        link = &(*link)->next;
    *link = p->next;
    layer_free(p);
}

static struct item **item_find(struct epoll *p, const struct file *f, uint32_t fd)
{
    struct item **link = &p->items;
    while (*link && ((*link)->file != f || (*link)->fd != fd))
        link = &(*link)->next;
    return link;
}

/* Would a watch of `inner` make a circle, or too long a chain? */
static bool circular(const struct file *outer, const struct file *inner, unsigned depth)
{
    if (inner == outer || depth == DEPTH_MAX)
        return true;
    if (inner->kind != FILE_EPOLL)
        return false;
    for (const struct item *i = epoll_of(inner)->items; i; i = i->next)
        if (i->file->kind == FILE_EPOLL && circular(outer, i->file, depth + 1))
            return true;
    return false;
}

static bool watchable(const struct file *f)
{
    return f->kind == FILE_STREAM || f->kind == FILE_PIPE || f->kind == FILE_SOCKET ||
           f->kind == FILE_TERMINAL || f->kind == FILE_EVENT || f->kind == FILE_TIMER ||
           f->kind == FILE_SIGNAL || f->kind == FILE_EPOLL;
}

int64_t sys_epoll_ctl(const uint64_t *a)
{
    enum { ADD = 1, DELETE, MODIFY };
    struct file *f = file_of((uint32_t)a[0]), *g = file_of((uint32_t)a[2]);
    struct epoll_event event = { 0, 0 };
    uint64_t operation = (uint32_t)a[1];
    if (!f || !g)
        return -EBADF;
    if (operation != DELETE && !user_read(&event, a[3], sizeof event))
        return -EFAULT;
    if (f == g || f->kind != FILE_EPOLL || operation < ADD || operation > MODIFY)
        return -EINVAL;
    if (!watchable(g))
        return -EPERM;
    struct epoll *p = epoll_of(f);
    struct item **link = item_find(p, g, (uint32_t)a[2]), *i = *link;
    if (operation == ADD) {
        if (i)
            return -EEXIST;
        if (g->kind == FILE_EPOLL && circular(f, g, 0))
            return -ELOOP;
        i = layer_alloc(sizeof *i);
        if (!i)
            return -ENOMEM;
        i->file = g;
        i->ring = ring_reader(g);
        i->fd = (uint32_t)a[2];
        *link = i;
    } else if (!i) {
        return -ENOENT;
    } else if (operation == DELETE) {
        *link = i->next;
        layer_free(i);
        return 0;
    }
    i->events = event.events;
    i->data = event.data;
    i->told = i->off = false;
    pollers_wake();
    return 0;
}

/* What of an item is to be reported now. */
static uint32_t item_look(struct item *i, struct look *look)
{
    look->edge = i->events & EPOLL_EDGE && i->told;
    uint32_t found = i->off ? 0 : file_ready(i->file, i->events & EPOLL_TYPES, look);
    if (!(i->events & EPOLL_EDGE))
        return found;
    if (!found)
        i->told = false;
    if (i->told && look->changes == i->changes && !(found & ~i->reported))
        return 0;
    return found;
}

uint32_t epoll_ready(struct file *f, struct look *look)
{
    uint32_t found = 0;
    for (struct item *i = epoll_of(f)->items; i && !found; i = i->next)
        found = item_look(i, look) ? POLLIN : 0;
    look->changes = 0;
    return found;
}

struct waited { struct epoll *epoll; uint64_t to; int64_t most; };

static int64_t epoll_pass(void *context, struct look *look)
{
    const struct waited *w = context;
    struct item *last = 0;
    int64_t n = 0;
    bool trust = !look->watch && ++w->epoll->passes % PASSES_TRUSTED;
    for (struct item *i = w->epoll->items; i && n < w->most; i = i->next) {
        last = i;
        if (i->ring && trust && !i->told && ring_quiet(i->ring, self.deaths))
            continue;
        uint32_t found = item_look(i, look);
        if (!found)
            continue;
        struct epoll_event event = { found, i->data };
        if (!user_write(w->to + (uint64_t)n * sizeof event, &event, sizeof event))
            return n ? n : -EFAULT;
        i->told = true;
        i->reported = found;
        i->changes = look->changes;
        i->off = i->events & EPOLL_ONESHOT;
        n++;
    }
    /* The next wait begins behind what this one reported, so that none starves. */
    if (n == w->most && last && last->next) {
        struct item *head = w->epoll->items, *end = last->next;
        w->epoll->items = last->next;
        last->next = 0;
        while (end->next)
            end = end->next;
        end->next = head;
    }
    return n;
}

static int64_t epoll_wait_with(uint64_t fd, uint64_t to, uint64_t most, uint64_t deadline)
{
    struct file *f = file_hold((uint32_t)fd);
    if ((int32_t)most <= 0 || most > EVENTS_MAX)
        return -EINVAL;
    if (!f)
        return -EBADF;
    if (f->kind != FILE_EPOLL)
        return -EINVAL;
    struct waited w = { epoll_of(f), to, (int32_t)most };
    return ready_wait(epoll_pass, &w, deadline);
}

static uint64_t deadline_ms(uint64_t ms)
{
    return !(int32_t)ms ? DEADLINE_POLL : (int32_t)ms < 0 ? DEADLINE_NEVER
                                        : wait_deadline((uint64_t)(int32_t)ms * 1000000);
}

int64_t sys_epoll_wait(const uint64_t *a)
{
    return epoll_wait_with(a[0], a[1], (uint32_t)a[2], deadline_ms(a[3]));
}

int64_t sys_epoll_pwait(const uint64_t *a)
{
    int64_t e = mask_of_wait(a[4], a[5]);
    return e ? e : mask_of_wait_end(epoll_wait_with(a[0], a[1], (uint32_t)a[2], deadline_ms(a[3])));
}

int64_t sys_epoll_pwait2(const uint64_t *a)
{
    uint64_t ns, deadline = DEADLINE_NEVER;
    int64_t e = a[3] ? timespec_read(a[3], &ns) : 0;
    if (!e && a[3])
        deadline = ns ? wait_deadline(ns) : DEADLINE_POLL;
    if (!e)
        e = mask_of_wait(a[4], a[5]);
    return e ? e : mask_of_wait_end(epoll_wait_with(a[0], a[1], (uint32_t)a[2], deadline));
}
