// SPDX-License-Identifier: MIT
/*
 * memcpy and memmove.
 *
 * Up to 32 bytes are moved by two or four word loads that may overlap, all done before the first
 * store, which makes them safe for overlapping blocks too. Longer blocks go by `rep movsq`: one
 * guest instruction for eight bytes, the least there is without vector registers. The odd bytes
 * are part of one more word at the far end, loaded before and stored after the bulk.
 *
 * Direction flag: clear on entry by the ABI, and clear again on return.
 */
#include <rt/string.h>

#include "string_word.h"

static void move_small(uint8_t *to, const uint8_t *from, size_t bytes)
{
    if (bytes >= 16) {
        uint64_t a = load64(from), b = load64(from + 8);
        uint64_t c = load64(from + bytes - 16), d = load64(from + bytes - 8);

        store64(to, a);
        store64(to + 8, b);
        store64(to + bytes - 16, c);
        store64(to + bytes - 8, d);
    } else if (bytes >= 8) {
        uint64_t a = load64(from), b = load64(from + bytes - 8);

        store64(to, a);
        store64(to + bytes - 8, b);
    } else if (bytes >= 4) {
        uint32_t a = load32(from), b = load32(from + bytes - 4);

        store32(to, a);
        store32(to + bytes - 4, b);
    } else if (bytes >= 2) {
        uint16_t a = load16(from), b = load16(from + bytes - 2);

        store16(to, a);
        store16(to + bytes - 2, b);
    } else if (bytes) {
        *to = *from;
    }
}

/* Also right for overlapping blocks with to < from: no word is written before it was read. */
static inline void move_up(uint8_t *to, const uint8_t *from, size_t bytes)
{
    uint64_t last = load64(from + bytes - 8);
    uint8_t *end = to + bytes - 8;
    size_t words = bytes / 8;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    store64(end, last);
}

static void move_down(uint8_t *to, const uint8_t *from, size_t bytes)
{
    uint64_t first = load64(from);
    uint8_t *end = to + bytes - 8;
    const uint8_t *source = from + bytes - 8;
    size_t words = bytes / 8;

    __asm__ volatile("std\n\trep movsq\n\tcld" : "+D"(end), "+S"(source), "+c"(words) : : "memory");
    store64(to, first);
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    if (bytes <= 32)
        move_small(to, from, bytes);
    else
        move_up(to, from, bytes);
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    if (bytes <= 32)
        move_small(to, from, bytes);
    else if ((uintptr_t)to - (uintptr_t)from >= bytes)
        move_up(to, from, bytes);
    else
        move_down(to, from, bytes);
    return to;
}
