/* SPDX-License-Identifier: MIT */
/*
 * Volatile regions: the memory of an incarnation, all of it given back when it dies. The next
 * incarnation is built while the dead one's region is still in use (by threads that were inside,
 * and by its capability table, which moves), so it gets another one: a small component the spare
 * that all small ones share, and its old region becomes the spare; a large one the other of its
 * own two.
 *
 * Region numbers: 2i and 2i+1 are component i's own, SHARED_REGIONS + k the shared ones. A
 * component's `region` says where its last complete incarnation is; that one store is the change
 * of hands. A region that is in nobody's use is emptied in the background (clean).
 */
#include "supervisor.h"
#include <rt/self.h>

#define SHARED_SLOT 3400u
#define SHARED_PAGES_MAX 128u /* on one core */
#define STACK_PAGES (RT_STACK_SIZE / 4096 + 2)
#define STACKS_PER_TABLE 32u

static uint64_t tables_for(uint64_t pages)
{
    return 2 * (pages / 512 + 1);
}

static uint64_t pages_for_cores(const struct system_component *c)
{
    uint64_t stacks = (STARTUP->cores - 1) * c->offer_count;
    return stacks * STACK_PAGES + stacks / STACKS_PER_TABLE * 2;
}

uint64_t region_pages_wanted(unsigned i)
{
    const struct system_component *c = component(i);
    uint64_t pages = c->volatile_pages + pages_for_cores(c) + tables_for(c->capsule_pages);
    if (c->heap_pages)
        pages += c->heap_pages + tables_for(c->heap_pages);
    for (unsigned m = 0; m < c->module_count; m++) {
        size_t size = 0;
        (void)archive_member(c->modules[m], &size);
        pages += tables_for(size / 4096 + 2) + 4; /* each is somewhere else */
    }
    return (pages + 1) & ~1ull;
}

static bool shared(unsigned i)
{
    return state->of[i].volatile_pages <= state->shared_pages;
}

uint32_t region_slot(uint32_t region)
{
    return region >= SHARED_REGIONS ? SHARED_SLOT + region - SHARED_REGIONS
                            : component_slot(region / 2, C_VOLATILE) + region % 2;
}

uint64_t region_pages(uint32_t region)
{
    return region >= SHARED_REGIONS ? state->shared_pages : state->of[region / 2].volatile_pages;
}

void regions_plan(void)
{
    state->shared_pages = state->shared_count = 0;
    for (unsigned i = 0; i < component_count(); i++) {
        uint64_t pages = region_pages_wanted(i);
        state->of[i].volatile_pages = pages;
        if (pages <= SHARED_PAGES_MAX + pages_for_cores(component(i)) &&
            pages > state->shared_pages)
            state->shared_pages = pages;
    }
    for (unsigned i = 0; i < component_count(); i++) {
        if (shared(i))
            state->of[i].region = SHARED_REGIONS + state->shared_count++;
        else
            state->of[i].region = 2 * i;
        state->clean[state->of[i].region] = 1;
        state->clean[region_other(i)] = 1;
    }
}

/* Where component i's next incarnation goes. */
uint32_t region_other(unsigned i)
{
    if (!shared(i))
        return state->of[i].region ^ 1;
    for (uint32_t region = SHARED_REGIONS;; region++) {
        bool used = false;
        for (unsigned k = 0; k < component_count(); k++)
            used |= state->of[k].region == region;
        if (!used)
            return region;
    }
}

bool region_clean(uint32_t region, uint64_t patience_ns)
{
    uint64_t until = rt_now_ns() + patience_ns;
    while (!state->clean[region]) {
        if (spawn_reclaim(region_slot(region), region_pages(region), 4))
            state->clean[region] = 1;
        else if (rt_now_ns() >= until)
            return false;
        else /* threads that were inside must get to run to be taken out */
            (void)rt_wait(rt_now_ns() + RECLAIM_NAP_NS);
    }
    return true;
}

bool regions_clean(void)
{
    bool all = true;
    for (unsigned i = 0; i < component_count(); i++)
        if (state->of[i].incarnation > 0)
            all &= region_clean(region_other(i), 0);
    return all;
}
