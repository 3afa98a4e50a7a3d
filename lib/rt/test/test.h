// SPDX-License-Identifier: MIT
/*
 * The little that host tests share: checks, a repeatable random generator and the report.
 *
 * A test function returns at its first failed check; main() lists the functions with TEST() and
 * returns test_result(). Output is what tools/testrun reads: "TEST name", then "PASS name" or
 * "FAIL name: reason", and "DONE" at the end. The seed comes from the environment
 * (PITH_TEST_SEED) or is 1.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static bool test_failed;
static bool test_any_failed;
static const char *test_name;
static uint64_t test_random_state;

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("FAIL %s: %s:%d: %s:", test_name, __FILE__, __LINE__, #condition);              \
            printf(" " __VA_ARGS__);                                                               \
            printf("\n");                                                                          \
            test_failed = test_any_failed = true;                                                  \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* xorshift64*: the same numbers on every machine. */
static inline uint64_t test_random(void)
{
    uint64_t x = test_random_state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    test_random_state = x;
    return x * 0x2545f4914f6cdd1dull;
}

/* 0 <= result < limit */
static inline uint64_t test_below(uint64_t limit)
{
    return (test_random() >> 11) % limit;
}

static inline void test_run(const char *name, void (*function)(void))
{
    const char *seed = getenv("PITH_TEST_SEED");

    test_name = name;
    test_failed = false;
    test_random_state = (seed ? strtoull(seed, NULL, 0) : 1) * 0x9e3779b97f4a7c15ull | 1;
    printf("TEST %s\n", name);
    fflush(stdout);
    function();
    if (!test_failed)
        printf("PASS %s\n", name);
    fflush(stdout);
}
#define TEST(function) test_run(#function, function)

static inline int test_result(void)
{
    printf("DONE\n");
    return test_any_failed;
}
