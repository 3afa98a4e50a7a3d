// SPDX-License-Identifier: MIT
/*
 * Comparison of blocks and strings. Blocks are compared by words, and the first differing word
 * from its lowest byte on; no byte outside the blocks is read.
 */
#include <rt/string.h>

#include "string_word.h"

/* The words differ; as big-endian numbers they order as their bytes in memory do. */
static int order_words(uint64_t a, uint64_t b)
{
    return __builtin_bswap64(a) < __builtin_bswap64(b) ? -1 : 1;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const uint8_t *x = a, *y = b;

    for (; bytes >= 8; x += 8, y += 8, bytes -= 8) {
        uint64_t left = load64(x), right = load64(y);

        if (left != right)
            return order_words(left, right);
    }
    for (; bytes; x++, y++, bytes--)
        if (*x != *y)
            return *x - *y;
    return 0;
}

int strcmp(const char *a, const char *b)
{
    for (; *a && *a == *b; a++)
        b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t limit)
{
    for (; limit; limit--, a++, b++)
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}
