// SPDX-License-Identifier: MIT
/*
 * The command line: words separated by blanks, each `key` or `key=value`.
 *
 *   cpus=N     use at most N processors (1 to 64)
 *   mem=MIB    ignore memory at and above this address
 *   trace      the kernel prints its trace
 *   log=WHAT   quiet, normal or debug; passed on, checked here
 *
 * Other words are passed on untouched. The last of equal keys wins.
 */
#include "glue.h"

struct options options = {.cpus = MAX_CPUS, .mem_mib = MAX_RAM_PAGES / (MIB / PAGE_SIZE)};

/* Bytes of the word if it begins with key, else 0. */
static u64 key_length(const char *word, u64 length, const char *key)
{
    u64 n = 0;

    while (key[n] && n < length && word[n] == key[n])
        n++;
    return key[n] ? 0 : n;
}

static u64 number(const char *word, u64 length, u64 key, u64 low, u64 high, const char *name)
{
    u64 value = 0;

    for (u64 i = key; i < length && value <= high; i++) {
        if (word[i] < '0' || word[i] > '9')
            glue_fail("command line: %s needs a number", name);
        value = value * 10 + (u64)(word[i] - '0');
    }
    if (key == length || value < low || value > high)
        glue_fail("command line: %s needs a number from %lu to %lu", name, low, high);
    return value;
}

static void log_check(const char *value, u64 length)
{
    static const char *const levels[] = {"quiet", "normal", "debug"};

    for (u32 i = 0; i < ARRAY_LEN(levels); i++) {
        if (key_length(value, length, levels[i]) == length && length)
            return;
    }
    glue_fail("command line: log= needs quiet, normal or debug");
}

void cmdline_parse(void)
{
    const char *p = handoff.cmdline;

    while (*p) {
        u64 length = 0, key;
        while (p[length] && p[length] != ' ' && p[length] != '\t')
            length++;
        if ((key = key_length(p, length, "cpus=")))
            options.cpus = number(p, length, key, 1, MAX_CPUS, "cpus=");
        else if ((key = key_length(p, length, "mem=")))
            options.mem_mib = number(p, length, key, 1, 1u << 24, "mem=");
        else if ((key = key_length(p, length, "log=")))
            log_check(p + key, length - key);
        else if (key_length(p, length, "trace") == length)
            handoff.trace = 1;
        p += length + (p[length] ? 1 : 0);
    }
}
