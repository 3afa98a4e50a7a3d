/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: their page maps, faults, copies and ends.
 *
 * A page map is a radix tree over page numbers: 7, 9, 9 and 10 bits. Its nodes are pages of
 * ram, named by page number; the last level holds an entry of 32 bits for each page.
 */
#include "memory.h"
#include <rt/string.h>

#define LEAF_BITS 10u
#define LEAF_PAGES 1024u
#define NODE_SLOTS 1024u
#define BATCH 64u
#define FIRST_TABLES 4u

static uint32_t *node(uint32_t page)
{
    return page_view(page);
}

/* The entry of va; NULL when its leaf does not exist (and cannot be made). */
static uint32_t *entry_at(struct space_record *s, uint64_t va, bool make)
{
    uint64_t vpn = va / PAGE;
    static const unsigned shift[] = {28, 19, 10};
    uint32_t *link = &s->root;
    for (unsigned l = 0; l <= 3; l++) {
        if (!*link) {
            uint32_t fresh = make ? page_take(true) : 0;
            if (!fresh)
                return 0;
            __atomic_store_n(link, fresh, __ATOMIC_RELEASE);
        }
        if (l == 3)
            return node(*link) + vpn % LEAF_PAGES;
        link = node(*link) + (vpn >> shift[l]) % (l ? 512 : 128);
    }
    return 0;
}

/* Calls each for every existing leaf in [va, end). */
typedef bool leaf_function(struct space_record *s, uint64_t va, uint32_t *leaf, unsigned first,
    unsigned last, void *context);

static bool leaves_walk(
    struct space_record *s, uint64_t va, uint64_t end, leaf_function *each, void *context)
{
    uint64_t leaf_span = LEAF_PAGES * PAGE;
    while (va < end && s->root) {
        uint64_t vpn = va / PAGE;
        uint32_t top = node(s->root)[(vpn >> 28) % 128];
        uint64_t base = va & ~((1ull << 40) - 1);
        if (!top) {
            va = base + (1ull << 40);
            continue;
        }
        uint32_t mid = node(top)[(vpn >> 19) % 512];
        base = va & ~((1ull << 31) - 1);
        if (!mid) {
            va = base + (1ull << 31);
            continue;
        }
        uint32_t leaf = node(mid)[(vpn >> 10) % 512];
        base = va & ~(leaf_span - 1);
        uint64_t stop = base + leaf_span < end ? base + leaf_span : end;
        if (leaf && !each(s, va, node(leaf), (unsigned)(vpn % LEAF_PAGES),
                        (unsigned)((stop - base) / PAGE), context))
            return false;
        va = base + leaf_span;
    }
    return true;
}

struct space_record *space_find(uint64_t id)
{
    return id && id < SPACES_MAX && memory->by_id[id] && memory->by_id[id]->state == SPACE_LIVE
               ? memory->by_id[id]
               : 0;
}

/* ---- kernel mappings ---------------------------------------------------------------------- */

static bool object_note(struct space_record *s, uint32_t page)
{
    if (!s->objects || s->objects->count == 61) {
        struct object_list *l = capsule_alloc(sizeof *l);
        if (!l)
            return false;
        l->next = s->objects;
        TX_SET(s->objects, l);
    }
    tx_save(&s->objects->pages[s->objects->count], 4);
    s->objects->pages[s->objects->count] = page;
    TX_SET(s->objects->count, s->objects->count + 1);
    return true;
}

static bool tables_give(struct space_record *s)
{
    uint32_t pair = object_pair_take();
    if (!pair || !object_note(s, pair) || !object_note(s, pair + 1))
        return false;
    struct pith_result r;
    do
        r = pith_space_donate(s->space, ram, pair);
    while (r.status == -E_AGAIN);
    return !r.status;
}

static uint64_t map_rights(uint32_t entry, bool writable)
{
    return MAP_READ | (entry & ENTRY_EXEC                   ? MAP_EXEC
                          : entry & ENTRY_WRITE && writable ? MAP_WRITE
                                                            : 0);
}

static bool map_page(struct space_record *s, uint64_t va, uint32_t page, uint64_t rights)
{
    for (;;) {
        struct pith_result r = pith_space_map(s->space, va, ram, page, 1 | rights);
        if (!r.status || r.status == -E_BUSY)
            return true;
        if (r.status == -E_TABLES ? !tables_give(s) : r.status != -E_AGAIN)
            return false;
    }
}

static void unmap_run(struct space_record *s, uint64_t va, uint64_t n)
{
    struct pith_result r;
    do
        r = pith_space_unmap(s->space, va, n);
    while (r.status == -E_AGAIN);
}

/* Other cores may still use what was unmapped until they have passed. */
static void quiesce(void)
{
    if (STARTUP->cores == 1)
        return;
    struct pith_result r = pith_quiesce(0);
    while (r.status == -E_AGAIN)
        r = pith_quiesce(r.value);
}

/* ---- faults ---------------------------------------------------------------------------------- */

bool fault_resolve(struct space_record *s, uint64_t va, bool write, bool exec)
{
    va &= ~(PAGE - 1);
    uint32_t *e = entry_at(s, va, false);
    if (!e || !(*e & ENTRY_VALID) || !(*e & ENTRY_RIGHTS) || (write && !(*e & ENTRY_WRITE)) ||
        (exec && !(*e & ENTRY_EXEC)))
        return false;
    s->faults++;
    uint32_t page = *e & ENTRY_PAGE;
    if (!page) {
        if (s->resident >= s->quota || !(page = page_take(true)))
            return false;
        s->resident++;
        __atomic_store_n(e, (*e & ~ENTRY_PAGE) | page, __ATOMIC_RELEASE);
        return map_page(s, va, page, map_rights(*e, true));
    }
    bool own = page_refs(page) == 1 || *e & ENTRY_SHARED;
    if (!write || own) {
        if (write)
            unmap_run(s, va, 1);
        return map_page(s, va, page, map_rights(*e, own));
    }
    uint32_t copy = page_take(false);
    if (!copy)
        return false;
    uint64_t *to = page_view(copy);
    const uint64_t *from = page_view(page);
    memcpy(to, from, PAGE);
    unmap_run(s, va, 1);
    __atomic_store_n(e, (*e & ~ENTRY_PAGE) | copy, __ATOMIC_RELEASE);
    quiesce();
    page_less(page);
    return map_page(s, va, copy, map_rights(*e, true));
}

void *space_view(struct space_record *s, uint64_t va, bool write)
{
    uint32_t *e = entry_at(s, va & ~(PAGE - 1), false);
    if (!e || !(*e & ENTRY_VALID))
        return 0;
    uint32_t page = *e & ENTRY_PAGE;
    if (!page || (write && page_refs(page) > 1 && !(*e & ENTRY_SHARED)))
        if (!fault_resolve(s, va, write, false))
            return 0;
    return (uint8_t *)page_view(*e & ENTRY_PAGE) + va % PAGE;
}

/* ---- ranges -------------------------------------------------------------------------------------- */

uint32_t range_set(struct space_record *s, uint64_t va, uint64_t pages, uint32_t entry)
{
    for (uint64_t i = 0; i < pages;) {
        uint32_t *e = entry_at(s, va + i * PAGE, true);
        if (!e) {
            range_clear(s, va, i, false);
            return MEMORY_ERROR_NOMEM;
        }
        uint64_t in_leaf = LEAF_PAGES - (va / PAGE + i) % LEAF_PAGES;
        uint64_t n = pages - i < in_leaf ? pages - i : in_leaf;
        for (uint64_t k = 0; k < n; k++)
            e[k] = entry | ENTRY_VALID;
        i += n;
    }
    return 0;
}

static bool leaf_clear(struct space_record *s, uint64_t va, uint32_t *leaf, unsigned first,
    unsigned last, void *context)
{
    bool keep = *(bool *)context;
    uint64_t base = va - first * PAGE;
    for (unsigned i = first; i < last; i += BATCH) {
        unsigned stop = i + BATCH < last ? i + BATCH : last;
        bool any = false;
        for (unsigned k = i; k < stop; k++)
            any |= (leaf[k] & ENTRY_PAGE) != 0;
        if (any) {
            unmap_run(s, base + i * PAGE, stop - i);
            quiesce();
        }
        for (unsigned k = i; k < stop; k++) {
            uint32_t page = leaf[k] & ENTRY_PAGE;
            leaf[k] = keep ? leaf[k] & ~ENTRY_PAGE : 0;
            if (page) {
                page_less(page);
                s->resident--;
            }
        }
    }
    return true;
}

void range_clear(struct space_record *s, uint64_t va, uint64_t pages, bool keep)
{
    leaves_walk(s, va, va + pages * PAGE, leaf_clear, &keep);
}

static bool leaf_all(struct space_record *s, uint64_t va, uint32_t *leaf, unsigned first,
    unsigned last, void *context)
{
    uint64_t *count = context;
    (void)s;
    (void)va;
    for (unsigned i = first; i < last; i++)
        *count += (leaf[i] & ENTRY_VALID) != 0;
    return true;
}

bool range_valid(struct space_record *s, uint64_t va, uint64_t pages)
{
    uint64_t count = 0;
    leaves_walk(s, va, va + pages * PAGE, leaf_all, &count);
    return count == pages;
}

bool range_free(struct space_record *s, uint64_t va, uint64_t pages)
{
    uint64_t count = 0;
    leaves_walk(s, va, va + pages * PAGE, leaf_all, &count);
    return !count;
}

static bool leaf_protect(struct space_record *s, uint64_t va, uint32_t *leaf, unsigned first,
    unsigned last, void *context)
{
    uint32_t rights = *(uint32_t *)context;
    uint64_t base = va - first * PAGE;
    for (unsigned i = first; i < last; i += BATCH) {
        unsigned stop = i + BATCH < last ? i + BATCH : last;
        bool any = false;
        for (unsigned k = i; k < stop; k++)
            any |= (leaf[k] & ENTRY_PAGE) != 0 && (leaf[k] & ENTRY_RIGHTS) != rights;
        if (any) {
            /* Unmapped; the next touch maps with the new rights. */
            unmap_run(s, base + i * PAGE, stop - i);
            quiesce();
        }
        for (unsigned k = i; k < stop; k++)
            if (leaf[k] & ENTRY_VALID)
                leaf[k] = (leaf[k] & ~ENTRY_RIGHTS) | rights;
    }
    return true;
}

uint32_t range_protect(struct space_record *s, uint64_t va, uint64_t pages, uint32_t rights)
{
    if (!range_valid(s, va, pages))
        return MEMORY_ERROR_NOMEM;
    leaves_walk(s, va, va + pages * PAGE, leaf_protect, &rights);
    return 0;
}

bool range_move(struct space_record *s, uint64_t from, uint64_t to, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++)
        if (!entry_at(s, to + i * PAGE, true))
            return false;
    for (uint64_t i = 0; i < pages; i++) {
        uint32_t *a = entry_at(s, from + i * PAGE, false), *b = entry_at(s, to + i * PAGE, false);
        if (!a || !b)
            continue;
        if (*a & ENTRY_PAGE)
            unmap_run(s, from + i * PAGE, 1);
        tx_save(a, 4);
        tx_save(b, 4);
        *b = *a;
        *a = 0;
    }
    quiesce();
    return true;
}

struct next_search {
    uint64_t at;
    uint32_t entry;
};
static bool leaf_next(struct space_record *s, uint64_t va, uint32_t *leaf, unsigned first,
    unsigned last, void *context)
{
    struct next_search *n = context;
    (void)s;
    for (unsigned i = first; i < last; i++)
        if (leaf[i] & ENTRY_VALID) {
            n->at = va + (i - first) * PAGE;
            n->entry = leaf[i];
            return false;
        }
    return true;
}

bool range_next(struct space_record *s, uint64_t va, uint64_t *at, uint32_t *entry)
{
    struct next_search n = {0, 0};
    if (leaves_walk(s, va, MEMORY_USER_END, leaf_next, &n))
        return false;
    *at = n.at;
    *entry = n.entry;
    return true;
}

/* ---- the layer's template -------------------------------------------------------------------------- */

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum;
};
struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

/* Pages of the layer, once for all spaces; each holds a reference for the template itself. */
void template_load(void)
{
    const uint8_t *elf = (const uint8_t *)STARTUP->modules[0][0];
    if (memory->template_made || !elf)
        return;
    const struct elf_header *h = (const void *)elf;
    const struct elf_segment *g = (const void *)(elf + h->phoff);
    if (memcmp(h->ident, "\177ELF", 4) || h->phnum > 8) {
        rt_log("the Linux layer is damaged");
        return;
    }
    uint32_t n = 0;
    for (unsigned i = 0; i < h->phnum; i++) {
        if (g[i].type != 1 || !g[i].memsz)
            continue;
        uint64_t base = g[i].vaddr & ~(PAGE - 1), end = g[i].vaddr + g[i].memsz;
        for (uint64_t va = base; va < end; va += PAGE) {
            uint32_t page = n < TEMPLATE_MAX ? page_take(true) : 0;
            if (!page)
                rt_panic("no room for the Linux layer");
            for (uint64_t at = va < g[i].vaddr ? g[i].vaddr : va;
                 at < va + PAGE && at < g[i].vaddr + g[i].filesz; at++)
                ((uint8_t *)page_view(page))[at - va] = elf[g[i].offset + at - g[i].vaddr];
            uint32_t rights =
                ENTRY_READ | (g[i].flags & 1 ? ENTRY_EXEC : 0) | (g[i].flags & 2 ? ENTRY_WRITE : 0);
            memory->templates[n++] = (struct template){va, page, rights | ENTRY_VALID};
        }
    }
    memory->template_count = n;
    __atomic_store_n(&memory->template_made, 1, __ATOMIC_RELEASE);
}

bool space_template(struct space_record *s)
{
    for (uint32_t i = 0; i < memory->template_count; i++) {
        const struct template *t = &memory->templates[i];
        uint32_t *e = entry_at(s, t->address, true);
        if (!e)
            return false;
        page_more(t->page);
        *e = t->entry | t->page;
        s->resident++;
        if (!map_page(s, t->address, t->page, map_rights(t->entry, false)))
            return false;
    }
    return true;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

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

/* In a transaction of its own: if that is undone, the pages are free again, and what the
 * kernel made of them ends when they are taken for something else (pages_ready). */
struct space_record *space_make(uint64_t quota)
{
    struct space_record *s = capsule_alloc(sizeof *s);
    uint32_t id = s ? id_take() : 0, pair = id ? object_pair_take() : 0;
    uint32_t caps = pair ? object_take() : 0, slot = caps ? rt_slot_alloc() : 0;
    struct pith_result r = {-E_LIMIT, 0};
    if (!slot)
        return 0;
    s->id = id;
    s->state = SPACE_LIVE;
    s->quota = quota;
    s->hint = MEMORY_MAP_TOP;
    s->space = slot;
    s->next = memory->spaces;
    TX_SET(memory->spaces, s);
    TX_SET(memory->by_id[id], s);
    if (!object_note(s, pair) || !object_note(s, pair + 1) || !object_note(s, caps))
        return 0;
    do
        r = pith_space_create(ram, pair, slot);
    while (r.status == -E_AGAIN);
    for (unsigned i = 0; !r.status && i < FIRST_TABLES; i++)
        r.status = tables_give(s) ? 0 : -E_LIMIT;
    if (!r.status)
        do
            r = pith_cap_page(slot, ram, caps, 0);
        while (r.status == -E_AGAIN);
    s->gate = r.status ? 0 : rt_gate_create(rt_cap("memory"), id);
    uint32_t handler = s->gate ? rt_gate_create(rt_cap("memory"), id | BADGE_FAULT) : 0;
    if (handler)
        r = pith_space_handler(slot, handler);
    s->fault_gate = handler;
    return handler && !r.status ? s : 0;
}

static bool leaf_share(struct space_record *from, uint64_t va, uint32_t *leaf, unsigned first,
    unsigned last, void *context)
{
    struct space_record *to = context;
    uint32_t *copy = entry_at(to, va, true);
    if (!copy)
        return false;
    copy -= first;
    uint64_t base = va - first * PAGE;
    for (unsigned i = first; i < last; i += BATCH) {
        unsigned stop = i + BATCH < last ? i + BATCH : last;
        bool any = false;
        for (unsigned k = i; k < stop; k++) {
            uint32_t page = leaf[k] & ENTRY_PAGE;
            copy[k] = leaf[k];
            if (page) {
                page_more(page);
                to->resident++;
                any = true;
            }
        }
        while (any) {
            struct pith_result r = pith_space_copy(to->space, from->space, base + i * PAGE,
                base + i * PAGE, (stop - i) | MAP_READ | MAP_EXEC | MAP_DEMOTE);
            if (!r.status)
                break;
            if (r.status == -E_TABLES ? !tables_give(to) : r.status != -E_AGAIN)
                return false;
        }
    }
    return true;
}

bool space_clone(struct space_record *from, struct space_record *to)
{
    to->hint = from->hint;
    bool done = leaves_walk(from, 0, MEMORY_USER_END, leaf_share, to);
    quiesce();
    return done;
}

int64_t thread_make(struct space_record *s, struct thread_record **made)
{
    struct thread_record *t = capsule_alloc(sizeof *t);
    uint32_t page = t ? object_take() : 0;
    if (!page || !object_note(s, page))
        return -E_LIMIT;
    if (!s->small_page || s->small_used == 32) {
        uint32_t small = object_take();
        if (!small || !object_note(s, small))
            return -E_LIMIT;
        TX_SET(s->small_page, small);
        TX_SET(s->small_used, 0);
    }
    t->thread = rt_slot_alloc();
    t->notification = rt_slot_alloc();
    t->page = page;
    t->place = s->small_used;
    if (!t->thread || !t->notification)
        return -E_LIMIT;
    TX_SET(s->small_used, s->small_used + 1);
    struct pith_result r;
    do
        r = pith_notification_create(ram, WHERE(s->small_page, t->place), t->notification);
    while (r.status == -E_AGAIN);
    if (!r.status)
        do
            r = pith_thread_create(ram, page, t->thread, s->space);
        while (r.status == -E_AGAIN);
    if (r.status)
        return r.status;
    TX_SET(s->thread_ids, s->thread_ids + 1);
    t->id = s->thread_ids;
    t->next = s->threads;
    TX_SET(s->threads, t);
    *made = t;
    pith_thread_notification(t->thread, t->notification);
    return 0;
}

bool thread_drop(struct space_record *s, struct thread_record *t)
{
    struct pith_result r = {-E_AGAIN, 0};
    for (unsigned i = 0; i < 64 && r.status == -E_AGAIN; i++)
        r = pith_page_take(ram, t->page);
    if (r.status)
        return false;
    for (struct thread_record **link = &s->threads; *link; link = &(*link)->next)
        if (*link == t) {
            TX_SET(*link, t->next);
            break;
        }
    rt_slot_free(t->thread);
    rt_slot_free(t->notification);
    capsule_free(t, sizeof *t);
    return true;
}

void space_end(struct space_record *s)
{
    TX_SET(s->state, SPACE_ENDING);
    while (pith_space_kill(s->space).status == -E_AGAIN)
        ;
}

static bool leaf_drop(struct space_record *s, uint64_t va, uint32_t *leaf, unsigned first,
    unsigned last, void *context)
{
    (void)s;
    (void)va;
    (void)context;
    for (unsigned i = first; i < last; i++) {
        uint32_t page = leaf[i] & ENTRY_PAGE;
        leaf[i] = 0;
        if (page)
            page_less(page);
    }
    return true;
}

static void nodes_drop(struct space_record *s)
{
    if (!s->root)
        return;
    uint32_t *top = node(s->root);
    for (unsigned a = 0; a < 128; a++) {
        for (unsigned b = 0; top[a] && b < 512; b++) {
            uint32_t mid = node(top[a])[b];
            for (unsigned c = 0; mid && c < 512; c++)
                if (node(mid)[c])
                    page_less(node(mid)[c]);
            if (mid)
                page_less(mid);
        }
        if (top[a])
            page_less(top[a]);
    }
    page_less(s->root);
}

bool space_end_step(struct space_record *s)
{
    while (s->threads)
        if (!thread_drop(s, s->threads))
            return false;
    /* The kernel's objects first: with the tables go all mappings. */
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
            goto gone;
    }
    return false;
gone:
    leaves_walk(s, 0, MEMORY_USER_END, leaf_drop, 0);
    nodes_drop(s);
    s->root = 0;
    for (struct object_list *l = s->objects, *next; l; l = next) {
        next = l->next;
        for (uint32_t i = 0; i < l->count; i++)
            object_give(l->pages[i]);
        capsule_free(l, sizeof *l);
    }
    rt_slot_free(s->space);
    rt_gate_free(s->gate);
    rt_gate_free(s->fault_gate);
    for (struct space_record **link = &memory->spaces; *link; link = &(*link)->next)
        if (*link == s) {
            TX_SET(*link, s->next);
            break;
        }
    TX_SET(memory->by_id[s->id], 0);
    capsule_free(s, sizeof *s);
    return true;
}

/* ---- recounting ------------------------------------------------------------------------------------------ */

static bool leaf_count(struct space_record *s, uint64_t va, uint32_t *leaf, unsigned first,
    unsigned last, void *context)
{
    (void)va;
    (void)context;
    for (unsigned i = first; i < last; i++)
        if (leaf[i] & ENTRY_PAGE) {
            pages_count_use(leaf[i] & ENTRY_PAGE);
            s->resident++;
        }
    return true;
}

void recount(void)
{
    for (uint32_t i = 0; i < memory->template_count; i++)
        pages_count_use(memory->templates[i].page);
    for (struct space_record *s = memory->spaces; s; s = s->next) {
        for (struct object_list *l = s->objects; l; l = l->next)
            for (uint32_t i = 0; i < l->count; i++)
                pages_count_object(l->pages[i]);
        s->resident = 0;
        if (!s->root)
            continue;
        pages_count_use(s->root);
        const uint32_t *top = node(s->root);
        for (unsigned a = 0; a < 128; a++) {
            if (!top[a])
                continue;
            pages_count_use(top[a]);
            for (unsigned b = 0; b < 512; b++) {
                uint32_t mid = node(top[a])[b];
                if (!mid)
                    continue;
                pages_count_use(mid);
                for (unsigned c = 0; c < 512; c++)
                    if (node(mid)[c])
                        pages_count_use(node(mid)[c]);
            }
        }
        leaves_walk(s, 0, MEMORY_USER_END, leaf_count, 0);
    }
}
