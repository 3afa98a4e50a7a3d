/* SPDX-License-Identifier: MIT */
/*
 * hang: a server that hangs once in each way that a request asks for, as the step of a counter.
 * What it had answered before is in its capsule; `read` tells the incarnation.
 */
#include "hang.h"
#include <proto/counter_server.h>
#include <server/capsule.h>

struct counter_server {
    uint64_t sum, hung; /* bit: hangs of that kind that have been had */
};
static struct counter_server *counter;
static uint64_t main_hangs;

static void __attribute__((noreturn)) loop(void)
{
    for (;;)
        __asm__ volatile("");
}

static void __attribute__((noreturn)) block(void)
{
    for (;;) /* nobody raises what this thread waits on */
        (void)pith_notify_wait(rt_cap("never"), DEADLINE_NEVER);
}

static void hang(uint64_t how)
{
    switch (how) {
    case HANG_LOOP:
        loop();
    case HANG_LOCKED:
        tx_begin();
        TX_SET(counter->sum, 12345); /* to be undone */
        loop();
    case HANG_BLOCK:
        block();
    default:
        __atomic_store_n(&main_hangs, how, __ATOMIC_RELEASE);
        pith_notify_raise(SLOT_MAIN, 1);
    }
}

uint32_t counter_serve_add(struct counter_server *c, uint64_t badge, uint64_t sequence,
                           uint64_t step, uint64_t *value)
{
    tx_begin();
    if (capsule_reply_find(badge, sequence, value, sizeof *value)) {
        tx_commit();
        return 0;
    }
    bool first = step < HANG_KINDS && !(c->hung >> step & 1);
    if (first) {
        TX_SET(c->hung, c->hung | 1ull << step);
        tx_commit();
        hang(step);
        tx_begin();
    }
    TX_SET(c->sum, c->sum + step);
    *value = c->sum;
    capsule_reply_store(badge, sequence, value, sizeof *value);
    tx_commit();
    return 0;
}

uint32_t counter_serve_read(struct counter_server *c, uint64_t badge, uint64_t *value)
{
    (void)c;
    (void)badge;
    *value = STARTUP->incarnation;
    return 0;
}

SERVER_ENTRY(counter);
uint64_t counter_handle(uint64_t badge, struct msg *m)
{
    return counter_dispatch(counter, badge, m);
}

void component_main(void)
{
    (void)capsule_open(COUNTER_VERSION, sizeof *counter, (void **)&counter);
    if (!rt_service_open("counter", counter_entry, 1))
        return;
    rt_ready();
    for (;;) {
        (void)rt_wait(DEADLINE_NEVER);
        uint64_t how = __atomic_exchange_n(&main_hangs, 0, __ATOMIC_ACQ_REL);
        if (how == HANG_MAIN_LOOP)
            loop();
        if (how == HANG_MAIN_BLOCK)
            block();
    }
}
