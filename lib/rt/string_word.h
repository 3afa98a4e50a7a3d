// SPDX-License-Identifier: MIT
/*
 * Loads and stores of whole words at any address, for the string functions.
 *
 * The types alias everything and claim no alignment, which x86_64 allows at full speed.
 * Internal to lib/rt.
 */
#pragma once

#include <stdint.h>

typedef uint64_t __attribute__((may_alias, aligned(1))) word64_t;
typedef uint32_t __attribute__((may_alias, aligned(1))) word32_t;
typedef uint16_t __attribute__((may_alias, aligned(1))) word16_t;

static inline uint64_t load64(const void *at)
{
    return *(const word64_t *)at;
}
static inline uint32_t load32(const void *at)
{
    return *(const word32_t *)at;
}
static inline uint16_t load16(const void *at)
{
    return *(const word16_t *)at;
}
static inline void store64(void *at, uint64_t value)
{
    *(word64_t *)at = value;
}
static inline void store32(void *at, uint32_t value)
{
    *(word32_t *)at = value;
}
static inline void store16(void *at, uint16_t value)
{
    *(word16_t *)at = value;
}

/* The compiler must not turn the body of memset into a call of memset. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif
