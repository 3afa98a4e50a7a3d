/* SPDX-License-Identifier: MIT */
/* Reading a component's status page (rt/status.h), which may hold anything. */
#include <rt/status.h>
#include <rt/string.h>
#include <spawn/spawn.h>

bool spawn_line(
    const struct rt_status *status, uint64_t n, uint64_t *time_ns, char text[RT_LINE_MAX])
{
    const struct rt_line *line = &status->lines[n % RT_LINES];
    *time_ns = __atomic_load_n(&line->time_ns, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < RT_LINE_MAX; i++) {
        char c = line->text[i];
        text[i] = c && (c < ' ' || c > '~') ? '?' : c;
    }
    text[RT_LINE_MAX - 1] = 0;
    return *time_ns && __atomic_load_n(&line->time_ns, __ATOMIC_ACQUIRE) == *time_ns;
}

bool spawn_last_words(const struct rt_status *status, uint64_t since_ns, char text[RT_LINE_MAX])
{
    uint64_t n = __atomic_load_n(&status->lines_written, __ATOMIC_ACQUIRE), time_ns;
    return n && spawn_line(status, n - 1, &time_ns, text) && time_ns >= since_ns;
}
