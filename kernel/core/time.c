/* SPDX-License-Identifier: MIT */
/* Times: the right to run on some cores up to a priority, with a budget per period.
 * A carved time's rights are within its parent's at that moment. */
#include <arch/platform.h>
#include <kernel.h>

#define PERIOD_MIN_NS 100000ull
#define PERIOD_MAX_NS 10000000000ull

struct result op_time_create(struct time *p, struct region *r, u64 where, u64 slot, u64 cores,
                             u64 priority)
{
    void *object;
    REQUIRE(small_place(r, where, PT_TIME, &object));
    REFUSE_IF(!cores || cores & ~p->cores, E_RANGE);
    REFUSE_IF(priority > p->priority_max, E_RANGE);
    small_commit(object, PT_TIME);
    struct time *t = object;
    t->cores = cores;
    t->priority_max = (u8)priority;
    t->budget_ns = p->budget_ns;
    t->period_ns = p->period_ns;
    return slot_give(slot, t, PT_TIME);
}

struct result op_time_budget(struct time *t, u64 budget_ns, u64 period_ns)
{
    bool none = !budget_ns && !period_ns;
    REFUSE_IF(!none && (!budget_ns || budget_ns > period_ns || period_ns < PERIOD_MIN_NS ||
              period_ns > PERIOD_MAX_NS), E_ARG);
    t->budget_ns = budget_ns;
    t->period_ns = period_ns;
    t->left_ns = (i64)budget_ns;
    t->refill_ns = clock_ns() + period_ns;
    changes++;
    return ok(0);
}
