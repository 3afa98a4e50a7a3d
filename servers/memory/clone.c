/* SPDX-License-Identifier: MIT */
/*
 * fork: a page map like another's, with both sides' pages read-only until one writes.
 *
 * Where the original has few pages of a leaf mapped, the copy gets them mapped at once; where
 * it has many, only the original loses the right to write and the copy gets them by faults.
 * Pages that were written soon after earlier clones (stacks, the layer's data) are copied
 * now, and the original keeps its own writable: that saves a fault on each side.
 */
#include "memory.h"
#include <rt/string.h>

#define EAGER_MAX 160u /* pages of a leaf that the copy gets mapped */

static void hot_put(struct space_record *s, uint64_t vpn)
{
    for (unsigned i = 0; i < HOT_MAX; i++)
        if (s->hot[i] == vpn)
            return;
    s->hot[s->hot_next] = vpn;
    s->hot_next = (s->hot_next + 1) % HOT_MAX;
}

void hot_add(struct space_record *s, uint64_t vpn)
{
    if (!s->hot_left)
        return;
    s->hot_left--;
    hot_put(s, vpn);
    struct space_record *parent = space_find(s->parent);
    if (parent)
        hot_put(parent, vpn);
}

/* One run of the original's mappings into the copy's tables. */
static bool run_copy(
    struct space_record *from, struct space_record *to, uint64_t va, unsigned count)
{
    for (;;) {
        struct pith_result r = pith_space_copy(
            to->space, from->space, va, va, count | MAP_READ | MAP_EXEC | MAP_DEMOTE);
        if (!r.status)
            return true;
        if (r.status == -E_TABLES ? !tables_give(to) : r.status != -E_AGAIN)
            return false;
    }
}

/* The pages in mask: of those that are mapped, all into the copy, or only made read-only. */
static bool leaf_share(struct space_record *from, struct space_record *to, struct node *original,
    struct node *copy, uint64_t base, const uint64_t *apart)
{
    unsigned mapped = 0;
    for (unsigned w = 0; w < SLOTS / 64; w++)
        mapped += original->mapped[w] ? (unsigned)__builtin_popcountll(original->mapped[w]) : 0;
    for (unsigned w = 0; w < SLOTS / 64; w++) {
        uint64_t bits = original->mapped[w] & ~apart[w];
        while (bits) {
            unsigned at = (unsigned)__builtin_ctzll(bits);
            uint64_t stay = apart[w] >> at, here = bits >> at;
            if (stay)
                here &= (stay & -stay) - 1;
            unsigned count = 64 - (unsigned)__builtin_clzll(here);
            uint64_t va = base + (w * 64 + at) * PAGE;
            if (mapped > EAGER_MAX)
                pith_space_protect(from->space, va, count | MAP_READ | MAP_EXEC);
            else if (run_copy(from, to, va, count))
                copy->mapped[w] |= here << at;
            else
                return false;
            bits &= ~(here << at);
        }
    }
    return true;
}

/* A page of the leaf that both sides have apart from now on. False: no page left. */
static bool page_copy(struct space_record *to, const struct node *original, struct node *copy,
    uint64_t vpn, unsigned i, uint64_t apart[SLOTS / 64])
{
    uint32_t e = original->slot[i], fresh = page_take(false);
    if (!fresh)
        return false;
    memcpy(page_view(fresh), page_view(e & ENTRY_PAGE), PAGE);
    copy->slot[i] = (e & ~ENTRY_PAGE) | fresh;
    BIT_SET(apart, i);
    if (map_page(to, (vpn + i) * PAGE, fresh, map_rights(e, true, false)))
        BIT_SET(copy->mapped, i);
    return true;
}

/* The hot pages of a leaf are copied; their bits. */
static void leaf_copy_hot(struct space_record *from, struct space_record *to, struct node *original,
    struct node *copy, uint64_t vpn, uint64_t apart[SLOTS / 64])
{
    for (unsigned h = 0; h < HOT_MAX; h++) {
        unsigned i = (unsigned)(from->hot[h] - vpn);
        if (from->hot[h] - vpn >= SLOTS || apart[i / 64] >> (i % 64) & 1)
            continue;
        uint32_t e = original->slot[i], page = e & ENTRY_PAGE;
        if (!page || !(e & ENTRY_WRITE) || page_refs(page) != 1)
            continue;
        if (!page_copy(to, original, copy, vpn, i, apart))
            return;
    }
}

/* The kernel has pinned two pages of each thread's block (linux/block.h): the original must go
 * on seeing those. */
static bool leaf_copy_pinned(struct space_record *to, struct node *original, struct node *copy,
    uint64_t vpn, uint64_t apart[SLOTS / 64])
{
    const uint64_t first = LAYER_BLOCKS / PAGE,
                   end = first + (uint64_t)BLOCKS_MAX * (BLOCK_SIZE / PAGE);
    for (uint64_t at = vpn > first ? vpn : first; at < vpn + SLOTS && at < end;
         at += BLOCK_SIZE / PAGE)
        for (unsigned half = 0; half < 2; half++) {
            unsigned i = (unsigned)(at + half - vpn);
            if (original->slot[i] & ENTRY_PAGE && original->slot[i] & ENTRY_WRITE &&
                !page_copy(to, original, copy, vpn, i, apart))
                return false;
        }
    return true;
}

static bool leaf_clone(struct space_record *from, struct space_record *to, struct node *original,
    struct node *copy, uint64_t vpn)
{
    uint64_t apart[SLOTS / 64] = {0};
    memset(copy->mapped, 0, sizeof copy->mapped);
    if (vpn == LAYER_PAGE) {
        template_mask(original, apart);
        memcpy(copy->mapped, apart, sizeof apart);
    }
    if (!leaf_copy_pinned(to, original, copy, vpn, apart))
        return false;
    leaf_copy_hot(from, to, original, copy, vpn, apart);
    for (unsigned w = 0; w < SLOTS / 64; w++)
        for (uint64_t bits = original->used[w]; bits; bits &= bits - 1) {
            unsigned i = w * 64 + (unsigned)__builtin_ctzll(bits);
            if (copy->slot[i] == original->slot[i])
                page_more(copy->slot[i] & ENTRY_PAGE);
            to->resident++;
        }
    return leaf_share(from, to, original, copy, vpn * PAGE, apart);
}

/* The copy of a node and what is below it; 0: no page left. A node is whole before it is
 * named; what is lost by a failure here goes with the space (its map names it) or is
 * recounted. */
static bool node_clone(struct space_record *from, struct space_record *to, uint32_t page,
    unsigned level, uint64_t vpn, uint32_t *link)
{
    uint32_t fresh = page_take(false);
    if (!fresh)
        return false;
    struct node *original = node_at(page), *copy = node_at(fresh);
    if (!level) {
        memcpy(copy, original, sizeof *copy);
        bool done = leaf_clone(from, to, original, copy, vpn);
        __atomic_store_n(link, fresh, __ATOMIC_RELEASE);
        return done;
    }
    memset(copy, 0, sizeof *copy);
    __atomic_store_n(link, fresh, __ATOMIC_RELEASE);
    for (unsigned w = 0; w < SLOTS / 64; w++)
        for (uint64_t bits = original->used[w]; bits; bits &= bits - 1) {
            unsigned i = w * 64 + (unsigned)__builtin_ctzll(bits);
            uint64_t first = vpn + ((uint64_t)i << (9 * level));
            bool done = true;
            if (original->slot[i] & ENTRY_VALID)
                copy->slot[i] = original->slot[i];
            else
                done = node_clone(from, to, original->slot[i], level - 1, first, &copy->slot[i]);
            if (copy->slot[i])
                BIT_SET(copy->used, i);
            if (!done)
                return false;
        }
    return true;
}

bool space_clone(struct space_record *from, struct space_record *to)
{
    to->hint = from->hint;
    to->parent = from->id;
    to->hot_left = from->hot_left = HOT_MAX;
    memcpy(to->hot, from->hot, sizeof to->hot);
    bool done = areas_copy(from, to);
    done = done && (!from->root || node_clone(from, to, from->root, LEVELS - 1, 0, &to->root));
    quiesce();
    return done;
}

/* ---- the way back: what the child of a vfork has written ------------------------------------- */

static bool pages_equal(const void *a, const void *b)
{
    uint64_t words = PAGE / 8;
    bool equal;
    __asm__ volatile("repe cmpsq" : "+S"(a), "+D"(b), "+c"(words), "=@cce"(equal)::"memory");
    return equal;
}

static bool page_adopt(struct space_record *to, uint64_t va, uint32_t entry)
{
    const void *theirs, *ours;
    if (!(entry & ENTRY_WRITE) || entry & ENTRY_SHARED || page_refs(entry & ENTRY_PAGE) > 1)
        return true; /* one that is still shared was not written */
    theirs = space_view(to, va);
    ours = page_view(entry & ENTRY_PAGE);
    if (!theirs || theirs == ours ||
        pages_equal(theirs, ours))
        return true;
    if (!fault_resolve(to, va, true, false))
        return false;
    memcpy((void *)space_view(to, va), ours, PAGE);
    return true;
}

bool space_adopt(struct space_record *from, struct space_record *to, uint64_t address, uint64_t end)
{
    struct piece p;
    uint64_t last = (end + PAGE - 1) / PAGE;
    for (uint64_t at = address / PAGE; map_next(from->root, at, last, &p); at = p.first + p.count) {
        for (unsigned w = p.index / 64; !p.level && w < SLOTS / 64; w++)
            for (uint64_t bits = p.node->used[w]; bits; bits &= bits - 1) {
                unsigned i = w * 64 + (unsigned)__builtin_ctzll(bits);
                if (i >= p.index && i < p.index + p.count &&
                    !page_adopt(to, (p.first + i - p.index) * PAGE, p.node->slot[i]))
                    return false;
            }
    }
    return true;
}
