/* SPDX-License-Identifier: MIT */
/* The file protocol, and the life of open files. Every request runs in one transaction, so
 * that a killed server leaves it done, with its reply stored, or not begun. */
#include "ramfs.h"
#include <proto/memory.h>
#include <rt/string.h>

#define RAMFS_MAGIC 0x01021994u
#define MODE_BITS 07777u
#define MAPPED_AGAIN_NS 500000000ull
#define WORK 1u                         /* a bit of the main thread's notification */
#define MAINTENANCE (DESCRIBED_MAX - 1) /* badge of our own gate; descriptions use smaller ones */
#define SET_ID_BITS 06000u
#define SAME UINT32_MAX /* an owner or a group that stays */

struct walk *walk_buffer(void)
{
    static struct walk w; /* used under the transaction's lock only */
    return &w;
}

static struct open_file *opened(uint64_t badge)
{
    return badge < DESCRIBED_MAX || badge & SESSION_BIT ? 0 : (struct open_file *)badge;
}

static bool is(const struct node *n, uint32_t type)
{
    return (n->mode & S_TYPE) == type;
}

bool repeated(uint64_t badge, uint64_t sequence, struct stored *r)
{
    memset(r, 0, sizeof *r);
    return capsule_reply_find(badge, sequence, r, sizeof *r);
}

uint32_t finish(uint64_t badge, uint64_t sequence, struct stored *r, uint32_t status)
{
    r->status = status;
    capsule_reply_store(badge, sequence, r, sizeof *r);
    tx_commit();
    return status;
}

uint32_t end(uint32_t status)
{
    tx_commit();
    return status;
}

uint32_t undo(uint32_t status)
{
    tx_abort();
    return status;
}

void walk_out(const struct walk *w, uint8_t *kind, uint16_t *walked, struct rpc_out *target)
{
    *kind = w->kind;
    *walked = w->walked;
    if (w->kind == FILE_WALK_DONE || !target)
        return;
    if (w->target_length <= target->capacity && /* a part of it would lead elsewhere */
        rt_copy_to_client(target->offset, w->target, w->target_length))
        target->length = w->target_length;
}

/* ---- open files --------------------------------------------------------------------------- */

static uint32_t open_make(
    const struct caller *c, const struct walk *w, uint32_t flags, uint32_t *file)
{
    const uint32_t no_times = FILE_MOUNT_READ_ONLY | FILE_MOUNT_NO_ACCESS_TIMES;
    struct open_file *o = capsule_alloc(sizeof *o);
    struct node *n = w->node;
    if (!o)
        return FILE_ERROR_NOMEM;
    o->node = n;
    o->mount = w->mount;
    o->flags = flags | (w->mount->flags & no_times ? FILE_OPEN_NO_ACCESS_TIME : 0);
    o->privileged = is_super(c->session);
    o->gate = rt_gate_create(file_service, (uint64_t)o);
    if (!o->gate)
        return FILE_ERROR_MFILE;
    o->next = fs->opens;
    if (fs->opens)
        TX_SET(fs->opens->prev, o);
    TX_SET(fs->opens, o);
    TX_SET(n->opens, n->opens + 1);
    if (flags & FILE_OPEN_WRITE)
        TX_SET(n->writers, n->writers + 1);
    *file = o->gate;
    return 0;
}

static void open_end(struct open_file *o)
{
    rt_gate_free(o->gate);
    locks_end(o);
    if (o->prev)
        TX_SET(o->prev->next, o->next);
    else
        TX_SET(fs->opens, o->next);
    if (o->next)
        TX_SET(o->next->prev, o->prev);
    TX_SET(o->node->opens, o->node->opens - 1);
    if (o->flags & FILE_OPEN_WRITE)
        TX_SET(o->node->writers, o->node->writers - 1);
    node_drop(o->node);
    mount_left(o->mount);
    capsule_free(o, sizeof *o);
}

static void closed(uint64_t badge)
{
    if (badge < DESCRIBED_MAX)
        return; /* our own */
    tx_begin();
    struct open_file *o = opened(badge);
    if (badge & SESSION_BIT)
        session_closed(badge);
    else if (o && rt_gate_is(o->gate, file_service, badge))
        open_end(o);
    tx_commit();
}

static void closed_take(void)
{
    uint64_t badge;
    while (rt_closed(file_service, &badge))
        closed(badge);
}

void rt_undelivered(uint32_t slot)
{
    uint64_t badge;
    if (rt_gate_unheld(slot, file_service, &badge))
        closed(badge);
}

/* What a killed server gave out but nobody received. */
static void leftovers_close(void)
{
    tx_begin();
    for (struct open_file *o = fs->opens, *next; o; o = next) {
        next = o->next;
        struct pith_result r = pith_gate_info(o->gate);
        if (r.status || r.value <= 1)
            open_end(o);
        if (tx_full())
            tx_split();
    }
    sessions_check();
    tx_commit();
}

static uint32_t open_check(
    const struct caller *c, const struct walk *w, uint32_t flags, bool created)
{
    const struct node *n = w->node;
    unsigned want = flags & FILE_OPEN_EXECUTE
                        ? MAY_EXECUTE /* who runs it need not see it */
                        : (flags & FILE_OPEN_READ ? MAY_READ : 0) |
                              (flags & (FILE_OPEN_WRITE | FILE_OPEN_TRUNCATE) ? MAY_WRITE : 0);
    if ((flags & FILE_OPEN_DIRECTORY || w->slash) && !is(n, S_DIRECTORY))
        return FILE_ERROR_NOTDIR;
    if (is(n, S_LINK) && !(flags & FILE_OPEN_PATH))
        return FILE_ERROR_LOOP;
    if (is(n, S_DIRECTORY) && flags & FILE_OPEN_WRITE)
        return FILE_ERROR_ISDIR;
    if (flags & FILE_OPEN_EXECUTE && !is(n, S_REGULAR))
        return FILE_ERROR_ACCES;
    if (!(flags & FILE_OPEN_PATH) && !created && !may(c->session, n, want))
        return FILE_ERROR_ACCES;
    if (!(flags & FILE_OPEN_PATH) && w->mount->flags) {
        if (want & MAY_WRITE && is(n, S_REGULAR) && read_only(w->mount))
            return FILE_ERROR_ROFS;
        if ((flags & FILE_OPEN_EXECUTE && w->mount->flags & FILE_MOUNT_NO_PROGRAMS) ||
            ((is(n, S_CHAR) || is(n, S_BLOCK)) && w->mount->flags & FILE_MOUNT_NO_DEVICES))
            return FILE_ERROR_ACCES;
    }
    if (flags & FILE_OPEN_NO_ACCESS_TIME && !is_owner(c->session, n))
        return c->session ? FILE_ERROR_PERM : FILE_ERROR_ACCES;
    if (is(n, S_SOCKET) && !(flags & FILE_OPEN_PATH))
        return FILE_ERROR_NXIO;
    if (flags & FILE_OPEN_EXECUTE && n->writers)
        return FILE_ERROR_TXTBSY;
    return 0;
}

/* A small file comes along, where its time of access does not tell whether it is read then. */
static void content_out(struct node *n, uint32_t flags, struct rpc_out *content)
{
    bool bad = false;
    if (content->capacity && is(n, S_REGULAR) &&
        (flags & (FILE_OPEN_READ | FILE_OPEN_WRITE | FILE_OPEN_EXECUTE)) == FILE_OPEN_READ &&
        n->size <= content->capacity && node_access_told(n, flags))
        content->length = node_read(n, 0, content, n->size, &bad);
}

uint32_t file_serve_open(struct file_server *s, uint64_t badge, uint32_t at, struct rpc_in path,
    uint32_t flags, uint8_t *walk, uint16_t *walked, struct file_attributes *attributes,
    struct rpc_out *content, uint32_t *file)
{
    struct walk *w = walk_buffer();
    struct caller c;
    (void)s;
    tx_begin();
    uint32_t status = caller_of(badge, at, &c);
    if (!status)
        status = walk_path(&c, path, !(flags & FILE_OPEN_NO_FOLLOW), w);
    if (status)
        return undo(status);
    walk_out(w, walk, walked, content);
    if (w->kind != FILE_WALK_DONE)
        return end(0);
    if (!w->node)
        return undo(FILE_ERROR_NOENT);
    status = open_check(&c, w, flags, false);
    if (!status)
        status = open_make(&c, w, flags, file);
    if (status)
        return undo(status);
    node_attributes(w->node, attributes);
    content_out(w->node, flags, content);
    return end(0);
}

uint32_t file_serve_create(struct file_server *s, uint64_t badge, uint64_t sequence, uint32_t at,
    struct rpc_in path, uint32_t flags, uint16_t mode, uint8_t *walk, uint16_t *walked,
    bool *created, struct file_attributes *attributes, struct rpc_out *content, uint32_t *file)
{
    struct walk *w = walk_buffer();
    struct caller c;
    struct stored r;
    (void)s;
    tx_begin();
    bool again = repeated(badge, sequence, &r);
    if (again && r.status)
        return end(r.status);
    bool exclusive = flags & FILE_OPEN_EXCLUSIVE && !again;
    uint32_t status = caller_of(badge, at, &c);
    if (!status)
        status = walk_path(&c, path, !(flags & (FILE_OPEN_NO_FOLLOW | FILE_OPEN_EXCLUSIVE)), w);
    if (status)
        return undo(status);
    walk_out(w, walk, walked, content);
    if (w->kind != FILE_WALK_DONE)
        return end(0);
    *created = again && r.a;
    if (flags & FILE_OPEN_TEMPORARY) {
        if (!w->node || !is(w->node, S_DIRECTORY))
            return undo(w->node ? FILE_ERROR_NOTDIR : FILE_ERROR_NOENT);
        const struct node *directory = w->node;
        if ((status = may_add(&c, w->mount, directory)) != 0)
            return undo(status);
        w->node = node_new(S_REGULAR | (mode & MODE_BITS), directory->volume);
        if (!w->node)
            return undo(FILE_ERROR_NOSPC);
        node_own(w->node, c.session, directory);
        *created = true;
        TX_SET(w->node->temporary, !(flags & FILE_OPEN_EXCLUSIVE));
        flags &= ~(uint32_t)FILE_OPEN_DIRECTORY;
        w->slash = false;
    }
    if (w->node && exclusive && !(flags & FILE_OPEN_TEMPORARY))
        return undo(FILE_ERROR_EXIST);
    if (w->node && is(w->node, S_DIRECTORY))
        return undo(FILE_ERROR_ISDIR);
    if (!w->node) {
        if (w->slash)
            return undo(FILE_ERROR_ISDIR);
        if (!w->parent->links)
            return undo(FILE_ERROR_NOENT); /* a directory that was removed */
        if ((status = may_add(&c, w->parent_mount, w->parent)) != 0)
            return undo(status);
        w->node = node_new(S_REGULAR | (mode & MODE_BITS), w->parent->volume);
        if (!w->node || !entry_add(w->parent, w->last, w->last_length, w->node))
            return undo(FILE_ERROR_NOSPC);
        node_own(w->node, c.session, w->parent);
        *created = true;
    }
    status = open_check(&c, w, flags, *created);
    if (!status)
        status = open_make(&c, w, flags, file);
    if (status)
        return undo(status);
    if (flags & FILE_OPEN_TRUNCATE && is(w->node, S_REGULAR) && w->node->size && !again) {
        node_resize(w->node, 0);
        node_touch(w->node, true);
    }
    node_attributes(w->node, attributes);
    content_out(w->node, flags, content);
    r.a = *created;
    return finish(badge, sequence, &r, 0);
}

/* ---- looking --------------------------------------------------------------------------------- */

uint32_t file_serve_look(struct file_server *s, uint64_t badge, uint32_t at, struct rpc_in path,
    uint32_t flags, uint8_t *walk, uint16_t *walked, struct file_attributes *attributes,
    struct rpc_out *target)
{
    struct walk *w = walk_buffer();
    struct caller c;
    (void)s;
    tx_begin();
    uint32_t status = caller_of(badge, at, &c);
    if (!status)
        status = walk_path(&c, path, !(flags & FILE_LOOK_NO_FOLLOW), w);
    if (status)
        return end(status);
    walk_out(w, walk, walked, target);
    if (w->kind != FILE_WALK_DONE)
        return end(0);
    if (!w->node)
        return end(FILE_ERROR_NOENT);
    if (w->slash && !is(w->node, S_DIRECTORY))
        return end(FILE_ERROR_NOTDIR);
    node_attributes(w->node, attributes);
    return end(0);
}

uint32_t file_serve_access(struct file_server *s, uint64_t badge, uint32_t at, struct rpc_in path,
    uint32_t what, uint8_t *walk, uint16_t *walked, struct rpc_out *target)
{
    struct walk *w = walk_buffer();
    struct caller c;
    (void)s;
    tx_begin();
    uint32_t status = caller_of(badge, at, &c);
    if (!status)
        status = walk_path(&c, path, !(what & FILE_ACCESS_NO_FOLLOW), w);
    if (status)
        return end(status);
    walk_out(w, walk, walked, target);
    if (w->kind != FILE_WALK_DONE)
        return end(0);
    if (!w->node)
        return end(FILE_ERROR_NOENT);
    unsigned want = what & (MAY_READ | MAY_WRITE | MAY_EXECUTE);
    bool good = what & FILE_ACCESS_EFFECTIVE ? may(c.session, w->node, want)
                                             : may_really(c.session, w->node, want);
    if (want & MAY_EXECUTE && is(w->node, S_REGULAR) && w->mount->flags & FILE_MOUNT_NO_PROGRAMS)
        good = false;
    bool changes = want & MAY_WRITE && (is(w->node, S_REGULAR) || is(w->node, S_DIRECTORY));
    return end(!good ? FILE_ERROR_ACCES : changes ? read_only(w->mount) : 0);
}

uint32_t file_serve_readlink(struct file_server *s, uint64_t badge, uint32_t at, struct rpc_in path,
    uint8_t *walk, uint16_t *walked, struct rpc_out *target)
{
    struct walk *w = walk_buffer();
    struct caller c;
    (void)s;
    tx_begin();
    uint32_t status = caller_of(badge, at, &c);
    if (!status)
        status = walk_path(&c, path, WALK_STAY, w);
    if (status)
        return end(status);
    walk_out(w, walk, walked, target);
    if (w->kind != FILE_WALK_DONE)
        return end(0);
    if (!w->node || !is(w->node, S_LINK))
        return end(w->node ? FILE_ERROR_INVAL : FILE_ERROR_NOENT);
    node_accessed(w->node, w->mount->flags & FILE_MOUNT_READ_ONLY ? FILE_OPEN_NO_ACCESS_TIME : 0);
    uint64_t n = w->node->size < target->capacity ? w->node->size : target->capacity;
    if (!rt_copy_to_client(target->offset, (void *)w->node->tree, n))
        return end(RPC_BAD_BUFFER);
    target->length = n;
    return end(0);
}

/* One entry with its name, and zeros behind it, to where there is room for `whole` bytes. */
static void entry_out(uint8_t *to, uint64_t whole, bool brief, const struct node *n, uint64_t next,
    const char *name, uint32_t length)
{
    *(uint64_t *)(to + whole - 8) = 0;
    if (brief) {
        *(struct file_name *)to = (struct file_name){
            .next = next,
            .node = n->number,
            .mode = n->mode,
            .name_bytes = (uint16_t)length,
            .entry_bytes = (uint16_t)whole,
        };
        memcpy(to + sizeof(struct file_name), name, length);
        return;
    }
    struct file_entry *head = (struct file_entry *)to;
    *head = (struct file_entry){
        .next = next, .name_bytes = (uint16_t)length, .entry_bytes = (uint16_t)whole};
    node_attributes(n, &head->attributes);
    if (n->covers)
        head->attributes.counter = 0; /* who looks at that name sees what is mounted there */
    memcpy(to + sizeof *head, name, length);
}

#define ENTRY_MOST (sizeof(struct file_entry) + 264) /* bytes of one entry */

uint32_t file_serve_getdents(struct file_server *s, uint64_t badge, uint64_t position, bool brief,
    struct rpc_out *entries, uint32_t *count)
{
    static uint8_t buffer[8192] __attribute__((aligned(8))); /* under the transaction's lock */
    const struct open_file *o = opened(badge);
    uint64_t used = 0, gathered = 0;
    (void)s;
    if (!o || !(o->flags & FILE_OPEN_READ))
        return FILE_ERROR_BADF;
    const struct node *d = o->node;
    if (!is(d, S_DIRECTORY))
        return FILE_ERROR_NOTDIR;
    if (!d->links)
        return FILE_ERROR_NOENT; /* it was removed */
    tx_begin();
    node_accessed(o->node, o->flags);
    const struct entry *e = d->last;
    const char *name;
    /* Positions 1 and 2 are behind "." and "..", others behind the entry with that cookie. The
     * newest comes first, as in Linux's tmpfs: programs show files in the order that they get. */
    while (e && position > 2 && e->cookie >= position)
        e = e->prev;
    for (uint64_t cookie = position;;) {
        name = cookie == 0 ? "." : cookie == 1 ? ".." : e ? e->name : 0;
        uint32_t length = cookie < 2 ? (uint32_t)cookie + 1 : e ? e->length : 0;
        uint64_t head = brief ? sizeof(struct file_name) : sizeof(struct file_entry);
        uint64_t whole = (head + length + 7) & ~7ull;
        bool fits = name && used + gathered + whole <= entries->capacity;
        if (gathered && (!fits || gathered > sizeof buffer - ENTRY_MOST)) {
            if (!rt_copy_to_client(entries->offset + used, buffer, gathered))
                return end(RPC_BAD_BUFFER);
            used += gathered;
            gathered = 0;
        }
        if (!fits)
            break;
        const struct node *n = cookie == 0   ? d
                               : cookie == 1 ? (d->parent ? d->parent : d)
                                             : e->node;
        cookie = cookie < 2 ? cookie + 1 : e->cookie;
        entry_out(buffer + gathered, whole, brief, n, cookie, name, length);
        gathered += whole;
        (*count)++;
        if (cookie > 2)
            e = e->prev;
    }
    tx_commit();
    if (!used && name)
        return FILE_ERROR_INVAL; /* no room for it */
    entries->length = used;
    return 0;
}

uint32_t file_serve_file_system(struct file_server *s, uint64_t badge, struct file_file_system *out)
{
    enum { VALID = 0x20, RELATIVE_TIMES = 0x1000 }; /* statfs(2): ST_VALID, ST_RELATIME */
    struct caller c;
    (void)s;
    tx_begin();
    uint32_t status = caller_of(badge, 0, &c);
    if (status)
        return end(status);
    const struct volume *v = c.at->volume;
    uint32_t flags = c.at_mount->flags;
    uint64_t pages = STARTUP->capsule_bytes / PAGE, free = capsule_pages_free();
    uint64_t blocks = v->page_limit ? v->page_limit : pages, left = free;
    uint64_t nodes = v->node_limit ? v->node_limit : pages, nodes_left = free;
    if (v->page_limit)
        left = v->page_limit > v->pages ? v->page_limit - v->pages : 0;
    if (v->node_limit)
        nodes_left = v->node_limit > v->nodes ? v->node_limit - v->nodes : 0;
    *out = (struct file_file_system){
        .type = RAMFS_MAGIC,
        .block_size = PAGE,
        .blocks = blocks,
        .blocks_free = left,
        .blocks_available = left,
        .nodes = nodes,
        .nodes_free = nodes_left,
        .id = v->device,
        .name_max = FILE_NAME_MAX,
        .flags = flags | VALID | (flags & FILE_MOUNT_NO_ACCESS_TIMES ? 0 : RELATIVE_TIMES),
    };
    return end(0);
}

uint32_t file_serve_locate(struct file_server *s, uint64_t badge, uint32_t at, struct rpc_out *path)
{
    static char text[FILE_PATH_MAX + 1]; /* used under the transaction's lock only */
    struct caller c;
    char *from = text + sizeof text;
    size_t length = 0;
    (void)s;
    tx_begin();
    uint32_t status = caller_of(badge, at, &c);
    if (!status && !is(c.at, S_DIRECTORY))
        status = FILE_ERROR_NOTDIR;
    if (!status)
        status = place_path(&c, text, &from);
    if (!status) {
        from++; /* the first slash */
        length = (size_t)(text + sizeof text - from);
        if (length > path->capacity)
            status = FILE_ERROR_NAMETOOLONG;
        else if (!rt_copy_to_client(path->offset, from, length))
            status = RPC_BAD_BUFFER;
    }
    path->length = status ? 0 : length;
    return end(status);
}

/* ---- data ------------------------------------------------------------------------------------ */

/* Its contents have changed. Who has changed a program is not to be run with others' ids. */
static void written_to(const struct open_file *o)
{
    struct node *n = o->node;
    node_touch(n, true);
    if (n->mode & SET_ID_BITS && !o->privileged)
        TX_SET(n->mode, n->mode & ~(n->mode & 0010 ? SET_ID_BITS : 04000u));
}

/* flag: FILE_OPEN_READ or FILE_OPEN_WRITE. */
static uint32_t data_check(const struct open_file *o, uint32_t flag)
{
    if (!o)
        return FILE_ERROR_BADF;
    if ((o->flags & (FILE_OPEN_PATH | flag)) == flag && is(o->node, S_REGULAR))
        return 0;
    if (is(o->node, S_DIRECTORY))
        return FILE_ERROR_ISDIR;
    return o->flags & FILE_OPEN_PATH || !(o->flags & flag) ? FILE_ERROR_BADF : FILE_ERROR_INVAL;
}

uint32_t file_serve_read(
    struct file_server *s, uint64_t badge, uint32_t park, uint64_t position, struct rpc_out *data)
{
    struct open_file *o = opened(badge);
    uint32_t status = data_check(o, FILE_OPEN_READ);
    bool bad = false;
    (void)s;
    (void)park;
    if (status)
        return status;
    tx_read_begin();
    node_accessed(o->node, o->flags);
    data->length = node_read(o->node, position, data, data->capacity, &bad);
    tx_read_end();
    return bad ? RPC_BAD_BUFFER : 0;
}

uint32_t file_serve_read_next(struct file_server *s, uint64_t badge, uint64_t sequence,
    uint32_t park, struct rpc_out *data, uint64_t *after)
{
    struct open_file *o = opened(badge);
    uint32_t status = data_check(o, FILE_OPEN_READ);
    struct stored r;
    bool bad = false;
    (void)s;
    (void)park;
    if (status)
        return status;
    tx_begin();
    bool again = repeated(badge, sequence, &r);
    uint64_t from = again ? r.a : o->position;
    node_accessed(o->node, o->flags);
    data->length = node_read(o->node, from, data, again ? r.b : data->capacity, &bad);
    *after = from + data->length;
    if (bad)
        return undo(RPC_BAD_BUFFER);
    TX_SET(o->position, *after);
    r.a = from;
    r.b = data->length;
    return finish(badge, sequence, &r, 0);
}

uint32_t file_serve_write(struct file_server *s, uint64_t badge, uint64_t sequence, uint32_t park,
    uint64_t position, uint32_t flags, struct rpc_in data, uint32_t *written, uint64_t *after)
{
    struct open_file *o = opened(badge);
    uint32_t status = data_check(o, FILE_OPEN_WRITE);
    struct stored r;
    bool bad = false;
    (void)s;
    (void)park;
    if (status)
        return status == FILE_ERROR_ISDIR ? FILE_ERROR_BADF : status;
    tx_begin();
    if (repeated(badge, sequence, &r)) {
        *written = r.c;
        *after = r.b;
        return end(r.status);
    }
    bool shared = position == FILE_SHARED_POSITION;
    if (flags & FILE_WRITE_APPEND || (shared && o->flags & FILE_OPEN_APPEND))
        position = o->node->size;
    else if (shared)
        position = o->position;
    if (position > INT64_MAX - data.length)
        return undo(FILE_ERROR_FBIG);
    uint64_t done = node_write(o->node, position, data, &bad);
    if (bad || (!done && data.length))
        return undo(bad ? RPC_BAD_BUFFER : FILE_ERROR_NOSPC);
    if (done)
        written_to(o);
    if (shared)
        TX_SET(o->position, position + done);
    *written = (uint32_t)done;
    *after = position + done;
    r.b = *after;
    r.c = *written;
    return finish(badge, sequence, &r, 0);
}

uint32_t file_serve_seek(struct file_server *s, uint64_t badge, uint64_t sequence, int64_t offset,
    uint8_t whence, uint64_t *position)
{
    struct open_file *o = opened(badge);
    struct stored r;
    (void)s;
    if (!o || o->flags & FILE_OPEN_PATH)
        return FILE_ERROR_BADF;
    tx_begin();
    if (repeated(badge, sequence, &r)) {
        *position = r.a;
        return end(r.status);
    }
    int64_t size = (int64_t)o->node->size, base = 0;
    if (whence == FILE_WHENCE_CURRENT)
        base = (int64_t)o->position;
    else if (whence == FILE_WHENCE_END)
        base = size;
    if ((whence == FILE_WHENCE_DATA || whence == FILE_WHENCE_HOLE) &&
        (offset < 0 || offset >= size))
        return undo(FILE_ERROR_NXIO);
    if (whence == FILE_WHENCE_DATA || whence == FILE_WHENCE_HOLE) {
        uint64_t found = node_next(o->node, (uint64_t)offset, whence == FILE_WHENCE_DATA);
        if (found == UINT64_MAX)
            return undo(FILE_ERROR_NXIO);
        offset = (int64_t)found;
    }
    int64_t to;
    if (__builtin_add_overflow(base, offset, &to))
        return undo(FILE_ERROR_OVERFLOW);
    if (to < 0)
        return undo(FILE_ERROR_INVAL);
    TX_SET(o->position, (uint64_t)to);
    r.a = *position = (uint64_t)to;
    return finish(badge, sequence, &r, 0);
}

uint32_t file_serve_truncate(
    struct file_server *s, uint64_t badge, uint64_t sequence, uint64_t size)
{
    struct open_file *o = opened(badge);
    uint32_t status = data_check(o, FILE_OPEN_WRITE);
    struct stored r;
    (void)s;
    if (status)
        return status == FILE_ERROR_BADF ? FILE_ERROR_INVAL : status;
    if (size > INT64_MAX)
        return FILE_ERROR_FBIG;
    tx_begin();
    if (repeated(badge, sequence, &r))
        return end(r.status);
    node_resize(o->node, size);
    written_to(o);
    return finish(badge, sequence, &r, 0);
}

/* Long runs go in several transactions: a page that is there already changes nothing. */
static bool pages_make(struct node *n, uint64_t first, uint64_t end)
{
    enum { STEP = 256 };
    const struct volume *v = n->volume;
    if (end - first > capsule_pages_free() + n->pages ||
        (v->page_limit && end - first > v->page_limit - v->pages + n->pages))
        return false;
    while (first < end) {
        uint64_t now = end - first < STEP ? end - first : STEP;
        for (uint64_t i = 0; i < now; i++)
            if (!node_page_make(n, first + i))
                return false;
        node_changes(n);
        share_changed(n, first, first + now);
        first += now;
        if (first < end) {
            tx_commit();
            tx_begin();
        }
    }
    return true;
}

uint32_t file_serve_allocate(struct file_server *s, uint64_t badge, uint64_t sequence,
    uint64_t position, uint64_t size, uint32_t flags)
{
    struct open_file *o = opened(badge);
    uint32_t status = data_check(o, FILE_OPEN_WRITE);
    struct stored r;
    (void)s;
    if (status)
        return status;
    if (flags & ~(uint32_t)(FILE_ALLOCATE_KEEP_SIZE | FILE_ALLOCATE_PUNCH_HOLE) ||
        (flags & FILE_ALLOCATE_PUNCH_HOLE && !(flags & FILE_ALLOCATE_KEEP_SIZE)))
        return FILE_ERROR_OPNOTSUPP;
    if (size > INT64_MAX || position > INT64_MAX - size)
        return FILE_ERROR_FBIG;
    tx_begin();
    if (repeated(badge, sequence, &r))
        return end(r.status);
    if (flags & FILE_ALLOCATE_PUNCH_HOLE)
        node_clear(o->node, position, position + size);
    else if (!pages_make(o->node, position / PAGE, (position + size + PAGE - 1) / PAGE))
        return undo(FILE_ERROR_NOSPC);
    if (flags & FILE_ALLOCATE_PUNCH_HOLE ||
        (!(flags & FILE_ALLOCATE_KEEP_SIZE) && position + size > o->node->size)) {
        if (!(flags & FILE_ALLOCATE_KEEP_SIZE)) {
            TX_SET(o->node->size, position + size);
            share_changed(o->node, 0, 0);
        }
        written_to(o);
    }
    return finish(badge, sequence, &r, 0);
}

uint32_t file_serve_sync(struct file_server *s, uint64_t badge, uint32_t park, bool data_only)
{
    (void)s;
    (void)badge;
    (void)park;
    (void)data_only;
    return 0; /* as safe as it gets */
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Walks to where a new name goes; nothing may have it yet. */
static uint32_t walk_new(const struct caller *c, struct rpc_in path, bool directory, struct walk *w)
{
    uint32_t status = walk_path(c, path, WALK_NEVER, w);
    if (status || w->kind != FILE_WALK_DONE)
        return status;
    if (w->node)
        return FILE_ERROR_EXIST;
    if (w->slash && !directory)
        return FILE_ERROR_NOENT;
    if (!w->parent->links)
        return FILE_ERROR_NOENT;
    return may_add(c, w->parent_mount, w->parent);
}

uint32_t file_serve_make(struct file_server *s, uint64_t badge, uint64_t sequence, uint32_t at,
    struct rpc_in path, uint32_t mode, uint64_t special, uint8_t *walk, uint16_t *walked,
    struct rpc_out *target)
{
    struct walk *w = walk_buffer();
    struct caller c;
    struct stored r;
    (void)s;
    tx_begin();
    if (repeated(badge, sequence, &r))
        return end(r.status);
    uint32_t type = mode & S_TYPE;
    uint32_t status = caller_of(badge, at, &c);
    if (!status)
        status = walk_new(&c, path, type == S_DIRECTORY, w);
    if (status)
        return undo(status);
    walk_out(w, walk, walked, target);
    if (w->kind != FILE_WALK_DONE)
        return end(0);
    if (type != S_DIRECTORY && type != S_REGULAR && type != S_FIFO && type != S_SOCKET &&
        type != S_CHAR && type != S_BLOCK)
        return undo(FILE_ERROR_INVAL);
    if ((type == S_CHAR || type == S_BLOCK) && !is_super(c.session))
        return undo(FILE_ERROR_PERM);
    struct node *n = node_new(type | (mode & MODE_BITS), w->parent->volume);
    if (!n)
        return undo(FILE_ERROR_NOSPC);
    n->special = special;
    node_own(n, c.session, w->parent);
    if (!entry_add(w->parent, w->last, w->last_length, n))
        return undo(FILE_ERROR_NOSPC);
    return finish(badge, sequence, &r, 0);
}

void name_remove(struct entry *e)
{
    struct node *n = e->node;
    entry_remove(e);
    if (is(n, S_DIRECTORY)) {
        TX_SET(n->links, 0);
        TX_SET(n->name, 0);
        /* Who is still in it can go up. */
        TX_SET(n->parent->opens, n->parent->opens + 1);
    }
    node_drop(n);
}

static uint32_t name_removable(const struct caller *c, const struct walk *w, bool directory)
{
    if (!w->node)
        return w->parent && read_only(w->parent_mount) ? FILE_ERROR_ROFS : FILE_ERROR_NOENT;
    if (!w->entry)
        return directory ? FILE_ERROR_BUSY : FILE_ERROR_ISDIR; /* "/", "." or ".." */
    uint32_t status = may_remove(c, w->parent_mount, w->entry);
    if (status)
        return status;
    if (w->node == c->root || (w->node->covers && is(w->node, S_DIRECTORY) == directory))
        return FILE_ERROR_BUSY;
    if (is(w->node, S_DIRECTORY)) {
        if (!directory)
            return FILE_ERROR_ISDIR;
        return w->node->first ? FILE_ERROR_NOTEMPTY : 0;
    }
    return directory || w->slash ? FILE_ERROR_NOTDIR : 0;
}

uint32_t file_serve_unlink(struct file_server *s, uint64_t badge, uint64_t sequence, uint32_t at,
    struct rpc_in path, uint32_t flags, uint8_t *walk, uint16_t *walked, struct rpc_out *target)
{
    struct walk *w = walk_buffer();
    struct caller c;
    struct stored r;
    (void)s;
    tx_begin();
    if (repeated(badge, sequence, &r))
        return end(r.status);
    uint32_t status = caller_of(badge, at, &c);
    if (!status)
        status = walk_path(&c, path, WALK_NEVER, w);
    if (status)
        return undo(status);
    walk_out(w, walk, walked, target);
    if (w->kind != FILE_WALK_DONE)
        return end(0);
    status = name_removable(&c, w, flags & FILE_UNLINK_DIRECTORY);
    if (status)
        return undo(status);
    name_remove(w->entry);
    return finish(badge, sequence, &r, 0);
}

bool inside(const struct node *n, const struct node *directory)
{
    for (; n; n = n->parent)
        if (n == directory)
            return true;
    return false;
}

/* What takes a name from n in a directory and puts `other`, if there is one, in its place. */
static uint32_t may_move(const struct caller *c, const struct mount *mount,
    const struct entry *from, const struct node *directory, const struct entry *other)
{
    uint32_t status = may_remove(c, mount, from);
    if (!status)
        status = other ? may_remove(c, mount, other) : may_add(c, mount, directory);
    /* Its ".." changes. */
    if (!status && is(from->node, S_DIRECTORY) && from->directory != directory &&
        !may(c->session, from->node, MAY_WRITE))
        status = FILE_ERROR_ACCES;
    return status;
}

uint32_t file_serve_rename(struct file_server *s, uint64_t badge, uint64_t sequence, uint32_t at,
    uint32_t new_at, struct rpc_in old_path, struct rpc_in new_path, uint32_t flags)
{
    struct walk *w = walk_buffer();
    static struct walk to;
    struct caller c, d;
    struct stored r;
    (void)s;
    tx_begin();
    if (repeated(badge, sequence, &r))
        return end(r.status);
    uint32_t status = caller_of(badge, at, &c);
    if (!status)
        status = caller_of(badge, new_at ? new_at : at, &d);
    if (!status)
        status = walk_path(&c, old_path, WALK_NEVER, w);
    if (!status)
        status = walk_path(&d, new_path, WALK_NEVER, &to);
    if (status)
        return undo(status);
    if (w->kind != FILE_WALK_DONE || to.kind != FILE_WALK_DONE ||
        (w->parent && to.parent && w->parent_mount != to.parent_mount))
        return undo(FILE_ERROR_XDEV);
    if (!w->node)
        return undo(FILE_ERROR_NOENT);
    if (!w->entry || (to.node && !to.entry))
        return undo(FILE_ERROR_BUSY);
    bool directory = is(w->node, S_DIRECTORY);
    if ((w->slash || to.slash) && !directory)
        return undo(FILE_ERROR_NOTDIR);
    if (directory && inside(to.parent, w->node))
        return undo(FILE_ERROR_INVAL);
    struct node *n = w->node, *other = to.node;
    if (flags & FILE_RENAME_EXCHANGE) {
        if (!other)
            return undo(FILE_ERROR_NOENT);
        if (is(other, S_DIRECTORY) && inside(w->parent, other))
            return undo(FILE_ERROR_INVAL);
        struct node *from_parent = w->parent;
        struct entry *a = w->entry, *b = to.entry;
        status = may_move(&c, to.parent_mount, a, to.parent, b);
        if (!status)
            status = may_move(&c, to.parent_mount, b, from_parent, a);
        if (!status && (n->covers || other->covers))
            status = FILE_ERROR_BUSY;
        if (status)
            return undo(status);
        if (n != other) {
            TX_SET(a->node, other);
            TX_SET(b->node, n);
            if (directory != is(other, S_DIRECTORY) && from_parent != to.parent) {
                struct node *up = directory ? to.parent : from_parent;
                struct node *down = directory ? from_parent : to.parent;
                TX_SET(up->links, up->links + 1);
                TX_SET(down->links, down->links - 1);
            }
            if (directory) {
                TX_SET(n->parent, to.parent);
                TX_SET(n->name, b);
            }
            if (is(other, S_DIRECTORY)) {
                TX_SET(other->parent, from_parent);
                TX_SET(other->name, a);
            }
            places_change();
            node_touch(from_parent, true);
            node_touch(to.parent, true);
            node_touch(n, false);
            node_touch(other, false);
        }
        return finish(badge, sequence, &r, 0);
    }
    if (other) {
        if (flags & FILE_RENAME_NO_REPLACE)
            return undo(FILE_ERROR_EXIST);
        if (other == n)
            return finish(badge, sequence, &r, 0);
    }
    status = may_move(&c, to.parent_mount, w->entry, to.parent, to.entry);
    if (!status && (n->covers || (other && other->covers)))
        status = FILE_ERROR_BUSY;
    if (status)
        return undo(status);
    if (other) {
        if (is(other, S_DIRECTORY) && !directory)
            return undo(FILE_ERROR_ISDIR);
        if (directory && !is(other, S_DIRECTORY))
            return undo(FILE_ERROR_NOTDIR);
        if (is(other, S_DIRECTORY) && other->first)
            return undo(FILE_ERROR_NOTEMPTY);
    }
    if (!to.parent->links)
        return undo(FILE_ERROR_NOENT);
    if (other)
        name_remove(to.entry);
    entry_remove(w->entry);
    if (!entry_add(to.parent, to.last, to.last_length, n))
        return undo(FILE_ERROR_NOSPC);
    return finish(badge, sequence, &r, 0);
}

uint32_t file_serve_link(struct file_server *s, uint64_t badge, uint64_t sequence, uint32_t at,
    uint32_t new_at, struct rpc_in old_path, struct rpc_in new_path, uint32_t flags)
{
    struct walk *w = walk_buffer();
    struct caller c, d;
    struct stored r;
    (void)s;
    tx_begin();
    if (repeated(badge, sequence, &r))
        return end(r.status);
    uint32_t status = caller_of(badge, at, &c);
    if (!status)
        status = caller_of(badge, new_at ? new_at : at, &d);
    if (!status)
        status = walk_path(&c, old_path, !(flags & FILE_LOOK_NO_FOLLOW), w);
    if (status || w->kind != FILE_WALK_DONE)
        return undo(status ? status : FILE_ERROR_XDEV);
    struct node *n = w->node;
    const struct mount *mount = w->mount;
    if (!n)
        return undo(FILE_ERROR_NOENT);
    if (is(n, S_DIRECTORY))
        return undo(FILE_ERROR_PERM);
    status = walk_new(&d, new_path, WALK_STAY, w);
    if (status || w->kind != FILE_WALK_DONE || w->parent_mount != mount)
        return undo(status ? status : FILE_ERROR_XDEV);
    if (!n->links && !n->temporary)
        return undo(FILE_ERROR_NOENT);
    if (!entry_add(w->parent, w->last, w->last_length, n))
        return undo(FILE_ERROR_NOSPC);
    TX_SET(n->temporary, false);
    return finish(badge, sequence, &r, 0);
}

uint32_t file_serve_symlink(struct file_server *s, uint64_t badge, uint64_t sequence, uint32_t at,
    struct rpc_in target, struct rpc_in path)
{
    struct walk *w = walk_buffer();
    struct caller c;
    struct stored r;
    (void)s;
    tx_begin();
    if (repeated(badge, sequence, &r))
        return end(r.status);
    uint32_t status = caller_of(badge, at, &c);
    if (!status)
        status = walk_new(&c, path, WALK_STAY, w);
    if (status || w->kind != FILE_WALK_DONE)
        return undo(status ? status : FILE_ERROR_XDEV);
    struct node *n = node_new(S_LINK | 0777, w->parent->volume);
    char *text = n ? capsule_alloc(target.length + 1) : 0;
    if (!text)
        return undo(FILE_ERROR_NOSPC);
    if (!rt_copy_from_client(target.offset, text, target.length))
        return undo(RPC_BAD_BUFFER);
    if (strlen(text) != target.length)
        return undo(FILE_ERROR_INVAL);
    n->tree = (uint64_t)text;
    n->size = target.length;
    node_own(n, c.session, w->parent);
    if (!entry_add(w->parent, w->last, w->last_length, n))
        return undo(FILE_ERROR_NOSPC);
    return finish(badge, sequence, &r, 0);
}

/* Times are kept within 292 years of 1970; others become the nearest of those. */
static int64_t nanoseconds(const struct file_time *t)
{
    const int64_t limit = INT64_MAX / 1000000000 - 1;
    int64_t seconds = t->seconds > limit ? limit : t->seconds < -limit ? -limit : t->seconds;
    return seconds * 1000000000 + t->nanoseconds;
}

/* chmod, chown and utimensat: who may. */
static uint32_t may_change(
    const struct session *s, const struct node *n, const struct file_changes *c)
{
    const uint32_t now = FILE_CHANGE_ACCESS_NOW | FILE_CHANGE_MODIFY_NOW;
    const uint32_t times = FILE_CHANGE_ACCESS_TIME | FILE_CHANGE_MODIFY_TIME;
    if (!s)
        return FILE_ERROR_ACCES;
    bool owner = is_owner(s, n);
    if (c->what & FILE_CHANGE_OWNER && c->owner != SAME && !is_super(s) &&
        (!owner || c->owner != n->owner))
        return FILE_ERROR_PERM;
    if (c->what & FILE_CHANGE_GROUP && c->group != SAME && !is_super(s) &&
        (!owner || (c->group != n->group && !in_group(s, c->group))))
        return FILE_ERROR_PERM;
    if (c->what & FILE_CHANGE_MODE && !owner)
        return FILE_ERROR_PERM;
    if (!(c->what & times) || owner)
        return 0;
    if ((c->what & now) != now)
        return FILE_ERROR_PERM;
    return may(s, n, MAY_WRITE) ? 0 : FILE_ERROR_ACCES;
}

static void change(struct node *n, const struct session *s, const struct file_changes *c)
{
    int64_t now = (int64_t)rt_realtime_ns();
    node_changes(n);
    if (is(n, S_DIRECTORY))
        places_change(); /* who may go through it */
    tx_save(n, sizeof *n);
    if (c->what & FILE_CHANGE_OWNER && c->owner != SAME)
        n->owner = c->owner;
    if (c->what & FILE_CHANGE_GROUP && c->group != SAME)
        n->group = c->group;
    if (c->what & (FILE_CHANGE_OWNER | FILE_CHANGE_GROUP) && !is(n, S_DIRECTORY))
        n->mode &= ~(n->mode & 0010 ? SET_ID_BITS : 04000u); /* who gets it does not get these */
    if (c->what & FILE_CHANGE_MODE) {
        n->mode = (n->mode & S_TYPE) | (c->mode & MODE_BITS);
        if (!is_super(s) && !in_group(s, n->group))
            n->mode &= ~02000u;
    }
    if (c->what & FILE_CHANGE_ACCESS_TIME)
        n->accessed = nanoseconds(&c->accessed);
    if (c->what & FILE_CHANGE_MODIFY_TIME)
        n->modified = nanoseconds(&c->modified);
    if (c->what & FILE_CHANGE_ACCESS_NOW)
        n->accessed = now;
    if (c->what & FILE_CHANGE_MODIFY_NOW)
        n->modified = now;
    n->changed = now;
}

uint32_t file_serve_set_attributes(struct file_server *s, uint64_t badge, uint64_t sequence,
    uint32_t at, const struct file_changes *changes, struct rpc_in path, uint8_t *walk,
    uint16_t *walked, struct rpc_out *target)
{
    struct walk *w = walk_buffer();
    struct caller c;
    struct stored r;
    (void)s;
    tx_begin();
    if (repeated(badge, sequence, &r))
        return end(r.status);
    uint32_t status = caller_of(badge, at, &c);
    if (!status)
        status = walk_path(&c, path, !(changes->what & FILE_CHANGE_NO_FOLLOW), w);
    if (status)
        return undo(status);
    walk_out(w, walk, walked, target);
    if (w->kind != FILE_WALK_DONE)
        return end(0);
    if (!w->node)
        return undo(FILE_ERROR_NOENT);
    status = read_only(w->mount);
    if (!status)
        status = may_change(c.session, w->node, changes);
    if (status)
        return undo(status);
    change(w->node, c.session, changes);
    return finish(badge, sequence, &r, 0);
}

/* ---- locks ----------------------------------------------------------------------------------- */

static bool lock_range(uint64_t start, uint64_t length, uint64_t *end)
{
    *end = length ? start + length : (uint64_t)INT64_MAX + 1;
    return start <= INT64_MAX && length <= INT64_MAX && start < *end &&
           *end <= (uint64_t)INT64_MAX + 1;
}

uint32_t file_serve_lock(struct file_server *s, uint64_t badge, uint64_t sequence, uint32_t park,
    uint8_t kind, bool wait, uint64_t owner, uint64_t start, uint64_t length)
{
    struct open_file *o = opened(badge);
    struct lock_request request = {owner, start, 0, kind};
    struct stored r;
    (void)s;
    if (!o || o->flags & FILE_OPEN_PATH)
        return FILE_ERROR_BADF;
    if (owner < LOCK_WHOLE &&
        ((kind == FILE_LOCK_KIND_SHARED && !(o->flags & FILE_OPEN_READ)) ||
            (kind == FILE_LOCK_KIND_EXCLUSIVE && !(o->flags & FILE_OPEN_WRITE))))
        return FILE_ERROR_BADF;
    if (!lock_range(start, length, &request.end))
        return FILE_ERROR_OVERFLOW;
    tx_begin();
    if (repeated(badge, sequence, &r))
        return end(r.status);
    uint32_t status = lock_set(o, &request);
    if (status == FILE_ERROR_NOMEM)
        return undo(status);
    if (status != FILE_ERROR_AGAIN || !wait)
        return finish(badge, sequence, &r, status);
    if (park)
        park_request(&o->node->lock_waiters);
    return end(RPC_PARK);
}

uint32_t file_serve_lock_query(struct file_server *s, uint64_t badge, uint8_t kind, uint64_t owner,
    uint64_t start, uint64_t length, uint8_t *held_kind, uint64_t *held_owner, uint64_t *held_start,
    uint64_t *held_length)
{
    struct open_file *o = opened(badge);
    struct lock_request r = {owner, start, 0, kind};
    (void)s;
    if (!o)
        return FILE_ERROR_BADF;
    if (!lock_range(start, length, &r.end))
        return FILE_ERROR_OVERFLOW;
    *held_kind = FILE_LOCK_KIND_UNLOCK;
    tx_begin();
    if (kind != FILE_LOCK_KIND_UNLOCK && lock_find(o, &r)) {
        *held_kind = r.kind;
        *held_owner = r.owner;
        *held_start = r.start;
        *held_length = r.end == (uint64_t)INT64_MAX + 1 ? 0 : r.end - r.start;
    }
    return end(0);
}

/* ---- mapping --------------------------------------------------------------------------------- */

#define FIFO_BYTES_MAX (128ull << 10)

/* A fifo's pages are what its holders share: see linux/ring.h. Reader and writer write there. */
static uint32_t fifo_map(
    struct open_file *o, uint32_t memory, uint64_t address, uint64_t length, uint64_t offset)
{
    const struct share_request r = {address, length, offset, memory,
        MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE, true, true};
    if (!(o->flags & (FILE_OPEN_READ | FILE_OPEN_WRITE)))
        return FILE_ERROR_ACCES;
    if (length > FIFO_BYTES_MAX || offset > FIFO_BYTES_MAX - length)
        return FILE_ERROR_INVAL;
    tx_begin();
    if (o->node->size < offset + length)
        node_resize(o->node, offset + length);
    return end(share_map(o->node, &r));
}

uint32_t file_serve_map(struct file_server *s, uint64_t badge, uint32_t memory, uint64_t address,
    uint64_t length, uint64_t offset, uint8_t protection, bool shared)
{
    struct open_file *o = opened(badge);
    (void)s;
    if (o && is(o->node, S_FIFO))
        return fifo_map(o, memory, address, length, offset);
    uint32_t status = data_check(o, FILE_OPEN_READ);
    if (status)
        return status == FILE_ERROR_BADF ? FILE_ERROR_ACCES : FILE_ERROR_NODEV;
    bool writable = o->flags & FILE_OPEN_WRITE;
    if (shared && protection & MEMORY_PROTECTION_WRITE && !writable)
        return FILE_ERROR_ACCES;
    if (length > INT64_MAX / 2 || offset > INT64_MAX / 2)
        return FILE_ERROR_INVAL;
    tx_begin();
    node_accessed(o->node, o->flags);
    const struct share_request r = {address, length, offset, memory, protection, shared, writable};
    return end(share_map(o->node, &r));
}

uint32_t file_serve_watch(struct file_server *s, uint64_t badge, uint32_t memory, uint64_t address)
{
    const struct share_request r = {address, PAGE, 0, memory, MEMORY_PROTECTION_READ, true, false};
    (void)s;
    (void)badge;
    tx_begin();
    return end(share_map(fs->counters, &r));
}

/* ---- start ----------------------------------------------------------------------------------- */

/* What maintenance answers when not all is done. */
enum { STILL_MAPPED = 1, MORE };

SERVER_ENTRY(file);
uint64_t file_handle(uint64_t badge, struct msg *m)
{
    if (badge != MAINTENANCE)
        return file_dispatch(fs, badge, m);
    closed_take();
    bool all = volumes_empty();
    return !orphans_free() ? STILL_MAPPED : all ? 0 : MORE;
}

void main_wake(void)
{
    pith_notify_raise(SLOT_MAIN, WORK);
}

/* The main thread works through the service like everybody else: whoever has a stack of it
 * on this core has the lock, and the kernel lets the one help the other. */
static bool maintain(void)
{
    struct msg m;
    int64_t status;
    do
        m = (struct msg){{0}};
    while (!(status = rt_call(fs->maintenance, &m)) && m.w[0] == MORE);
    return !status && !m.w[0];
}

void component_main(void)
{
    file_service = rt_cap("file");
    (void)capsule_open(FILE_VERSION, sizeof *fs, (void **)&fs);
    if (!fs->root) {
        tx_begin();
        if (!mount_first() || !counters_make())
            rt_panic("no room for the root directory");
        tx_commit();
    }
    if (!fs->filled) {
        if (STARTUP->modules_left) /* a capsule that was damaged, or is another version's */
            rt_panic("needs its archive again");
        if (STARTUP->modules[0][0])
            fill_from_archive((const uint8_t *)STARTUP->modules[0][0], STARTUP->modules[0][1]);
        tx_begin();
        mounts_usual();
        TX_SET(fs->filled, 1);
        tx_commit();
    }
    counters_start();
    share_resume();
    leftovers_close();
    if (!fs->maintenance)
        fs->maintenance = rt_gate_create(file_service, MAINTENANCE);
    if (!fs->maintenance)
        rt_panic("no room for its own gate");
    if (!rt_service_open("file", file_entry, 1))
        return;
    rt_ready();
    /* Removed files that are still mapped are looked at again from time to time. */
    for (;;) {
        node_time_passes();
        (void)rt_wait(maintain() ? UINT64_MAX : rt_now_ns() + MAPPED_AGAIN_NS);
    }
}
