/* SPDX-License-Identifier: MIT */
/*
 * The capsule: see server/capsule.h.
 *
 * Layout: header and tables (struct capsule), the undo log, then pages. Invariants: the log
 * holds what was under every byte changed since tx_begin; log_used is 0 outside a
 * transaction; a page or block is in a free list, or the server's. Free lists link through
 * the first word of what is free, so taking one saves that word. What a transaction frees
 * is noted at the end of the log's room and put on the lists only at its commit, so that the
 * transaction cannot overwrite it itself.
 */
#include <rt/crc32c.h>
#include <rt/string.h>
#include <server/capsule.h>
#include <server/server.h>

#define CAPSULE_MAGIC 0x656c757370614332ull /* the last digit: of the layout */
#define LOG_MIN (64u * 1024)
#define LOG_MAX (512u * 1024)
#define LOG_SHARE 16u /* part of the capsule, between the two, if the description says nothing */
#define CLASSES 9u /* 16 << 0 … 16 << 8 = 4096 */
#define PAGE 4096u
#define REPLY_SETS 256u
#define REPLY_SETS_SMALL 64u    /* of a capsule below CAPSULE_SMALL */
#define CAPSULE_SMALL (512u * 1024)
#define REPLY_WAYS 4u
#define SLOTS 4096u
#define GATES 3072u
#define PARKS 4096u
#define PARKS_AT_ONCE 16u /* that leave their lists in one transaction */
#define SMALLS_PER_PAGE 32u
#define GATES_PER_PAGE 128u

struct reply {
    uint64_t badge, sequence, stamp;
    uint32_t size, pad;
    uint8_t data[CAPSULE_REPLY_MAX];
};
struct place {
    uint64_t where;
    uint32_t next, service;
};
struct park {
    uint32_t next, slot;
    uint32_t after; /* of a list's first, once it is to be woken: the next such list */
};

struct capsule {
    uint64_t magic;
    uint32_t version, header_crc;
    uint64_t bytes, root_bytes, log_used;
    uint64_t page_next, page_free, page_free_count, page_end;
    uint64_t class_free[CLASSES];
    uint64_t objects_next;
    uint32_t slot_hint, slot_pad;
    uint64_t slot_used[SLOTS / 64];
    uint32_t place_of[SLOTS]; /* 1 + index of the gate made in this slot */
    struct place places[GATES];
    uint32_t places_used, places_free; /* 1 + index, by next */
    struct park parks[PARKS];
    uint32_t parks_used, parks_free;
    uint32_t waking, pad; /* the first of the lists to wake */
    uint64_t reply_stamp;
    struct reply replies[][REPLY_WAYS];
};
struct freed {
    void *block;
    size_t bytes; /* 0: a page */
};

#define C ((struct capsule *)CAPSULE_BASE)
struct rt_lock tx_lock;
static struct rt_self *tx_owner;
static uint8_t *tx_log;
static uint64_t log_bytes, reply_sets;
static uint64_t free_count; /* at the end of the log's room, downwards */
static uint64_t fail_in; /* tests: blocks that are given before one is refused; 0: all */

static uint64_t root_offset(void)
{
    return (sizeof(struct capsule) + reply_sets * sizeof C->replies[0] + 63) & ~63ull;
}

/* What follows from the capsule's size. */
static void layout(uint64_t root_bytes)
{
    uint64_t bytes = STARTUP->capsule_bytes, share = bytes / LOG_SHARE & ~(uint64_t)(PAGE - 1);
    log_bytes = STARTUP->log_bytes ? STARTUP->log_bytes
                : share < LOG_MIN  ? LOG_MIN
                : share > LOG_MAX  ? LOG_MAX
                                   : share;
    reply_sets = bytes < CAPSULE_SMALL ? REPLY_SETS_SMALL : REPLY_SETS;
    tx_log = (uint8_t *)CAPSULE_BASE +
             ((root_offset() + root_bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1));
}

static uint32_t header_crc(void)
{
    uint64_t h[4] = {C->magic, C->version, C->bytes, C->root_bytes};
    return crc32c(0, h, sizeof h);
}

/* ---- transactions ------------------------------------------------------------------------ */

/* A log entry: address, bytes, the old contents padded to 8, and the entry's whole length. */
void tx_save(void *address, size_t bytes)
{
    size_t padded = (bytes + 7) & ~(size_t)7, whole = padded + 24;
    if (C->log_used + whole + free_count * sizeof(struct freed) > log_bytes)
        rt_panic("transaction larger than the undo log");
    uint64_t *e = (uint64_t *)(tx_log + C->log_used);
    e[0] = (uint64_t)address;
    e[1] = bytes;
    if (bytes == 8)
        e[2] = *(uint64_t *)address;
    else if (bytes == 4)
        e[2] = *(uint32_t *)address;
    else
        memcpy(&e[2], address, bytes);
    e[2 + padded / 8] = whole;
    __atomic_store_n(&C->log_used, C->log_used + whole, __ATOMIC_RELEASE);
}

/* Slots that are taken now and were not before: what they hold is of nobody. A gate among them
 * would else look like one of the object that gets the same memory next. */
static void slots_drop(const uint64_t *word, uint64_t before)
{
    uint32_t first = (uint32_t)(word - C->slot_used) * 64;
    for (uint64_t taken = *word & ~before; taken; taken &= taken - 1)
        pith_cap_delete(SPACE_SELF, first + (uint32_t)__builtin_ctzll(taken));
}

static void roll_back(void)
{
    while (C->log_used) {
        uint64_t whole = *(uint64_t *)(tx_log + C->log_used - 8);
        uint64_t *e = (uint64_t *)(tx_log + C->log_used - whole);
        uint64_t *at = (uint64_t *)e[0];
        if (at >= C->slot_used && at < C->slot_used + SLOTS / 64)
            slots_drop(at, e[2]);
        memcpy(at, &e[2], e[1]);
        __atomic_store_n(&C->log_used, C->log_used - whole, __ATOMIC_RELEASE);
    }
}

void tx_begin(void)
{
    rt_lock(&tx_lock);
    tx_owner = rt_self();
    free_count = 0;
}

static void tx_end(void)
{
    tx_owner = 0;
    rt_unlock(&tx_lock);
}

void tx_abort(void)
{
    roll_back();
    tx_end();
}

/* For library calls that may come outside a transaction. */
static bool tx_nested(void)
{
    if (__atomic_load_n(&tx_owner, __ATOMIC_RELAXED) == rt_self())
        return true;
    tx_begin();
    return false;
}

/* ---- memory --------------------------------------------------------------------------------- */

static unsigned class_of(size_t bytes)
{
    unsigned c = 0;
    while ((16ull << c) < bytes)
        c++;
    return c;
}

static void *list_take(uint64_t *head)
{
    uint64_t *block = (uint64_t *)*head;
    if (!block)
        return 0;
    tx_save(head, 8);
    tx_save(block, 8);
    *head = *block;
    return block;
}

static void list_put(uint64_t *head, void *block)
{
    tx_save(head, 8);
    tx_save(block, 8);
    *(uint64_t *)block = *head;
    *head = (uint64_t)block;
}

void *capsule_page(void)
{
    void *page = list_take(&C->page_free);
    if (page) {
        TX_SET(C->page_free_count, C->page_free_count - 1);
        return page;
    }
    if (C->page_next == C->page_end)
        return 0;
    page = (void *)C->page_next;
    TX_SET(C->page_next, C->page_next + PAGE);
    return page;
}

uint64_t capsule_fail_in(uint64_t n)
{
    uint64_t left = fail_in;
    fail_in = n;
    return left;
}

void *capsule_alloc(size_t bytes)
{
    if (!bytes || bytes > PAGE || (fail_in && !--fail_in))
        return 0;
    unsigned c = class_of(bytes);
    size_t size = 16ull << c;
    uint8_t *block = list_take(&C->class_free[c]);
    if (!block) {
        block = capsule_page();
        if (!block)
            return 0;
        for (size_t at = size; at + size <= PAGE; at += size)
            list_put(&C->class_free[c], block + at);
    }
    memset(block, 0, size);
    return block;
}

static struct freed *freed_at(uint64_t n)
{
    return (struct freed *)(tx_log + log_bytes) - n;
}

static void free_later(void *block, size_t bytes)
{
    if (C->log_used + (free_count + 1) * sizeof(struct freed) > log_bytes)
        rt_panic("transaction larger than the undo log");
    *freed_at(++free_count) = (struct freed){block, bytes};
}

void capsule_free(void *block, size_t bytes)
{
    if (block)
        free_later(block, bytes);
}

void capsule_page_free(void *page)
{
    if (page)
        free_later(page, 0);
}

static void free_put(uint64_t *head, void *block)
{
    tx_save(block, 8);
    *(uint64_t *)block = *head;
    *head = (uint64_t)block;
}

static void frees_done(void)
{
    if (!free_count)
        return;
    tx_save(C->class_free, sizeof C->class_free);
    tx_save(&C->page_free, 8);
    tx_save(&C->page_free_count, 8);
    while (free_count) {
        struct freed f = *freed_at(free_count--);
        if (f.bytes)
            free_put(&C->class_free[class_of(f.bytes)], f.block);
        else {
            free_put(&C->page_free, f.block);
            C->page_free_count++;
        }
    }
}

static void parks_wake(void);

void tx_commit(void)
{
    if (rt_dying == 2)
        __asm__ volatile("int3");
    frees_done();
    __atomic_store_n(&C->log_used, 0, __ATOMIC_RELEASE);
    if (rt_dying)
        __asm__ volatile("int3");
    while (C->waking)
        parks_wake();
    tx_end();
}

bool tx_full(void)
{
    /* A block that is freed takes 16 bytes now and 32 at the commit. */
    return C->log_used + free_count * 32 > log_bytes / 2;
}

void tx_split(void)
{
    frees_done();
    __atomic_store_n(&C->log_used, 0, __ATOMIC_RELEASE);
}

uint64_t capsule_pages_free(void)
{
    return C->page_free_count + (C->page_end - C->page_next) / PAGE;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void capsule_make(uint32_t version, size_t root_bytes)
{
    uint64_t used = root_offset() + root_bytes;
    if (used + PAGE + log_bytes > STARTUP->capsule_bytes)
        rt_panic("capsule of %lu bytes is too small", STARTUP->capsule_bytes);
    memset((void *)CAPSULE_BASE, 0, used); /* firmware may have left something there */
    C->version = version;
    C->bytes = STARTUP->capsule_bytes;
    C->root_bytes = root_bytes;
    C->page_next = (uint64_t)tx_log + log_bytes;
    C->page_end = CAPSULE_BASE + (C->bytes & ~(uint64_t)(PAGE - 1));
    C->objects_next = STARTUP->objects_first;
    __atomic_store_n(&C->magic, CAPSULE_MAGIC, __ATOMIC_RELEASE);
    C->header_crc = header_crc();
}

bool capsule_open(uint32_t version, size_t root_bytes, void **root)
{
    layout(root_bytes);
    bool good = C->magic == CAPSULE_MAGIC && C->version == version && C->root_bytes == root_bytes &&
                C->bytes == STARTUP->capsule_bytes && C->header_crc == header_crc() &&
                C->log_used <= log_bytes;
    bool had = C->magic != 0 && STARTUP->incarnation > 1;
    if (good)
        roll_back();
    else
        capsule_make(version, root_bytes);
    *root = (void *)(CAPSULE_BASE + root_offset());
    for (uint32_t i = 0; good && i < C->parks_used; i++)
        if (C->parks[i].slot)
            pith_notify_raise(C->parks[i].slot, 1);
    if (!good && had)
        rt_log("the capsule was damaged or of another version: starting empty");
    return good;
}

/* ---- replies --------------------------------------------------------------------------------- */

static struct reply *reply_set(uint64_t badge, uint64_t sequence)
{
    uint64_t h = (badge * 0x9e3779b97f4a7c15ull) ^ ((sequence & 0xffff) * 0xff51afd7ed558ccdull);
    return C->replies[(h >> 40) & (reply_sets - 1)];
}

bool capsule_reply_find(uint64_t badge, uint64_t sequence, void *reply, size_t size)
{
    struct reply *set = reply_set(badge, sequence);
    for (unsigned i = 0; i < REPLY_WAYS; i++)
        if (set[i].badge == badge && set[i].sequence == sequence && set[i].stamp) {
            memcpy(reply, set[i].data, size < set[i].size ? size : set[i].size);
            return true;
        }
    return false;
}

void capsule_reply_store(uint64_t badge, uint64_t sequence, const void *reply, size_t size)
{
    struct reply *set = reply_set(badge, sequence), *oldest = set;
    for (unsigned i = 0; i < REPLY_WAYS; i++) {
        if (set[i].badge == badge && ((set[i].sequence ^ sequence) & 0xffff) == 0) {
            oldest = &set[i];
            break;
        }
        if (set[i].stamp < oldest->stamp)
            oldest = &set[i];
    }
    if (size > CAPSULE_REPLY_MAX)
        rt_panic("a reply of %lu bytes", size);
    tx_save(oldest, offsetof(struct reply, data) + ((size + 7) & ~(size_t)7));
    oldest->badge = badge;
    oldest->sequence = sequence;
    oldest->stamp = ++C->reply_stamp;
    oldest->size = (uint32_t)size;
    memcpy(oldest->data, reply, size);
}

/* ---- slots, object pages, gates -------------------------------------------------------------- */

static bool slot_usable(uint32_t slot)
{
    return (slot >= SLOT_DYNAMIC && slot < SLOT_RECEIVE) || slot >= SLOT_DYNAMIC2;
}

uint32_t rt_slot_alloc(void)
{
    bool nested = tx_nested();
    uint32_t found = 0;
    for (uint32_t i = 0; i < SLOTS && !found; i++) {
        uint32_t slot = (C->slot_hint + i) % SLOTS;
        if (slot_usable(slot) && !(C->slot_used[slot / 64] >> (slot % 64) & 1))
            found = slot;
    }
    if (found) {
        TX_SET(C->slot_used[found / 64], C->slot_used[found / 64] | 1ull << (found % 64));
        TX_SET(C->slot_hint, found + 1);
        pith_cap_delete(SPACE_SELF, found); /* an earlier capsule's */
    }
    if (!nested)
        tx_commit();
    return found;
}

void rt_slot_free(uint32_t slot)
{
    bool nested = tx_nested();
    pith_cap_delete(SPACE_SELF, slot);
    TX_SET(C->slot_used[slot / 64], C->slot_used[slot / 64] & ~(1ull << (slot % 64)));
    if (!nested)
        tx_commit();
}

uint64_t rt_object_page(void)
{
    bool nested = tx_nested();
    uint64_t page = 0;
    if (C->objects_next < STARTUP->objects_first + STARTUP->objects_count) {
        page = C->objects_next;
        TX_SET(C->objects_next, page + 1);
    }
    if (!nested)
        tx_commit();
    return page;
}

/* Adds a page of places for gates of a service, or (0) for notifications. */
static bool places_grow(uint32_t service)
{
    uint64_t page = C->places_used + GATES_PER_PAGE <= GATES ? rt_object_page() : 0;
    if (!page)
        return false;
    tx_save(&C->places_used, 8);
    for (uint32_t i = 0; i < (service ? GATES_PER_PAGE : SMALLS_PER_PAGE); i++) {
        struct place *p = &C->places[C->places_used++];
        tx_save(p, sizeof *p);
        *p = (struct place){WHERE(page, i), C->places_free, service};
        C->places_free = C->places_used;
    }
    return true;
}

static uint32_t place_take(uint32_t service)
{
    for (uint32_t *link = &C->places_free; *link; link = &C->places[*link - 1].next)
        if (C->places[*link - 1].service == service) {
            uint32_t index = *link;
            TX_SET(*link, C->places[index - 1].next);
            return index;
        }
    return 0;
}

static struct pith_result object_create(
    uint32_t service, uint64_t where, uint32_t slot, uint64_t badge)
{
    struct pith_result r;
    for (;;) {
        r = service ? pith_gate_create(service, SLOT_PERSISTENT, where, slot, badge)
                    : pith_notification_create(SLOT_PERSISTENT, where, slot);
        if (r.status == -E_BUSY) /* left by an undone transaction */
            pith_object_destroy(SLOT_PERSISTENT, where);
        else if (r.status != -E_AGAIN)
            return r;
    }
}

static uint32_t object_new(uint32_t service, uint64_t badge)
{
    bool nested = tx_nested();
    uint32_t slot = rt_slot_alloc(), place = slot ? place_take(service) : 0;
    if (slot && !place && places_grow(service))
        place = place_take(service);
    struct pith_result r = {-E_LIMIT, 0};
    if (place)
        r = object_create(service, C->places[place - 1].where, slot, badge);
    if (r.status) {
        if (slot)
            rt_slot_free(slot);
        slot = 0;
    } else {
        TX_SET(C->place_of[slot], place);
    }
    if (!nested)
        tx_commit();
    return slot;
}

uint32_t rt_gate_create(uint32_t service, uint64_t badge)
{
    return object_new(service, badge);
}

uint32_t rt_notification_create(void)
{
    return object_new(0, 0);
}

bool rt_gate_renew(uint32_t slot, uint32_t service, uint64_t badge)
{
    uint32_t place = C->place_of[slot];
    struct pith_result r = {-E_LIMIT, 0};
    if (!place)
        return false;
    uint64_t where = C->places[place - 1].where;
    pith_object_destroy(SLOT_PERSISTENT, where);
    pith_cap_delete(SPACE_SELF, slot);
    do
        r = pith_gate_create(service, SLOT_PERSISTENT, where, slot, badge);
    while (r.status == -E_AGAIN);
    return !r.status;
}

void rt_gate_free(uint32_t slot)
{
    bool nested = tx_nested();
    uint32_t place = C->place_of[slot];
    if (place) {
        pith_object_destroy(SLOT_PERSISTENT, C->places[place - 1].where);
        TX_SET(C->places[place - 1].next, C->places_free);
        TX_SET(C->places_free, place);
        TX_SET(C->place_of[slot], 0);
        rt_slot_free(slot);
    }
    if (!nested)
        tx_commit();
}

/* ---- parking --------------------------------------------------------------------------------- */

static struct park *park_at(uint32_t index)
{
    return &C->parks[index - 1];
}

static void park_drop(uint32_t index)
{
    struct park *p = park_at(index);
    rt_slot_free(p->slot);
    tx_save(p, sizeof *p);
    *p = (struct park){.next = C->parks_free};
    TX_SET(C->parks_free, index);
}

/* Is it in the list already? Some of those of threads that are no more leave it on this occasion,
 * as many as fit into any transaction. */
static bool park_known(struct park_list *list, uint32_t slot)
{
    uint32_t *link = &list->first;
    unsigned dropped = 0;
    while (*link) {
        struct park *p = park_at(*link);
        struct pith_result same = pith_cap_same(p->slot, slot);
        if (!same.status && same.value)
            return true;
        if (same.status == -E_CAP && dropped < PARKS_AT_ONCE) {
            if (pith_cap_same(slot, slot).status)
                return true; /* it is the asker's that is gone */
            uint32_t gone = *link;
            TX_SET(*link, p->next);
            park_drop(gone);
            dropped++;
        } else {
            link = &p->next;
        }
    }
    return false;
}

static uint32_t park_new(void)
{
    uint32_t index = C->parks_free;
    if (index) {
        TX_SET(C->parks_free, park_at(index)->next);
    } else if (C->parks_used < PARKS) {
        TX_SET(C->parks_used, C->parks_used + 1);
        index = C->parks_used;
    }
    return index;
}

void park_request(struct park_list *list)
{
    uint32_t given = rt_received_cap(0);
    if (!given || park_known(list, given))
        return;
    uint32_t slot = rt_keep_cap(0), index = slot ? park_new() : 0;
    if (!index) { /* no room: it asks again at once, rather than never */
        if (slot)
            rt_slot_free(slot);
        pith_notify_raise(given, 1);
        return;
    }
    struct park *p = park_at(index);
    tx_save(p, sizeof *p);
    *p = (struct park){.next = list->first, .slot = slot};
    TX_SET(list->first, index);
}

void park_wake(struct park_list *list)
{
    if (!list->first)
        return;
    TX_SET(park_at(list->first)->after, C->waking);
    TX_SET(C->waking, list->first);
    TX_SET(list->first, 0);
}

/* Some of them in a transaction, however long the lists are. */
static void parks_wake(void)
{
    for (unsigned n = 0; C->waking && n < PARKS_AT_ONCE; n++) {
        uint32_t index = C->waking;
        const struct park *p = park_at(index);
        uint32_t next = p->next, after = p->after;
        pith_notify_raise(p->slot, 1);
        if (next)
            TX_SET(park_at(next)->after, after);
        TX_SET(C->waking, next ? next : after);
        park_drop(index);
    }
    tx_split();
}
