/* SPDX-License-Identifier: MIT */
/*
 * heartbeat: a server that hangs is started again within a few periods, with what it had kept,
 * and the request that it hung in is answered; one that is idle or slow but alive is left alone.
 */
#include "hang.h"
#include <proto/counter_client.h>
#include <rt/component.h>

#define PERIOD_NS 100000000ull
#define PERIODS_MAX 40u /* patience, for a slow machine */

static uint32_t gate;
static unsigned failures;

static void expect(bool good, const char *what, uint64_t value, uint64_t wanted)
{
    if (!good) {
        rt_log("%s: %lu, not %lu", what, value, wanted);
        failures++;
    }
}

static uint64_t incarnation(void)
{
    uint64_t value = 0;
    int64_t status = counter_read(gate, &value);
    expect(!status, "status of read", (uint64_t)-status, 0);
    return value;
}

static void sleep_ns(uint64_t ns)
{
    (void)rt_wait(rt_now_ns() + ns);
}

/* A request that hangs its server: answered by the next incarnation. */
static void request_hangs(uint64_t how, uint64_t *sum)
{
    uint64_t before = incarnation(), value = 0, start = rt_now_ns();
    int64_t status = counter_add(gate, how, &value);
    uint64_t took_ms = (rt_now_ns() - start) / 1000000;
    *sum += how;
    expect(!status, "status of add", (uint64_t)-status, 0);
    expect(value == *sum, "sum", value, *sum);
    expect(incarnation() == before + 1, "incarnation", incarnation(), before + 1);
    rt_log("hang %lu in a request: answered after %lu ms", how, took_ms);
}

/* The server's own thread hangs: seen without any request. */
static void main_hangs(uint64_t how, uint64_t *sum)
{
    uint64_t before = incarnation(), value = 0, start = rt_now_ns();
    expect(!counter_add(gate, how, &value), "status of add", 1, 0);
    *sum += how;
    expect(value == *sum, "sum", value, *sum);
    for (unsigned i = 0; i < PERIODS_MAX && incarnation() == before; i++)
        sleep_ns(PERIOD_NS);
    expect(incarnation() == before + 1, "incarnation", incarnation(), before + 1);
    rt_log("hang %lu of the main thread: over after %lu ms", how,
        (rt_now_ns() - start) / 1000000);
}

void component_main(void)
{
    uint64_t sum = 0;
    gate = rt_cap("counter");
    sleep_ns(10 * PERIOD_NS);
    expect(incarnation() == 1, "incarnation when idle", incarnation(), 1);
    request_hangs(HANG_LOOP, &sum);
    request_hangs(HANG_LOCKED, &sum);
    request_hangs(HANG_BLOCK, &sum);
    main_hangs(HANG_MAIN_LOOP, &sum);
    main_hangs(HANG_MAIN_BLOCK, &sum);
    uint64_t last = incarnation(), value = 0;
    expect(last == HANG_KINDS, "incarnations", last, HANG_KINDS);
    for (uint64_t end = rt_now_ns() + 10 * PERIOD_NS; rt_now_ns() < end; sum += 1000)
        expect(!counter_add(gate, 1000, &value) && value == sum + 1000, "sum", value, sum + 1000);
    expect(incarnation() == last, "incarnation when busy", incarnation(), last);
    rt_log("%s heartbeat", failures ? "FAIL" : "PASS");
    pith_io_out(rt_cap("debug-exit"), 0, 1, failures ? 1 : 0);
}
