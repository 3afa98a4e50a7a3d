/* SPDX-License-Identifier: MIT */
/*
 * Memory that several spaces see: shared anonymous memory and files.
 *
 * An object is a page map by offset: pages of ram (anonymous, made on first touch), or of a
 * file server's region, as that has told us. An area says which object a range of a space
 * shows; the space's entries there carry ENTRY_AREA until a private page takes their place.
 * An anonymous object goes with its last area; a file's stays until its server withdraws it
 * or the place is needed.
 */
#include "memory.h"
#include <rt/string.h>
#include <server/server.h>

#define AROUND 16u /* pages of a file mapped with the one that was touched */

uint64_t shared_pages;

uint32_t object_region(const struct object_record *o)
{
    return o->pager ? memory->pagers[o->pager - 1] : ram;
}

static uint32_t object_page(const struct object_record *o, uint64_t at)
{
    struct piece p;
    return map_find(o->root, at, &p) ? p.node->slot[p.index] & ENTRY_PAGE : 0;
}

static const void *object_view(const struct object_record *o, uint32_t page)
{
    return o->pager ? pager_view(memory->pagers[o->pager - 1], o->pager, page) : page_view(page);
}

/* ---- objects ------------------------------------------------------------------------------- */

struct object_record *object_find(uint32_t pager, uint64_t file)
{
    struct object_record *o = memory->objects;
    while (o && (o->pager != pager || o->file != file))
        o = o->next;
    return o;
}

static void object_drop(struct object_record *o)
{
    struct piece p;
    for (uint64_t at = 0; !o->pager && map_next(o->root, at, LAST_PAGE, &p); at = p.first + p.count)
        for (unsigned w = 0; w < SLOTS / 64; w++)
            for (uint64_t bits = p.node->used[w]; bits; bits &= bits - 1) {
                page_less(p.node->slot[w * 64 + (unsigned)__builtin_ctzll(bits)] & ENTRY_PAGE);
                shared_pages--;
            }
    map_drop(o->root);
    for (struct object_record **link = &memory->objects; *link; link = &(*link)->next)
        if (*link == o) {
            TX_SET(*link, o->next);
            break;
        }
    TX_SET(memory->object_count, memory->object_count - 1);
    capsule_free(o, sizeof *o);
}

struct object_record *object_make(uint32_t pager, uint64_t file)
{
    struct object_record *oldest = 0;
    if (memory->object_count >= OBJECTS_MAX)
        for (struct object_record *o = memory->objects; o; o = o->next)
            if (!o->areas)
                oldest = o;
    if (oldest)
        object_drop(oldest);
    struct object_record *o = capsule_alloc(sizeof *o);
    if (!o)
        return 0;
    o->pager = pager;
    o->file = file;
    o->next = memory->objects;
    TX_SET(memory->objects, o);
    TX_SET(memory->object_count, memory->object_count + 1);
    return o;
}

/* ---- areas ----------------------------------------------------------------------------------- */

struct area *area_find(const struct space_record *s, uint64_t vpn)
{
    struct area *a = s->areas;
    while (a && vpn - a->first >= a->count)
        a = a->next;
    return a;
}

/* The object's record, which stays where it is from one incarnation to the next, and the offset. */
uint64_t area_place(const struct space_record *s, uint64_t address)
{
    const struct area *a = area_find(s, address / PAGE);
    if (!a)
        return 0;
    uint64_t record = ((uint64_t)a->object - CAPSULE_BASE) / 16 & 0x7fffff;
    uint64_t page = (address / PAGE - a->first + a->offset) & 0xfffffff;
    return 1ull << 63 | record << 40 | page << 12 | address % PAGE;
}

bool area_resident(const struct space_record *s, uint64_t vpn)
{
    const struct area *a = area_find(s, vpn);
    return a && object_page(a->object, vpn - a->first + a->offset);
}

static struct area *area_add_to(struct space_record *s, struct object_record *o, struct area like)
{
    struct area *a = capsule_alloc(sizeof *a);
    if (!a)
        return 0;
    *a = like;
    a->object = o;
    a->space = s;
    a->next = s->areas;
    a->same = o->areas;
    TX_SET(s->areas, a);
    TX_SET(o->areas, a);
    return a;
}

bool area_add(struct space_record *s, struct object_record *o, uint64_t first, uint64_t count,
    uint64_t offset, bool writable)
{
    struct area like = {.first = first, .count = count, .offset = offset, .writable = writable};
    return area_add_to(s, o, like) != 0;
}

static void area_remove(struct area *a)
{
    struct object_record *o = a->object;
    struct area **link = &a->space->areas;
    while (*link != a)
        link = &(*link)->next;
    TX_SET(*link, a->next);
    for (link = &o->areas; *link != a;)
        link = &(*link)->same;
    TX_SET(*link, a->same);
    capsule_free(a, sizeof *a);
    if (!o->areas && !o->pager)
        object_drop(o);
}

/* A range shows nothing any more. May commit what the transaction has done so far. */
bool areas_cut(struct space_record *s, uint64_t first, uint64_t count)
{
    uint64_t end = first + count;
    for (struct area *a = s->areas, *next; a; a = next) {
        uint64_t stop = a->first + a->count;
        next = a->next;
        if (tx_full())
            tx_split();
        if (a->first >= end || stop <= first)
            continue;
        if (a->first < first && stop > end) { /* a hole in the middle */
            struct area upper = *a;
            upper.first = end;
            upper.count = stop - end;
            upper.offset += end - a->first;
            if (!area_add_to(s, a->object, upper))
                return false;
        }
        if (a->first < first) {
            TX_SET(a->count, first - a->first);
        } else if (stop > end) {
            TX_SET(a->offset, a->offset + end - a->first);
            TX_SET(a->first, end);
            TX_SET(a->count, stop - end);
        } else {
            area_remove(a);
        }
    }
    return true;
}

bool areas_copy(const struct space_record *from, struct space_record *to)
{
    for (const struct area *a = from->areas; a; a = a->next) {
        if (tx_full())
            tx_split();
        if (!area_add_to(to, a->object, *a))
            return false;
    }
    return true;
}

/* The same at another place, for mremap; what ends with the range ends `more` pages later. */
bool areas_move(struct space_record *s, uint64_t first, uint64_t count, uint64_t to, uint64_t more)
{
    for (struct area *a = s->areas, *next; a; a = next) {
        uint64_t low = a->first > first ? a->first : first, stop = a->first + a->count;
        uint64_t high = stop < first + count ? stop : first + count;
        next = a->next;
        if (low >= high)
            continue;
        struct area moved = *a;
        moved.first = to + (low - first);
        moved.count = high - low + (high == first + count ? more : 0);
        moved.offset += low - a->first;
        if (!area_add_to(s, a->object, moved))
            return false;
    }
    return true;
}

void areas_grow(struct space_record *s, uint64_t end, uint64_t more)
{
    struct area *a = area_find(s, end - 1);
    if (a && a->first + a->count == end)
        TX_SET(a->count, a->count + more);
}

bool areas_writable(const struct space_record *s, uint64_t first, uint64_t count)
{
    for (const struct area *a = s->areas; a; a = a->next)
        if (!a->writable && a->first < first + count && first < a->first + a->count)
            return false;
    return true;
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* A page of its own for the space: a copy of the object's, or zeros. */
static bool area_private(struct space_record *s, struct node *leaf, unsigned i, uint64_t vpn,
    const struct object_record *o, uint32_t page)
{
    const void *from = page ? object_view(o, page) : 0;
    uint32_t copy = page && !from ? 0 : page_for(s, !page);
    if (!copy)
        return false;
    if (page)
        memcpy(page_view(copy), from, PAGE);
    if (BIT(leaf->mapped, i)) {
        unmap_run(s, vpn * PAGE, 1);
        quiesce();
    }
    uint32_t e = leaf->slot[i] & ~(ENTRY_AREA | ENTRY_PAGE);
    __atomic_store_n(&leaf->slot[i], e | copy, __ATOMIC_RELEASE);
    s->resident++;
    BIT_SET(leaf->used, i);
    BIT_SET(leaf->mapped, i);
    return map_page(s, vpn * PAGE, copy, map_rights(e, true, false));
}

/* How many entries from i on may be mapped with this one: alike, not mapped yet, and with
 * pages that follow each other. */
static unsigned around(const struct node *leaf, unsigned i, const struct area *a, uint64_t vpn,
    uint64_t at, uint32_t page)
{
    unsigned n = 1;
    while (n < AROUND && i + n < SLOTS && vpn + n < a->first + a->count &&
           leaf->slot[i + n] == leaf->slot[i] && !BIT(leaf->mapped, i + n) &&
           object_page(a->object, at + n) == page + n)
        n++;
    return n;
}

static uint32_t object_fill(struct object_record *o, uint64_t at)
{
    struct node *n = pages_unused() < pages_reserve() ? 0 : map_leaf(&o->root, at);
    uint32_t page = n ? page_take(true) : 0;
    if (!page)
        return 0;
    __atomic_store_n(&n->slot[at % SLOTS], page | ENTRY_VALID, __ATOMIC_RELEASE);
    BIT_SET(n->used, at % SLOTS);
    shared_pages++;
    return page;
}

bool area_fault(struct space_record *s, struct node *leaf, uint64_t vpn, bool write, bool exec)
{
    unsigned i = (unsigned)(vpn % SLOTS);
    uint32_t e = leaf->slot[i];
    struct area *a = area_find(s, vpn);
    if (!a)
        return false;
    struct object_record *o = a->object;
    uint64_t at = vpn - a->first + a->offset;
    uint32_t page = object_page(o, at);
    if (o->pager && at >= o->pages)
        return false; /* behind the file's end */
    if (!page && !o->pager)
        page = object_fill(o, at);
    if (!(e & ENTRY_SHARED) && (write || !page))
        return area_private(s, leaf, i, vpn, o, page);
    if (!page)
        return false;
    if ((write || exec) && BIT(leaf->mapped, i))
        unmap_run(s, vpn * PAGE, 1);
    unsigned n = write ? 1 : around(leaf, i, a, vpn, at, page);
    for (unsigned k = 0; k < n; k++)
        BIT_SET(leaf->mapped, i + k);
    return map_run(s, vpn * PAGE, object_region(o), page, n,
        map_rights(write ? e : e & ~ENTRY_WRITE, true, exec));
}

const void *area_view(struct space_record *s, uint64_t vpn)
{
    const struct area *a = area_find(s, vpn);
    uint32_t page = a ? object_page(a->object, vpn - a->first + a->offset) : 0;
    return page ? object_view(a->object, page) : 0;
}

/* ---- what file servers say ------------------------------------------------------------------- */

/* Out of all spaces: pages [first, first + count) of the object that are not private there. */
static void object_hide(const struct object_record *o, uint64_t first, uint64_t count)
{
    bool any = false;
    for (const struct area *a = o->areas; a; a = a->same) {
        uint64_t low = first > a->offset ? first : a->offset;
        uint64_t high = first + count < a->offset + a->count ? first + count : a->offset + a->count;
        struct piece p;
        if (low >= high)
            continue;
        uint64_t end = high - a->offset + a->first;
        for (uint64_t at = low - a->offset + a->first; map_next(a->space->root, at, end, &p);
             at = p.first + p.count) {
            uint64_t mask[SLOTS / 64] = {0};
            for (unsigned i = p.index; !p.level && i < p.index + p.count; i++)
                if (p.node->slot[i] & ENTRY_AREA)
                    BIT_SET(mask, i);
            if (!p.level)
                any |= leaf_unmap(a->space, p.node, (p.first - p.index) * PAGE, mask);
        }
    }
    if (any)
        quiesce();
}

uint32_t object_withdraw(struct object_record *o, uint64_t first, uint64_t count)
{
    uint32_t mappings = 0;
    uint64_t end = count < LAST_PAGE - first ? first + count : LAST_PAGE;
    struct piece p;
    for (uint64_t at = first; map_next(o->root, at, end, &p); at = p.first + p.count)
        for (unsigned i = p.index; i < p.index + p.count; i++) {
            p.node->slot[i] = 0;
            BIT_CLEAR(p.node->used, i);
        }
    object_hide(o, first, end - first);
    if (end == LAST_PAGE && o->pages > first)
        TX_SET(o->pages, first);
    for (const struct area *a = o->areas; a; a = a->same)
        mappings++;
    if (!mappings && !first && end == LAST_PAGE)
        object_drop(o);
    return mappings;
}

bool object_supply(struct object_record *o, uint64_t at, const uint32_t *pages, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct node *n = map_leaf(&o->root, at + i);
        if (!n)
            return false;
        unsigned k = (unsigned)((at + i) % SLOTS);
        uint32_t was = n->slot[k], now = pages[i] & ENTRY_PAGE;
        if (was & ENTRY_PAGE && (was & ENTRY_PAGE) != now)
            (void)object_withdraw(o, at + i, 1);
        n->slot[k] = now ? now | ENTRY_VALID : 0;
        if (now)
            BIT_SET(n->used, k);
    }
    return true;
}
