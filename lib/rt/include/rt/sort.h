// SPDX-License-Identifier: MIT
/*
 * Sorting and searching arrays. No memory is allocated; sorting is not stable and takes at most
 * time in proportion to n log n.
 */
#pragma once

#include <stddef.h>

/* <0, 0, >0 as a comes before, is equal to, or comes after b. */
typedef int sort_order_fn(const void *a, const void *b, void *context);

/* Sorts `count` elements of `size` bytes each. `order` must be a total order. */
void sort(void *base, size_t count, size_t size, sort_order_fn *order, void *context);
void qsort(void *base, size_t count, size_t size, int (*order)(const void *, const void *));
/*
 * An element equal to the key in a sorted array, or NULL. `order` gets the key first.
 */
void *bsearch(const void *key, const void *base, size_t count, size_t size,
    int (*order)(const void *, const void *));
