/* SPDX-License-Identifier: MIT */
/* The layer's own memory: small blocks, from pages in the layer's part. */
#pragma once
#include <stddef.h>
#include <stdint.h>
void *layer_alloc(size_t bytes); /* zeroed; NULL: none left */
void layer_free(void *block);
char *layer_text(const char *text);
