// SPDX-License-Identifier: MIT
/*
 * What heap.c and heap_check.c share: how blocks lie in memory.
 *
 * A region is a struct heap_region, then blocks without gaps, the last of which is the end mark:
 * size 0, never free. Each block knows its size and its predecessor in memory (NULL for the first),
 * so both neighbours are found in one step.
 *
 * Size classes: sizes below 256 have one list per 16 bytes (first level 0); above, each power of
 * two is split in 16 lists.
 */
#pragma once

#include <rt/heap.h>

struct heap_region {
    struct heap_region *next;
    size_t bytes; /* with this header and the end mark */
};

struct heap_block {
    size_t size_and_flag; /* whole block with this header; bit 0: free */
    struct heap_block *before;
    /* Only in free blocks: the list of their size class. */
    struct heap_block *next_free;
    struct heap_block *previous_free;
};

enum {
    BLOCK_FREE = 1,
    HEADER_BYTES = 16,
    BLOCK_MIN_BYTES = 32,
    SMALL_LIMIT_LOG2 = 8,
    SECOND_LEVELS_LOG2 = 4,
    /* No request may need more than 2^38 bytes: their classes end there. */
    BLOCK_MAX_LOG2 = SMALL_LIMIT_LOG2 + HEAP_FIRST_LEVELS - 2,
};

_Static_assert(sizeof(struct heap_block) == BLOCK_MIN_BYTES, "a free block fits the smallest");
_Static_assert(sizeof(struct heap_region) == HEADER_BYTES, "blocks stay aligned");
_Static_assert(1 << SECOND_LEVELS_LOG2 == HEAP_SECOND_LEVELS, "levels");

static inline size_t block_size(const struct heap_block *block)
{
    return block->size_and_flag & ~(size_t)BLOCK_FREE;
}

static inline bool block_is_free(const struct heap_block *block)
{
    return block->size_and_flag & BLOCK_FREE;
}

static inline struct heap_block *block_after(const struct heap_block *block)
{
    return (struct heap_block *)((char *)block + block_size(block));
}

static inline struct heap_block *region_first(const struct heap_region *region)
{
    return (struct heap_block *)((char *)region + sizeof(*region));
}

static inline struct heap_block *region_end(const struct heap_region *region)
{
    return (struct heap_block *)((char *)region + region->bytes - HEADER_BYTES);
}

static inline unsigned log2_floor(size_t value)
{
    return 63u - (unsigned)__builtin_clzll(value);
}

/* The class whose list a free block of this size belongs to. */
static inline void class_of(size_t size, unsigned *first, unsigned *second)
{
    unsigned log = log2_floor(size);

    if (log < SMALL_LIMIT_LOG2) {
        *first = 0;
        *second = (unsigned)(size / HEAP_ALIGNMENT);
    } else {
        *first = log - SMALL_LIMIT_LOG2 + 1;
        *second = (unsigned)(size >> (log - SECOND_LEVELS_LOG2)) & (HEAP_SECOND_LEVELS - 1);
    }
}
