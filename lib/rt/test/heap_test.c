// SPDX-License-Identifier: MIT
/*
 * The heap: random sequences of all operations with heap_check after each, contents verified,
 * growth from adjacent and from scattered memory, exhaustion, the Nth allocation failing for every
 * N, and that misuse is noticed.
 */
#include <rt/heap.h>
#include <rt/string.h>

#include "restore.h"

#include "test.h"

#include <setjmp.h>
#include <string.h>

enum { ARENA = 8 * 1024 * 1024, BLOCKS = 200, ROUNDS = 20000 };

static _Alignas(4096) char arena[ARENA];

/* Where growth comes from: the arena from its start on, leaving a gap at random if `scattered`. */
struct source {
    size_t used, limit;
    bool scattered;
    int locked;
    const char *reason;
    jmp_buf escape;
};

static bool source_grow(void *context, size_t bytes, void **base)
{
    struct source *source = context;

    if (source->scattered)
        source->used += 16 * test_below(2);
    if (bytes % HEAP_GROW_UNIT || bytes > source->limit - source->used)
        return false;
    *base = arena + source->used;
    /* The heap must not count on zeros. */
    memset(*base, 0xa5, bytes);
    source->used += bytes;
    return true;
}

static void source_lock(void *context)
{
    ((struct source *)context)->locked++;
}

static void source_unlock(void *context)
{
    ((struct source *)context)->locked--;
}

static void source_broken(void *context, const char *reason)
{
    struct source *source = context;

    source->reason = reason;
    longjmp(source->escape, 1);
}

static struct source source;

static void start(struct heap *heap, size_t limit, bool scattered)
{
    struct heap_hooks hooks = {source_grow, source_lock, source_unlock, source_broken, &source};

    memset(&source, 0, sizeof(source));
    source.limit = limit;
    source.scattered = scattered;
    heap_init(heap, &hooks);
}

struct block {
    unsigned char *memory;
    size_t bytes;
    unsigned char fill;
};

static bool block_is_intact(const struct block *block, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (block->memory[i] != block->fill)
            return false;
    return true;
}

static void block_fill(struct block *block, void *memory, size_t bytes)
{
    block->memory = memory;
    block->bytes = memory ? bytes : 0;
    block->fill = (unsigned char)test_random();
    if (memory)
        memset(memory, block->fill, bytes);
}

static size_t random_bytes(void)
{
    return test_below(20) ? test_below(1u << test_below(12)) : test_below(300000);
}

static void random_step(struct heap *heap, struct block *block)
{
    size_t bytes = random_bytes(), kept;
    size_t alignment = (size_t)1 << test_below(14);
    void *moved;

    if (!block->memory && test_below(2)) {
        block_fill(block, heap_allocate(heap, bytes), bytes);
        CHECK((uintptr_t)block->memory % HEAP_ALIGNMENT == 0);
    } else if (!block->memory) {
        block_fill(block, heap_allocate_aligned(heap, alignment, bytes), bytes);
        CHECK((uintptr_t)block->memory % alignment == 0);
    } else if (test_below(2)) {
        CHECK(block_is_intact(block, block->bytes));
        heap_release(heap, block->memory);
        block->memory = NULL;
    } else {
        kept = bytes < block->bytes ? bytes : block->bytes;
        moved = heap_resize(heap, block->memory, bytes);
        if (moved) {
            block->memory = moved;
            CHECK(block_is_intact(block, kept));
            block_fill(block, moved, bytes);
        }
        CHECK(block_is_intact(block, block->bytes));
    }
    CHECK(!block->memory || heap_block_bytes(block->memory) >= block->bytes);
}

static void run_random(size_t limit, bool scattered)
{
    static struct heap heap;
    struct block blocks[BLOCKS] = {0};

    start(&heap, limit, scattered);
    for (int round = 0; round < ROUNDS && !test_failed; round++) {
        random_step(&heap, &blocks[test_below(BLOCKS)]);
        CHECK(!heap_check(&heap), "round %d: %s", round, heap_check(&heap));
        CHECK(!source.locked);
    }
    for (int i = 0; i < BLOCKS; i++) {
        CHECK(block_is_intact(&blocks[i], blocks[i].memory ? blocks[i].bytes : 0));
        heap_release(&heap, blocks[i].memory);
    }
    CHECK(!heap_check(&heap), "%s", heap_check(&heap));
    CHECK(heap.used_bytes == 0);
}

static void random_adjacent(void)
{
    run_random(ARENA, false);
}

static void random_scattered(void)
{
    run_random(ARENA, true);
}

static void random_exhausted(void)
{
    run_random(4 * HEAP_GROW_UNIT, true);
}

static void everything_merges(void)
{
    static struct heap heap;
    void *blocks[100];
    size_t total;

    start(&heap, ARENA, false);
    for (int i = 0; i < 100; i++)
        blocks[i] = heap_allocate(&heap, 5000);
    total = heap.total_bytes;
    for (int i = 0; i < 100; i++)
        heap_release(&heap, blocks[i * 37 % 100]);
    /* One free block holds nearly all, so a block of that size needs no more memory. */
    CHECK(heap_allocate(&heap, total - total / 16 - 1000));
    CHECK(heap.total_bytes == total);
}

static void impossible_sizes(void)
{
    static struct heap heap;

    start(&heap, ARENA, false);
    CHECK(!heap_allocate(&heap, SIZE_MAX));
    CHECK(!heap_allocate(&heap, (size_t)1 << 40));
    CHECK(!heap_allocate(&heap, ((size_t)1 << 38) - 100));
    CHECK(!heap_allocate_aligned(&heap, (size_t)1 << 63, 8));
    CHECK(!heap_allocate_aligned(&heap, (size_t)1 << 37, ((size_t)1 << 38) - 100));
    CHECK(!heap_allocate_aligned(&heap, 24, 8));
    CHECK(!heap_allocate_aligned(&heap, 0, 8));
    CHECK(heap_allocate(&heap, 0));
    heap_release(&heap, NULL);
    CHECK(!heap_check(&heap));
}

static void default_heap(void)
{
    struct heap_hooks hooks = {.grow = source_grow, .context = &source};
    unsigned char *block;

    CHECK(!rt_malloc(8), "allocated before heap_start");
    memset(&source, 0, sizeof(source));
    source.limit = ARENA;
    heap_start(&hooks);
    block = rt_calloc(100, 10);
    CHECK(block);
    for (int i = 0; i < 1000; i++)
        CHECK(block[i] == 0);
    memset(block, 9, 1000);
    block = rt_realloc(block, 50000);
    CHECK(block && block[999] == 9);
    rt_free(block);
    block = rt_calloc(1000, 10);
    for (int i = 0; i < 10000; i++)
        CHECK(block[i] == 0);
    CHECK(!rt_calloc(SIZE_MAX / 2, 3));
    CHECK((uintptr_t)rt_aligned_alloc(4096, 10) % 4096 == 0);
    CHECK((block = rt_realloc(NULL, 10)));
    rt_free(block);
    CHECK(!heap_check(&heap_default));
}

/* Five allocations; false as soon as one fails, everything released. */
static bool small_job(struct heap *heap)
{
    void *blocks[5] = {0};
    bool done = false;

    for (int i = 0; i < 4; i++)
        if (!(blocks[i] = heap_allocate(heap, 100u << i)))
            goto out;
    if (!(blocks[4] = heap_resize(heap, blocks[3], 100000)))
        goto out;
    blocks[3] = NULL;
    done = true;
out:
    for (int i = 0; i < 5; i++)
        heap_release(heap, blocks[i]);
    return done;
}

static void every_failure_is_clean(void)
{
    static struct heap heap;
    uint64_t nth = 1;

    start(&heap, ARENA, false);
    for (;; nth++) {
        heap_fail_nth(&heap, nth);
        if (small_job(&heap))
            break;
        CHECK(!heap_check(&heap) && heap.used_bytes == 0);
    }
    CHECK(nth == 6, "%d failures", (int)nth - 1);
}

static void misuse_is_noticed(void)
{
    static struct heap heap;
    char *volatile block;

    start(&heap, ARENA, false);
    block = heap_allocate(&heap, 100);
    heap_allocate(&heap, 10);
    if (!setjmp(source.escape)) {
        heap_release(&heap, block);
        heap_release(&heap, block);
    }
    CHECK(source.reason && !strcmp(source.reason, "block released twice"), "%s", source.reason);
    source.reason = NULL;
    if (!setjmp(source.escape))
        heap_release(&heap, block + 8);
    CHECK(source.reason, "misaligned release");
    source.reason = NULL;
    start(&heap, ARENA, false);
    block = heap_allocate(&heap, 100);
    heap_allocate(&heap, 10);
    memset(block, 0, 130);
    CHECK(heap_check(&heap), "an overrun was not found");
    if (!setjmp(source.escape))
        heap_release(&heap, block);
    CHECK(source.reason, "release after an overrun");
}

int main(void)
{
    TEST(random_adjacent);
    TEST(random_scattered);
    TEST(random_exhausted);
    TEST(everything_merges);
    TEST(impossible_sizes);
    TEST(default_heap);
    TEST(every_failure_is_clean);
    TEST(misuse_is_noticed);
    return test_result();
}
