/* SPDX-License-Identifier: MIT */
/* Faults: pages on first touch, copies on writing; and the kernel's mappings. */
#include "memory.h"
#include <rt/string.h>

/* ---- kernel mappings ---------------------------------------------------------------------- */

/* Room to note that many pages. */
static bool notes_ready(struct space_record *s, uint32_t pages)
{
    if (s->objects && s->objects->count + pages <= 61)
        return true;
    struct object_list *l = capsule_alloc(sizeof *l);
    if (!l)
        return false;
    l->next = s->objects;
    TX_SET(s->objects, l);
    return true;
}

static void object_note(struct space_record *s, uint32_t page)
{
    tx_save(&s->objects->pages[s->objects->count], 4);
    s->objects->pages[s->objects->count] = page;
    TX_SET(s->objects->count, s->objects->count + 1);
}

uint32_t object_for(struct space_record *s)
{
    uint32_t page = notes_ready(s, 1) ? object_take() : 0;
    if (page)
        object_note(s, page);
    return page;
}

uint32_t object_pair_for(struct space_record *s)
{
    uint32_t pair = notes_ready(s, 2) ? object_pair_take() : 0;
    if (pair) {
        object_note(s, pair);
        object_note(s, pair + 1);
    }
    return pair;
}

bool tables_give(struct space_record *s)
{
    uint32_t pair = object_pair_for(s);
    if (!pair)
        return false;
    TX_SET(s->tables, s->tables + 1);
    struct pith_result r;
    do
        r = pith_space_donate(s->space, ram, pair);
    while (r.status == -E_AGAIN);
    return !r.status;
}

/* What is both writable and executable is one at a time, as the last fault wanted. */
uint64_t map_rights(uint32_t entry, bool writable, bool exec)
{
    if (entry & ENTRY_EXEC && (exec || !(entry & ENTRY_WRITE) || !writable))
        return MAP_READ | MAP_EXEC;
    return MAP_READ | (entry & ENTRY_WRITE && writable ? MAP_WRITE : 0);
}

bool map_run(struct space_record *s, uint64_t va, uint32_t region, uint32_t page, unsigned count,
    uint64_t rights)
{
    for (unsigned tries = 0;;) {
        struct pith_result r = pith_space_map(s->space, va, region, page, count | rights);
        if (!r.status || r.status == -E_BUSY)
            return true;
        if (r.status == -E_OWNER && region == ram && !tries++)
            page_reclaim(page); /* an object that an undone request left */
        else if (r.status == -E_TABLES ? !tables_give(s) : r.status != -E_AGAIN)
            return false;
    }
}

bool map_page(struct space_record *s, uint64_t va, uint32_t page, uint64_t rights)
{
    return map_run(s, va, ram, page, 1, rights);
}

uint64_t unmap_run(struct space_record *s, uint64_t va, uint64_t n)
{
    struct pith_result r;
    do
        r = pith_space_unmap(s->space, va, n);
    while (r.status == -E_AGAIN);
    return r.status ? 0 : r.value;
}

bool leaf_unmap(struct space_record *s, struct node *leaf, uint64_t base, const uint64_t *mask)
{
    bool any = false;
    for (unsigned w = 0; w < SLOTS / 64; w++) {
        uint64_t bits = leaf->mapped[w] & mask[w], keep = leaf->mapped[w] & ~mask[w];
        while (bits) {
            /* Up to the last that goes before the next that stays. */
            unsigned from = (unsigned)__builtin_ctzll(bits);
            uint64_t stay = keep >> from, here = bits >> from;
            if (stay)
                here &= (stay & -stay) - 1;
            unsigned count = 64 - (unsigned)__builtin_clzll(here);
            unmap_run(s, base + (w * 64 + from) * PAGE, count);
            bits &= ~(here << from);
            any = true;
        }
        leaf->mapped[w] = keep;
    }
    return any;
}

void quiesce(void)
{
    if (STARTUP->cores == 1)
        return;
    struct pith_result r = pith_quiesce(0);
    while (r.status == -E_AGAIN)
        r = pith_quiesce(r.value);
}

/* ---- faults ---------------------------------------------------------------------------------- */

#define SMALL 1024u /* pages: a program of that size may use the reserve */

uint32_t page_for(struct space_record *s, bool zero)
{
    bool refused =
        s->resident >= s->quota || (s->resident > SMALL && pages_unused() < pages_reserve());
    uint32_t page = refused ? 0 : page_take(zero);
    if (!page)
        rt_log("out of memory: space %u has %lu pages, %lu are left", s->id, s->resident,
            pages_unused());
    return page;
}

/* A page of its own instead of one that is shared. */
static bool page_copy(struct space_record *s, struct node *leaf, unsigned i, uint64_t va)
{
    uint32_t page = leaf->slot[i] & ENTRY_PAGE, copy = page_for(s, false);
    if (!copy)
        return false;
    memcpy(page_view(copy), page_view(page), PAGE);
    if (BIT(leaf->mapped, i))
        unmap_run(s, va, 1);
    __atomic_store_n(&leaf->slot[i], (leaf->slot[i] & ~ENTRY_PAGE) | copy, __ATOMIC_RELEASE);
    BIT_SET(leaf->mapped, i);
    quiesce();
    page_less(page);
    return map_page(s, va, copy, map_rights(leaf->slot[i], true, false));
}

#define AHEAD_FROM 4u /* pages touched one behind the other, until more are made ready */
#define AHEAD_MOST 15u
#define AHEAD_SPARE 1024u /* pages beside the reserve, or nothing is made ahead of need */

/* How many slots right before i have pages and the same rights, up to a limit. */
static unsigned run_before(const struct node *leaf, unsigned i, uint32_t like)
{
    unsigned n = 0;
    while (n < AHEAD_MOST && n < i && BIT(leaf->used, i - n - 1) &&
           (leaf->slot[i - n - 1] & ~ENTRY_PAGE) == like)
        n++;
    return n;
}

/* Who has touched pages in a row will touch the next ones: they get theirs before they fault. The
 * first that cannot be had ends it. */
static void pages_ahead(struct space_record *s, struct node *leaf, unsigned i, uint64_t va)
{
    uint32_t like = leaf->slot[i] & ~ENTRY_PAGE, previous = 0;
    unsigned n = run_before(leaf, i, like), first = i + 1, end = i + 1;
    if (n < AHEAD_FROM || s->resident + n > s->quota ||
        pages_unused() < pages_reserve() + AHEAD_SPARE)
        return;
    for (; end <= i + n && end < SLOTS && leaf->slot[end] == like; end++) {
        uint32_t page = page_take(true);
        if (!page)
            break;
        if (end > first && page != previous + 1) {
            (void)map_run(s, va + (first - i) * PAGE, ram, previous + 1 - (end - first),
                end - first, map_rights(like, true, false));
            first = end;
        }
        previous = page;
        s->resident++;
        __atomic_store_n(&leaf->slot[end], like | page, __ATOMIC_RELEASE);
        BIT_SET(leaf->used, end);
        BIT_SET(leaf->mapped, end);
    }
    if (end > first)
        (void)map_run(s, va + (first - i) * PAGE, ram, previous + 1 - (end - first), end - first,
            map_rights(like, true, false));
}

static bool page_first(
    struct space_record *s, struct node *leaf, unsigned i, uint64_t va, bool write, bool exec)
{
    uint32_t page = write || !memory->zero_page ? page_for(s, true) : memory->zero_page;
    if (!page)
        return false;
    if (page == memory->zero_page)
        page_more(page);
    s->resident++;
    __atomic_store_n(&leaf->slot[i], leaf->slot[i] | page, __ATOMIC_RELEASE);
    BIT_SET(leaf->used, i);
    BIT_SET(leaf->mapped, i);
    bool done = map_page(s, va, page, map_rights(leaf->slot[i], page != memory->zero_page, exec));
    if (done && write)
        pages_ahead(s, leaf, i, va);
    return done;
}

bool fault_resolve(struct space_record *s, uint64_t va, bool write, bool exec)
{
    struct piece p;
    va &= ~(PAGE - 1);
    if (va / PAGE >= LAST_PAGE || !map_find(s->root, va / PAGE, &p))
        return false;
    uint32_t e = p.node->slot[p.index];
    if (!(e & ENTRY_RIGHTS) || (write && !(e & ENTRY_WRITE)) || (exec && !(e & ENTRY_EXEC)))
        return false;
    struct node *leaf = p.level ? map_leaf(&s->root, va / PAGE) : p.node;
    if (!leaf)
        return false;
    s->faults++;
    unsigned i = (unsigned)(va / PAGE % SLOTS);
    uint32_t page = e & ENTRY_PAGE;
    if (e & ENTRY_AREA)
        return area_fault(s, leaf, va / PAGE, write, exec);
    if (!page)
        return page_first(s, leaf, i, va, write, exec);
    bool own = page_refs(page) == 1;
    if (write)
        hot_add(s, va / PAGE);
    if (write && !own)
        return page_copy(s, leaf, i, va);
    if ((write || exec) && BIT(leaf->mapped, i))
        unmap_run(s, va, 1); /* to be mapped with other rights */
    BIT_SET(leaf->mapped, i);
    return map_page(s, va, page, map_rights(e, own, exec));
}

const void *space_view(struct space_record *s, uint64_t va)
{
    struct piece p;
    if (va / PAGE >= LAST_PAGE)
        return 0;
    for (unsigned tries = 0; map_find(s->root, va / PAGE, &p); tries++) {
        uint32_t e = p.node->slot[p.index], page = p.level ? 0 : e & ENTRY_PAGE;
        const uint8_t *view = page ? page_view(page) : e & ENTRY_AREA ? area_view(s, va / PAGE) : 0;
        if (view)
            return view + va % PAGE;
        if (tries || !fault_resolve(s, va, false, false))
            return 0;
    }
    return 0;
}
