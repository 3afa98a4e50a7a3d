/* SPDX-License-Identifier: MIT */
/* See heap.h. */
#include "heap.h"
#include "layer.h"
#include <proto/memory_client.h>
#include <rt/heap.h>

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

/* Memory that forks share. Places of the usual size are used again. */
#define PLACES_MAX 64u
static uint64_t places[PLACES_MAX], places_bytes;
static unsigned places_count;

int64_t layer_shared(uint64_t bytes, uint64_t *address)
{
    uint64_t at = next_page, got;
    bool again = places_count && bytes == places_bytes;
    if (again)
        at = places[places_count - 1];
    int64_t e = errno_of(
        memory_map(SLOT_MEMORY, at, bytes, MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE,
            MEMORY_MAP_FIXED | MEMORY_MAP_LAYER | MEMORY_MAP_SHARED | MEMORY_MAP_POPULATE, &got));
    if (e)
        return e;
    if (again)
        places_count--;
    else
        next_page += bytes;
    *address = at;
    return 0;
}

void layer_shared_free(uint64_t address, uint64_t bytes)
{
    memory_unmap(SLOT_MEMORY, address, bytes, MEMORY_MAP_LAYER);
    if (!places_count)
        places_bytes = bytes;
    if (address + bytes == next_page)
        next_page = address;
    else if (bytes == places_bytes && places_count < PLACES_MAX)
        places[places_count++] = address;
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
