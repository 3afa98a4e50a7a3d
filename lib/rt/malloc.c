// SPDX-License-Identifier: MIT
/*
 * malloc and its kin on the default heap.
 */
#include <rt/heap.h>

#include <rt/string.h>

struct heap heap_default;

void heap_start(const struct heap_hooks *hooks)
{
    heap_init(&heap_default, hooks);
}

void *malloc(size_t bytes)
{
    return heap_allocate(&heap_default, bytes);
}

void *calloc(size_t count, size_t bytes)
{
    size_t total;
    void *memory;

    if (__builtin_mul_overflow(count, bytes, &total))
        return NULL;
    memory = heap_allocate(&heap_default, total);
    /* A plain call of memset here would be turned into a call of calloc. */
    if (memory) {
        __asm__("" : "+r"(memory));
        memset(memory, 0, total);
    }
    return memory;
}

void *realloc(void *block, size_t bytes)
{
    return heap_resize(&heap_default, block, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return heap_allocate_aligned(&heap_default, alignment, bytes);
}

void free(void *block)
{
    heap_release(&heap_default, block);
}
