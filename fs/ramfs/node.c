/* SPDX-License-Identifier: MIT */
/* Nodes, their data, their names: see ramfs.h. A file of up to one page has height 0: tree
 * is its page; height h covers 512^h pages. */
#include "ramfs.h"
#include <rt/crc32c.h>
#include <rt/string.h>

struct file_server *fs;
uint32_t file_service;

struct node *node_new(uint32_t mode, struct volume *v)
{
    struct node *n = v->node_limit && v->nodes >= v->node_limit ? 0 : capsule_alloc(sizeof *n);
    if (!n)
        return 0;
    n->volume = v;
    TX_SET(fs->next_number, fs->next_number + 1);
    n->number = fs->next_number;
    n->mode = mode;
    n->next_cookie = 3;
    n->accessed = n->modified = n->changed = n->born = (int64_t)rt_realtime_ns();
    if ((mode & S_TYPE) == S_DIRECTORY)
        n->links = 2;
    TX_SET(v->nodes, v->nodes + 1);
    return n;
}

/* ---- counters -------------------------------------------------------------------------------- */

/*
 * The page is not part of any transaction: a change that is undone has raised its counter for
 * nothing. Of a file that may be written in memory the counter is 0; as long as there is one, what
 * the counter was is kept, so that no value comes twice.
 */
static uint32_t *counters(void)
{
    static uint32_t *page; /* it stays where it is */
    if (!page)
        page = (uint32_t *)node_page(fs->counters, 0);
    return page;
}

static uint32_t *counter_of(const struct node *n)
{
    return counters() + 1 + n->number % FILE_COUNTERS;
}

static void raise(uint32_t *counter)
{
    uint32_t now = *counter;
    if (now)
        __atomic_store_n(counter, now + 1 ? now + 1 : 1, __ATOMIC_RELEASE);
}

void node_changes(const struct node *n)
{
    raise(counter_of(n));
}

void places_change(void)
{
    raise(counters());
}

/* What other names lead through. */
static bool is_place(const struct node *n)
{
    return (n->mode & S_TYPE) == S_DIRECTORY || (n->mode & S_TYPE) == S_LINK;
}

void node_changes_unseen(struct node *n)
{
    uint32_t i = n->number % FILE_COUNTERS;
    if (n->written_in_memory)
        return;
    TX_SET(n->written_in_memory, true);
    TX_SET(fs->counter_pins[i], fs->counter_pins[i] + 1);
    if (*counter_of(n))
        TX_SET(fs->counter_kept[i], *counter_of(n));
    __atomic_store_n(counter_of(n), 0, __ATOMIC_RELEASE);
}

static void node_seen_again(const struct node *n)
{
    uint32_t i = n->number % FILE_COUNTERS;
    TX_SET(fs->counter_pins[i], fs->counter_pins[i] - 1);
    if (fs->counter_pins[i])
        return;
    *counter_of(n) = fs->counter_kept[i];
    node_changes(n);
}

bool counters_make(void)
{
    struct node *n = node_new(S_REGULAR, fs->root->volume);
    if (!n || !node_page_make(n, 0))
        return false;
    n->opens = 1;
    n->size = PAGE;
    TX_SET(fs->counters, n);
    return true;
}

/* Whoever went before may have died between a change and what tells of it; and of what is 0 by a
 * transaction that was undone the pins know better. */
void counters_start(void)
{
    if (!*counters())
        *counters() = 1;
    places_change();
    for (uint32_t i = 0; i < FILE_COUNTERS; i++) {
        const struct node n = {.number = i};
        if (!fs->counter_pins[i] && !*counter_of(&n))
            *counter_of(&n) = fs->counter_kept[i] ? fs->counter_kept[i] : 1;
        node_changes(&n);
    }
}

void node_touch(struct node *n, bool modified)
{
    node_changes(n);
    int64_t now = (int64_t)rt_realtime_ns();
    TX_SET(n->changed, now);
    if (modified)
        TX_SET(n->modified, now);
}

/* ---- data -------------------------------------------------------------------------------- */

static uint64_t reach(const struct node *n)
{
    return 1ull << (n->height * FANOUT_SHIFT);
}

static uint64_t fresh_page(void)
{
    void *p = capsule_page();
    if (p)
        memset(p, 0, PAGE);
    return (uint64_t)p;
}

uint8_t *node_page_make(struct node *n, uint64_t index)
{
    while (index >= reach(n)) {
        if (n->height == 4)
            return 0;
        if (n->tree) {
            uint64_t top = fresh_page();
            if (!top)
                return 0;
            *(uint64_t *)top = n->tree;
            TX_SET(n->tree, top);
        }
        TX_SET(n->height, n->height + 1);
    }
    uint64_t *link = &n->tree, span = reach(n);
    for (uint32_t h = n->height;; h--) {
        if (!*link) {
            struct volume *v = n->volume;
            uint64_t p = !h && v->page_limit && v->pages >= v->page_limit ? 0 : fresh_page();
            if (!p)
                return 0;
            TX_SET(*link, p);
            if (!h)
                TX_SET(n->pages, n->pages + 1);
            if (!h && v->page_limit)
                TX_SET(v->pages, v->pages + 1);
        }
        if (!h)
            return (uint8_t *)*link;
        span /= FANOUT;
        link = (uint64_t *)*link + index / span % FANOUT;
    }
}

uint8_t *node_page(const struct node *n, uint64_t index)
{
    uint64_t at = n->tree;
    uint32_t shift = n->height * FANOUT_SHIFT;
    if (index >> shift)
        return 0; /* behind what the tree can hold */
    while (at && shift) {
        shift -= FANOUT_SHIFT;
        at = ((const uint64_t *)at)[index >> shift & (FANOUT - 1)];
    }
    return (uint8_t *)at;
}

/* Frees up to *budget data pages from index on; true when none is left there. */
static bool tree_cut(
    struct node *n, uint64_t *link, uint32_t h, uint64_t base, uint64_t from, unsigned *budget)
{
    uint64_t span = 1;
    for (uint32_t i = 0; i < h; i++)
        span *= FANOUT;
    if (!*link || base + span <= from)
        return true;
    if (h) {
        for (unsigned i = 0; i < FANOUT; i++)
            if (!tree_cut(
                    n, (uint64_t *)*link + i, h - 1, base + i * (span / FANOUT), from, budget))
                return false;
        if (base < from)
            return true;
    } else {
        TX_SET(n->pages, n->pages - 1);
        if (n->volume->page_limit)
            TX_SET(n->volume->pages, n->volume->pages - 1);
    }
    if (!*budget)
        return false;
    (*budget)--;
    capsule_page_free((void *)*link);
    TX_SET(*link, 0);
    return true;
}

#define CUT_STEP 1000u
#define FREED_AT_ONCE 64u /* pages of a file that goes with the request that drops it */

/* Long cuts go in several transactions: what is cut is behind the size already. */
static void cut(struct node *n, uint64_t from)
{
    for (;;) {
        unsigned budget = CUT_STEP;
        if (tree_cut(n, &n->tree, n->height, 0, from, &budget))
            break;
        tx_commit();
        tx_begin();
    }
    if (!from)
        TX_SET(n->height, 0);
}

void node_resize(struct node *n, uint64_t size)
{
    uint64_t old = n->size;
    node_changes(n);
    TX_SET(n->size, size);
    if (size >= old) {
        if (size > old)
            share_changed(n, 0, 0);
        return;
    }
    if (size % PAGE) {
        uint8_t *p = node_page(n, size / PAGE);
        if (p)
            memset(p + size % PAGE, 0, PAGE - size % PAGE);
    }
    share_cut(n, (size + PAGE - 1) / PAGE);
    cut(n, (size + PAGE - 1) / PAGE);
}

static void orphan_put(struct node *n)
{
    if (n->links || n->opens || n->orphan)
        return;
    TX_SET(n->orphan, true);
    TX_SET(n->next_orphan, fs->orphans);
    TX_SET(fs->orphans, n);
    main_wake();
}

static void node_free(struct node *n)
{
    if ((n->mode & S_TYPE) == S_LINK)
        capsule_free((void *)n->tree, n->size + 1);
    else
        cut(n, 0);
    if (n->parent) {
        TX_SET(n->parent->opens, n->parent->opens - 1);
        orphan_put(n->parent); /* a chain of them may be long */
    }
    if (n->written_in_memory)
        node_seen_again(n);
    volume_left(n->volume);
    capsule_free(n, sizeof *n);
}

void node_drop(struct node *n)
{
    if (n->links || n->opens || n->orphan)
        return;
    if (n->exported || n->pages > FREED_AT_ONCE)
        orphan_put(n);
    else
        node_free(n);
}

bool orphans_free(void)
{
    bool all = true;
    tx_begin();
    for (struct node **link = &fs->orphans, *n; (n = *link);) {
        if (!share_release(n)) {
            link = &n->next_orphan;
            all = false;
            continue;
        }
        TX_SET(*link, n->next_orphan);
        TX_SET(n->next_orphan, 0);
        node_free(n);
        tx_commit();
        tx_begin();
    }
    tx_commit();
    return all;
}

void node_clear(struct node *n, uint64_t from, uint64_t end)
{
    if (end > n->size)
        end = n->size;
    node_changes(n);
    while (from < end) {
        uint64_t at = from % PAGE, run = PAGE - at < end - from ? PAGE - at : end - from;
        uint8_t *p = node_page(n, from / PAGE);
        if (p)
            memset(p + at, 0, run);
        from = p ? from + run : node_next(n, from, true);
    }
}

/* Index of the first page at or after index that is there; UINT64_MAX: none. */
static uint64_t page_next(const uint64_t *link, uint32_t h, uint64_t base, uint64_t index)
{
    uint64_t span = 1;
    for (uint32_t i = 0; i < h; i++)
        span *= FANOUT;
    if (!*link || base + span <= index)
        return UINT64_MAX;
    if (!h)
        return base;
    span /= FANOUT;
    for (unsigned i = index > base ? (unsigned)((index - base) / span) : 0; i < FANOUT; i++) {
        uint64_t found = page_next((const uint64_t *)*link + i, h - 1, base + i * span, index);
        if (found != UINT64_MAX)
            return found;
    }
    return UINT64_MAX;
}

uint64_t node_next(const struct node *n, uint64_t position, bool data)
{
    uint64_t index = position / PAGE, next = page_next(&n->tree, n->height, 0, index);
    if (data) {
        if (next == UINT64_MAX || next * PAGE >= n->size)
            return UINT64_MAX;
        return next == index ? position : next * PAGE;
    }
    while (next == index && index * PAGE < n->size)
        next = page_next(&n->tree, n->height, 0, ++index);
    uint64_t hole = index * PAGE > position ? index * PAGE : position;
    return hole < n->size ? hole : n->size;
}

static const uint8_t zeros[PAGE];

#define DAY_NS (86400 * 1000000000ll)
static int64_t day_ago; /* or a little longer: as of the last file that was closed */

bool node_access_told(const struct node *n, uint32_t flags)
{
    return (n->accessed > n->modified && n->accessed > n->changed && n->accessed > day_ago) ||
           flags & FILE_OPEN_NO_ACCESS_TIME;
}

void node_accessed(struct node *n, uint32_t flags)
{
    if (!node_access_told(n, flags)) {
        node_changes(n);
        n->accessed = (int64_t)rt_realtime_ns();
    }
}

void node_time_passes(void)
{
    day_ago = (int64_t)rt_realtime_ns() - DAY_NS;
}

uint64_t node_read(
    struct node *n, uint64_t position, struct rpc_out *out, uint64_t bytes, bool *bad)
{
    uint64_t done = 0;
    if (position >= n->size)
        return 0;
    if (bytes > n->size - position)
        bytes = n->size - position;
    while (done < bytes) {
        uint64_t at = (position + done) % PAGE, run = PAGE - at;
        run = run < bytes - done ? run : bytes - done;
        const uint8_t *p = node_page(n, (position + done) / PAGE);
        if (!rt_copy_to_client(out->offset + done, p ? p + at : zeros, run)) {
            *bad = !done;
            break;
        }
        done += run;
    }
    return done;
}

uint64_t node_write(struct node *n, uint64_t position, struct rpc_in in, bool *bad)
{
    uint64_t done = 0, had_pages = n->pages, had_size = n->size;
    while (done < in.length) {
        uint64_t at = (position + done) % PAGE, run = PAGE - at;
        run = run < in.length - done ? run : in.length - done;
        uint8_t *p = node_page_make(n, (position + done) / PAGE);
        if (!p)
            break;
        if (!rt_copy_from_client(in.offset + done, p + at, run)) {
            *bad = !done;
            break;
        }
        done += run;
    }
    if (position + done > n->size && done)
        TX_SET(n->size, position + done);
    if (!*bad && (n->pages != had_pages || n->size != had_size))
        share_changed(n, position / PAGE, (position + done + PAGE - 1) / PAGE);
    return done;
}

/* ---- names ----------------------------------------------------------------------------------- */

static uint32_t name_hash(const struct node *directory, const char *name, uint32_t length)
{
    return crc32c((uint32_t)directory->number, name, length);
}

struct entry *entry_find(const struct node *directory, const char *name, uint32_t length)
{
    uint32_t hash = name_hash(directory, name, length);
    for (struct entry *e = fs->hash[hash % HASH_BUCKETS]; e; e = e->hash_next)
        if (e->hash == hash && e->directory == directory && e->length == length &&
            !memcmp(e->name, name, length))
            return e;
    return 0;
}

bool entry_add(struct node *directory, const char *name, uint32_t length, struct node *node)
{
    struct entry *e = capsule_alloc(sizeof *e + length + 1);
    if (!e)
        return false;
    e->hash = name_hash(directory, name, length);
    e->directory = directory;
    e->node = node;
    e->length = length;
    memcpy(e->name, name, length);
    e->cookie = directory->next_cookie;
    TX_SET(directory->next_cookie, e->cookie + 1);
    struct entry **head = &fs->hash[e->hash % HASH_BUCKETS];
    e->hash_next = *head;
    TX_SET(*head, e);
    e->prev = directory->last;
    if (directory->last)
        TX_SET(directory->last->next, e);
    else
        TX_SET(directory->first, e);
    TX_SET(directory->last, e);
    TX_SET(directory->size, directory->size + 1);
    node_touch(directory, true);
    if ((node->mode & S_TYPE) == S_DIRECTORY) {
        TX_SET(node->parent, directory);
        TX_SET(node->name, e);
        TX_SET(directory->links, directory->links + 1);
    } else {
        TX_SET(node->links, node->links + 1);
    }
    node_touch(node, false);
    if (is_place(node))
        places_change();
    return true;
}

void entry_remove(struct entry *e)
{
    struct node *d = e->directory;
    for (struct entry **link = &fs->hash[e->hash % HASH_BUCKETS]; *link; link = &(*link)->hash_next)
        if (*link == e) {
            TX_SET(*link, e->hash_next);
            break;
        }
    if (e->prev)
        TX_SET(e->prev->next, e->next);
    else
        TX_SET(d->first, e->next);
    if (e->next)
        TX_SET(e->next->prev, e->prev);
    else
        TX_SET(d->last, e->prev);
    TX_SET(d->size, d->size - 1);
    node_touch(d, true);
    node_touch(e->node, false);
    if (is_place(e->node))
        places_change();
    if ((e->node->mode & S_TYPE) == S_DIRECTORY)
        TX_SET(d->links, d->links - 1);
    else
        TX_SET(e->node->links, e->node->links - 1);
    capsule_free(e, sizeof *e + e->length + 1);
}

static struct file_time when(int64_t ns)
{
    int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
    return (struct file_time){
        .seconds = seconds, .nanoseconds = (uint32_t)(ns - seconds * 1000000000)};
}

void node_attributes(const struct node *n, struct file_attributes *a)
{
    bool directory = (n->mode & S_TYPE) == S_DIRECTORY, fifo = (n->mode & S_TYPE) == S_FIFO;
    *a = (struct file_attributes){
        .node = n->number,
        .device = n->volume->device,
        .special = n->special,
        .size = directory ? n->size * 20 + 40
                : fifo    ? 0
                          : n->size,
        .blocks = fifo ? 0 : n->pages * 8,
        .accessed = when(n->accessed),
        .modified = when(n->modified),
        .changed = when(n->changed),
        .born = when(n->born),
        .mode = n->mode,
        .links = n->links,
        .owner = n->owner,
        .group = n->group,
        .block_size = PAGE,
        .counter = *counter_of(n),
    };
}
