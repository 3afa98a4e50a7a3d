// SPDX-License-Identifier: MIT
/*
 * Searching and measuring.
 *
 * strlen and memchr look at eight bytes at a time. strlen reads aligned words, which may include
 * bytes beyond the NUL but never on another page; sanitizers object to that, so the host tests
 * compile strlen with RT_BYTEWISE. Everything else reads no byte that its contract excludes.
 */
#include <rt/string.h>

#include <stdbool.h>

#include "string_word.h"

enum { WORD = 8 };
static const uint64_t ONES = 0x0101010101010101u;
static const uint64_t HIGHS = 0x8080808080808080u;

/* Non-zero if a byte of `word` is 0; its lowest set bit is in the first such byte. */
static inline uint64_t zero_bytes(uint64_t word)
{
    return (word - ONES) & ~word & HIGHS;
}

size_t strlen(const char *text)
{
    const char *at = text;

#ifndef RT_BYTEWISE
    for (; (uintptr_t)at % WORD; at++)
        if (!*at)
            return (size_t)(at - text);
    for (;; at += WORD) {
        uint64_t zeros = zero_bytes(load64(at));

        if (zeros)
            return (size_t)(at - text) + (size_t)__builtin_ctzll(zeros) / 8;
    }
#else
    while (*at)
        at++;
    return (size_t)(at - text);
#endif
}

size_t strnlen(const char *text, size_t limit)
{
    const char *end = memchr(text, 0, limit);

    return end ? (size_t)(end - text) : limit;
}

void *memchr(const void *block, int value, size_t bytes)
{
    const uint8_t *at = block;
    uint8_t wanted = (uint8_t)value;
    uint64_t pattern = wanted * ONES;

    /* C lets `bytes` pass the end of the object if the byte comes first: no word crosses a page. */
    for (; bytes && (uintptr_t)at % WORD; at++, bytes--)
        if (*at == wanted)
            return (void *)at;
#ifndef RT_BYTEWISE
    for (; bytes >= WORD; at += WORD, bytes -= WORD) {
        uint64_t hits = zero_bytes(load64(at) ^ pattern);

        if (hits)
            return (void *)(at + (size_t)__builtin_ctzll(hits) / 8);
    }
#else
    (void)pattern;
#endif
    for (; bytes; at++, bytes--)
        if (*at == wanted)
            return (void *)at;
    return NULL;
}

void *memrchr(const void *block, int value, size_t bytes)
{
    const uint8_t *start = block;

    while (bytes--)
        if (start[bytes] == (uint8_t)value)
            return (void *)(start + bytes);
    return NULL;
}

char *strchrnul(const char *text, int c)
{
    while (*text && *text != (char)c)
        text++;
    return (char *)text;
}

char *strchr(const char *text, int c)
{
    char *at = strchrnul(text, c);

    return *at == (char)c ? at : NULL;
}

char *strrchr(const char *text, int c)
{
    return memrchr(text, c, strlen(text) + 1);
}

char *strstr(const char *text, const char *part)
{
    size_t length = strlen(part);

    if (!length)
        return (char *)text;
    for (; (text = strchr(text, *part)); text++)
        if (!strncmp(text, part, length))
            return (char *)text;
    return NULL;
}

/* Length of the start of `text` whose bytes' membership in `set` is `wanted`. */
static size_t span(const char *text, const char *set, bool wanted)
{
    bool member[256] = {false};
    size_t length = 0;

    for (; *set; set++)
        member[(unsigned char)*set] = true;
    while (text[length] && member[(unsigned char)text[length]] == wanted)
        length++;
    return length;
}

size_t strspn(const char *text, const char *set)
{
    return span(text, set, true);
}

size_t strcspn(const char *text, const char *set)
{
    return span(text, set, false);
}
