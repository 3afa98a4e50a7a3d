/* SPDX-License-Identifier: MIT */
/* Page maps: see memory.h. Nothing here knows what the entries mean. */
#include "memory.h"
#include <rt/string.h>

static unsigned index_of(uint64_t vpn, unsigned level)
{
    return vpn >> (9 * level) & (SLOTS - 1);
}

static uint64_t span_of(unsigned level)
{
    return 1ull << (9 * level);
}

struct node *node_at(uint32_t page)
{
    return page_view(page);
}

uint32_t node_take(uint32_t value, unsigned level)
{
    uint32_t page = page_take(false);
    if (!page)
        return 0;
    struct node *n = node_at(page);
    if (!value) {
        memset(n, 0, sizeof *n);
        return page;
    }
    uint64_t two = (uint64_t)value << 32 | value, *to = (uint64_t *)n->slot;
    for (unsigned i = 0; i < SLOTS / 2; i++)
        to[i] = two;
    memset(n->used, level ? 0xff : 0, sizeof n->used);
    memset(n->mapped, 0, sizeof n->mapped);
    return page;
}

bool map_find(uint32_t root, uint64_t vpn, struct piece *p)
{
    uint32_t page = root;
    for (unsigned level = LEVELS - 1; page; level--) {
        struct node *n = node_at(page);
        unsigned i = index_of(vpn, level);
        uint32_t value = n->slot[i];
        if (!level || value & ENTRY_VALID) {
            p->node = n;
            p->level = level;
            p->index = i;
            return value != 0;
        }
        page = value;
    }
    return false;
}

/* The node that a slot names, made if need be. */
static struct node *node_below(uint32_t *link, struct node *above, unsigned at, unsigned level)
{
    if (!*link || *link & ENTRY_VALID) {
        uint32_t fresh = node_take(*link, level);
        if (!fresh)
            return 0;
        __atomic_store_n(link, fresh, __ATOMIC_RELEASE);
        if (above)
            BIT_SET(above->used, at);
    }
    return node_at(*link);
}

struct node *map_leaf(uint32_t *root, uint64_t vpn)
{
    uint32_t *link = root;
    struct node *above = 0;
    unsigned at = 0;
    for (unsigned level = LEVELS - 1;; level--) {
        struct node *n = node_below(link, above, at, level);
        if (!n || !level)
            return n;
        at = index_of(vpn, level);
        above = n;
        link = &n->slot[at];
    }
}

/* The next used slot of a node from i on; SLOTS: none. */
static unsigned used_next(const struct node *n, unsigned i)
{
    while (i < SLOTS) {
        uint64_t word = n->used[i / 64] >> (i % 64);
        if (word)
            return i + (unsigned)__builtin_ctzll(word);
        i = (i / 64 + 1) * 64;
    }
    return SLOTS;
}

static bool piece_set(struct piece *p, uint64_t vpn, uint64_t end, unsigned level)
{
    uint64_t covered = level ? span_of(level) : SLOTS;
    uint64_t rest = covered - (vpn & (covered - 1));
    p->first = vpn;
    p->count = rest < end - vpn ? rest : end - vpn;
    p->level = level;
    p->index = index_of(vpn, level);
    return true;
}

bool map_next(uint32_t root, uint64_t vpn, uint64_t end, struct piece *p)
{
    while (root && vpn < end) {
        struct node *above = 0, *n = node_at(root);
        unsigned above_index = 0;
        for (unsigned level = LEVELS - 1;; level--) {
            unsigned i = index_of(vpn, level);
            uint32_t value = n->slot[i];
            p->node = n;
            p->above = above;
            p->above_index = above_index;
            if (!level || value & ENTRY_VALID)
                return piece_set(p, vpn, end, level);
            if (!value) {
                uint64_t whole = span_of(level) * SLOTS;
                vpn = (vpn & ~(whole - 1)) + used_next(n, i + 1) * span_of(level);
                break;
            }
            above = n;
            above_index = i;
            n = node_at(value);
        }
    }
    return false;
}

bool map_cut(uint32_t *root, uint64_t vpn)
{
    struct piece p;
    while (map_find(*root, vpn, &p) && p.level && vpn & (span_of(p.level) - 1)) {
        uint32_t fresh = node_take(p.node->slot[p.index], p.level - 1);
        if (!fresh)
            return false;
        __atomic_store_n(&p.node->slot[p.index], fresh, __ATOMIC_RELEASE);
    }
    return true;
}

bool map_fill(uint32_t *root, uint64_t vpn, uint64_t count, uint32_t entry)
{
    while (count) {
        uint32_t *link = root;
        struct node *above = 0, *n;
        unsigned at = 0;
        for (unsigned level = LEVELS - 1;; level--) {
            n = node_below(link, above, at, level);
            if (!n)
                return false;
            at = index_of(vpn, level);
            uint64_t span = span_of(level);
            bool whole = level && !(vpn & (span - 1)) && count >= span &&
                         (!n->slot[at] || n->slot[at] & ENTRY_VALID);
            if (whole) {
                n->slot[at] = entry;
                BIT_SET(n->used, at);
                count -= span;
                vpn += span;
                break;
            }
            if (!level) {
                uint64_t run = count < SLOTS - at ? count : SLOTS - at;
                count -= run;
                vpn += run;
                while (run--)
                    n->slot[at++] = entry;
                break;
            }
            above = n;
            link = &n->slot[at];
        }
    }
    return true;
}

/* Node by node, depth first; the tree is LEVELS deep. */
void map_drop(uint32_t root)
{
    uint32_t path[LEVELS];
    unsigned at[LEVELS], level = LEVELS - 1;
    if (!root)
        return;
    path[level] = root;
    at[level] = 0;
    for (;;) {
        struct node *n = node_at(path[level]);
        unsigned i = level ? used_next(n, at[level]) : SLOTS;
        if (i == SLOTS) {
            page_less(path[level]);
            if (++level == LEVELS)
                return;
            continue;
        }
        at[level] = i + 1;
        if (!(n->slot[i] & ENTRY_VALID)) {
            path[--level] = n->slot[i];
            at[level] = 0;
        }
    }
}

static void leaf_count(struct node *n, bool of_ram, uint64_t *resident)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (!n->slot[i])
            continue;
        BIT_SET(n->mapped, i);
        if (n->slot[i] & ENTRY_PAGE) {
            BIT_SET(n->used, i);
            if (of_ram)
                pages_count_use(n->slot[i] & ENTRY_PAGE);
            ++*resident;
        }
    }
}

void map_count(uint32_t root, bool of_ram, uint64_t *resident)
{
    uint32_t path[LEVELS];
    unsigned at[LEVELS], level = LEVELS - 1;
    if (!root)
        return;
    path[level] = root;
    at[level] = 0;
    for (;;) {
        struct node *n = node_at(path[level]);
        if (!at[level]) { /* not seen yet */
            pages_count_use(path[level]);
            memset(n->used, 0, sizeof n->used);
            memset(n->mapped, 0, sizeof n->mapped);
            if (!level)
                leaf_count(n, of_ram, resident);
        }
        while (level && at[level] < SLOTS && !n->slot[at[level]])
            at[level]++;
        if (!level || at[level] == SLOTS) {
            if (++level == LEVELS)
                return;
            continue;
        }
        uint32_t value = n->slot[at[level]];
        BIT_SET(n->used, at[level]);
        at[level]++;
        if (!(value & ENTRY_VALID)) {
            path[--level] = value;
            at[level] = 0;
        }
    }
}
