// SPDX-License-Identifier: MIT
/*
 * The heap.
 *
 * A program has one default heap behind malloc and its kin; heap_start() gives it its hooks before
 * the first allocation (until then every allocation fails). A server that wants a second one with
 * its own quota makes a struct heap and uses the heap_* functions.
 *
 * Blocks are multiples of 16 bytes, aligned to 16. Allocation and release take constant time
 * (except growing): free blocks sit in lists by size class, found through two levels of bit
 * maps, and merge with their neighbours at once. Every failure is a NULL and changes nothing.
 *
 * It does not do: returning memory to whoever gave it, per-thread caches.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Gets `bytes` bytes (a multiple of HEAP_GROW_UNIT) of fresh memory, aligned to 16, that the heap
 * keeps for ever; sets *base and returns true, or returns false. Memory that follows the piece
 * before it is joined with it. Called with the heap's lock held.
 */
typedef bool heap_grow_fn(void *context, size_t bytes, void **base);

enum {
    HEAP_ALIGNMENT = 16,
    HEAP_GROW_UNIT = 64 * 1024,
    HEAP_FIRST_LEVELS = 32,
    HEAP_SECOND_LEVELS = 16,
};

struct heap_hooks {
    heap_grow_fn *grow;
    /* A lock, or NULL for a heap used by one thread. */
    void (*lock)(void *context);
    void (*unlock)(void *context);
    /*
	 * Told of a block released twice or overwritten, with a reason; must not return. NULL: the
	 * heap executes an undefined instruction.
	 */
    void (*broken)(void *context, const char *reason);
    void *context; /* given to every hook */
};

struct heap_block;
struct heap_region;

/* Fields are the heap's own, guarded by its lock. Zeroed except for `hooks` it is ready for use. */
struct heap {
    struct heap_hooks hooks;
    struct heap_region *regions;
    uint32_t first_map;
    uint32_t second_map[HEAP_FIRST_LEVELS];
    struct heap_block *lists[HEAP_FIRST_LEVELS][HEAP_SECOND_LEVELS];
    size_t total_bytes;   /* got from grow */
    size_t used_bytes;    /* in allocated blocks, headers included */
    uint64_t allocations; /* attempts so far */
    uint64_t fail_at;     /* the attempt that fails; 0: none */
};

void heap_init(struct heap *heap, const struct heap_hooks *hooks);
/* NULL if bytes is too large or memory is exhausted. Size 0 gives a block of its own. */
void *heap_allocate(struct heap *heap, size_t bytes);
/* alignment: a power of two; otherwise NULL. */
void *heap_allocate_aligned(struct heap *heap, size_t alignment, size_t bytes);
/* Moves if it must; on failure NULL, and the old block stays. NULL block: allocates. */
void *heap_resize(struct heap *heap, void *block, size_t bytes);
/* NULL is ignored. */
void heap_release(struct heap *heap, void *block);
/* Bytes usable in a block, at least what was asked for. */
size_t heap_block_bytes(const void *block);

/*
 * Fault injection: the `nth` attempt from now (1: the next) fails once; 0 switches it off. A
 * resize counts as one attempt whether it moves or not.
 */
void heap_fail_nth(struct heap *heap, uint64_t nth);
/* Verifies every invariant (listed in heap_check.c). NULL if all hold, else which one does not. */
const char *heap_check(struct heap *heap);

/* The default heap. */
extern struct heap heap_default;
void heap_start(const struct heap_hooks *hooks);
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *block, size_t bytes);
void *aligned_alloc(size_t alignment, size_t bytes);
void free(void *block);
