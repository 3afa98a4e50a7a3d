/* SPDX-License-Identifier: MIT */
/* The layer's own memory: small blocks, from pages in the layer's part. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Where pages of the layer's own begin; before them, under the same table, the file server's
 * counters. */
#define COUNTERS_ADDRESS (MEMORY_LAYER_BASE + 0x1000000000)
#define OWN_PAGES (COUNTERS_ADDRESS + 4096)

void *layer_alloc(size_t bytes); /* zeroed; NULL: none left */
void layer_free(void *block);
char *layer_text(const char *text);
