/* SPDX-License-Identifier: MIT */
/*
 * Ranges of a space: set, cleared, protected, copied elsewhere.
 *
 * Each works so that doing it again after a restart ends in the same. What has to leave the
 * kernel's tables leaves them first, for the whole range; then all cores pass, once; then
 * pages are given back.
 */
#include "memory.h"
#include <rt/string.h>

/* The bits [first, first + count) of a leaf. */
static void mask_make(uint64_t mask[SLOTS / 64], unsigned first, unsigned count)
{
    for (unsigned w = 0; w < SLOTS / 64; w++) {
        unsigned lo = w * 64 > first ? w * 64 : first;
        unsigned hi = first + count < w * 64 + 64 ? first + count : w * 64 + 64;
        mask[w] = lo < hi ? (~0ull >> (64 - (hi - lo))) << (lo % 64) : 0;
    }
}

static uint64_t leaf_base(const struct piece *p)
{
    return (p->first - p->index) * PAGE;
}

uint32_t range_set(struct space_record *s, uint64_t va, uint64_t pages, uint32_t entry)
{
    if (map_fill(&s->root, va / PAGE, pages, entry | ENTRY_VALID))
        return 0;
    range_clear(s, va, pages, false);
    return MEMORY_ERROR_NOMEM;
}

/* Gives back what a leaf's entries name. */
static void leaf_release(struct space_record *s, const struct piece *p, bool keep)
{
    struct node *leaf = p->node;
    uint64_t mask[SLOTS / 64];
    mask_make(mask, p->index, (unsigned)p->count);
    for (unsigned w = 0; w < SLOTS / 64; w++)
        for (uint64_t bits = leaf->used[w] & mask[w]; bits; bits &= bits - 1) {
            unsigned i = w * 64 + (unsigned)__builtin_ctzll(bits);
            uint32_t page = leaf->slot[i] & ENTRY_PAGE;
            leaf->slot[i] = !keep ? 0
                            : (leaf->slot[i] & ~ENTRY_PAGE) |
                                  (area_find(s, p->first - p->index + i) ? ENTRY_AREA : 0);
            BIT_CLEAR(leaf->used, i);
            page_less(page);
            s->resident--;
        }
    if (!keep)
        memset(&leaf->slot[p->index], 0, p->count * sizeof leaf->slot[0]);
}

uint32_t range_clear(struct space_record *s, uint64_t va, uint64_t pages, bool keep)
{
    uint64_t first = va / PAGE, end = first + pages;
    uint64_t mask[SLOTS / 64];
    struct piece p;
    bool any = false;
    if (!keep &&
        (!map_cut(&s->root, first) || !map_cut(&s->root, end) || !areas_cut(s, first, pages)))
        return MEMORY_ERROR_NOMEM;
    for (uint64_t at = first; map_next(s->root, at, end, &p); at = p.first + p.count)
        if (!p.level) {
            mask_make(mask, p.index, (unsigned)p.count);
            any |= leaf_unmap(s, p.node, leaf_base(&p), mask);
        }
    if (any)
        quiesce();
    for (uint64_t at = first; map_next(s->root, at, end, &p); at = p.first + p.count) {
        if (!p.level)
            leaf_release(s, &p, keep);
        if (keep || (!p.level && (p.count < SLOTS || !p.above)))
            continue;
        /* A whole slot above, or a whole leaf: out of the node that names it. */
        struct node *n = p.level ? p.node : p.above;
        unsigned i = p.level ? p.index : p.above_index;
        uint32_t was = n->slot[i];
        __atomic_store_n(&n->slot[i], 0, __ATOMIC_RELEASE);
        BIT_CLEAR(n->used, i);
        if (!p.level)
            page_less(was);
    }
    return 0;
}

static uint64_t valid_count(struct space_record *s, uint64_t va, uint64_t pages)
{
    uint64_t count = 0, end = va / PAGE + pages;
    struct piece p;
    for (uint64_t at = va / PAGE; map_next(s->root, at, end, &p); at = p.first + p.count)
        if (p.level)
            count += p.count;
        else
            for (unsigned i = p.index; i < p.index + p.count; i++)
                count += p.node->slot[i] != 0;
    return count;
}

bool range_valid(struct space_record *s, uint64_t va, uint64_t pages)
{
    return valid_count(s, va, pages) == pages;
}

bool range_free(struct space_record *s, uint64_t va, uint64_t pages)
{
    return !valid_count(s, va, pages);
}

/* Takes rights from what the kernel has mapped; a right that is new comes with a fault. */
static bool leaf_restrict(struct space_record *s, const struct piece *p, uint32_t rights)
{
    uint64_t mask[SLOTS / 64], some[SLOTS / 64];
    uint32_t lost = 0;
    mask_make(mask, p->index, (unsigned)p->count);
    for (unsigned w = 0; w < SLOTS / 64; w++) {
        some[w] = 0;
        for (uint64_t bits = p->node->mapped[w] & mask[w]; bits; bits &= bits - 1) {
            unsigned i = w * 64 + (unsigned)__builtin_ctzll(bits);
            uint32_t differs = (p->node->slot[i] ^ rights) & ENTRY_RIGHTS;
            lost |= differs & ~rights;
            if (differs)
                some[w] |= 1ull << (i % 64);
        }
    }
    if (!lost)
        return false;
    if (!rights || rights & ENTRY_EXEC)
        return leaf_unmap(s, p->node, leaf_base(p), some);
    for (unsigned w = 0; w < SLOTS / 64; w++) {
        if (!some[w])
            continue;
        unsigned from = (unsigned)__builtin_ctzll(some[w]);
        unsigned count = 64 - (unsigned)__builtin_clzll(some[w]) - from;
        pith_space_protect(s->space, leaf_base(p) + (w * 64 + from) * PAGE, count | MAP_READ);
    }
    return true;
}

uint32_t range_protect(struct space_record *s, uint64_t va, uint64_t pages, uint32_t rights)
{
    uint64_t first = va / PAGE, end = first + pages;
    struct piece p;
    bool any = false;
    if (!range_valid(s, va, pages) || !map_cut(&s->root, first) || !map_cut(&s->root, end))
        return MEMORY_ERROR_NOMEM;
    for (uint64_t at = first; map_next(s->root, at, end, &p); at = p.first + p.count) {
        if (!p.level)
            any |= leaf_restrict(s, &p, rights);
        for (unsigned i = p.index; i < p.index + (p.level ? 1 : p.count); i++)
            if (p.node->slot[i])
                p.node->slot[i] = (p.node->slot[i] & ~ENTRY_RIGHTS) | rights;
    }
    if (any)
        quiesce();
    return 0;
}

/* Both ranges name the pages afterwards; done again it changes nothing. */
bool range_copy(struct space_record *s, uint64_t from, uint64_t to, uint64_t pages)
{
    uint64_t first = from / PAGE, end = first + pages, delta = to / PAGE - first;
    struct piece p;
    for (uint64_t at = first; map_next(s->root, at, end, &p); at = p.first + p.count) {
        if (p.level) {
            uint32_t entry = p.node->slot[p.index];
            if (!map_fill(&s->root, p.first + delta, p.count, entry))
                return false;
            continue;
        }
        for (uint64_t i = 0; i < p.count; i++) {
            uint32_t entry = p.node->slot[p.index + i];
            struct node *leaf = entry ? map_leaf(&s->root, p.first + i + delta) : 0;
            if (!entry)
                continue;
            if (!leaf)
                return false;
            unsigned k = (unsigned)((p.first + i + delta) % SLOTS);
            uint32_t was = leaf->slot[k] & ENTRY_PAGE, page = entry & ENTRY_PAGE;
            if (page && was != page) {
                page_more(page);
                s->resident++;
                BIT_SET(leaf->used, k);
            }
            leaf->slot[k] = entry;
        }
    }
    return true;
}

bool range_first(struct space_record *s, uint64_t va, uint64_t *at, uint32_t *entry)
{
    struct piece p;
    for (uint64_t vpn = va / PAGE; map_next(s->root, vpn, LAST_PAGE, &p); vpn = p.first + p.count)
        for (uint64_t i = 0; i < (p.level ? 1 : p.count); i++)
            if (p.node->slot[p.index + i]) {
                *at = (p.first + i) * PAGE;
                *entry = p.node->slot[p.index + i];
                return true;
            }
    return false;
}

static bool alike(uint32_t a, uint32_t b)
{
    return a && b && !((a ^ b) & (ENTRY_RIGHTS | ENTRY_SHARED));
}

/* The first of count entries that is not like kind; most are the same, so two at a time. */
static uint64_t alike_run(const uint32_t *entry, uint64_t count, uint32_t kind)
{
    typedef uint64_t __attribute__((may_alias, aligned(4))) two_entries;
    uint64_t i = 0, same = (uint64_t)kind << 32 | kind;
    for (;;) {
        while (i + 4 <= count && *(const two_entries *)(entry + i) == same &&
               *(const two_entries *)(entry + i + 2) == same)
            i += 4;
        if (i == count || !alike(entry[i], kind))
            return i;
        i++;
    }
}

bool range_next(
    struct space_record *s, uint64_t va, uint64_t *at, uint64_t *pages, uint32_t *entry)
{
    struct piece p;
    uint64_t end;
    if (!range_first(s, va, at, entry))
        return false;
    end = *at / PAGE;
    while (map_next(s->root, end, LAST_PAGE, &p) && p.first == end) {
        const uint32_t *here = &p.node->slot[p.index];
        uint64_t run = !p.level              ? alike_run(here, p.count, *entry)
                       : alike(*here, *entry) ? p.count
                                              : 0;
        end += run;
        if (run < p.count)
            break;
    }
    *pages = end - *at / PAGE;
    return true;
}
