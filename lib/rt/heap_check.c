// SPDX-License-Identifier: MIT
/*
 * heap_check(): verifies every invariant of a heap. Takes time in proportion to its blocks.
 *
 *  1 Each region's blocks follow each other without a gap and end exactly at its end mark.
 *  2 Each block's size is a multiple of 16 and at least BLOCK_MIN_BYTES.
 *  3 Each block names the block before it; the first names none.
 *  4 No two free blocks are neighbours.
 *  5 Each free block is in the list of its class, and each listed block is free: both counts are
 *    equal and each member's class is its list's.
 *  6 Lists are linked both ways.
 *  7 A bit is set in a map exactly if the list or level it stands for is not empty.
 *  8 total_bytes is the sum of the regions, used_bytes that of the used blocks.
 */
#include <rt/heap.h>

#include "heap_block.h"

struct sums {
    size_t free_blocks;
    size_t used_bytes;
    size_t total_bytes;
};

static const char *check_block(
    const struct heap_block *block, const struct heap_block *before, const struct heap_block *end)
{
    size_t size = block_size(block);

    if (size % HEAP_ALIGNMENT || size < BLOCK_MIN_BYTES)
        return "a block has an impossible size";
    if (size > (size_t)((const char *)end - (const char *)block))
        return "a block reaches past its region";
    if (block->before != before)
        return "a block does not know its predecessor";
    if (before && block_is_free(before) && block_is_free(block))
        return "two free blocks are neighbours";
    return NULL;
}

static const char *check_region(const struct heap_region *region, struct sums *sums)
{
    const struct heap_block *block = region_first(region), *before = NULL;
    const struct heap_block *end = region_end(region);

    for (; block != end; before = block, block = block_after(block)) {
        const char *reason = check_block(block, before, end);

        if (reason)
            return reason;
        if (block_is_free(block))
            sums->free_blocks++;
        else
            sums->used_bytes += block_size(block);
    }
    if (end->size_and_flag || end->before != before)
        return "a region's end mark is damaged";
    sums->total_bytes += region->bytes;
    return NULL;
}

/* Takes the list's members off sums->free_blocks. */
static const char *check_list(
    const struct heap *heap, unsigned first, unsigned second, struct sums *sums)
{
    const struct heap_block *block = heap->lists[first][second], *previous = NULL;

    for (; block; previous = block, block = block->next_free) {
        unsigned block_first, block_second;

        if (!block_is_free(block))
            return "a used block is in a free list";
        if (block->previous_free != previous)
            return "a free list is not linked both ways";
        class_of(block_size(block), &block_first, &block_second);
        if (block_first != first || block_second != second)
            return "a free block is in a list of another class";
        if (!sums->free_blocks--)
            return "a free list has a block that no region has";
    }
    return NULL;
}

static const char *check_level(const struct heap *heap, unsigned first, struct sums *sums)
{
    for (unsigned second = 0; second < HEAP_SECOND_LEVELS; second++) {
        const char *reason = check_list(heap, first, second, sums);

        if (reason)
            return reason;
        if ((heap->second_map[first] >> second & 1) != (heap->lists[first][second] != NULL))
            return "a bit of the second map is wrong";
    }
    if ((heap->first_map >> first & 1) != (heap->second_map[first] != 0))
        return "a bit of the first map is wrong";
    return NULL;
}

static const char *check_locked(const struct heap *heap)
{
    struct sums sums = {0};
    const char *reason = NULL;

    for (const struct heap_region *region = heap->regions; region && !reason; region = region->next)
        reason = check_region(region, &sums);
    for (unsigned first = 0; first < HEAP_FIRST_LEVELS && !reason; first++)
        reason = check_level(heap, first, &sums);
    if (reason)
        return reason;
    if (sums.free_blocks)
        return "a free block is in no list";
    if (sums.used_bytes != heap->used_bytes || sums.total_bytes != heap->total_bytes)
        return "the byte counts are wrong";
    return NULL;
}

const char *heap_check(struct heap *heap)
{
    const char *reason;

    if (heap->hooks.lock)
        heap->hooks.lock(heap->hooks.context);
    reason = check_locked(heap);
    if (heap->hooks.unlock)
        heap->hooks.unlock(heap->hooks.context);
    return reason;
}
