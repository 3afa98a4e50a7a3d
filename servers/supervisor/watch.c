/* SPDX-License-Identifier: MIT */
/*
 * What the supervisor sees of a component that is alive: its status page. And the end of a
 * component that cannot be kept running, which is the machine's if the description calls it
 * vital: a line that says who and why, instead of clients that wait for ever.
 */
#include "supervisor.h"
#include <rt/format.h>
#include <rt/string.h>

#define STATUS_VIEW 0x420000000000ull
#define DEBUG_EXIT 0x501 /* QEMU's isa-debug-exit; nothing listens elsewhere */
#define EXIT_DIED 2
#define START_NS 30000000000ull /* until rt_ready */

const struct rt_status *component_status(unsigned i)
{
    return (const struct rt_status *)(STATUS_VIEW + i * sizeof(struct rt_status));
}

void watch_open(void)
{
    for (unsigned i = 0; i < component_count(); i++) {
        const struct system_component *c = component(i);
        uint64_t page = spawn_persistent(c->capsule_pages, c->object_pages) - STATUS_PAGES;
        struct pith_result r;
        do {
            r = pith_space_map(SPACE_SELF, (uint64_t)component_status(i),
                component_slot(i, C_PERSISTENT), page, STATUS_PAGES | MAP_READ);
            if (r.status == -E_TABLES && spawn_own_tables())
                r.status = -E_AGAIN;
        } while (r.status == -E_AGAIN);
        if (r.status)
            rt_panic("%s: cannot see its status: %ld", c->name, r.status);
    }
}

bool component_ready(unsigned i)
{
    const struct component_state *s = &state->of[i];
    return s->state == COMPONENT_RUNNING &&
           (!component(i)->offer_count ||
               __atomic_load_n(&component_status(i)->ready, __ATOMIC_ACQUIRE) == s->incarnation);
}

bool component_stuck(unsigned i, const char **why)
{
    const struct component_state *s = &state->of[i];
    *why = 0;
    if (s->state != COMPONENT_RUNNING || component_ready(i))
        return false;
    if (__atomic_load_n(&component_status(i)->done, __ATOMIC_ACQUIRE) == s->incarnation)
        *why = "ended before it was ready";
    else if (rt_now_ns() - s->started_ns > START_NS)
        *why = "not ready 30 s after its start";
    return *why;
}

void component_fail(unsigned i, const char *format, ...)
{
    char text[160];
    va_list a;
    va_start(a, format);
    vsnprintf(text, sizeof text, format, a);
    va_end(a);
    state->of[i].state = COMPONENT_FAILED;
    if (component(i)->flags & SYSTEM_VITAL) {
        rt_log("stops the machine: %s %s", component(i)->name, text);
        pith_io_out(rt_cap("ports"), DEBUG_EXIT, 1, EXIT_DIED);
    } else {
        rt_log("%s %s: left dead", component(i)->name, text);
    }
}

void watch_announce(void)
{
    if (state->announced)
        return;
    for (unsigned i = 0; i < component_count(); i++)
        if (!component_ready(i) && state->of[i].state != COMPONENT_FAILED)
            return;
    state->announced = 1;
    rt_log("up: %u components are ready after %lu ms", component_count(), rt_now_ns() / 1000000);
}
