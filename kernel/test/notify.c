/* SPDX-License-Identifier: MIT */
/* Notifications and deadlines, interrupts, ports, times, trace, figures. */
#include "test.h"

static volatile uint64_t seen_status, seen_bits, order;

static void waiter(uint64_t n)
{
    struct pith_result r = pith_notify_wait((uint32_t)n, DEADLINE_NEVER);
    seen_status = (uint64_t)r.status;
    seen_bits = r.value;
    pith_thread_exit();
}

TEST("notify.raise-then-wait")
{
    uint32_t n = make_notification();
    MUST(pith_notify_raise(n, 5));
    CHECK_EQUAL(MUST(pith_notify_wait(n, DEADLINE_NEVER)), 5);
}
TEST("notify.bits-add-up-and-are-cleared-by-the-wait")
{
    uint32_t n = make_notification();
    MUST(pith_notify_raise(n, 1));
    MUST(pith_notify_raise(n, 1ull << 63));
    CHECK_EQUAL(MUST(pith_notify_wait(n, 0)), 1 | 1ull << 63);
    EXPECT(pith_notify_wait(n, 0), -E_TIME);
}
TEST("notify.raising-nothing-wakes-nobody")
{
    uint32_t n = make_notification(), t = make_thread(SPACE_SELF, waiter, n, 0, PRIORITY + 1);
    MUST(pith_notify_raise(n, 0));
    CHECK_EQUAL(state_of(t), T_WAITING);
}
TEST("notify.wakes-a-waiter-with-the-bits")
{
    uint32_t n = make_notification(), t = make_thread(SPACE_SELF, waiter, n, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(t), T_WAITING);
    MUST(pith_notify_raise(n, 6));
    wait_stopped(t);
    CHECK_EQUAL(seen_bits, 6);
    CHECK_EQUAL(seen_status, 0);
}
TEST("notify.a-woken-lower-priority-runs-later")
{
    seen_bits = 0;
    uint32_t n = make_notification(), t = make_thread(SPACE_SELF, waiter, n, 0, PRIORITY - 1);
    EVENTUALLY(state_of(t) == T_WAITING);
    MUST(pith_notify_raise(n, 6));
    CHECK_EQUAL(seen_bits, 0);
    wait_stopped(t);
    CHECK_EQUAL(seen_bits, 6);
}
TEST("notify.destroying-ends-the-wait-with-e-cap")
{
    uint64_t at = where();
    uint32_t n = slot();
    MUST(pith_notification_create(BOOT_REGION, at, n));
    uint32_t t = make_thread(SPACE_SELF, waiter, n, LAST_CORE, PRIORITY + 1);
    EVENTUALLY(state_of(t) == T_WAITING);
    MUST(pith_object_destroy(BOOT_REGION, at));
    wait_stopped(t);
    CHECK_EQUAL((int64_t)seen_status, -E_CAP);
}
TEST("notify.a-second-waiter-gets-e-busy")
{
    uint32_t n = make_notification();
    make_thread(SPACE_SELF, waiter, n, 0, PRIORITY + 1);
    EXPECT(pith_notify_wait(n, DEADLINE_NEVER), -E_BUSY);
}
TEST("notify.deadlines-pass")
{
    uint32_t n = make_notification();
    static const uint64_t delays[] = { 1, 1000, 50000, 1000000, 6000000, 70000000 };
    for (unsigned i = 0; i < 6; i++) {
        uint64_t end = guest_now_ns() + delays[i];
        EXPECT(pith_notify_wait(n, end), -E_TIME);
        CHECK(guest_now_ns() >= end);
    }
}
TEST("notify.a-deadline-in-the-past-only-looks")
{
    uint32_t n = make_notification();
    EXPECT(pith_notify_wait(n, 1), -E_TIME);
    EXPECT(pith_notify_wait(n, 0), -E_TIME);
}
static volatile uint64_t sleep_base, sleep_gap;
static void sleeper(uint64_t n)
{
    uint64_t which = n >> 32;
    pith_notify_wait((uint32_t)n, sleep_base + (which + 1) * sleep_gap);
    order = order * 10 + which + 1;
    pith_thread_exit();
}
static uint64_t sleepers_order(void)
{
    uint32_t t[4];
    order = 0;
    sleep_base = guest_now_ns() + 2 * sleep_gap;
    for (uint64_t i = 0; i < 4; i++) {
        uint32_t n = make_notification();
        t[i] = make_thread(SPACE_SELF, sleeper, n | (3 - i) << 32, 0, PRIORITY + 1);
    }
    for (unsigned i = 0; i < 4; i++)
        wait_stopped(t[i]);
    return order;
}
TEST("notify.deadlines-end-in-their-order")
{
    /* On a host that stops the emulator for longer than the gap they may all be over at once. */
    sleep_gap = 2000000;
    for (unsigned tries = 0; tries < 6 && sleepers_order() != 1234; tries++)
        sleep_gap *= 3;
    CHECK_EQUAL(order, 1234);
}
static volatile uint64_t woken;
static void sleep_until(uint64_t n)
{
    pith_notify_wait((uint32_t)n, seen_bits);
    __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
    pith_thread_exit();
}
TEST("notify.forty-deadlines-at-once")
{
    woken = 0;
    seen_bits = guest_now_ns() + 30000000;
    for (unsigned i = 0; i < 40; i++) {
        uint32_t n = make_notification();
        make_thread(SPACE_SELF, sleep_until, n, i % BOOTINFO->cores, PRIORITY + 1);
    }
    EVENTUALLY(woken == 40);
}
TEST("notify.a-far-deadline-can-be-left")
{
    uint32_t n = make_notification();
    seen_bits = UINT64_MAX - 1;
    uint32_t t = make_thread(SPACE_SELF, sleep_until, n, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(t), T_WAITING);
    MUST(pith_notify_raise(n, 1));
    wait_stopped(t);
}
ANSWER("notify.create-answers-e-cap", pith_notification_create(fx.gate, 0, fx.empty), -E_CAP)
ANSWER("notify.create-answers-e-right",
       pith_notification_create(weak(fx.region, RIGHT_GRANT), 0, fx.empty), -E_RIGHT)
ANSWER("notify.create-answers-e-owner",
       pith_notification_create(BOOT_REGION, WHERE(fx.thread_page, 0), fx.empty), -E_OWNER)
ANSWER("notify.create-answers-e-range", pith_notification_create(fx.region, WHERE(0, 32), fx.empty),
    -E_RANGE)
ANSWER("notify.create-answers-e-busy-for-the-slot", pith_notification_create(fx.region, 0, fx.gate),
    -E_BUSY)
TEST("notify.create-answers-e-busy-for-the-place")
{
    uint64_t at = where();
    uint32_t s = slot();
    MUST(pith_notification_create(BOOT_REGION, at, s));
    EXPECT(pith_notification_create(BOOT_REGION, at, s + 1), -E_BUSY);
}
ANSWER("notify.raise-answers-e-cap", pith_notify_raise(fx.gate, 1), -E_CAP)
ANSWER("notify.raise-answers-e-right", pith_notify_raise(weak(fx.notification, RIGHT_WAIT), 1),
    -E_RIGHT)
ANSWER("notify.wait-answers-e-cap", pith_notify_wait(fx.gate, 0), -E_CAP)
ANSWER(
    "notify.wait-answers-e-right", pith_notify_wait(weak(fx.notification, RIGHT_USE), 0), -E_RIGHT)

/* ---- interrupts ----------------------------------------------------------------------------- */

#define PIT_LINE 2u /* ISA interrupt 0 is line 2 on PCs (ACPI override) */

static uint64_t line_source(uint64_t line)
{
    return line;
}
static void pit_start(void)
{
    MUST(pith_io_out(BOOT_PORTS, 0x43, 1, 0x34)); /* channel 0, rate generator */
    MUST(pith_io_out(BOOT_PORTS, 0x40, 1, 0x00));
    MUST(pith_io_out(BOOT_PORTS, 0x40, 1, 0x10)); /* 4096 cycles: 3.4 ms */
}
static void pit_stop(void)
{
    MUST(pith_io_out(BOOT_PORTS, 0x43, 1, 0x30)); /* one shot, and never loaded */
}
TEST("interrupts.a-line-arrives-once-until-acknowledged")
{
    uint32_t n = make_notification(), i = slot();
    uint64_t at = where();
    MUST(pith_interrupt_create(BOOT_CONTROL, BOOT_REGION, at, i, line_source(PIT_LINE), 0));
    MUST(pith_interrupt_bind(i, n, 4));
    pit_start();
    CHECK_EQUAL(MUST(pith_notify_wait(n, guest_now_ns() + 5 * NS_PER_S)), 4);
    EXPECT(pith_notify_wait(n, guest_now_ns() + 12000000), -E_TIME); /* masked */
    MUST(pith_interrupt_ack(i));
    CHECK_EQUAL(MUST(pith_notify_wait(n, guest_now_ns() + 5 * NS_PER_S)), 4);
    pit_stop();
}
TEST("interrupts.a-line-arrives-at-its-core")
{
    uint32_t n = make_notification(), i = slot();
    uint64_t at = where();
    MUST(pith_interrupt_create(BOOT_CONTROL, BOOT_REGION, at, i, line_source(PIT_LINE), LAST_CORE));
    MUST(pith_interrupt_bind(i, n, 2));
    pit_start();
    CHECK_EQUAL(MUST(pith_notify_wait(n, guest_now_ns() + 5 * NS_PER_S)), 2);
    MUST(pith_interrupt_bind(i, 0, 0)); /* unbound: masked */
    EXPECT(pith_notify_wait(n, guest_now_ns() + 8000000), -E_TIME);
    MUST(pith_interrupt_ack(i)); /* does not unmask what is not bound */
    EXPECT(pith_notify_wait(n, guest_now_ns() + 8000000), -E_TIME);
    pit_stop();
}
TEST("interrupts.a-message-arrives")
{
    /* The local APIC takes a message written by the processor to another core's address
     * as devices write it; the HPET sends one for real, when it can. */
    uint64_t va = area(4096);
    if (pith_space_map_io(SPACE_SELF, va, BOOT_MEMORY, 0xfed00, 1 | MAP_READ | MAP_WRITE).status)
        test_skip("no HPET");
    volatile uint64_t *hpet = (volatile uint64_t *)va;
    uint64_t has = hpet[0];
    if (!has || has == UINT64_MAX || !(hpet[0x100 / 8] & 1 << 15)) {
        MUST(pith_space_unmap(SPACE_SELF, va, 1));
        test_skip("this HPET sends no messages");
    }
    uint32_t n = make_notification(), i = slot();
    uint64_t at = where();
    MUST(pith_interrupt_create(BOOT_CONTROL, BOOT_REGION, at, i, UINT64_MAX, LAST_CORE));
    MUST(pith_interrupt_bind(i, n, 8));
    uint64_t m = MUST(pith_interrupt_message(i));
    hpet[0x10 / 8] &= ~3ull;
    hpet[0x100 / 8] = 0;
    hpet[0x110 / 8] = m << 32 >> 32 | (m >> 32) << 32;
    hpet[0x108 / 8] = hpet[0xf0 / 8] + 100000;
    hpet[0x100 / 8] = 1 << 14 | 1 << 2;
    hpet[0x10 / 8] |= 1;
    CHECK_EQUAL(MUST(pith_notify_wait(n, guest_now_ns() + 5 * NS_PER_S)), 8);
    hpet[0x100 / 8] = 0;
    MUST(pith_space_unmap(SPACE_SELF, va, 1));
}
#define CREATE(control, region, place, at, source, core)                                     \
    pith_interrupt_create(control, region, place, at, source, core)
ANSWER("interrupts.create-answers-e-cap", CREATE(fx.gate, BOOT_REGION, fx.where, fx.empty, 3, 0),
    -E_CAP)
ANSWER("interrupts.create-answers-e-cap-for-the-region",
       CREATE(BOOT_CONTROL, fx.gate, fx.where, fx.empty, 3, 0), -E_CAP)
ANSWER("interrupts.create-answers-e-right",
       CREATE(weak(BOOT_CONTROL, RIGHT_GRANT), BOOT_REGION, fx.where, fx.empty, 3, 0), -E_RIGHT)
ANSWER("interrupts.create-answers-e-owner",
       CREATE(BOOT_CONTROL, BOOT_REGION, WHERE(fx.thread_page, 0), fx.empty, 3, 0), -E_OWNER)
ANSWER("interrupts.create-answers-e-range-for-the-line",
       CREATE(BOOT_CONTROL, BOOT_REGION, fx.where, fx.empty, 5000, 0), -E_RANGE)
ANSWER("interrupts.create-answers-e-range-for-unknown-bits",
       CREATE(BOOT_CONTROL, BOOT_REGION, fx.where, fx.empty, 3 | 1ull << 40, 0), -E_RANGE)
ANSWER("interrupts.create-answers-e-range-for-the-core",
       CREATE(BOOT_CONTROL, BOOT_REGION, fx.where, fx.empty, 3, 64), -E_RANGE)
ANSWER("interrupts.create-answers-e-busy-for-the-slot",
       CREATE(BOOT_CONTROL, BOOT_REGION, fx.where, fx.gate, 3, 0), -E_BUSY)
TEST("interrupts.create-answers-e-busy-for-a-line-in-use")
{
    uint64_t at = where();
    uint32_t s = slot();
    MUST(CREATE(BOOT_CONTROL, BOOT_REGION, at, s, 3, 0));
    EXPECT(CREATE(BOOT_CONTROL, BOOT_REGION, at + 1, s + 1, 3, LAST_CORE), -E_BUSY);
    MUST(pith_object_destroy(BOOT_REGION, at));
    EXPECT(CREATE(BOOT_CONTROL, BOOT_REGION, at + 1, slot(), 3, LAST_CORE), 0);
}
TEST("interrupts.create-answers-e-limit-when-a-core-has-no-vector-left")
{
    uint64_t first = pages(8);
    int64_t status = 0;
    uint32_t s = slot();
    unsigned made = 0;
    for (unsigned i = 0; i < 256 && !status; i++) {
        status = GUEST_RETRY(CREATE(BOOT_CONTROL, BOOT_REGION, WHERE(first + i / 32, i % 32), s,
                                    UINT64_MAX, 0)).status;
        if (!status) {
            made++;
            MUST(pith_cap_delete(SPACE_SELF, s));
        }
    }
    CHECK_EQUAL(status, -E_LIMIT);
    CHECK_EQUAL(made, 208);
}
ANSWER("interrupts.bind-answers-e-cap", pith_interrupt_bind(fx.gate, fx.notification, 1), -E_CAP)
ANSWER("interrupts.bind-answers-e-cap-for-the-notification",
       pith_interrupt_bind(fx.interrupt, fx.gate, 1), -E_CAP)
ANSWER("interrupts.bind-answers-e-right",
       pith_interrupt_bind(weak(fx.interrupt, RIGHT_USE), fx.notification, 1), -E_RIGHT)
ANSWER("interrupts.bind-answers-e-right-for-the-notification",
       pith_interrupt_bind(fx.interrupt, weak(fx.notification, RIGHT_WAIT), 1), -E_RIGHT)
ANSWER("interrupts.ack-answers-e-cap", pith_interrupt_ack(fx.gate), -E_CAP)
ANSWER("interrupts.ack-answers-e-right", pith_interrupt_ack(weak(fx.interrupt, RIGHT_MANAGE)),
    -E_RIGHT)
ANSWER("interrupts.message-answers-e-cap", pith_interrupt_message(fx.gate), -E_CAP)
ANSWER("interrupts.message-answers-e-right",
    pith_interrupt_message(weak(fx.interrupt, RIGHT_MANAGE)), -E_RIGHT)
TEST("interrupts.message-answers-e-state-for-a-line")
{
    uint64_t at = where();
    uint32_t s = slot();
    MUST(CREATE(BOOT_CONTROL, BOOT_REGION, at, s, 3, 0));
    EXPECT(pith_interrupt_message(s), -E_STATE);
}
TEST("interrupts.messages-have-addresses-of-their-core")
{
    fixture();
    CHECK_EQUAL(MUST(pith_interrupt_message(fx.interrupt)) >> 52, 0xfee);
}

/* ---- ports and device memory ----------------------------------------------------------------- */

TEST("io.ports-are-read-and-written")
{
    fixture();
    MUST(pith_io_out(fx.ports, 0, 1, 0)); /* CMOS: seconds */
    CHECK(MUST(pith_io_in(fx.ports, 1, 1)) < 0x60);
}
ANSWER("io.in-answers-e-cap", pith_io_in(fx.gate, 0, 1), -E_CAP)
ANSWER("io.in-answers-e-right", pith_io_in(weak(fx.ports, RIGHT_MANAGE), 0, 1), -E_RIGHT)
ANSWER("io.in-answers-e-range", pith_io_in(fx.ports, 2, 1), -E_RANGE)
ANSWER("io.in-answers-e-range-for-a-wide-access", pith_io_in(fx.ports, 1, 2), -E_RANGE)
ANSWER("io.in-answers-e-range-for-huge-ports", pith_io_in(fx.ports, UINT64_MAX, 1), -E_RANGE)
ANSWER("io.in-answers-e-arg-for-the-width", pith_io_in(fx.ports, 0, 3), -E_ARG)
ANSWER("io.in-answers-e-arg-for-memory", pith_io_in(fx.memory, 0, 1), -E_ARG)
ANSWER("io.out-answers-e-cap", pith_io_out(fx.gate, 0, 1, 0), -E_CAP)
ANSWER("io.out-answers-e-right", pith_io_out(weak(fx.ports, RIGHT_MANAGE), 0, 1, 0), -E_RIGHT)
ANSWER("io.out-answers-e-range", pith_io_out(fx.ports, 2, 1, 0), -E_RANGE)
ANSWER("io.out-answers-e-arg-for-the-width", pith_io_out(fx.ports, 0, 8, 0), -E_ARG)
ANSWER("io.out-answers-e-arg-for-memory", pith_io_out(fx.memory, 0, 1, 0), -E_ARG)
ANSWER("io.create-answers-e-cap", pith_io_create(fx.gate, BOOT_REGION, fx.where, fx.empty, 0, 1),
    -E_CAP)
ANSWER("io.create-answers-e-right",
       pith_io_create(weak(fx.ports, RIGHT_USE), BOOT_REGION, fx.where, fx.empty, 0, 1), -E_RIGHT)
ANSWER("io.create-answers-e-owner",
       pith_io_create(fx.ports, BOOT_REGION, WHERE(fx.thread_page, 0), fx.empty, 0, 1), -E_OWNER)
ANSWER("io.create-answers-e-busy", pith_io_create(fx.ports, BOOT_REGION, fx.where, fx.gate, 0, 1),
    -E_BUSY)
ANSWER("io.create-answers-e-range", pith_io_create(fx.ports, BOOT_REGION, fx.where, fx.empty, 1, 2),
    -E_RANGE)
ANSWER("io.create-answers-e-range-for-nothing",
       pith_io_create(fx.ports, BOOT_REGION, fx.where, fx.empty, 0, 0), -E_RANGE)
ANSWER("io.create-answers-e-range-for-wrapping-counts",
       pith_io_create(fx.ports, BOOT_REGION, fx.where, fx.empty, 1, UINT64_MAX), -E_RANGE)
TEST("io.device-memory-is-mapped")
{
    fixture();
    MUST(pith_space_map_io(SPACE_SELF, fx.bad, fx.memory, 0, 1 | MAP_READ | MAP_WRITE));
    CHECK(MUST(pith_space_query(SPACE_SELF, fx.bad)) & MAP_UNCACHED);
    *(volatile uint32_t *)fx.bad = 1; /* IO-APIC: version */
    CHECK((*(volatile uint32_t *)(fx.bad + 16) & 0xff) != 0);
    MUST(pith_space_unmap(SPACE_SELF, fx.bad, 1));
}
TEST("io.device-memory-is-no-memory-for-the-kernel")
{
    fixture();
    MUST(pith_space_map_io(SPACE_SELF, fx.bad, fx.memory, 0, 1 | MAP_READ | MAP_WRITE));
    EXPECT(pith_thread_info(fx.thread, fx.bad), -E_MEMORY);
    CHECK_EQUAL(MUST(pith_space_copy(fx.space, SPACE_SELF, fx.bad, fx.bad, 1 | MAP_READ)), 0);
    MUST(pith_space_unmap(SPACE_SELF, fx.bad, 1));
}
#define FAR 0x2000000000ull
#define MAPIO(space, va, io, offset, flags) pith_space_map_io(space, va, io, offset, flags)
ANSWER("io.map-answers-e-cap", MAPIO(fx.gate, FAR, fx.memory, 0, 1 | MAP_READ), -E_CAP)
ANSWER("io.map-answers-e-cap-for-the-range", MAPIO(fx.space, FAR, fx.gate, 0, 1 | MAP_READ), -E_CAP)
ANSWER("io.map-answers-e-right",
    MAPIO(fx.space, FAR, weak(fx.memory, RIGHT_MANAGE), 0, 1 | MAP_READ), -E_RIGHT)
ANSWER("io.map-answers-e-arg-for-ports", MAPIO(fx.space, FAR, fx.ports, 0, 1 | MAP_READ), -E_ARG)
ANSWER("io.map-answers-e-arg-for-large-pages",
       MAPIO(fx.space, FAR, fx.memory, 0, 1 | MAP_READ | MAP_2M), -E_ARG)
ANSWER("io.map-answers-e-range", MAPIO(fx.space, FAR, fx.memory, 0x201, 1 | MAP_READ), -E_RANGE)
ANSWER("io.map-answers-e-range-for-ram", MAPIO(fx.space, FAR, BOOT_MEMORY, fx.page, 1 | MAP_READ),
    -E_RANGE)
ANSWER("io.map-answers-e-range-for-the-kernel", MAPIO(fx.space, FAR, BOOT_MEMORY, 0, 1 | MAP_READ),
    -E_RANGE)
ANSWER("io.map-answers-e-range-for-the-address",
       MAPIO(fx.space, 1ull << 47, fx.memory, 0, 1 | MAP_READ), -E_RANGE)
ANSWER("io.map-answers-e-busy",
       MAPIO(SPACE_SELF, fx.buffer, fx.memory, 0, 1 | MAP_READ), -E_BUSY)
TEST("io.map-answers-e-tables")
{
    fixture();
    EXPECT(MAPIO(make_bare_space(), FAR, fx.memory, 0, 1 | MAP_READ), -E_TABLES);
}

/* ---- times ----------------------------------------------------------------------------------- */

static volatile uint64_t go, counter;
static void loop(uint64_t unused)
{
    (void)unused;
    while (go)
        counter++;
    pith_thread_exit();
}
TEST("times.a-carved-time-runs-threads")
{
    uint32_t m = make_time(1, 50), t = make_stopped(SPACE_SELF);
    uint64_t top = make_stack(SPACE_SELF);
    go = 0;
    MUST(pith_thread_start(t, m, 0 | 50 << 8, (uint64_t)loop, top - 8, 0));
    wait_stopped(t);
}
TEST("times.a-budget-throttles")
{
    uint32_t m = make_time(1, 50), t = make_stopped(SPACE_SELF);
    uint64_t top = make_stack(SPACE_SELF);
    MUST(pith_time_budget(m, 1000000, 100000000));
    go = 1;
    MUST(pith_thread_start(t, m, (PRIORITY - 1) << 8, (uint64_t)loop, top - 8, 0));
    EVENTUALLY(state_of(t) == T_THROTTLED);
    uint64_t had = counter;
    EVENTUALLY(counter != had); /* the next period */
    MUST(pith_time_budget(m, 0, 0));
    go = 0;
    wait_stopped(t);
}
TEST("times.a-throttled-thread-can-be-stopped")
{
    uint32_t m = make_time(1, 50), t = make_stopped(SPACE_SELF);
    uint64_t top = make_stack(SPACE_SELF);
    MUST(pith_time_budget(m, 100000, 10000000000));
    go = 1;
    MUST(pith_thread_start(t, m, (PRIORITY - 1) << 8, (uint64_t)loop, top - 8, 0));
    EVENTUALLY(state_of(t) == T_THROTTLED);
    MUST(pith_thread_stop(t));
    CHECK_EQUAL(state_of(t), T_STOPPED);
}
static void caller(uint64_t gate)
{
    uint64_t reply;
    call((uint32_t)gate, 1, 0, 0, &reply);
    pith_thread_exit();
}
TEST("times.a-budget-that-ends-inside-a-server-goes-into-debt")
{
    uint32_t m = make_time(1, 50), t = make_stopped(SPACE_SELF);
    struct server s = make_server(make_space(), 4, spin_entry, 1, 0);
    uint64_t top = make_stack(SPACE_SELF);
    MUST(pith_time_budget(m, 100000, 1000000000));
    spin_flag = 1, spin_count = 0;
    MUST(pith_thread_start(t, m, (PRIORITY - 1) << 8, (uint64_t)caller, top - 8, s.gate));
    EVENTUALLY(info_of(t).run_ns > 5000000);
    CHECK_EQUAL(info_of(t).depth, 1);
    spin_flag = 0;
    EVENTUALLY(state_of(t) == T_THROTTLED);
    CHECK_EQUAL(info_of(t).depth, 0);
}
#define TIME(parent, region, where, at, cores, priority)                                     \
    pith_time_create(parent, region, where, at, cores, priority)
ANSWER("times.create-answers-e-cap", TIME(fx.gate, BOOT_REGION, fx.where, fx.empty, 1, 1), -E_CAP)
ANSWER("times.create-answers-e-cap-for-the-region",
    TIME(fx.time, fx.gate, fx.where, fx.empty, 1, 1), -E_CAP)
ANSWER("times.create-answers-e-right",
       TIME(weak(fx.time, RIGHT_USE), BOOT_REGION, fx.where, fx.empty, 1, 1), -E_RIGHT)
ANSWER("times.create-answers-e-owner",
       TIME(fx.time, BOOT_REGION, WHERE(fx.thread_page, 0), fx.empty, 1, 1), -E_OWNER)
ANSWER("times.create-answers-e-busy", TIME(fx.time, BOOT_REGION, fx.where, fx.gate, 1, 1), -E_BUSY)
ANSWER("times.create-answers-e-range-for-no-cores",
    TIME(fx.time, BOOT_REGION, fx.where, fx.empty, 0, 1), -E_RANGE)
ANSWER("times.create-answers-e-range-for-other-cores",
       TIME(fx.time, BOOT_REGION, fx.where, fx.empty, 2, 1), -E_RANGE)
ANSWER("times.create-answers-e-range-for-the-priority",
       TIME(fx.time, BOOT_REGION, fx.where, fx.empty, 1, 41), -E_RANGE)
ANSWER("times.budget-answers-e-cap", pith_time_budget(fx.gate, 0, 0), -E_CAP)
ANSWER("times.budget-answers-e-right", pith_time_budget(weak(fx.time, RIGHT_USE), 0, 0), -E_RIGHT)
ANSWER("times.budget-answers-e-arg-for-no-budget", pith_time_budget(fx.time, 0, 1000000), -E_ARG)
ANSWER("times.budget-answers-e-arg-for-more-than-the-period",
       pith_time_budget(fx.time, 1000001, 1000000), -E_ARG)
ANSWER("times.budget-answers-e-arg-for-a-short-period", pith_time_budget(fx.time, 1, 99999), -E_ARG)
ANSWER("times.budget-answers-e-arg-for-a-long-period",
       pith_time_budget(fx.time, 1, 10000000001), -E_ARG)

/* ---- trace, figures, quiescence -------------------------------------------------------------- */

TEST("trace.events-are-read-back")
{
    fixture();
    MUST(pith_trace_enable(BOOT_CONTROL, 1));
    MUST(pith_notify_raise(fx.notification, 0x55aa));
    MUST(pith_trace_enable(BOOT_CONTROL, 0));
    uint64_t position = 0, found = 0;
    const struct pith_trace_entry *e = (const struct pith_trace_entry *)fx.buffer;
    for (;;) {
        uint64_t v = MUST(pith_trace_read(BOOT_CONTROL, 0, position, fx.buffer));
        for (unsigned i = 0; i < (v & 0xff); i++)
            found += e[i].event == 13 && e[i].b == 0x55aa;
        if (!(v & 0xff))
            break;
        position = v >> 8;
    }
    CHECK_EQUAL(found, 1);
}
ANSWER("trace.read-answers-e-cap", pith_trace_read(fx.gate, 0, 0, fx.buffer), -E_CAP)
ANSWER("trace.read-answers-e-right",
       pith_trace_read(weak(BOOT_CONTROL, RIGHT_GRANT), 0, 0, fx.buffer), -E_RIGHT)
ANSWER("trace.read-answers-e-range-for-the-core", pith_trace_read(BOOT_CONTROL, 64, 0, fx.buffer),
    -E_RANGE)
ANSWER("trace.read-answers-e-range-for-the-future",
       pith_trace_read(BOOT_CONTROL, 0, 1ull << 50, fx.buffer), -E_RANGE)
ANSWER("trace.read-answers-e-memory", ({
           pith_trace_enable(BOOT_CONTROL, 1);
           pith_notify_raise(fx.notification, 1);
           pith_trace_enable(BOOT_CONTROL, 0);
           pith_trace_read(BOOT_CONTROL, 0, 0, fx.bad);
       }), -E_MEMORY)
ANSWER("trace.enable-answers-e-cap", pith_trace_enable(fx.gate, 1), -E_CAP)
ANSWER(
    "trace.enable-answers-e-right", pith_trace_enable(weak(BOOT_CONTROL, RIGHT_GRANT), 1), -E_RIGHT)
TEST("system.figures")
{
    CHECK_EQUAL(MUST(pith_system_info(BOOT_CONTROL, 0)), BOOTINFO->cores);
    CHECK_EQUAL(MUST(pith_system_info(BOOT_CONTROL, 4)), BOOTINFO->tsc_hz);
}
ANSWER("system.info-answers-e-cap", pith_system_info(fx.gate, 0), -E_CAP)
ANSWER(
    "system.info-answers-e-right", pith_system_info(weak(BOOT_CONTROL, RIGHT_GRANT), 0), -E_RIGHT)
ANSWER("system.info-answers-e-range", pith_system_info(BOOT_CONTROL, 5), -E_RANGE)
ANSWER("system.check-answers-e-cap", pith_kernel_check(fx.gate), -E_CAP)
ANSWER("system.check-answers-e-right", pith_kernel_check(weak(BOOT_CONTROL, RIGHT_GRANT)), -E_RIGHT)
ANSWER("system.check-finds-nothing-broken", pith_kernel_check(BOOT_CONTROL), 0)
TEST("quiesce.passes-in-the-end")
{
    uint64_t stamp = pith_quiesce(0).value;
    EXPECT(pith_quiesce(stamp), 0);
    EXPECT(pith_quiesce(stamp), 0);
}
TEST("quiesce.answers-e-again-for-a-stamp-of-the-future")
{
    EXPECT(pith_quiesce(UINT64_MAX), -E_AGAIN);
}
