/* SPDX-License-Identifier: MIT */
/* The memory protocol and the fault handler. Every request runs under the server's lock. */
#include "memory.h"
#include <rt/string.h>

#define MANAGER 0u
#define POPULATE_MAX 512u /* pages: a request is bounded; the rest comes on first touch */

struct memory_server *memory;

/* What a repeated request needs to hear again. */
struct stored {
    uint64_t value;
    uint32_t status, a, b, c;
};

static bool repeated(uint64_t badge, uint64_t sequence, struct stored *r)
{
    tx_begin();
    memset(r, 0, sizeof *r);
    if (!capsule_reply_find(badge, sequence, r, sizeof *r))
        return false;
    tx_commit();
    return true;
}

static uint32_t finish(uint64_t badge, uint64_t sequence, struct stored *r, uint32_t status)
{
    r->status = status;
    capsule_reply_store(badge, sequence, r, sizeof *r);
    tx_commit();
    return status;
}

static uint32_t undo(uint32_t status)
{
    tx_abort();
    return status;
}

static uint32_t rights_of(uint8_t protection)
{
    return (protection & MEMORY_PROTECTION_READ ? ENTRY_READ : 0) |
           (protection & MEMORY_PROTECTION_WRITE ? ENTRY_WRITE | ENTRY_READ : 0) |
           (protection & MEMORY_PROTECTION_EXEC ? ENTRY_EXEC | ENTRY_READ : 0);
}

/* A range a client may name: whole pages in its own part. */
static bool range_decode(uint64_t address, uint64_t length, uint16_t flags, uint64_t *pages)
{
    bool layer = flags & MEMORY_MAP_LAYER;
    uint64_t lo = layer ? MEMORY_LAYER_BASE : PAGE,
             hi = layer ? MEMORY_LAYER_END : MEMORY_LAYER_BASE;
    if (address % PAGE || !length || length > hi - lo)
        return false;
    *pages = (length + PAGE - 1) / PAGE;
    return address >= lo && address <= hi - *pages * PAGE;
}

/* A free place of that many pages, downwards from the hint; 0: none. */
static uint64_t place_find(struct space_record *s, uint64_t pages, uint16_t flags)
{
    uint64_t top = flags & MEMORY_MAP_LOW ? 0xfffff000 : s->hint, bytes = pages * PAGE;
    if (flags & MEMORY_MAP_LAYER)
        top = MEMORY_LAYER_END;
    uint64_t low = flags & MEMORY_MAP_LAYER ? MEMORY_LAYER_BASE + (1ull << 32) : 1ull << 20;
    for (unsigned round = 0; round < 2; round++) {
        for (uint64_t at = top; at >= low + bytes;) {
            uint64_t va = at - bytes, found;
            uint32_t entry;
            if (!range_first(s, va, &found, &entry) || found >= at)
                return va;
            /* Something is there: go below the first page of it that we see. */
            at = found;
        }
        top = MEMORY_MAP_TOP;
    }
    return 0;
}

/* What is cleared if this server dies before the request is finished. */
static void undo_range(struct space_record *s, uint64_t va, uint64_t pages)
{
    s->undo_count = 0;
    s->undo_first = va / PAGE;
    __atomic_store_n(&s->undo_count, pages, __ATOMIC_RELEASE);
    TX_SET(s->undo_count, 0);
}

uint32_t memory_serve_map(struct memory_server *m, uint64_t badge, uint64_t sequence,
    uint64_t address, uint64_t length, uint8_t protection, uint16_t flags, uint64_t *address_out)
{
    struct stored r;
    uint64_t pages;
    (void)m;
    if (repeated(badge, sequence, &r)) {
        *address_out = r.value;
        return r.status;
    }
    struct space_record *s = space_find(badge);
    if (!s)
        return undo(MEMORY_ERROR_PERM);
    if (flags & MEMORY_MAP_FIXED) {
        if (!range_decode(address, length, flags, &pages))
            return undo(MEMORY_ERROR_INVAL);
    } else {
        pages = (length + PAGE - 1) / PAGE;
        if (!length || length > MEMORY_MAP_TOP)
            return undo(length ? MEMORY_ERROR_NOMEM : MEMORY_ERROR_INVAL);
        uint64_t checked;
        if (!address || !range_decode(address & ~(PAGE - 1), length, flags, &checked) ||
            !range_free(s, address & ~(PAGE - 1), pages))
            address = place_find(s, pages, flags);
        address &= ~(PAGE - 1);
        if (!address)
            return undo(MEMORY_ERROR_NOMEM);
        if (!(flags & (MEMORY_MAP_LAYER | MEMORY_MAP_LOW)) && address < s->hint)
            TX_SET(s->hint, address);
    }
    if (flags & MEMORY_MAP_NO_REPLACE && !range_free(s, address, pages))
        return undo(MEMORY_ERROR_EXIST);
    if (pages > pages_total() && protection & MEMORY_PROTECTION_WRITE &&
        !(flags & MEMORY_MAP_NO_RESERVE))
        return undo(MEMORY_ERROR_NOMEM);
    uint32_t status = flags & MEMORY_MAP_FIXED ? range_clear(s, address, pages, false) : 0;
    undo_range(s, address, pages);
    uint32_t entry = rights_of(protection);
    if (!status && flags & MEMORY_MAP_SHARED) {
        entry |= ENTRY_SHARED | ENTRY_AREA;
        TX_SET(m->next_file, m->next_file + 1);
        struct object_record *o = object_make(0, m->next_file);
        if (!o || !area_add(s, o, address / PAGE, pages, 0, true))
            return undo(MEMORY_ERROR_NOMEM);
    }
    if (!status)
        status = range_set(s, address, pages, entry);
    if (!status && flags & MEMORY_MAP_POPULATE)
        for (uint64_t i = 0; i < pages && i < POPULATE_MAX; i++)
            if (!fault_resolve(s, address + i * PAGE, protection & MEMORY_PROTECTION_WRITE, false))
                break;
    r.value = *address_out = address;
    return finish(badge, sequence, &r, status);
}

uint32_t memory_serve_unmap(struct memory_server *m, uint64_t badge, uint64_t sequence,
    uint64_t address, uint64_t length, uint16_t flags)
{
    struct stored r;
    uint64_t pages;
    (void)m;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct space_record *s = space_find(badge);
    if (!s)
        return undo(MEMORY_ERROR_PERM);
    if (!range_decode(address, length, flags, &pages))
        return undo(MEMORY_ERROR_INVAL);
    uint32_t status = range_clear(s, address, pages, false);
    if (address == s->hint)
        TX_SET(s->hint,
            address + pages * PAGE < MEMORY_MAP_TOP ? address + pages * PAGE : MEMORY_MAP_TOP);
    return finish(badge, sequence, &r, status);
}

uint32_t memory_serve_protect(struct memory_server *m, uint64_t badge, uint64_t sequence,
    uint64_t address, uint64_t length, uint8_t protection, uint16_t flags)
{
    struct stored r;
    uint64_t pages;
    (void)m;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct space_record *s = space_find(badge);
    if (!s)
        return undo(MEMORY_ERROR_PERM);
    if (!range_decode(address, length, flags, &pages))
        return undo(MEMORY_ERROR_INVAL);
    if (protection & MEMORY_PROTECTION_WRITE && !areas_writable(s, address / PAGE, pages))
        return undo(MEMORY_ERROR_PERM);
    return finish(badge, sequence, &r, range_protect(s, address, pages, rights_of(protection)));
}

/* Where a mapping of that many pages that grows or moves goes; 0: nowhere. */
static uint64_t remap_place(
    struct space_record *s, uint64_t address, uint64_t pages, uint64_t wanted, bool may_move)
{
    uint64_t end = address + pages * PAGE, more = (wanted - pages) * PAGE;
    if (wanted <= pages ||
        (end + more <= MEMORY_LAYER_BASE && range_free(s, end, wanted - pages)))
        return address;
    uint64_t to = may_move ? place_find(s, wanted, 0) : 0;
    if (to && to < s->hint)
        TX_SET(s->hint, to);
    return to;
}

/* The request is done; what is left is to clear a range, by a restart if need be. Done before
 * the reply is stored it could not be repeated: the range would not be valid any more. */
static uint32_t finish_and_clear(struct space_record *s, uint64_t badge, uint64_t sequence,
    struct stored *r, uint64_t address, uint64_t pages)
{
    if (!map_cut(&s->root, address / PAGE) || !map_cut(&s->root, address / PAGE + pages))
        return finish(badge, sequence, r, MEMORY_ERROR_NOMEM);
    TX_SET(s->undo_first, address / PAGE);
    TX_SET(s->undo_count, pages);
    (void)finish(badge, sequence, r, 0);
    tx_begin();
    (void)range_clear(s, address, pages, false);
    TX_SET(s->undo_count, 0);
    tx_commit();
    return 0;
}

/* The pages are named at both places, then the reply is stored, then the old place is
 * cleared: by a restart if need be. */
static uint32_t remap_move(struct space_record *s, uint64_t badge, uint64_t sequence,
    struct stored *r, uint64_t address, uint64_t pages, uint64_t wanted, uint32_t entry)
{
    uint64_t kept = pages < wanted ? pages : wanted;
    undo_range(s, r->value, wanted);
    if (!areas_move(s, address / PAGE, kept, r->value / PAGE, wanted - kept) ||
        !range_copy(s, address, r->value, kept) ||
        (wanted > kept && range_set(s, r->value + kept * PAGE, wanted - kept, entry))) {
        range_clear(s, r->value, wanted, false);
        return finish(badge, sequence, r, MEMORY_ERROR_NOMEM);
    }
    return finish_and_clear(s, badge, sequence, r, address, pages);
}

uint32_t memory_serve_remap(struct memory_server *m, uint64_t badge, uint64_t sequence,
    uint64_t address, uint64_t length, uint64_t new_length, bool may_move, uint64_t new_address,
    bool fixed, uint64_t *address_out)
{
    struct stored r;
    uint64_t pages, wanted, at;
    uint32_t entry, status = 0;
    (void)m;
    if (repeated(badge, sequence, &r)) {
        *address_out = r.value;
        return r.status;
    }
    struct space_record *s = space_find(badge);
    if (!s)
        return undo(MEMORY_ERROR_PERM);
    if (!range_decode(address, length, 0, &pages) ||
        !range_decode(fixed ? new_address : PAGE, new_length, 0, &wanted))
        return undo(MEMORY_ERROR_INVAL);
    if (!range_valid(s, address, pages) || !range_first(s, address, &at, &entry))
        return undo(MEMORY_ERROR_FAULT);
    entry &= ENTRY_RIGHTS | ENTRY_SHARED | ENTRY_AREA;
    uint64_t to = fixed ? new_address : remap_place(s, address, pages, wanted, may_move);
    if (fixed && to < address + pages * PAGE && address < to + wanted * PAGE)
        return undo(MEMORY_ERROR_INVAL);
    if (!to || (fixed && range_clear(s, to, wanted, false)))
        return undo(MEMORY_ERROR_NOMEM);
    r.value = *address_out = to;
    if (to != address)
        return remap_move(s, badge, sequence, &r, address, pages, wanted, entry);
    if (wanted < pages)
        return finish_and_clear(
            s, badge, sequence, &r, address + wanted * PAGE, pages - wanted);
    if (wanted > pages) {
        undo_range(s, to + pages * PAGE, wanted - pages);
        areas_grow(s, to / PAGE + pages, wanted - pages);
        status = range_set(s, to + pages * PAGE, wanted - pages, entry);
    }
    return finish(badge, sequence, &r, status);
}

uint32_t memory_serve_discard(
    struct memory_server *m, uint64_t badge, uint64_t sequence, uint64_t address, uint64_t length)
{
    struct stored r;
    uint64_t pages;
    (void)m;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct space_record *s = space_find(badge);
    if (!s)
        return undo(MEMORY_ERROR_PERM);
    if (!range_decode(address, length, 0, &pages))
        return undo(MEMORY_ERROR_INVAL);
    range_clear(s, address, pages, true);
    return finish(badge, sequence, &r, 0);
}

uint32_t memory_serve_reset(struct memory_server *m, uint64_t badge, uint64_t sequence)
{
    struct stored r;
    (void)m;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct space_record *s = space_find(badge);
    if (!s)
        return undo(MEMORY_ERROR_NOMEM);
    range_clear(s, 0, MEMORY_LAYER_BASE / PAGE, false);
    TX_SET(s->hint, MEMORY_MAP_TOP);
    return finish(badge, sequence, &r, 0);
}

/* Of the program's part, touched or not. */
static uint64_t pages_mapped(struct space_record *s)
{
    uint64_t sum = 0, at = 0, pages;
    uint32_t entry;
    while (range_next(s, at, &at, &pages, &entry) && at < MEMORY_LAYER_BASE) {
        sum += pages;
        at += pages * PAGE;
    }
    return sum;
}

uint32_t memory_serve_usage(struct memory_server *m, uint64_t badge, struct memory_usage *usage)
{
    (void)m;
    tx_begin();
    struct space_record *s = space_find(badge);
    if (s)
        *usage = (struct memory_usage){.quota = s->quota,
            .resident = s->resident,
            .faults = s->faults,
            .mapped = pages_mapped(s)};
    tx_commit();
    return 0;
}

static bool range_next_of(
    uint64_t id, uint64_t address, uint64_t *at, uint64_t *pages, uint32_t *entry, bool *file)
{
    struct space_record *s = space_find(id);
    if (!s || !range_next(s, address, at, pages, entry))
        return false;
    const struct area *a = area_find(s, *at / PAGE);
    *file = a && a->object->pager;
    return true;
}

uint32_t memory_serve_area(struct memory_server *m, uint64_t badge, uint64_t address,
    uint64_t *first, uint64_t *length, uint8_t *protection, uint16_t *flags)
{
    uint64_t at, pages;
    uint32_t entry;
    (void)m;
    tx_begin();
    bool file = false, found = range_next_of(badge, address, &at, &pages, &entry, &file);
    tx_commit();
    if (!found)
        return MEMORY_ERROR_NOENT;
    *first = at;
    *length = pages * PAGE;
    *protection = (uint8_t)((entry & ENTRY_READ ? MEMORY_PROTECTION_READ : 0) |
                            (entry & ENTRY_WRITE ? MEMORY_PROTECTION_WRITE : 0) |
                            (entry & ENTRY_EXEC ? MEMORY_PROTECTION_EXEC : 0));
    *flags = (entry & ENTRY_SHARED ? MEMORY_MAP_SHARED : 0) | (file ? MEMORY_MAP_FILE : 0);
    return 0;
}

uint32_t memory_serve_place(
    struct memory_server *m, uint64_t badge, uint64_t address, uint64_t *place)
{
    uint64_t at = 0;
    uint32_t entry = 0;
    (void)m;
    tx_begin();
    struct space_record *s = space_find(badge);
    bool found =
        s && range_first(s, address & ~(PAGE - 1), &at, &entry) && at == (address & ~(PAGE - 1));
    *place = found && entry & ENTRY_SHARED ? area_place(s, address) : 0;
    tx_commit();
    return found ? 0 : MEMORY_ERROR_NOENT;
}

static bool page_resident(const struct space_record *s, uint64_t vpn)
{
    struct piece p;
    if (vpn >= LAST_PAGE || !map_find(s->root, vpn, &p))
        return false;
    uint32_t e = p.node->slot[p.index];
    return e & ENTRY_AREA ? area_resident(s, vpn) : !p.level && e & ENTRY_PAGE;
}

uint32_t memory_serve_resident(
    struct memory_server *m, uint64_t badge, uint64_t address, uint64_t *pages)
{
    (void)m;
    tx_begin();
    const struct space_record *s = space_find(badge);
    *pages = 0;
    for (unsigned i = 0; s && i < 64; i++)
        *pages |= (uint64_t)page_resident(s, address / PAGE + i) << i;
    tx_commit();
    return 0;
}

/* ---- the manager's --------------------------------------------------------------------------- */

uint32_t memory_serve_create(struct memory_server *m, uint64_t badge, uint64_t sequence,
    uint64_t quota, uint32_t *id, uint32_t *space, uint32_t *gate)
{
    struct stored r;
    (void)m;
    if (!repeated(badge, sequence, &r)) {
        struct space_record *s = badge == MANAGER ? space_make(quota ? quota : UINT64_MAX) : 0;
        if (s && !template_enter(s)) {
            space_unmake(s);
            s = 0;
        }
        if (!s)
            return undo(badge == MANAGER ? MEMORY_ERROR_NOMEM : MEMORY_ERROR_PERM);
        TX_SET(s->state, SPACE_LIVE);
        r.a = s->id;
        r.b = s->space;
        r.c = s->gate;
        (void)finish(badge, sequence, &r, 0);
    }
    *id = r.a;
    *space = r.b;
    *gate = r.c;
    return 0;
}

uint32_t memory_serve_clone(struct memory_server *m, uint64_t badge, uint64_t sequence, uint32_t id,
    uint32_t *new_id, uint32_t *space, uint32_t *gate)
{
    struct stored r;
    (void)m;
    if (!repeated(badge, sequence, &r)) {
        struct space_record *from = badge == MANAGER ? space_find(id) : 0;
        if (!from)
            return undo(badge == MANAGER ? MEMORY_ERROR_NOENT : MEMORY_ERROR_PERM);
        struct space_record *s = space_make(from->quota);
        if (s && !space_clone(from, s)) {
            space_unmake(s);
            s = 0;
        }
        if (!s)
            return undo(MEMORY_ERROR_NOMEM);
        TX_SET(s->state, SPACE_LIVE);
        r.a = s->id;
        r.b = s->space;
        r.c = s->gate;
        (void)finish(badge, sequence, &r, 0);
    }
    *new_id = r.a;
    *space = r.b;
    *gate = r.c;
    return 0;
}

uint32_t memory_serve_adopt(struct memory_server *m, uint64_t badge, uint32_t from, uint32_t to,
    uint64_t address, uint64_t length)
{
    uint32_t status = 0;
    (void)m;
    if (badge != MANAGER)
        return MEMORY_ERROR_PERM;
    if (address > MEMORY_LAYER_BASE || length > MEMORY_LAYER_BASE - address)
        length = MEMORY_LAYER_BASE - (address = address < MEMORY_LAYER_BASE ? address : 0);
    tx_begin();
    struct space_record *a = space_find(from), *b = space_find(to);
    if (!a || !b)
        status = MEMORY_ERROR_NOENT;
    else if (length && !space_adopt(a, b, address, address + length))
        status = MEMORY_ERROR_NOMEM;
    tx_commit();
    return status;
}

uint32_t memory_serve_destroy(
    struct memory_server *m, uint64_t badge, uint64_t sequence, uint32_t id)
{
    struct stored r;
    (void)m;
    if (repeated(badge, sequence, &r))
        return r.status;
    if (badge != MANAGER || id >= SPACES_MAX)
        return undo(MEMORY_ERROR_PERM);
    struct space_record *s = memory->by_id[id];
    if (!s)
        return undo(MEMORY_ERROR_NOENT);
    space_end(s);
    tx_commit(); /* it is ending whatever happens now */
    tx_begin();
    if (!space_end_step(s)) {
        tx_commit();
        return MEMORY_ERROR_AGAIN;
    }
    return finish(badge, sequence, &r, 0);
}

static struct thread_record *thread_find(struct space_record *s, uint32_t id)
{
    struct thread_record *t = s->threads;
    while (t && t->id != id)
        t = t->next;
    return t;
}

uint32_t memory_serve_thread(struct memory_server *m, uint64_t badge, uint64_t sequence,
    uint32_t id, uint32_t *thread_id, uint32_t *thread, uint32_t *notification)
{
    struct stored r;
    (void)m;
    if (!repeated(badge, sequence, &r)) {
        struct space_record *s = badge == MANAGER ? space_find(id) : 0;
        struct thread_record *t = 0;
        if (!s)
            return undo(badge == MANAGER ? MEMORY_ERROR_NOENT : MEMORY_ERROR_PERM);
        if (thread_make(s, &t))
            return finish(badge, sequence, &r, MEMORY_ERROR_NOMEM);
        r.a = t->id;
        r.b = t->thread;
        r.c = t->notification;
        (void)finish(badge, sequence, &r, 0);
    }
    *thread_id = r.a;
    *thread = r.b;
    *notification = r.c;
    return r.status;
}

uint32_t memory_serve_thread_end(
    struct memory_server *m, uint64_t badge, uint64_t sequence, uint32_t id, uint32_t thread_id)
{
    struct stored r;
    (void)m;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct space_record *s = badge == MANAGER ? space_find(id) : 0;
    struct thread_record *t = s ? thread_find(s, thread_id) : 0;
    if (!t)
        return undo(badge == MANAGER ? MEMORY_ERROR_NOENT : MEMORY_ERROR_PERM);
    if (!thread_drop(s, t))
        return undo(MEMORY_ERROR_AGAIN);
    return finish(badge, sequence, &r, 0);
}

uint32_t memory_serve_slots(
    struct memory_server *m, uint64_t badge, uint64_t sequence, uint32_t directory)
{
    struct stored r;
    (void)m;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct space_record *s = space_find(badge);
    if (!s)
        return undo(MEMORY_ERROR_PERM);
    if (s->slot_pages >> directory & 1)
        return undo(MEMORY_ERROR_EXIST);
    if (!space_slots(s, directory))
        return finish(badge, sequence, &r, MEMORY_ERROR_NOMEM);
    TX_SET(s->slot_pages, s->slot_pages | 1u << directory);
    return finish(badge, sequence, &r, 0);
}

uint32_t memory_serve_totals(struct memory_server *m, uint64_t badge, struct memory_totals *totals)
{
    (void)m;
    (void)badge;
    tx_begin();
    *totals = (struct memory_totals){.pages = pages_total(), .free = pages_unused()};
    for (const struct space_record *s = memory->spaces; s; s = s->next)
        totals->spaces++;
    totals->kept = spares_pages() + 2ull * memory->table_count;
    totals->shared = shared_pages;
    tx_commit();
    return 0;
}

uint32_t memory_serve_quota(
    struct memory_server *m, uint64_t badge, uint64_t sequence, uint32_t id, uint64_t quota)
{
    struct stored r;
    (void)m;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct space_record *s = badge == MANAGER ? space_find(id) : 0;
    if (!s)
        return undo(badge == MANAGER ? MEMORY_ERROR_NOENT : MEMORY_ERROR_PERM);
    TX_SET(s->quota, quota);
    return finish(badge, sequence, &r, 0);
}

uint32_t memory_serve_starve(struct memory_server *m, uint64_t badge, uint64_t pages,
    uint64_t blocks, uint64_t *pages_left, uint64_t *blocks_left)
{
    (void)m;
    if (badge != MANAGER)
        return MEMORY_ERROR_PERM;
    tx_begin();
    *pages_left = pages_fail_in(pages);
    *blocks_left = capsule_fail_in(blocks);
    tx_commit();
    return 0;
}

uint32_t memory_serve_peek(
    struct memory_server *m, uint64_t badge, uint32_t id, uint64_t address, struct rpc_out *data)
{
    uint32_t status = 0;
    (void)m;
    if (badge != MANAGER)
        return MEMORY_ERROR_PERM;
    tx_begin();
    struct space_record *s = space_find(id);
    uint64_t length = PAGE - address % PAGE;
    length = length < data->capacity ? length : data->capacity;
    const void *from = s ? space_view(s, address) : 0;
    if (!from)
        status = s ? MEMORY_ERROR_FAULT : MEMORY_ERROR_NOENT;
    else if (!rt_copy_to_client(data->offset, from, length))
        status = RPC_BAD_BUFFER;
    else
        data->length = length;
    tx_commit();
    return status;
}

/* ---- file servers' -------------------------------------------------------------------------- */

/* 1 + index of the file server that calls; 0: it is none. */
static uint32_t pager_of(uint64_t badge)
{
    uint64_t i = badge - MEMORY_PAGER_FIRST;
    return i < MEMORY_PAGERS_MAX ? (uint32_t)i + 1 : 0;
}

uint32_t memory_serve_pager_open(struct memory_server *m, uint64_t badge, uint32_t region)
{
    uint32_t pager = pager_of(badge), slot;
    if (!pager)
        return MEMORY_ERROR_PERM;
    tx_begin();
    slot = m->pagers[pager - 1];
    if (!slot || !pith_cap_same(slot, region).value) {
        if (slot)
            rt_slot_free(slot);
        slot = rt_keep_cap(0);
        if (!slot)
            return undo(MEMORY_ERROR_NOMEM);
        TX_SET(m->pagers[pager - 1], slot);
    }
    tx_commit();
    return 0;
}

uint32_t memory_serve_supply(struct memory_server *m, uint64_t badge, uint64_t file, uint64_t size,
    uint64_t first, struct rpc_in pages)
{
    static uint32_t list[MEMORY_SUPPLY_MAX]; /* under the lock */
    uint32_t pager = pager_of(badge);
    (void)m;
    if (!pager)
        return MEMORY_ERROR_PERM;
    if (pages.length % 4 || first > LAST_PAGE - MEMORY_SUPPLY_MAX || size / PAGE >= LAST_PAGE)
        return MEMORY_ERROR_INVAL;
    tx_begin();
    struct object_record *o = object_find(pager, file);
    if (!o)
        o = object_make(pager, file);
    if (!o)
        return undo(MEMORY_ERROR_NOMEM);
    if (pages.length && !rt_copy_from_client(pages.offset, list, pages.length))
        return undo(RPC_BAD_BUFFER);
    TX_SET(o->pages, (size + PAGE - 1) / PAGE);
    bool done = object_supply(o, first, list, (uint32_t)(pages.length / 4));
    tx_commit();
    return done ? 0 : MEMORY_ERROR_NOMEM;
}

uint32_t memory_serve_withdraw(struct memory_server *m, uint64_t badge, uint64_t file,
    uint64_t first, uint64_t count, uint32_t *mappings)
{
    uint32_t pager = pager_of(badge);
    (void)m;
    if (!pager)
        return MEMORY_ERROR_PERM;
    tx_begin();
    struct object_record *o = object_find(pager, file);
    if (o && first < LAST_PAGE)
        *mappings = object_withdraw(o, first, count);
    tx_commit();
    return 0;
}

uint32_t memory_serve_map_file(struct memory_server *m, uint64_t badge, uint32_t space,
    uint64_t file, uint64_t address, uint64_t length, uint64_t offset, uint8_t protection,
    uint16_t flags, bool writable)
{
    uint32_t pager = pager_of(badge), status = MEMORY_ERROR_NOENT;
    uint64_t pages;
    struct pith_result client = pith_gate_badge(space, rt_cap("memory"));
    (void)m;
    if (!pager || client.status)
        return MEMORY_ERROR_PERM;
    if (!range_decode(address, length, flags & MEMORY_MAP_LAYER, &pages) || offset % PAGE ||
        offset / PAGE > LAST_PAGE - pages)
        return MEMORY_ERROR_INVAL;
    tx_begin();
    struct space_record *s = space_find(client.value);
    struct object_record *o = object_find(pager, file);
    if (!s || !o)
        return undo(s ? status : MEMORY_ERROR_PERM);
    bool shared = flags & MEMORY_MAP_SHARED;
    status = range_clear(s, address, pages, false);
    if (!status && !area_add(s, o, address / PAGE, pages, offset / PAGE, !shared || writable))
        status = MEMORY_ERROR_NOMEM;
    if (!status)
        status = range_set(s, address, pages,
            rights_of(protection) | ENTRY_AREA | (shared ? ENTRY_SHARED : 0));
    tx_commit();
    return status;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* A fault that is the program's own. In the layer's copying code it goes on where that says that
 * it failed; below the layer the thread learns of it at its event entry; elsewhere in the layer
 * it is the end. */
static uint64_t fault_answer(uint64_t rip)
{
    struct pith_regs r;
    if (rip < LAYER_NATIVE)
        return FAULT_EVENT;
    if (rip < LAYER_NATIVE + LAYER_COPY_FIRST || rip >= LAYER_NATIVE + LAYER_COPY_FAILED ||
        pith_fault_regs_read((uint64_t)&r).status)
        return FAULT_UNWIND;
    r.rip = LAYER_NATIVE + LAYER_COPY_FAILED;
    return pith_fault_regs_write((uint64_t)&r).status ? FAULT_UNWIND : FAULT_RESUME;
}

/* The kernel's call for a fault (core/fault.c): w0 = vector | error << 8, w1 = address,
 * w2 = instruction, w5 = 0 when no server runs. */
static uint64_t fault_serve(uint64_t id, struct msg *m)
{
    uint64_t vector = m->w[0] & 0xff, error = m->w[0] >> 8;
    bool solved = false;
    tx_begin();
    struct space_record *s = vector == 14 ? space_find(id) : 0;
    if (s)
        solved = fault_resolve(s, m->w[1], error & 2, error & 16);
    tx_commit();
    return solved ? FAULT_RESUME : fault_answer(m->w[2]);
}

/* One service for requests and faults: they share a lock, and only callers of one service
 * help each other on a core. */
SERVER_ENTRY(memory);
uint64_t memory_handle(uint64_t badge, struct msg *m)
{
    return badge & BADGE_FAULT ? fault_serve(badge & ~BADGE_FAULT, m)
                               : memory_dispatch(memory, badge, m);
}

void component_main(void)
{
    (void)capsule_open(MEMORY_VERSION, sizeof *memory, (void **)&memory);
    if (!pages_open())
        rt_panic("too little memory");
    recount();
    pages_ready();
    spaces_settle();
    template_load();
    if (rt_service_open("memory", memory_entry, 1))
        rt_ready();
}
