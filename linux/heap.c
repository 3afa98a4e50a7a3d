/* SPDX-License-Identifier: MIT */
/* See heap.h. */
#include "heap.h"
#include "layer.h"
#include <proto/memory_client.h>
#include <rt/heap.h>

#define OWN_PAGES (MEMORY_LAYER_BASE + 0x1000000000)

static uint64_t next_page = OWN_PAGES;

int64_t layer_pages(uint64_t bytes, uint64_t *address)
{
    bytes = (bytes + PAGE - 1) & ~(PAGE - 1);
    int64_t status = memory_map(SLOT_MEMORY, next_page, bytes,
                                MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE,
                                MEMORY_MAP_FIXED | MEMORY_MAP_LAYER, address);
    if (!status) {
        *address = next_page;
        next_page += bytes;
    }
    return errno_of(status);
}

void layer_pages_free(uint64_t address, uint64_t bytes)
{
    bytes = (bytes + PAGE - 1) & ~(PAGE - 1);
    memory_unmap(SLOT_MEMORY, address, bytes, MEMORY_MAP_LAYER);
    if (address + bytes == next_page)
        next_page = address;
}

static bool grow(void *context, size_t bytes, void **base)
{
    uint64_t address;
    (void)context;
    if (layer_pages(bytes, &address))
        return false;
    *base = (void *)address;
    return true;
}

static struct heap heap;

void *layer_alloc(size_t bytes)
{
    if (!heap.hooks.grow)
        heap.hooks.grow = grow;
    void *block = heap_allocate(&heap, bytes);
    return block ? memset(block, 0, bytes) : 0;
}

void layer_free(void *block)
{
    if (block)
        heap_release(&heap, block);
}

char *layer_text(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = layer_alloc(n);
    return copy ? memcpy(copy, text, n) : 0;
}
