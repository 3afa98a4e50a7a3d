// SPDX-License-Identifier: MIT
/*
 * Numbers from text; see rt/number.h. Reads no byte past the given length.
 */
#include <rt/number.h>

#include <stdbool.h>

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A') + 10;
    return 255;
}

/* Whether text starts with 0 and `letter` in either case, and a digit of `base` follows. */
static bool has_prefix(const char *text, size_t length, char letter, unsigned base)
{
    return length > 2 && text[0] == '0' && (text[1] | 0x20) == letter &&
           digit_value(text[2]) < base;
}

/* Takes base 0 to a real one; returns the bytes of the prefix to skip. */
static size_t take_prefix(const char *text, size_t length, unsigned *base)
{
    if ((*base == 0 || *base == 16) && has_prefix(text, length, 'x', 16)) {
        *base = 16;
        return 2;
    }
    if ((*base == 0 || *base == 2) && has_prefix(text, length, 'b', 2)) {
        *base = 2;
        return 2;
    }
    if (*base == 0)
        *base = length && text[0] == '0' ? 8 : 10;
    return 0;
}

enum number_status number_scan(
    const char *text, size_t length, unsigned base, uint64_t maximum, uint64_t *value, size_t *used)
{
    uint64_t result = 0;
    bool overflow = false;
    size_t start, at;

    if (base == 1 || base > 36)
        return NUMBER_INVALID;
    start = at = take_prefix(text, length, &base);
    for (; at < length && digit_value(text[at]) < base; at++)
        if (__builtin_mul_overflow(result, base, &result) ||
            __builtin_add_overflow(result, digit_value(text[at]), &result))
            overflow = true;
    if (at == start)
        return NUMBER_EMPTY;
    *used = at;
    if (overflow || result > maximum)
        return NUMBER_RANGE;
    *value = result;
    return NUMBER_OK;
}

enum number_status number_parse(
    const char *text, size_t length, unsigned base, uint64_t maximum, uint64_t *value)
{
    uint64_t result = 0;
    size_t used = length;
    enum number_status status = number_scan(text, length, base, maximum, &result, &used);

    if (used != length && status != NUMBER_EMPTY)
        return NUMBER_INVALID;
    if (status == NUMBER_OK)
        *value = result;
    return status;
}

enum number_status number_parse_signed(const char *text, size_t length, unsigned base,
    int64_t minimum, int64_t maximum, int64_t *value)
{
    bool negative = length && *text == '-';
    size_t sign = negative || (length && *text == '+');
    uint64_t limit = (uint64_t)INT64_MAX + negative;
    uint64_t magnitude = 0;
    enum number_status status = number_parse(text + sign, length - sign, base, limit, &magnitude);
    int64_t result = (int64_t)(negative ? 0 - magnitude : magnitude);

    if (status != NUMBER_OK)
        return status;
    if (result < minimum || result > maximum)
        return NUMBER_RANGE;
    *value = result;
    return NUMBER_OK;
}
