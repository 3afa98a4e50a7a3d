// SPDX-License-Identifier: MIT
/*
 * The hash function: each eight bytes are mixed in by one 64 x 64 -> 128 bit multiplication whose
 * halves are folded together. Fast and well spread; with a secret seed it makes collisions hard to
 * aim at, but it is not cryptographic.
 */
#include <rt/hash.h>

#include <rt/string.h>

#include "string_word.h"

/* Odd, with about half of the bits set: the fractions of the square roots of 2 and 3. */
static const uint64_t FACTOR = 0x6a09e667f3bcc909;
static const uint64_t SALT = 0xbb67ae8584caa73b;

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_word(uint64_t word, uint64_t seed)
{
    return fold(word ^ seed ^ SALT, FACTOR ^ (seed << 1));
}

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed)
{
    const char *at = bytes;
    uint64_t hash = seed ^ length, word = 0;

    for (; length >= sizeof(word); at += sizeof(word), length -= sizeof(word))
        hash = hash_word(load64(at), hash);
    if (length)
        memcpy(&word, at, length);
    return fold(hash_word(word, hash), SALT);
}
