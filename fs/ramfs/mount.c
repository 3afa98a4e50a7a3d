/* SPDX-License-Identifier: MIT */
/*
 * Mounts: which tree is seen where. A place is a mount and a node in it, as on Linux; a walk
 * carries both. A node knows the mounts that cover it, one for each mount that it is seen through,
 * so a walk pays one test for each part of a path.
 *
 * Nobody counts users: the few who ask (unmount, read-only) look through the open files.
 */
#include "ramfs.h"
#include <rt/string.h>

#define FIRST_DEVICE 1u
#define DEVICES 16u /* those of later volumes; the Linux layer uses some between */
#define STEPS 200u  /* names that are taken away while others wait */

/* ---- volumes --------------------------------------------------------------------------------- */

static struct volume *volume_make(const struct file_mount_options *o)
{
    struct volume *v = capsule_alloc(sizeof *v);
    if (!v)
        return 0;
    TX_SET(fs->volumes_made, fs->volumes_made + 1);
    v->device = fs->volumes_made == 1 ? FIRST_DEVICE : DEVICES + fs->volumes_made;
    v->page_limit = o->pages;
    v->node_limit = o->nodes;
    struct node *root = node_new(S_DIRECTORY | o->mode, v);
    if (!root)
        return 0;
    root->owner = o->owner;
    root->group = o->group;
    TX_SET(v->root, root);
    return v;
}

static void volume_drop(struct volume *v)
{
    TX_SET(v->mounts, v->mounts - 1);
    if (v->mounts)
        return;
    TX_SET(v->next_unmounted, fs->unmounted);
    TX_SET(fs->unmounted, v);
    main_wake();
}

/* Some name of a tree that has nothing below it. */
static struct entry *leaf(const struct node *directory)
{
    struct entry *e = directory->last;
    while (e && (e->node->mode & S_TYPE) == S_DIRECTORY && e->node->last)
        e = e->node->last;
    return e;
}

bool volumes_empty(void)
{
    unsigned steps = STEPS;
    tx_begin();
    for (struct volume *v; (v = fs->unmounted) != 0 && steps; steps--) {
        struct entry *e = leaf(v->root);
        if (e) {
            name_remove(e);
        } else {
            TX_SET(fs->unmounted, v->next_unmounted);
            TX_SET(v->root->links, 0);
            TX_SET(v->gone, true);
            node_drop(v->root);
        }
        tx_split();
    }
    bool all = !fs->unmounted;
    tx_commit();
    return all;
}

void volume_left(struct volume *v)
{
    TX_SET(v->nodes, v->nodes - 1);
    if (v->gone && !v->nodes)
        capsule_free(v, sizeof *v);
}

/* ---- the table ------------------------------------------------------------------------------- */

static size_t texts_bytes(const char *texts)
{
    size_t type = strlen(texts) + 1;
    return type + strlen(texts + type) + 1;
}

struct mount *mounted_on(const struct node *n, const struct mount *m)
{
    for (struct mount *x = n->covers; x; x = x->next_here)
        if (x->parent == m)
            return x;
    return 0;
}

static void cover(struct mount *m, struct mount *parent, struct node *point, struct entry *name)
{
    bool named = name && (point->mode & S_TYPE) != S_DIRECTORY && point != parent->root;
    TX_SET(m->name, named ? name : 0);
    TX_SET(m->parent, parent);
    TX_SET(m->point, point);
    places_change();
    TX_SET(m->next_here, point->covers);
    TX_SET(point->covers, m);
    TX_SET(point->opens, point->opens + 1);
}

static void uncover(struct mount *m)
{
    struct mount **link = &m->point->covers;
    places_change();
    while (*link != m)
        link = &(*link)->next_here;
    TX_SET(*link, m->next_here);
    TX_SET(m->point->opens, m->point->opens - 1);
    node_drop(m->point);
    TX_SET(m->parent, 0);
    TX_SET(m->point, 0);
}

/* texts: the type and what it is made of, with a NUL each. */
static struct mount *mount_make(
    struct node *root, bool foreign, uint32_t flags, const char *texts, size_t texts_length)
{
    struct mount *m = capsule_alloc(sizeof *m + texts_length);
    if (!m)
        return 0;
    TX_SET(fs->mounts_made, fs->mounts_made + 1);
    m->number = fs->mounts_made;
    m->root = root;
    m->flags = flags;
    m->foreign = foreign;
    memcpy(m->texts, texts, texts_length);
    m->prev = fs->last_mount;
    if (fs->last_mount)
        TX_SET(fs->last_mount->next, m);
    else
        TX_SET(fs->mounts, m);
    TX_SET(fs->last_mount, m);
    TX_SET(root->opens, root->opens + 1);
    TX_SET(root->volume->mounts, root->volume->mounts + 1);
    return m;
}

static bool in_use(const struct mount *m)
{
    for (const struct open_file *o = fs->opens; o; o = o->next)
        if (o->mount == m)
            return true;
    for (const struct session *s = fs->sessions; s; s = s->next)
        if (s->root && s->mount == m)
            return true;
    return false;
}

void mount_left(struct mount *m)
{
    if (m->parent || m == fs->mounts || in_use(m))
        return;
    if (m->prev)
        TX_SET(m->prev->next, m->next);
    if (m->next)
        TX_SET(m->next->prev, m->prev);
    else
        TX_SET(fs->last_mount, m->prev);
    struct volume *v = m->root->volume;
    TX_SET(m->root->opens, m->root->opens - 1);
    node_drop(m->root);
    volume_drop(v);
    capsule_free(m, sizeof *m + texts_bytes(m->texts));
}

static bool below(const struct mount *m, const struct mount *top)
{
    while (m && m != top)
        m = m->parent;
    return m;
}

static bool has_children(const struct mount *m)
{
    for (const struct mount *x = fs->mounts; x; x = x->next)
        if (x->parent == m)
            return true;
    return false;
}

bool mount_first(void)
{
    static const char texts[] = "tmpfs\0ramfs";
    struct volume *v = volume_make(&(struct file_mount_options){.mode = 0755});
    if (!v || !mount_make(v->root, false, 0, texts, sizeof texts))
        return false;
    TX_SET(fs->root, v->root);
    return true;
}

/* What Linux programs expect to be mounted: /proc, which is made by who looks, and /dev. */
void mounts_usual(void)
{
    static const struct {
        char name[5], texts[20];
        bool foreign;
    } usual[] = {{"proc", "proc\0proc", true}, {"dev", "devtmpfs\0devtmpfs", false}};
    for (unsigned i = 0; i < sizeof usual / sizeof *usual; i++) {
        const char *texts = usual[i].texts;
        struct entry *e = entry_find(fs->root, usual[i].name, (uint32_t)strlen(usual[i].name));
        if (!e || (e->node->mode & S_TYPE) != S_DIRECTORY)
            continue;
        struct mount *m = mount_make(e->node, usual[i].foreign, 0, texts, texts_bytes(texts));
        if (m)
            cover(m, fs->mounts, e->node, e);
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

struct request {
    struct mount *parent; /* where it goes */
    struct node *point;
    struct entry *name; /* the point's, if it was come by through one */
    struct mount *from; /* what `source` stands for */
    struct node *node;
    const struct file_mount_options *options;
    size_t texts_length;
    char texts[32 + FILE_PATH_MAX + 2];
};

static uint32_t mount_new(const struct request *r, struct node *root, bool foreign)
{
    struct mount *m =
        root ? mount_make(root, foreign, r->options->flags, r->texts, r->texts_length) : 0;
    if (m)
        cover(m, r->parent, r->point, r->name);
    return m ? 0 : FILE_ERROR_NOMEM;
}

static uint32_t new_volume(const struct request *r)
{
    struct volume *v = volume_make(r->options);
    return mount_new(r, v ? v->root : 0, false);
}

static struct mount *copy(const struct mount *m, struct node *root)
{
    return mount_make(root, m->foreign, m->flags, m->texts, texts_bytes(m->texts));
}

static uint32_t bind(const struct request *r, bool all)
{
    uint64_t last = fs->mounts_made;
    struct mount *c = copy(r->from, r->node);
    if (!c)
        return FILE_ERROR_NOMEM;
    cover(c, r->parent, r->point, r->name);
    if (!all)
        return 0;
    for (struct mount *m = fs->mounts; m; m = m->next)
        m->copy = m == r->from ? c : 0;
    /* Parents stand before what lies in them, but for what was moved: once more for that. */
    for (bool more = true; more;) {
        more = false;
        for (struct mount *m = fs->mounts; m && m->number <= last; m = m->next) {
            const struct node *place = m->name ? m->name->directory : m->point;
            if (m->copy || !m->parent || !m->parent->copy ||
                (m->parent == r->from && !inside(place, r->node)))
                continue;
            if (tx_full())
                return FILE_ERROR_NOSPC;
            struct mount *made = copy(m, m->root);
            if (!made)
                return FILE_ERROR_NOMEM;
            cover(made, m->parent->copy, m->point, m->name);
            m->copy = made;
            more = true;
        }
    }
    return 0;
}

static uint32_t move(const struct request *r)
{
    if (r->node != r->from->root || !r->from->parent)
        return FILE_ERROR_INVAL;
    if (below(r->parent, r->from))
        return FILE_ERROR_LOOP;
    uncover(r->from);
    cover(r->from, r->parent, r->point, r->name);
    return 0;
}

static bool writers(const struct mount *m)
{
    for (const struct open_file *o = fs->opens; o; o = o->next)
        if (o->mount == m && o->flags & FILE_OPEN_WRITE)
            return true;
    return false;
}

static uint32_t change(struct mount *m, const struct file_mount_options *o)
{
    struct volume *v = m->root->volume;
    if (o->flags & FILE_MOUNT_READ_ONLY && !(m->flags & FILE_MOUNT_READ_ONLY) && writers(m))
        return FILE_ERROR_BUSY;
    if ((o->pages && (!v->page_limit || o->pages < v->pages)) ||
        (o->nodes && (!v->node_limit || o->nodes < v->nodes)))
        return FILE_ERROR_INVAL;
    TX_SET(m->flags, o->flags);
    if (o->pages)
        TX_SET(v->page_limit, o->pages);
    if (o->nodes)
        TX_SET(v->node_limit, o->nodes);
    return 0;
}

static bool texts_take(struct request *r, struct rpc_in type, struct rpc_in name)
{
    r->texts_length = type.length + 1 + name.length + 1;
    memset(r->texts, 0, r->texts_length);
    return rt_copy_from_client(type.offset, r->texts, type.length) &&
           rt_copy_from_client(name.offset, r->texts + type.length + 1, name.length) &&
           strlen(r->texts) == type.length && strlen(r->texts + type.length + 1) == name.length;
}

static uint32_t mount_do(const struct request *r, uint8_t kind)
{
    bool directory = (r->point->mode & S_TYPE) == S_DIRECTORY;
    bool changes = kind == FILE_MOUNT_KIND_CHANGE;
    const struct node *root = r->from ? r->node : fs->root;
    if (kind >= FILE_MOUNT_KIND_BIND && !changes && !r->from)
        return FILE_ERROR_INVAL;
    if (changes)
        return r->point == r->parent->root ? change(r->parent, r->options) : FILE_ERROR_INVAL;
    if (directory != ((root->mode & S_TYPE) == S_DIRECTORY))
        return FILE_ERROR_NOTDIR;
    if (!r->point->links)
        return FILE_ERROR_NOENT; /* it was removed */
    switch (kind) {
    case FILE_MOUNT_KIND_NEW:
        return new_volume(r);
    case FILE_MOUNT_KIND_FOREIGN:
        return mount_new(r, r->point, true);
    case FILE_MOUNT_KIND_MOVE:
        return move(r);
    default:
        return bind(r, kind == FILE_MOUNT_KIND_BIND_ALL);
    }
}

uint32_t file_serve_mount(struct file_server *s, uint64_t badge, uint64_t sequence, uint32_t at,
    uint32_t source, struct rpc_in path, uint8_t kind, const struct file_mount_options *options,
    struct rpc_in type, struct rpc_in name, uint8_t *walk, uint16_t *walked, struct rpc_out *target)
{
    static struct request r; /* used under the transaction's lock only */
    struct walk *w = walk_buffer();
    struct caller c, from;
    struct stored stored;
    (void)s;
    tx_begin();
    if (repeated(badge, sequence, &stored))
        return end(stored.status);
    r.from = 0;
    r.options = options;
    uint32_t status = caller_of(badge, at, &c);
    if (!status && source && !(status = caller_of(badge, source, &from))) {
        r.from = from.at_mount;
        r.node = from.at;
    }
    if (!status && !is_super(c.session))
        status = FILE_ERROR_PERM;
    c.foreign = true;
    if (!status)
        status = walk_path(&c, path, WALK_FOLLOW, w);
    if (status)
        return undo(status);
    walk_out(w, walk, walked, target);
    if (w->kind != FILE_WALK_DONE)
        return end(0);
    if (!w->node)
        return undo(FILE_ERROR_NOENT);
    r.parent = w->mount;
    r.point = w->node;
    r.name = w->entry;
    if (!texts_take(&r, type, name))
        return undo(FILE_ERROR_INVAL);
    status = mount_do(&r, kind);
    return status ? undo(status) : finish(badge, sequence, &stored, 0);
}

uint32_t file_serve_unmount(struct file_server *s, uint64_t badge, uint64_t sequence, uint32_t at,
    struct rpc_in path, uint32_t flags, uint8_t *walk, uint16_t *walked, struct rpc_out *target)
{
    struct walk *w = walk_buffer();
    struct caller c;
    struct stored r;
    bool detach = flags & FILE_UNMOUNT_DETACH;
    (void)s;
    tx_begin();
    if (repeated(badge, sequence, &r))
        return end(r.status);
    uint32_t status = caller_of(badge, at, &c);
    if (!status && !is_super(c.session))
        status = FILE_ERROR_PERM;
    c.foreign = true;
    if (!status)
        status = walk_path(&c, path, flags & FILE_UNMOUNT_NO_FOLLOW ? WALK_STAY : WALK_FOLLOW, w);
    if (status)
        return undo(status);
    walk_out(w, walk, walked, target);
    if (w->kind != FILE_WALK_DONE)
        return end(0);
    if (!w->node)
        return undo(FILE_ERROR_NOENT);
    struct mount *top = w->mount;
    if (w->node != top->root || !top->parent)
        return undo(FILE_ERROR_INVAL);
    if (!detach && (has_children(top) || in_use(top)))
        return undo(FILE_ERROR_BUSY);
    /* What lies deeper goes first, a step at a time: whoever repeats the request goes on. */
    for (struct mount *m = fs->last_mount, *prev; m; m = prev) {
        prev = m->prev;
        if (m == top || !below(m, top))
            continue;
        uncover(m);
        mount_left(m);
        if (tx_full()) {
            tx_split();
            prev = fs->last_mount;
        }
    }
    uncover(top);
    mount_left(top);
    return finish(badge, sequence, &r, 0);
}

/* ---- what is told of them -------------------------------------------------------------------- */

/* From a mount's root to what it covers. The name of a file there is the mount's to know. */
static const struct entry *go_out(const struct node **n, const struct mount **m)
{
    const struct mount *left = *m;
    *n = left->point;
    *m = left->parent;
    return left->name;
}

/* Lays the names from a place up to another before `from`; NULL: not below it, or no room. */
static char *names_up(const struct node *n, const struct mount *m, const struct node *top,
    const struct mount *top_mount, char *start, char *from)
{
    char *end = from;
    while (n != top || m != top_mount) {
        const struct entry *e = n->name;
        if (n == m->root && m->parent && !(e = go_out(&n, &m)))
            continue;
        if (!e || from - start <= (ptrdiff_t)e->length)
            return 0;
        from -= e->length;
        memcpy(from, e->name, e->length);
        *--from = '/';
        n = e->directory;
    }
    if (from == end && from > start)
        *--from = '/';
    return from;
}

uint32_t place_path(const struct caller *c, char *start, char **from)
{
    char *end = *from;
    const struct node *n = c->at;
    const struct mount *m = c->at_mount;
    char *at = names_up(n, m, c->root, c->root_mount, start, end);
    if (at) {
        *from = at;
        return 0;
    }
    /* Why not? */
    while (n->name || (n == m->root && m->parent)) {
        if (n == m->root && m->parent)
            (void)go_out(&n, &m);
        else
            n = n->parent;
        if (n == c->root && m == c->root_mount)
            return FILE_ERROR_NAMETOOLONG;
    }
    return n == n->volume->root ? FILE_ERROR_XDEV : FILE_ERROR_NOENT;
}

uint32_t file_serve_mounts(
    struct file_server *s, uint64_t badge, uint64_t after, struct rpc_out *list, uint32_t *count)
{
    static uint8_t buffer[sizeof(struct file_mounted) + 3 * (FILE_PATH_MAX + 2) + 64]
        __attribute__((aligned(8)));
    static char path[FILE_PATH_MAX + 2], root[FILE_PATH_MAX + 2];
    static const struct mount nothing;
    struct caller c;
    uint64_t used = 0;
    (void)s;
    tx_begin();
    uint32_t status = caller_of(badge, 0, &c);
    if (status)
        return end(status);
    for (const struct mount *m = fs->mounts; m; m = m->next) {
        if (m->number <= after || (!m->parent && m != fs->mounts))
            continue;
        path[sizeof path - 1] = root[sizeof root - 1] = 0;
        char *p = names_up(m->root, m, c.root, c.root_mount, path, path + sizeof path - 1);
        const struct node *top = m->foreign ? m->root : m->root->volume->root;
        char *q = names_up(m->root, &nothing, top, &nothing, root, root + sizeof root - 1);
        if (!p)
            continue;
        const char *texts[] = {p, q ? q : "/", m->texts, m->texts + strlen(m->texts) + 1};
        struct file_mounted *head = (struct file_mounted *)buffer;
        size_t n = sizeof *head;
        *head = (struct file_mounted){
            .number = m->number,
            .parent = m->parent ? m->parent->number : m->number,
            .device = m->foreign ? 0 : m->root->volume->device,
            .pages = m->foreign ? 0 : m->root->volume->page_limit,
            .nodes = m->foreign ? 0 : m->root->volume->node_limit,
            .flags = m->flags,
        };
        for (unsigned i = 0; i < 4; i++)
            n += strlcpy((char *)buffer + n, texts[i], sizeof buffer - n) + 1;
        while (n % 8)
            buffer[n++] = 0;
        head->whole = (uint16_t)n;
        if (used + n > list->capacity)
            break;
        if (!rt_copy_to_client(list->offset + used, buffer, n))
            return end(RPC_BAD_BUFFER);
        used += n;
        (*count)++;
    }
    list->length = used;
    return end(0);
}
