/* SPDX-License-Identifier: MIT */
/*
 * Spaces and threads, from making to reuse.
 *
 * A space that has ended is cleaned and kept for the next one that is made: with its page
 * tables, its pages of threads and its slots, so that neither side's zeroing and typing of
 * pages is done again. While a space is made the record says so, in a transaction of its
 * own, until all of it is there: the kernel's part of it cannot be undone, so a restart ends
 * such spaces (settle).
 */
#include "memory.h"
#include <rt/string.h>
#include <server/server.h>

#define FIRST_TABLES 4u
#define SMALLS 32u /* objects in a page of small ones */

struct space_record *space_find(uint64_t id)
{
    return id && id < SPACES_MAX && memory->by_id[id] && memory->by_id[id]->state == SPACE_LIVE
               ? memory->by_id[id]
               : 0;
}

static uint32_t id_take(void)
{
    for (uint32_t i = 0; i < SPACES_MAX - 1; i++) {
        uint32_t id = 1 + (memory->next_id + i) % (SPACES_MAX - 1);
        if (!memory->by_id[id]) {
            TX_SET(memory->next_id, id);
            return id;
        }
    }
    return 0;
}

/* ---- making ---------------------------------------------------------------------------------- */

static bool objects_make(struct space_record *s)
{
    uint32_t pair = object_pair_for(s), caps = pair ? object_for(s) : 0;
    struct pith_result r;
    s->space = caps ? rt_slot_alloc() : 0;
    s->gate = s->space ? rt_gate_create(rt_cap("memory"), SPACES_MAX) : 0;
    s->fault_gate = s->gate ? rt_gate_create(rt_cap("memory"), BADGE_FAULT | SPACES_MAX) : 0;
    if (!s->fault_gate)
        return false;
    do
        r = pith_space_create(ram, pair, s->space);
    while (r.status == -E_AGAIN);
    for (unsigned i = 0; !r.status && i < FIRST_TABLES; i++)
        r.status = tables_give(s) ? 0 : -E_LIMIT;
    if (!r.status)
        do
            r = pith_cap_page(s->space, ram, caps, 0);
        while (r.status == -E_AGAIN);
    return !r.status && template_map(s);
}

static void space_link(struct space_record *s, struct space_record **list)
{
    TX_SET(s->next, *list);
    TX_SET(*list, s);
}

static void space_unlink(struct space_record *s, struct space_record **list)
{
    while (*list && *list != s)
        list = &(*list)->next;
    if (*list)
        TX_SET(*list, s->next);
}

/* A clean space in state MAKING, committed. */
static struct space_record *space_reserve(void)
{
    struct space_record *s = memory->spares;
    if (s) {
        TX_SET(memory->spares, s->next);
        TX_SET(memory->spare_count, memory->spare_count - 1);
    } else {
        s = capsule_alloc(sizeof *s);
        if (!s)
            return 0;
    }
    bool fresh = !s->space;
    TX_SET(s->state, SPACE_MAKING);
    space_link(s, &memory->spaces);
    tx_commit();
    tx_begin();
    if (!fresh || objects_make(s)) {
        tx_commit();
        tx_begin();
        return s;
    }
    space_unmake(s);
    return 0;
}

struct space_record *space_make(uint64_t quota)
{
    struct space_record *s = pages_unused() < pages_reserve() / 2 ? 0 : space_reserve();
    uint32_t id = s ? id_take() : 0;
    if (!s)
        return 0;
    if (!id || !rt_gate_renew(s->gate, rt_cap("memory"), id) ||
        !rt_gate_renew(s->fault_gate, rt_cap("memory"), id | BADGE_FAULT) ||
        pith_space_handler(s->space, s->fault_gate).status) {
        space_unmake(s);
        return 0;
    }
    tx_save(s, sizeof *s);
    s->id = id;
    s->quota = quota;
    s->resident = s->faults = 0;
    s->hint = MEMORY_MAP_TOP;
    s->parent = s->hot_next = 0;
    s->hot_left = HOT_MAX;
    s->undo_count = 0;
    memset(s->hot, 0, sizeof s->hot);
    TX_SET(memory->by_id[id], s);
    return s;
}

bool space_slots(struct space_record *s, uint32_t directory)
{
    uint32_t page = object_for(s);
    struct pith_result r;
    if (!page)
        return false;
    do
        r = pith_cap_page(s->space, ram, page, directory);
    while (r.status == -E_AGAIN);
    return !r.status;
}

/* ---- threads --------------------------------------------------------------------------------- */

/* On failure the pages that it took stay with the space, for the next one. */
static struct thread_record *seat_make(struct space_record *s)
{
    struct thread_record *t = capsule_alloc(sizeof *t);
    if (!t)
        return 0;
    if (!s->small_page || s->small_used == SMALLS) {
        uint32_t small = object_for(s);
        if (!small)
            goto no_page;
        TX_SET(s->small_page, small);
        TX_SET(s->small_used, 0);
    }
    t->small_page = s->small_page;
    t->place = s->small_used;
    t->thread = rt_slot_alloc();
    t->notification = t->thread ? rt_slot_alloc() : 0;
    if (!t->notification)
        goto no_slot;
    t->page = object_for(s);
    if (!t->page)
        goto no_thread;
    TX_SET(s->small_used, s->small_used + 1);
    t->next = s->seats;
    TX_SET(s->seats, t);
    return t;
no_thread:
    rt_slot_free(t->notification);
no_slot:
    if (t->thread)
        rt_slot_free(t->thread);
no_page:
    capsule_free(t, sizeof *t);
    return 0;
}

/* False: a thread of this seat runs still, or another core has yet to pass. */
static bool seat_clear(struct thread_record *t, uint64_t tries)
{
    struct pith_result r = {-E_AGAIN, 0};
    for (uint64_t i = 0; i < tries && r.status == -E_AGAIN; i++)
        r = pith_page_take(ram, t->page);
    if (r.status)
        return false;
    pith_object_destroy(ram, WHERE(t->small_page, t->place));
    pith_cap_delete(SPACE_SELF, t->thread);
    pith_cap_delete(SPACE_SELF, t->notification);
    return true;
}

static int64_t seat_fill(struct space_record *s, struct thread_record *t)
{
    struct pith_result r;
    do
        r = pith_notification_create(ram, WHERE(t->small_page, t->place), t->notification);
    while (r.status == -E_AGAIN);
    if (!r.status)
        do
            r = pith_thread_create(ram, t->page, t->thread, s->space);
        while (r.status == -E_AGAIN);
    return r.status;
}

int64_t thread_make(struct space_record *s, struct thread_record **made)
{
    struct thread_record *t = s->seats ? s->seats : seat_make(s);
    if (!t)
        return -E_LIMIT;
    int64_t status = seat_fill(s, t);
    /* An undone request may have left a thread there, which nobody has started: it goes as soon
     * as the other cores have passed. */
    if (status && seat_clear(t, UINT64_MAX))
        status = seat_fill(s, t);
    if (status)
        return status;
    TX_SET(s->thread_ids, s->thread_ids + 1);
    TX_SET(s->seats, t->next);
    TX_SET(t->id, s->thread_ids);
    TX_SET(t->next, s->threads);
    TX_SET(s->threads, t);
    *made = t;
    pith_thread_notification(t->thread, t->notification);
    return 0;
}

bool thread_drop(struct space_record *s, struct thread_record *t)
{
    if (!seat_clear(t, 64))
        return false;
    for (struct thread_record **link = &s->threads; *link; link = &(*link)->next)
        if (*link == t) {
            TX_SET(*link, t->next);
            break;
        }
    TX_SET(t->id, 0);
    TX_SET(t->next, s->seats);
    TX_SET(s->seats, t);
    return true;
}

/* ---- ends ------------------------------------------------------------------------------------ */

void space_end(struct space_record *s)
{
    if (s->state == SPACE_LIVE)
        TX_SET(s->state, SPACE_ENDING);
    while (pith_space_kill(s->space).status == -E_AGAIN)
        ;
}

/* Everything out of the kernel's tables but what all spaces have there. */
static void mappings_clear(struct space_record *s)
{
    struct piece p;
    uint64_t mask[SLOTS / 64];
    for (uint64_t at = 0; map_next(s->root, at, LAST_PAGE, &p); at = p.first + p.count) {
        if (p.level)
            continue;
        memset(mask, 0, sizeof mask);
        if (p.first == LAYER_PAGE)
            template_mask(p.node, mask);
        for (unsigned w = 0; w < SLOTS / 64; w++)
            mask[w] = ~mask[w];
        leaf_unmap(s, p.node, p.first * PAGE, mask);
    }
    quiesce();
}

static void pages_release(struct space_record *s)
{
    struct piece p;
    for (uint64_t at = 0; map_next(s->root, at, LAST_PAGE, &p); at = p.first + p.count) {
        if (p.level)
            continue;
        for (unsigned w = 0; w < SLOTS / 64; w++)
            for (uint64_t bits = p.node->used[w]; bits; bits &= bits - 1)
                page_less(p.node->slot[w * 64 + (unsigned)__builtin_ctzll(bits)] & ENTRY_PAGE);
    }
    map_drop(s->root);
    TX_SET(s->root, 0);
    s->resident = 0;
    (void)areas_cut(s, 0, LAST_PAGE);
}

static bool objects_take(struct space_record *s)
{
    for (unsigned passes = 0; passes < 8; passes++) {
        bool clean = true;
        for (struct object_list *l = s->objects; l; l = l->next)
            for (uint32_t i = l->count; i-- > 0;) {
                struct pith_result r = {-E_AGAIN, 0};
                for (unsigned t = 0; t < 64 && r.status == -E_AGAIN; t++)
                    r = pith_page_take(ram, l->pages[i]);
                clean &= !r.status;
            }
        if (clean)
            return true;
    }
    return false;
}

/* All of it, for good. With the kernel's objects go all mappings. */
static bool space_destroy(struct space_record *s)
{
    if (!objects_take(s))
        return false;
    pages_release(s);
    for (struct object_list *l; (l = s->objects);) {
        TX_SET(s->objects, l->next);
        for (uint32_t i = 0; i < l->count; i++)
            object_give(l->pages[i]);
        capsule_free(l, sizeof *l);
        if (tx_full())
            tx_split();
    }
    for (struct thread_record *t; (t = s->seats);) {
        TX_SET(s->seats, t->next);
        rt_slot_free(t->thread);
        rt_slot_free(t->notification);
        capsule_free(t, sizeof *t);
        if (tx_full())
            tx_split();
    }
    if (s->space)
        rt_slot_free(s->space);
    if (s->gate)
        rt_gate_free(s->gate);
    if (s->fault_gate)
        rt_gate_free(s->fault_gate);
    space_unlink(s, &memory->spaces);
    capsule_free(s, sizeof *s);
    return true;
}

/* Cleaned and kept; false when it is not worth it or does not work. */
static bool space_keep(struct space_record *s)
{
    struct pith_result r;
    if (memory->spare_count >= SPARES_MAX || s->tables > SPARE_TABLES_MAX || s->slot_pages)
        return false;
    mappings_clear(s);
    do
        r = pith_space_renew(s->space, 0);
    while (r.status == -E_AGAIN);
    if (r.status)
        return false;
    pages_release(s);
    TX_SET(s->state, SPACE_SPARE);
    space_unlink(s, &memory->spaces);
    space_link(s, &memory->spares);
    TX_SET(memory->spare_count, memory->spare_count + 1);
    return true;
}

bool space_end_step(struct space_record *s)
{
    uint32_t id = s->id;
    while (s->threads)
        if (!thread_drop(s, s->threads))
            return false;
        else if (tx_full())
            tx_split();
    if (!space_keep(s) && !space_destroy(s))
        return false;
    TX_SET(memory->by_id[id], 0);
    return true;
}

void space_unmake(struct space_record *s)
{
    if (s->space)
        space_end(s);
    while (s->threads)
        (void)thread_drop(s, s->threads);
    while (!space_destroy(s))
        ;
    if (memory->by_id[s->id] == s)
        TX_SET(memory->by_id[s->id], 0);
    tx_commit();
    tx_begin();
}

/* ---- after a restart ------------------------------------------------------------------------- */

static void objects_count(const struct space_record *s)
{
    for (const struct object_list *l = s->objects; l; l = l->next)
        for (uint32_t i = 0; i < l->count; i++)
            pages_count_object(l->pages[i]);
}

uint64_t spares_pages(void)
{
    uint64_t pages = 0;
    for (const struct space_record *s = memory->spares; s; s = s->next)
        for (const struct object_list *l = s->objects; l; l = l->next)
            pages += l->count;
    return pages;
}

void recount(void)
{
    if (memory->zero_page)
        pages_count_use(memory->zero_page);
    for (uint32_t i = 0; i < memory->template_count; i++)
        pages_count_use(memory->templates[i].page);
    for (struct space_record *s = memory->spaces; s; s = s->next) {
        objects_count(s);
        s->resident = 0;
        map_count(s->root, true, &s->resident);
    }
    for (struct object_record *o = memory->objects; o; o = o->next) {
        uint64_t pages = 0;
        map_count(o->root, !o->pager, &pages);
        shared_pages += o->pager ? 0 : pages;
    }
    for (struct space_record *s = memory->spares; s; s = s->next)
        objects_count(s);
}

/* Ends what was being made, and clears what a request had begun to map and will again. */
void spaces_settle(void)
{
    for (struct space_record *s = memory->spaces, *next; s; s = next) {
        next = s->next;
        tx_begin();
        if (s->state == SPACE_MAKING)
            space_unmake(s);
        else if (s->undo_count) {
            range_clear(s, s->undo_first * PAGE, s->undo_count, false);
            s->undo_count = 0;
        }
        tx_commit();
    }
}
