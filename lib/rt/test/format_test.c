// SPDX-License-Identifier: MIT
/*
 * Formatted output and number parsing against the C library's: random conversion specifications
 * with random and extreme values, into buffers of every size.
 */
#include <rt/format.h>
#include <rt/number.h>
#include <rt/string.h>

#include "restore.h"

#include "test.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

enum { ROUNDS = 50000, TEXT = 256 };

static uint64_t random_value(void)
{
    static const uint64_t extremes[] = {0, 1, 7, 8, 9, 10, 255, 256, INT_MAX, UINT32_MAX, INT64_MAX,
        (uint64_t)INT64_MIN, UINT64_MAX, 0x80000000, 0xff80, 0x8000};

    if (test_below(2))
        return extremes[test_below(sizeof(extremes) / sizeof(*extremes))];
    return test_random() >> test_below(64);
}

/* Writes a random specification without its conversion; says how many `*` it has. */
static int random_spec(char *spec, size_t size, bool with_length)
{
    static const char *lengths[] = {"", "", "hh", "h", "l", "ll", "z", "j", "t"};
    char flags[8] = "", width[16] = "", precision[16] = "";
    int stars = 0;

    for (size_t n = test_below(4), i = 0; i < n; i++)
        flags[i] = "-+ #0"[test_below(5)];
    if (test_below(2))
        snprintf(width, sizeof(width), "%d", (int)test_below(40) + 1);
    else if (!test_below(4) && ++stars)
        strcpy(width, "*");
    if (!test_below(3))
        snprintf(precision, sizeof(precision), ".%d", (int)test_below(30));
    else if (!test_below(6))
        strcpy(precision, ".");
    snprintf(spec, size, "%%%s%s%s%s", flags, width, precision,
        with_length ? lengths[test_below(9)] : "");
    return stars;
}

static void numbers_agree(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        char spec[64], ours[TEXT], theirs[TEXT];
        uint64_t value = random_value();
        int stars = random_spec(spec, sizeof(spec) - 2, true), a, b;
        int width = (int)test_below(41) - 20;
        char conversion[2] = {"diuxXo"[test_below(6)], 0};

        strcat(spec, conversion);
        if (stars) {
            a = rt_snprintf(ours, TEXT, spec, width, value);
            b = snprintf(theirs, TEXT, spec, width, value);
        } else {
            a = rt_snprintf(ours, TEXT, spec, value);
            b = snprintf(theirs, TEXT, spec, value);
        }
        CHECK(a == b && !strcmp(ours, theirs), "%s of %" PRIx64 ": \"%s\", not \"%s\"", spec, value,
            ours, theirs);
    }
}

static void texts_agree(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        char spec[64], ours[TEXT], theirs[TEXT], text[40];
        size_t length = test_below(sizeof(text));
        int stars = random_spec(spec, sizeof(spec) - 2, false), a, b;
        int width = (int)test_below(41) - 20;

        for (size_t i = 0; i < length; i++)
            text[i] = (char)(1 + test_below(255));
        text[length < sizeof(text) ? length : sizeof(text) - 1] = 0;
        strcat(spec, "s|%c|%%|%p");
        if (stars) {
            a = rt_snprintf(ours, TEXT, spec, width, text, 'x', text);
            b = snprintf(theirs, TEXT, spec, width, text, 'x', text);
        } else {
            a = rt_snprintf(ours, TEXT, spec, text, 'x', text);
            b = snprintf(theirs, TEXT, spec, text, 'x', text);
        }
        CHECK(a == b && !strcmp(ours, theirs), "%s: \"%s\", not \"%s\"", spec, ours, theirs);
    }
}

static void buffers_are_bounded(void)
{
    const char *format = "%s-%d-%#x";

    for (size_t size = 0; size < 40; size++) {
        char *ours = malloc(size + 1), theirs[64];
        int a, b;

        memset(ours, 'z', size + 1);
        a = rt_snprintf(ours, size, format, "twelve bytes", 12345, 0xabcd);
        b = snprintf(theirs, size, format, "twelve bytes", 12345, 0xabcd);
        CHECK(a == b);
        CHECK(ours[size] == 'z');
        CHECK(!size || !strcmp(ours, theirs));
        free(ours);
    }
    CHECK(rt_snprintf(NULL, 0, "%d", 123) == 3);
}

/* What the compiler would warn of if it saw the formats. */
static void odd_formats(void)
{
    static const char *volatile unknown = "a%k%5q%d", *volatile cut = "end%",
                                *volatile cut_spec = "end%-5";
    static const char *volatile wide = "%2147483647d%d", *volatile widest = "%*d";
    char text[TEXT], *volatile none = NULL;

    rt_snprintf(text, TEXT, "%s %p", none, none);
    CHECK(!strcmp(text, "(null) (nil)"), "%s", text);
    rt_snprintf(text, TEXT, unknown, 3);
    CHECK(!strcmp(text, "a%k%5q3"), "%s", text);
    rt_snprintf(text, TEXT, cut);
    CHECK(!strcmp(text, "end%"), "%s", text);
    rt_snprintf(text, TEXT, cut_spec);
    CHECK(!strcmp(text, "end%-5"), "%s", text);
    CHECK(rt_snprintf(text, TEXT, wide, 1, 2) == INT_MAX);
    CHECK(rt_snprintf(text, TEXT, widest, INT_MIN, 2) == INT_MAX);
}

/* strtoull on the same text; 0b, which glibc of Debian 12 does not know, is not generated. */
static void parse_agrees(void)
{
    static const unsigned bases[] = {0, 2, 8, 10, 16, 36, 7};

    for (int round = 0; round < ROUNDS; round++) {
        char text[80], *end;
        unsigned base = bases[test_below(7)];
        uint64_t maximum = test_below(2) ? UINT64_MAX : random_value(), ours = 1, theirs;
        enum number_status status, expected;
        size_t used = 999, length;

        if (test_below(2)) {
            snprintf(text, sizeof(text),
                (const char *[]){
                    "%" PRIu64, "0x%" PRIx64, "0%" PRIo64, "%" PRIu64 "9"}[test_below(4)],
                random_value());
        } else {
            length = test_below(24);
            for (size_t i = 0; i < length; i++)
                text[i] = "0123456789acdxXzZ.f"[test_below(19)];
            text[length] = 0;
        }
        length = strlen(text);
        errno = 0;
        theirs = strtoull(text, &end, (int)base);
        status = number_scan(text, length, base, maximum, &ours, &used);
        expected = end == text                           ? NUMBER_EMPTY
                   : errno == ERANGE || theirs > maximum ? NUMBER_RANGE
                                                         : NUMBER_OK;
        CHECK(status == expected, "\"%s\" base %u: %d, not %d", text, base, status, expected);
        CHECK(status == NUMBER_EMPTY || used == (size_t)(end - text), "\"%s\"", text);
        CHECK(status != NUMBER_OK || ours == theirs, "\"%s\"", text);
        status = number_parse(text, length, base, maximum, &ours);
        if (expected != NUMBER_EMPTY && *end)
            expected = NUMBER_INVALID;
        CHECK(status == expected, "\"%s\" base %u whole: %d, not %d", text, base, status, expected);
    }
}

static void parse_signed(void)
{
    int64_t value = 5;

    CHECK(number_parse_signed("-9223372036854775808", 20, 10, INT64_MIN, INT64_MAX, &value) ==
          NUMBER_OK);
    CHECK(value == INT64_MIN);
    CHECK(number_parse_signed("9223372036854775808", 19, 10, INT64_MIN, INT64_MAX, &value) ==
          NUMBER_RANGE);
    CHECK(number_parse_signed("+12", 3, 10, -5, 12, &value) == NUMBER_OK && value == 12);
    CHECK(number_parse_signed("-6", 2, 10, -5, 12, &value) == NUMBER_RANGE);
    CHECK(number_parse_signed("-", 1, 10, -5, 12, &value) == NUMBER_EMPTY);
    CHECK(number_parse_signed("", 0, 10, -5, 12, &value) == NUMBER_EMPTY);
    CHECK(number_parse_signed("-0x10", 5, 0, -16, 12, &value) == NUMBER_OK && value == -16);
    CHECK(number_parse_signed("--1", 3, 10, -16, 12, &value) == NUMBER_EMPTY);
    CHECK(value == -16);
}

static void parse_binary(void)
{
    uint64_t value = 0;

    CHECK(number_parse("0b1011", 6, 0, 99, &value) == NUMBER_OK && value == 11);
    CHECK(number_parse("0b1011", 6, 2, 99, &value) == NUMBER_OK && value == 11);
    CHECK(number_parse("1", 1, 1, 99, &value) == NUMBER_INVALID);
    CHECK(number_parse("1", 1, 37, 99, &value) == NUMBER_INVALID);
}

int main(void)
{
    TEST(numbers_agree);
    TEST(texts_agree);
    TEST(buffers_are_bounded);
    TEST(odd_formats);
    TEST(parse_agrees);
    TEST(parse_signed);
    TEST(parse_binary);
    return test_result();
}
