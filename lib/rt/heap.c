// SPDX-License-Identifier: MIT
/*
 * The heap: allocation in constant time from lists by size class, with immediate merging of free
 * neighbours. heap_block.h says how blocks lie, heap_check.c lists the invariants.
 *
 * All functions named *_locked run with the heap's lock held.
 */
#include <rt/heap.h>

#include <rt/string.h>

#include "heap_block.h"

static void lock(struct heap *heap)
{
    if (heap->hooks.lock)
        heap->hooks.lock(heap->hooks.context);
}

static void unlock(struct heap *heap)
{
    if (heap->hooks.unlock)
        heap->hooks.unlock(heap->hooks.context);
}

static void __attribute__((noreturn, cold)) broken(struct heap *heap, const char *reason)
{
    if (heap->hooks.broken)
        heap->hooks.broken(heap->hooks.context, reason);
    __builtin_trap();
}

/* ---- lists of free blocks ---- */

static void list_insert(struct heap *heap, struct heap_block *block)
{
    unsigned first, second;
    struct heap_block *head;

    class_of(block_size(block), &first, &second);
    head = heap->lists[first][second];
    block->next_free = head;
    block->previous_free = NULL;
    if (head)
        head->previous_free = block;
    heap->lists[first][second] = block;
    heap->first_map |= 1u << first;
    heap->second_map[first] |= 1u << second;
}

static void list_remove(struct heap *heap, struct heap_block *block)
{
    unsigned first, second;

    if (block->next_free)
        block->next_free->previous_free = block->previous_free;
    if (block->previous_free) {
        block->previous_free->next_free = block->next_free;
        return;
    }
    class_of(block_size(block), &first, &second);
    if (heap->lists[first][second] != block)
        broken(heap, "free list damaged");
    heap->lists[first][second] = block->next_free;
    if (block->next_free)
        return;
    heap->second_map[first] &= ~(1u << second);
    if (!heap->second_map[first])
        heap->first_map &= ~(1u << first);
}

/* A free block of at least `size` bytes, still in its list, or NULL. */
static struct heap_block *list_find(struct heap *heap, size_t size)
{
    unsigned first, second;
    uint32_t seconds, firsts;

    /* Round up to the next class, all of whose blocks are large enough. */
    if (size >= (1u << SMALL_LIMIT_LOG2))
        size += ((size_t)1 << (log2_floor(size) - SECOND_LEVELS_LOG2)) - 1;
    class_of(size, &first, &second);
    seconds = heap->second_map[first] & (~0u << second);
    if (!seconds) {
        firsts = heap->first_map & (uint32_t)(~(uint64_t)0 << (first + 1));
        if (!firsts)
            return NULL;
        first = (unsigned)__builtin_ctz(firsts);
        seconds = heap->second_map[first];
    }
    return heap->lists[first][__builtin_ctz(seconds)];
}

/* ---- blocks ---- */

/* Sets a block's size and flag and its successor's link back. */
static void block_set(struct heap_block *block, size_t size, size_t flag)
{
    block->size_and_flag = size | flag;
    block_after(block)->before = block;
}

/* Makes a used block free, merged with free neighbours, and puts it in its list. */
static void block_free(struct heap *heap, struct heap_block *block)
{
    struct heap_block *before = block->before, *after = block_after(block);
    size_t size = block_size(block);

    if (block_is_free(after)) {
        list_remove(heap, after);
        size += block_size(after);
    }
    if (before && block_is_free(before)) {
        list_remove(heap, before);
        size += block_size(before);
        block = before;
    }
    block_set(block, size, BLOCK_FREE);
    list_insert(heap, block);
}

/* Cuts a used block down to `size` bytes and frees the rest if it is large enough to be a block. */
static void block_trim(struct heap *heap, struct heap_block *block, size_t size)
{
    size_t rest_size = block_size(block) - size;
    struct heap_block *rest;

    if (rest_size < BLOCK_MIN_BYTES)
        return;
    rest = (struct heap_block *)((char *)block + size);
    block->size_and_flag = size;
    rest->before = block;
    block_set(rest, rest_size, 0);
    block_free(heap, rest);
}

static struct heap_block *block_of(struct heap *heap, void *memory)
{
    struct heap_block *block = (struct heap_block *)((char *)memory - HEADER_BYTES);

    if ((uintptr_t)memory % HEAP_ALIGNMENT)
        broken(heap, "not a block's address");
    if (block_is_free(block))
        broken(heap, "block released twice");
    if (!block_size(block) || block_after(block)->before != block)
        broken(heap, "block header damaged");
    return block;
}

/* Whole block for a request, or 0 if it is too large for any heap. */
static size_t block_bytes_for(size_t bytes)
{
    if (bytes > ((size_t)1 << BLOCK_MAX_LOG2) - 2 * HEADER_BYTES)
        return 0;
    bytes = (bytes + HEADER_BYTES + HEAP_ALIGNMENT - 1) & ~(size_t)(HEAP_ALIGNMENT - 1);
    return bytes < BLOCK_MIN_BYTES ? BLOCK_MIN_BYTES : bytes;
}

/* ---- growing ---- */

/* The region that ends where `base` starts, or NULL. */
static struct heap_region *region_ending_at(struct heap *heap, const void *base)
{
    struct heap_region *region;

    for (region = heap->regions; region; region = region->next)
        if ((char *)region + region->bytes == base)
            return region;
    return NULL;
}

static void region_extend(struct heap *heap, struct heap_region *region, size_t bytes)
{
    struct heap_block *old_end = region_end(region), *end;

    region->bytes += bytes;
    end = region_end(region);
    end->size_and_flag = 0;
    block_set(old_end, bytes, 0);
    block_free(heap, old_end);
}

static void region_add(struct heap *heap, void *base, size_t bytes)
{
    struct heap_region *region = base;
    struct heap_block *first;

    region->next = heap->regions;
    region->bytes = bytes;
    heap->regions = region;
    first = region_first(region);
    first->before = NULL;
    region_end(region)->size_and_flag = 0;
    block_set(first, bytes - sizeof(*region) - HEADER_BYTES, 0);
    block_free(heap, first);
}

/* Makes room for a block of `size` bytes, whichever class it is looked up in. */
static bool grow(struct heap *heap, size_t size)
{
    size_t bytes = size + (size >> SECOND_LEVELS_LOG2) + 4 * HEADER_BYTES;
    struct heap_region *neighbour;
    void *base;

    bytes = (bytes + HEAP_GROW_UNIT - 1) & ~(size_t)(HEAP_GROW_UNIT - 1);
    if (!heap->hooks.grow || !heap->hooks.grow(heap->hooks.context, bytes, &base))
        return false;
    heap->total_bytes += bytes;
    neighbour = region_ending_at(heap, base);
    if (neighbour)
        region_extend(heap, neighbour, bytes);
    else
        region_add(heap, base, bytes);
    return true;
}

/* ---- allocation ---- */

/* A used block of at least `size` bytes (not trimmed), or NULL. */
static struct heap_block *take_locked(struct heap *heap, size_t size)
{
    struct heap_block *block = list_find(heap, size);

    if (!block) {
        if (!grow(heap, size))
            return NULL;
        block = list_find(heap, size);
        if (!block)
            return NULL;
    }
    list_remove(heap, block);
    block->size_and_flag &= ~(size_t)BLOCK_FREE;
    return block;
}

/* Counts an attempt; true if it is the one that has to fail. */
static bool attempt_fails(struct heap *heap)
{
    return ++heap->allocations == heap->fail_at;
}

static void *allocate_locked(struct heap *heap, size_t size)
{
    struct heap_block *block = take_locked(heap, size);

    if (!block)
        return NULL;
    block_trim(heap, block, size);
    heap->used_bytes += block_size(block);
    return (char *)block + HEADER_BYTES;
}

void *heap_allocate(struct heap *heap, size_t bytes)
{
    size_t size = block_bytes_for(bytes);
    void *memory = NULL;

    lock(heap);
    if (!attempt_fails(heap) && size)
        memory = allocate_locked(heap, size);
    unlock(heap);
    return memory;
}

/* Takes a block with room to move its start up to the alignment, and frees what is before. */
static void *allocate_aligned_locked(struct heap *heap, size_t alignment, size_t size)
{
    struct heap_block *block = take_locked(heap, size + alignment + BLOCK_MIN_BYTES), *start;
    uintptr_t memory;

    if (!block)
        return NULL;
    memory = (uintptr_t)block + HEADER_BYTES;
    if (memory % alignment) {
        memory = (memory + BLOCK_MIN_BYTES + alignment - 1) & ~(uintptr_t)(alignment - 1);
        start = (struct heap_block *)(memory - HEADER_BYTES);
        start->before = block;
        block_set(start, block_size(block) - (size_t)((char *)start - (char *)block), 0);
        block->size_and_flag = (size_t)((char *)start - (char *)block);
        block_free(heap, block);
        block = start;
    }
    block_trim(heap, block, size);
    heap->used_bytes += block_size(block);
    return (void *)memory;
}

void *heap_allocate_aligned(struct heap *heap, size_t alignment, size_t bytes)
{
    const size_t block_limit = ((size_t)1 << BLOCK_MAX_LOG2) - 2 * BLOCK_MIN_BYTES;
    size_t size = block_bytes_for(bytes);
    void *memory = NULL;

    if (!alignment || alignment & (alignment - 1))
        return NULL;
    if (alignment <= HEAP_ALIGNMENT)
        return heap_allocate(heap, bytes);
    lock(heap);
    if (!attempt_fails(heap) && size && alignment < block_limit && size < block_limit - alignment)
        memory = allocate_aligned_locked(heap, alignment, size);
    unlock(heap);
    return memory;
}

/* Tries to make a block `size` bytes large where it is. */
static bool resize_in_place(struct heap *heap, struct heap_block *block, size_t size)
{
    struct heap_block *after = block_after(block);
    size_t old_size = block_size(block), room = old_size;

    if (block_is_free(after))
        room += block_size(after);
    if (room < size)
        return false;
    if (size > old_size) {
        list_remove(heap, after);
        block_set(block, room, 0);
    }
    block_trim(heap, block, size);
    heap->used_bytes += block_size(block) - old_size;
    return true;
}

static void release_locked(struct heap *heap, struct heap_block *block)
{
    heap->used_bytes -= block_size(block);
    block_free(heap, block);
}

static void *resize_locked(struct heap *heap, void *memory, size_t size)
{
    struct heap_block *block = block_of(heap, memory);
    size_t content = block_size(block) - HEADER_BYTES;
    void *moved;

    if (resize_in_place(heap, block, size))
        return memory;
    moved = allocate_locked(heap, size);
    if (moved) {
        memcpy(moved, memory, content);
        release_locked(heap, block);
    }
    return moved;
}

void *heap_resize(struct heap *heap, void *memory, size_t bytes)
{
    size_t size = block_bytes_for(bytes);
    void *result = NULL;

    if (!memory)
        return heap_allocate(heap, bytes);
    lock(heap);
    if (!attempt_fails(heap) && size)
        result = resize_locked(heap, memory, size);
    unlock(heap);
    return result;
}

void heap_release(struct heap *heap, void *memory)
{
    if (!memory)
        return;
    lock(heap);
    release_locked(heap, block_of(heap, memory));
    unlock(heap);
}

size_t heap_block_bytes(const void *memory)
{
    return block_size((const struct heap_block *)((const char *)memory - HEADER_BYTES)) -
           HEADER_BYTES;
}

void heap_fail_nth(struct heap *heap, uint64_t nth)
{
    lock(heap);
    heap->fail_at = nth ? heap->allocations + nth : 0;
    unlock(heap);
}

void heap_init(struct heap *heap, const struct heap_hooks *hooks)
{
    memset(heap, 0, sizeof(*heap));
    heap->hooks = *hooks;
}
