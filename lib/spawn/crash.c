/* SPDX-License-Identifier: MIT */
/* Deaths on purpose: after how many events an incarnation dies (rt/component.h). */
#include <rt/string.h>
#include <spawn/spawn.h>

uint64_t spawn_option(const char *arguments, const char *key)
{
    const char *p = strstr(arguments, key);
    uint64_t v = 0;
    if (!p)
        return 0;
    for (p += strlen(key); *p >= '0' && *p <= '9'; p++)
        v = v * 10 + (uint64_t)(*p - '0');
    return v;
}

/* A mix of the two numbers decides, so that a run can be repeated. */
void spawn_crash(struct rt_startup *startup, uint64_t who, uint64_t mean)
{
    uint64_t x = (who << 32 | startup->incarnation) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
    x ^= x >> 32;
    startup->crash_at = mean ? 1 + x % (2 * mean) : 0;
    startup->crash_where = (uint32_t)(x >> 24) % 3;
}
