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
#define MISSED_MAX 3u
#define NAP_NS 100000000ull
#define NAP_IDLE_NS 1000000000ull

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

/* Looks are counted, not time: when all of the machine stood still nobody has missed anything. */
static bool heartbeat_missed(unsigned i)
{
    struct component_state *s = &state->of[i];
    uint64_t period = component(i)->heartbeat_ns, now = rt_now_ns();
    if (!period)
        return false;
    if (s->checked_ns < s->started_ns) { /* the first look at this incarnation */
        s->checked_ns = now;
        s->missed = 0;
    }
    if (now - s->checked_ns < period)
        return s->missed >= MISSED_MAX;
    uint64_t beats = __atomic_load_n(&component_status(i)->beats, __ATOMIC_ACQUIRE);
    s->missed = beats == s->beats ? s->missed + 1 : 0;
    s->beats = beats;
    s->checked_ns = now;
    return s->missed >= MISSED_MAX;
}

uint64_t watch_nap_ns(void)
{
    uint64_t nap = NAP_IDLE_NS;
    for (unsigned i = 0; i < component_count(); i++) {
        uint64_t period = component(i)->heartbeat_ns;
        if (state->of[i].state == COMPONENT_RUNNING && !component_ready(i))
            period = NAP_NS;
        nap = period && period < nap ? period : nap;
    }
    return nap;
}

bool component_stuck(unsigned i, const char **why)
{
    const struct component_state *s = &state->of[i];
    *why = 0;
    if (s->state != COMPONENT_RUNNING)
        return false;
    if (component_ready(i)) {
        if (heartbeat_missed(i))
            *why = "without a heartbeat";
        return *why;
    }
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
