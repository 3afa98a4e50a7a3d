/* SPDX-License-Identifier: MIT */
/*
 * The log: what each component keeps of its last lines in its status page, merged by time. The
 * pages outlive their components, so a death loses no line.
 */
#include "supervisor.h"
#include <proto/supervisor_server.h>
#include <rt/format.h>
#include <rt/string.h>

#define LINE_MAX (RT_LINE_MAX + 64u)

/* Where the merge stands in each component's lines; the last is the supervisor's own. */
struct cursors {
    uint64_t next[SYSTEM_COMPONENTS_MAX + 1], end[SYSTEM_COMPONENTS_MAX + 1];
};

static const struct rt_status *status_of(unsigned i)
{
    return i == component_count() ? RT_STATUS : component_status(i);
}

static void cursors_set(struct cursors *c)
{
    for (unsigned i = 0; i <= component_count(); i++) {
        uint64_t written = __atomic_load_n(&status_of(i)->lines_written, __ATOMIC_ACQUIRE);
        c->end[i] = written;
        c->next[i] = written < RT_LINES ? 0 : written - RT_LINES;
    }
}

/* The oldest line that is left, as text; 0: none. */
static size_t line_next(struct cursors *c, char text[LINE_MAX])
{
    char line[RT_LINE_MAX];
    for (;;) {
        unsigned oldest = UINT32_MAX;
        uint64_t at = UINT64_MAX, time_ns;
        for (unsigned i = 0; i <= component_count(); i++) {
            if (c->next[i] >= c->end[i])
                continue;
            time_ns = status_of(i)->lines[c->next[i] % RT_LINES].time_ns;
            if (time_ns < at || oldest == UINT32_MAX) {
                at = time_ns;
                oldest = i;
            }
        }
        if (oldest == UINT32_MAX)
            return 0;
        if (!spawn_line(status_of(oldest), c->next[oldest]++, &time_ns, line))
            continue;
        const char *name = oldest == component_count() ? "supervisor" : component(oldest)->name;
        uint64_t us = time_ns / 1000;
        snprintf(text, LINE_MAX, "%5lu.%06lu [%s] %s\n", us / 1000000, us % 1000000, name, line);
        return strlen(text);
    }
}

uint32_t supervisor_serve_log(
    struct supervisor_server *server, uint64_t badge, struct rpc_out *text)
{
    struct cursors c;
    char line[LINE_MAX];
    uint64_t all = 0, used = 0;
    size_t n;
    (void)server;
    (void)badge;
    cursors_set(&c);
    while ((n = line_next(&c, line)))
        all += n;
    cursors_set(&c);
    while ((n = line_next(&c, line))) {
        bool fits = all <= text->capacity;
        all -= n < all ? n : all;
        if (!fits || used + n > text->capacity)
            continue;
        if (!rt_copy_to_client(text->offset + used, line, n))
            return RPC_BAD_BUFFER;
        used += n;
    }
    text->length = used;
    return 0;
}
