// SPDX-License-Identifier: MIT
/*
 * CRC-32C; see rt/crc32c.h.
 *
 * The byte table is linear: an entry is the sum (XOR) of the entries of its index's bits, so
 * eight constants make all 256. Entry 128 is the reflected polynomial, and each smaller power of
 * two's entry is the next one's shifted by one bit through it.
 */
#include <rt/crc32c.h>

#include <stdbool.h>

#include "string_word.h"

#define BIT(i, bit, entry) (((i) & (bit)) ? (entry) : 0u)
#define ENTRY(i)                                                                                   \
    (BIT(i, 1, 0xf26b8303u) ^ BIT(i, 2, 0xe13b70f7u) ^ BIT(i, 4, 0xc79a971fu) ^                    \
        BIT(i, 8, 0x8ad958cfu) ^ BIT(i, 16, 0x105ec76fu) ^ BIT(i, 32, 0x20bd8edeu) ^               \
        BIT(i, 64, 0x417b1dbcu) ^ BIT(i, 128, 0x82f63b78u))
#define ENTRIES_4(i) ENTRY(i), ENTRY((i) + 1), ENTRY((i) + 2), ENTRY((i) + 3)
#define ENTRIES_16(i) ENTRIES_4(i), ENTRIES_4((i) + 4), ENTRIES_4((i) + 8), ENTRIES_4((i) + 12)
#define ENTRIES_64(i)                                                                              \
    ENTRIES_16(i), ENTRIES_16((i) + 16), ENTRIES_16((i) + 32), ENTRIES_16((i) + 48)

static const uint32_t table[256] = {
    ENTRIES_64(0), ENTRIES_64(64), ENTRIES_64(128), ENTRIES_64(192)};

uint32_t crc32c_portable(uint32_t before, const void *block, size_t bytes)
{
    const uint8_t *at = block;
    uint32_t crc = ~before;

    for (; bytes; at++, bytes--)
        crc = crc >> 8 ^ table[(crc ^ *at) & 0xff];
    return ~crc;
}

/* CPUID leaf 1, ECX bit 20: SSE4.2, which brings crc32 on general registers. */
static bool processor_has_crc32(void)
{
    uint32_t a = 1, b, c = 0, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c >> 20 & 1;
}

static uint32_t crc32c_instruction(uint32_t before, const uint8_t *at, size_t bytes)
{
    uint64_t crc = (uint32_t)~before;

    for (; bytes >= 8; at += 8, bytes -= 8)
        __asm__("crc32q %1, %0" : "+r"(crc) : "m"(*(const word64_t *)at));
    for (; bytes; at++, bytes--)
        __asm__("crc32b %1, %0" : "+r"(crc) : "m"(*at));
    return ~(uint32_t)crc;
}

uint32_t crc32c(uint32_t before, const void *block, size_t bytes)
{
    /* 0: not asked yet. Threads that ask at the same time store the same answer. */
    static int answer;
    int known = __atomic_load_n(&answer, __ATOMIC_RELAXED);

    if (!known) {
        known = processor_has_crc32() ? 1 : 2;
        __atomic_store_n(&answer, known, __ATOMIC_RELAXED);
    }
    return known == 1 ? crc32c_instruction(before, block, bytes)
                      : crc32c_portable(before, block, bytes);
}
