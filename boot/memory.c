// SPDX-License-Identifier: MIT
/*
 * Physical memory: from whatever the firmware says to sorted, disjoint ranges, and a
 * finder of free runs.
 *
 * Where entries overlap the more restrictive wins. Usable entries shrink to whole pages,
 * others grow. Page 0 is never usable. Memory above mem= or MAX_RAM_PAGES vanishes,
 * except under modules, which are usable wherever the loader put them.
 *
 * A claim keeps a run from being taken; the ranges handed on do not show claims.
 */
#include "glue.h"

/* The type of an entry is also its rank; these stand above the firmware's. */
enum { RAW_MODULE = 8, RAW_NIL = 9 };
enum { RAW_MAX = 320, CLAIM_MAX = 64 };

static struct raw {
    u64 base, end;
    u32 type;
} raw[RAW_MAX], claims[CLAIM_MAX];
static u32 raw_count, claim_count;

static void raw_add(u64 base, u64 end, u32 type)
{
    if (base >= end)
        return;
    if (raw_count == RAW_MAX)
        glue_fail("the memory map has more than %u entries", RAW_MAX);
    raw[raw_count++] = (struct raw){base, end, type};
}

void memory_add(u64 base, u64 length, u32 type)
{
    u64 end = base + length < base ? ~0ull : base + length;

    if (type == MEM_USABLE)
        raw_add(PAGE_UP(base), PAGE_DOWN(end), type);
    else
        raw_add(PAGE_DOWN(base), PAGE_UP(end), type > 0 && type <= MEM_BAD ? type : MEM_RESERVED);
}

/* Appends a range, merged with its predecessor where that is the same. */
static void range_add(u64 base, u64 end, u32 rank)
{
    u32 type = rank == RAW_MODULE ? MEM_USABLE : rank == RAW_NIL ? MEM_RESERVED : rank;
    struct handoff_range *last = &handoff.ranges[handoff.range_count];

    if (handoff.range_count && last[-1].type == type && last[-1].base + last[-1].length == base) {
        last[-1].length = end - last[-1].base;
    } else if (handoff.range_count < HANDOFF_MAX_RANGES) {
        *last = (struct handoff_range){base, end - base, type, 0};
        handoff.range_count++;
    } else if (type == MEM_USABLE) {
        glue_fail("the memory map has more than %u ranges", HANDOFF_MAX_RANGES);
    }
}

/* Walks all boundaries upwards; between two of them the highest rank rules. */
static void ranges_build(void)
{
    u64 position = 0, next;

    do {
        const struct raw *best = 0;
        next = ~0ull;
        for (u32 i = 0; i < raw_count; i++) {
            const struct raw *r = &raw[i];
            if (r->base > position)
                next = min_u64(next, r->base);
            if (r->end > position)
                next = min_u64(next, r->end);
            if (r->base <= position && position < r->end && (!best || r->type > best->type))
                best = r;
        }
        if (best)
            range_add(position, next, best->type);
        position = next;
    } while (next != ~0ull);
}

u64 memory_usable_bytes(void)
{
    u64 bytes = 0;

    for (u32 i = 0; i < handoff.range_count; i++) {
        if (handoff.ranges[i].type == MEM_USABLE)
            bytes += handoff.ranges[i].length;
    }
    return bytes;
}

void memory_finish(void)
{
    u64 limit = min_u64(options.mem_mib * MIB, (u64)MAX_RAM_PAGES * PAGE_SIZE);

    for (u32 i = 0; i < raw_count; i++) {
        if (raw[i].type == MEM_USABLE)
            raw[i].end = min_u64(raw[i].end, limit);
    }
    raw_add(0, PAGE_SIZE, RAW_NIL);
    for (u32 i = 0; i < handoff.module_count; i++) {
        const struct handoff_module *m = &handoff.modules[i];
        raw_add(PAGE_DOWN(m->base), PAGE_UP(m->base + m->length), RAW_MODULE);
        memory_claim(m->base, m->length);
    }
    memory_claim((u64)boot_start, (u64)(kernel_load_end - boot_start));
    ranges_build();
    for (u32 i = 0; i < handoff.range_count; i++) {
        const struct handoff_range *r = &handoff.ranges[i];
        if (r->type == MEM_USABLE)
            handoff.page_count = (r->base + r->length) / PAGE_SIZE;
    }
    if (memory_usable_bytes() < 12 * MIB)
        glue_fail(
            "too little memory: %lu KiB, at least 12 MiB are needed", memory_usable_bytes() / 1024);
}

void memory_claim(u64 base, u64 length)
{
    if (claim_count == CLAIM_MAX)
        glue_fail("too many pieces of memory in use");
    claims[claim_count].base = PAGE_DOWN(base);
    claims[claim_count++].end = PAGE_UP(base + length);
}

/* Lowest start from base on that no claim overlaps. */
static u64 claims_skip(u64 base, u64 bytes, u64 alignment)
{
    u32 i = 0;

    base = (base + alignment - 1) & ~(alignment - 1);
    while (i < claim_count) {
        if (base < claims[i].end && claims[i].base < base + bytes) {
            base = (claims[i].end + alignment - 1) & ~(alignment - 1);
            i = 0;
        } else {
            i++;
        }
    }
    return base;
}

u64 memory_take(u64 bytes, u64 alignment, u64 low, u64 high)
{
    for (u32 i = 0; i < handoff.range_count; i++) {
        const struct handoff_range *r = &handoff.ranges[i];
        u64 end = min_u64(r->base + r->length, high);
        u64 start = claims_skip(r->base > low ? r->base : low, bytes, alignment);
        if (r->type == MEM_USABLE && start < end && bytes <= end - start) {
            memory_claim(start, bytes);
            return start;
        }
    }
    return 0;
}
