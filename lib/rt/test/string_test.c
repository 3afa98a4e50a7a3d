// SPDX-License-Identifier: MIT
/*
 * The string functions against the C library's on random inputs: all small lengths, alignments and
 * overlaps, and long ones at random. Blocks end exactly at the end of their allocations where
 * that matters, so the sanitizer sees a read or write past the end.
 */
#include <rt/string.h>

#include "restore.h"

#include "test.h"

#include <string.h>

enum { BUFFER = 512, ROUNDS = 20000 };

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void randomize(unsigned char *at, size_t bytes, unsigned alphabet)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)test_below(alphabet);
}

/* Few short, all lengths up to 80, some long. */
static size_t random_length(size_t limit)
{
    return test_below(4) ? test_below(limit < 80 ? limit : 80) : test_below(limit);
}

static void memcpy_copies(void)
{
    unsigned char source[BUFFER], ours[BUFFER], theirs[BUFFER];

    for (int round = 0; round < ROUNDS; round++) {
        size_t length = random_length(BUFFER / 2), from = test_below(BUFFER / 2);
        size_t to = test_below(BUFFER / 2);

        randomize(source, BUFFER, 256);
        memset(ours, 7, BUFFER);
        memset(theirs, 7, BUFFER);
        CHECK(rt_memcpy(ours + to, source + from, length) == ours + to);
        memcpy(theirs + to, source + from, length);
        CHECK(!memcmp(ours, theirs, BUFFER), "length %zu", length);
    }
}

static void memmove_overlaps(void)
{
    unsigned char ours[BUFFER], theirs[BUFFER];

    for (int round = 0; round < ROUNDS; round++) {
        size_t length = random_length(BUFFER / 2), from = test_below(BUFFER / 2);
        size_t to = test_below(2) ? test_below(BUFFER / 2)
                                  : (from + BUFFER / 2 + test_below(33) - 16) % (BUFFER / 2);

        randomize(ours, BUFFER, 256);
        memcpy(theirs, ours, BUFFER);
        CHECK(rt_memmove(ours + to, ours + from, length) == ours + to);
        memmove(theirs + to, theirs + from, length);
        CHECK(!memcmp(ours, theirs, BUFFER), "%zu bytes from %zu to %zu", length, from, to);
    }
}

static void memset_fills(void)
{
    unsigned char ours[BUFFER], theirs[BUFFER];

    for (int round = 0; round < ROUNDS; round++) {
        size_t length = random_length(BUFFER / 2), to = test_below(BUFFER / 2);
        int value = (int)test_random();

        memset(ours, 7, BUFFER);
        memset(theirs, 7, BUFFER);
        CHECK(rt_memset(ours + to, value, length) == ours + to);
        memset(theirs + to, value, length);
        CHECK(!memcmp(ours, theirs, BUFFER), "length %zu", length);
    }
}

static void memcmp_orders(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        size_t length = random_length(BUFFER);
        unsigned char *a = malloc(length + 1), *b = malloc(length + 1);
        int ours, theirs;

        randomize(a, length, 256);
        memcpy(b, a, length);
        if (length && test_below(3))
            b[test_below(length)] = (unsigned char)test_random();
        ours = sign(rt_memcmp(a, b, length));
        theirs = sign(memcmp(a, b, length));
        free(a);
        free(b);
        CHECK(ours == theirs, "length %zu", length);
    }
}

static void memchr_finds(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        size_t length = random_length(BUFFER), skip = test_below(9);
        unsigned char *block = malloc(length + skip + 1), *at = block + skip;
        int value = (int)test_below(64);
        void *ours, *theirs, *ours_last, *theirs_last;

        randomize(at, length, 64);
        ours = rt_memchr(at, value, length);
        theirs = memchr(at, value, length);
        ours_last = rt_memrchr(at, value + 256, length);
        theirs_last = memrchr(at, value + 256, length);
        free(block);
        CHECK(ours == theirs, "length %zu", length);
        CHECK(ours_last == theirs_last, "length %zu", length);
    }
}

/* A random string in an allocation that ends with its NUL. */
static char *random_string(size_t limit, unsigned alphabet)
{
    size_t length = random_length(limit);
    char *text = malloc(length + 1);

    for (size_t i = 0; i < length; i++)
        text[i] = (char)(128 - alphabet / 2 + test_below(alphabet));
    text[length] = 0;
    return text;
}

static void check_string_pair(const char *a, const char *b)
{
    size_t limit = test_below(40);
    int c = test_below(5) ? 126 + (int)test_below(4) : 0;

    CHECK(rt_strlen(a) == strlen(a));
    CHECK(rt_strnlen(a, limit) == strnlen(a, limit));
    CHECK(sign(rt_strcmp(a, b)) == sign(strcmp(a, b)), "\"%s\" \"%s\"", a, b);
    CHECK(sign(rt_strncmp(a, b, limit)) == sign(strncmp(a, b, limit)));
    CHECK(rt_strchr(a, c) == strchr(a, c));
    CHECK(rt_strrchr(a, c) == strrchr(a, c));
    CHECK(rt_strchrnul(a, c) == strchrnul(a, c));
    CHECK(rt_strstr(a, b) == strstr(a, b), "\"%s\" in \"%s\"", b, a);
    CHECK(rt_strspn(a, b) == strspn(a, b));
    CHECK(rt_strcspn(a, b) == strcspn(a, b));
}

static void strings_agree(void)
{
    for (int round = 0; round < ROUNDS && !test_failed; round++) {
        unsigned alphabet = 2 + (unsigned)test_below(4);
        char *a = random_string(100, alphabet);
        char *b = test_below(8) ? random_string(test_below(2) ? 5 : 50, alphabet) : strdup(a);

        check_string_pair(a, b);
        free(a);
        free(b);
    }
}

static void strnlen_stays_inside(void)
{
    for (size_t length = 0; length < 64; length++) {
        char *text = malloc(length + 1);
        size_t measured;

        memset(text, 'x', length + 1);
        measured = rt_strnlen(text, length + 1);
        free(text);
        CHECK(measured == length + 1);
    }
}

/* The C library of Debian 12 has no strlcpy; snprintf says what it should do. */
static void strlcpy_bounds(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        char *from = random_string(40, 4);
        size_t size = test_below(48), used;
        char *ours = malloc(size + 1), theirs[128];
        size_t result;

        memset(ours, 'z', size + 1);
        result = rt_strlcpy(ours, from, size);
        CHECK(result == strlen(from));
        snprintf(theirs, size, "%s", from);
        CHECK(!size || !strcmp(ours, theirs));
        CHECK(size || ours[0] == 'z');
        used = size ? strlen(ours) : 0;
        if (size) {
            CHECK(rt_strlcat(ours, from, size) == used + strlen(from));
            snprintf(theirs + used, sizeof(theirs) - used, "%s", from);
            CHECK(!strncmp(ours, theirs, size - 1) && strlen(ours) < size);
        }
        free(from);
        free(ours);
    }
}

int main(void)
{
    TEST(memcpy_copies);
    TEST(memmove_overlaps);
    TEST(memset_fills);
    TEST(memcmp_orders);
    TEST(memchr_finds);
    TEST(strings_agree);
    TEST(strnlen_stays_inside);
    TEST(strlcpy_bounds);
    return test_result();
}
