// SPDX-License-Identifier: MIT
/*
 * Introsort: quicksort around the median of three, insertion sort for short runs, heapsort when
 * the quicksort goes deeper than twice the logarithm of the number of elements. The larger part is
 * sorted by the loop and the smaller by recursion, so that the stack has at most log2(n) frames.
 *
 * A wrong `order` gives a wrong sequence but never an access outside the array.
 */
#include <rt/sort.h>

#include <stdint.h>

#include "string_word.h"

enum { SHORT_RUN = 12 };

struct array {
    size_t size;
    sort_order_fn *order;
    void *context;
};

static int compare(const struct array *array, const char *a, const char *b)
{
    return array->order(a, b, array->context);
}

static void swap(const struct array *array, char *a, char *b)
{
    size_t left = array->size;

    if (a == b)
        return;
    for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t)) {
        uint64_t x = load64(a);

        store64(a, load64(b));
        store64(b, x);
        a += sizeof(x);
        b += sizeof(x);
    }
    for (; left; left--, a++, b++) {
        char c = *a;

        *a = *b;
        *b = c;
    }
}

static void insertion_sort(const struct array *array, char *base, size_t count)
{
    char *end = base + count * array->size;

    for (char *at = base + array->size; at < end; at += array->size)
        for (char *to = at; to > base && compare(array, to - array->size, to) > 0;
             to -= array->size)
            swap(array, to - array->size, to);
}

/* Lets element `index` sink until no child of its is larger. */
static void sink(const struct array *array, char *base, size_t index, size_t count)
{
    size_t size = array->size;

    for (;;) {
        size_t child = 2 * index + 1;

        if (child >= count)
            return;
        if (child + 1 < count && compare(array, base + child * size, base + (child + 1) * size) < 0)
            child++;
        if (compare(array, base + index * size, base + child * size) >= 0)
            return;
        swap(array, base + index * size, base + child * size);
        index = child;
    }
}

static void heap_sort(const struct array *array, char *base, size_t count)
{
    for (size_t index = count / 2; index--;)
        sink(array, base, index, count);
    while (count > 1) {
        count--;
        swap(array, base, base + count * array->size);
        sink(array, base, 0, count);
    }
}

/* Brings the median of the first, middle and last element to the front. */
static void median_to_front(const struct array *array, char *base, size_t count)
{
    char *middle = base + count / 2 * array->size;
    char *last = base + (count - 1) * array->size;

    if (compare(array, middle, last) > 0)
        swap(array, middle, last);
    /* now middle <= last */
    if (compare(array, base, middle) < 0)
        swap(array, base, compare(array, middle, last) < 0 ? middle : last);
    else if (compare(array, base, last) > 0)
        swap(array, base, last);
}

/* Partitions around the first element; returns where it ends. Equal elements go to both sides. */
static size_t partition(const struct array *array, char *base, size_t count)
{
    size_t size = array->size, low = 0, high = count;

    for (;;) {
        do
            low++;
        while (low < count && compare(array, base + low * size, base) < 0);
        do
            high--;
        while (high > 0 && compare(array, base + high * size, base) > 0);
        if (low >= high)
            break;
        swap(array, base + low * size, base + high * size);
    }
    swap(array, base, base + high * size);
    return high;
}

static void sort_range(const struct array *array, char *base, size_t count, unsigned depth)
{
    while (count > SHORT_RUN) {
        size_t left, right;

        if (!depth--) {
            heap_sort(array, base, count);
            return;
        }
        median_to_front(array, base, count);
        left = partition(array, base, count);
        right = count - left - 1;
        if (left < right) {
            sort_range(array, base, left, depth);
            base += (left + 1) * array->size;
            count = right;
        } else {
            sort_range(array, base + (left + 1) * array->size, right, depth);
            count = left;
        }
    }
    insertion_sort(array, base, count);
}

void sort(void *base, size_t count, size_t size, sort_order_fn *order, void *context)
{
    struct array array = {.size = size, .order = order, .context = context};

    if (count > 1 && size)
        sort_range(&array, base, count, 2 * (64u - (unsigned)__builtin_clzll(count)));
}

struct plain_order {
    int (*order)(const void *, const void *);
};

static int call_plain(const void *a, const void *b, void *context)
{
    return ((struct plain_order *)context)->order(a, b);
}

void qsort(void *base, size_t count, size_t size, int (*order)(const void *, const void *))
{
    struct plain_order plain = {.order = order};

    sort(base, count, size, call_plain, &plain);
}

void *bsearch(const void *key, const void *base, size_t count, size_t size,
    int (*order)(const void *, const void *))
{
    const char *start = base;

    while (count) {
        const char *middle = start + count / 2 * size;
        int result = order(key, middle);

        if (!result)
            return (void *)middle;
        if (result > 0) {
            start = middle + size;
            count -= count / 2 + 1;
        } else {
            count /= 2;
        }
    }
    return NULL;
}
