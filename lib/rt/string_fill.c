// SPDX-License-Identifier: MIT
/*
 * memset, by overlapping words up to 32 bytes and by `rep stosq` with one more word at the end for
 * longer blocks (see string_move.c for why).
 */
#include <rt/string.h>

#include "string_word.h"

static void fill_small(uint8_t *to, uint64_t pattern, size_t bytes)
{
    if (bytes >= 16) {
        store64(to, pattern);
        store64(to + 8, pattern);
        store64(to + bytes - 16, pattern);
        store64(to + bytes - 8, pattern);
    } else if (bytes >= 8) {
        store64(to, pattern);
        store64(to + bytes - 8, pattern);
    } else if (bytes >= 4) {
        store32(to, (uint32_t)pattern);
        store32(to + bytes - 4, (uint32_t)pattern);
    } else if (bytes >= 2) {
        store16(to, (uint16_t)pattern);
        store16(to + bytes - 2, (uint16_t)pattern);
    } else if (bytes) {
        *to = (uint8_t)pattern;
    }
}

void *memset(void *to, int value, size_t bytes)
{
    uint64_t pattern = (uint8_t)value * 0x0101010101010101u;

    if (bytes <= 32) {
        fill_small(to, pattern, bytes);
    } else {
        uint8_t *at = to;
        size_t words = bytes / 8;

        store64(at + bytes - 8, pattern);
        __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
    }
    return to;
}
