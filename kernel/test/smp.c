/* SPDX-License-Identifier: MIT */
/* Several cores: start, stop, move, wake; revocation and unmapping under use elsewhere. */
#include "test.h"

static volatile uint64_t go, counter, seen, rounds;
static volatile int64_t last_status;

static void need_cores(void)
{
    if (BOOTINFO->cores == 1)
        test_skip("needs several cores");
}
static void loop(uint64_t unused)
{
    (void)unused;
    while (go)
        counter++;
    pith_thread_exit();
}
static void nothing(uint64_t x)
{
    seen = x;
    pith_thread_exit();
}
TEST("smp.stop-and-resume-on-another-core")
{
    need_cores();
    go = 1;
    uint32_t t = make_thread(SPACE_SELF, loop, 0, LAST_CORE, PRIORITY);
    for (unsigned i = 0; i < 20; i++) {
        uint64_t before = counter;
        EVENTUALLY(counter != before);
        MUST(pith_thread_stop(t));
        CHECK_EQUAL(state_of(t), T_STOPPED);
        before = counter;
        nap();
        CHECK_EQUAL(counter, before);
        MUST(pith_thread_resume(t));
    }
    go = 0;
    wait_stopped(t);
}
TEST("smp.a-stopped-thread-moves-and-goes-on")
{
    need_cores();
    go = 1;
    uint32_t t = make_thread(SPACE_SELF, loop, 0, 0, PRIORITY - 1);
    for (unsigned core = 1; core < BOOTINFO->cores; core++) {
        MUST(pith_thread_stop(t));
        MUST(pith_thread_move(t, core));
        CHECK_EQUAL(info_of(t).core, core);
        MUST(pith_thread_resume(t));
        uint64_t before = counter;
        EVENTUALLY(counter != before);
    }
    go = 0;
    wait_stopped(t);
}
TEST("smp.a-thread-that-exits-can-start-elsewhere-at-once")
{
    need_cores();
    uint32_t t = make_stopped(SPACE_SELF);
    uint64_t top = make_stack(SPACE_SELF);
    for (uint64_t i = 1; i < 300; i++) {
        struct pith_result r;
        do
            r = pith_thread_start(t, BOOT_TIME, (i % BOOTINFO->cores) | (PRIORITY + 1) << 8,
                                  (uint64_t)nothing, top - 8, i);
        while (r.status == -E_STATE);
        CHECK_EQUAL(r.status, 0);
        EVENTUALLY(seen == i);
    }
    wait_stopped(t);
}
static void waiting(uint64_t n)
{
    while (go) {
        struct pith_result r = pith_notify_wait((uint32_t)n, DEADLINE_NEVER);
        counter += r.value;
        last_status = r.status;
        rounds++;
    }
    pith_thread_exit();
}
TEST("smp.wake-on-another-core")
{
    need_cores();
    uint32_t n = make_notification();
    go = 1, rounds = 0, counter = 0;
    uint32_t t = make_thread(SPACE_SELF, waiting, n, LAST_CORE, PRIORITY);
    for (uint64_t i = 0; i < 200; i++) {
        uint64_t before = rounds;
        MUST(pith_notify_raise(n, 1));
        while (rounds == before)
            __asm__ volatile("pause");
    }
    CHECK_EQUAL(counter, 200);
    go = 0;
    MUST(pith_notify_raise(n, 1));
    wait_stopped(t);
}
TEST("smp.no-bit-is-lost-between-cores")
{
    need_cores();
    uint32_t n = make_notification();
    uint64_t all = 0;
    go = 1, rounds = 0, counter = 0;
    uint32_t t = make_thread(SPACE_SELF, waiting, n, LAST_CORE, PRIORITY);
    for (uint64_t i = 0; i < 2000; i++) {
        MUST(pith_notify_raise(n, 1ull << (i % 60)));
        all++;
        if (i % 60 == 59)
            EVENTUALLY(counter == (i + 1) / 60 * ((1ull << 60) - 1));
    }
    go = 0;
    MUST(pith_notify_raise(n, 1ull << 63));
    wait_stopped(t);
}
static volatile uint64_t gate_slot;
static void calling(uint64_t gate)
{
    while (go) {
        uint64_t reply = 0;
        int64_t status = call((uint32_t)gate, 1, 2, 3, &reply);
        if (status && status != -E_CAP && status != -E_RESTART)
            last_status = status;
        if (!status && reply != 6 + 1000 && reply != 6 + 2000)
            last_status = 1;
        counter += !status;
        rounds++;
    }
    pith_thread_exit();
}
TEST("smp.calls-run-on-every-core-at-once")
{
    fixture();
    uint32_t t[4];
    unsigned n = BOOTINFO->cores < 4 ? BOOTINFO->cores : 4;
    go = 1, counter = 0, last_status = 0;
    for (unsigned i = 0; i < n; i++)
        t[i] = make_thread(SPACE_SELF, calling, fx.gate, i, PRIORITY - 1);
    EVENTUALLY(counter > 5000);
    go = 0;
    for (unsigned i = 0; i < n; i++)
        wait_stopped(t[i]);
    CHECK_EQUAL(last_status, 0);
}
TEST("smp.revoking-a-gate-in-use-on-another-core")
{
    need_cores();
    fixture();
    go = 1, counter = rounds = 0, last_status = 0;
    uint32_t t = make_thread(SPACE_SELF, calling, fx.gate, LAST_CORE, PRIORITY);
    for (unsigned i = 0; i < 30; i++) {
        uint64_t before = counter;
        EVENTUALLY(counter != before);
        MUST(pith_object_destroy(BOOT_REGION, fx.server.gate_where));
        before = rounds;
        EVENTUALLY(rounds > before + 2);
        before = counter;
        uint64_t had = rounds;
        EVENTUALLY(rounds > had + 2);
        CHECK_EQUAL(counter, before); /* none gets through */
        MUST(pith_cap_delete(SPACE_SELF, fx.gate));
        MUST(pith_gate_create(fx.service, BOOT_REGION, fx.server.gate_where, fx.gate,
                              i & 1 ? 1000 : 2000));
    }
    go = 0;
    wait_stopped(t);
    CHECK_EQUAL(last_status, 0);
}
TEST("smp.deleting-and-copying-capabilities-in-use-on-another-core")
{
    need_cores();
    fixture();
    uint32_t other = make_gate(fx.service, 2000, 0), s = slot();
    MUST(pith_cap_copy(fx.gate, SPACE_SELF, s, RIGHT_ALL));
    go = 1, counter = rounds = 0, last_status = 0;
    uint32_t t = make_thread(SPACE_SELF, calling, s, LAST_CORE, PRIORITY);
    for (unsigned i = 0; i < 60; i++) {
        MUST(pith_cap_delete(SPACE_SELF, s));
        MUST(pith_cap_copy(i & 1 ? other : fx.gate, SPACE_SELF, s, RIGHT_ALL));
    }
    go = 0;
    wait_stopped(t);
    CHECK_EQUAL(last_status, 0);
}
TEST("smp.pausing-and-binding-under-calls-from-other-cores")
{
    fixture();
    uint32_t t[4], spaces[2] = { make_space(), make_space() };
    unsigned n = BOOTINFO->cores < 4 ? BOOTINFO->cores : 4;
    go = 1, counter = rounds = 0, last_status = 0;
    for (unsigned i = 0; i < n; i++)
        t[i] = make_thread(SPACE_SELF, calling, fx.gate, i, PRIORITY - 1);
    uint32_t pools[2] = { make_pool(fx.service, spaces[0], echo_entry, 1),
                          make_pool(fx.service, spaces[1], echo_entry, 2) };
    for (unsigned i = 0; i < 24; i++) {
        MUST(pith_service_pause(fx.service));
        MUST(pith_service_bind(fx.service, pools[i & 1]));
        MUST(pith_service_open(fx.service));
        uint64_t before = counter;
        EVENTUALLY(counter != before);
        if (i % 8 == 7) {
            MUST(pith_service_dead(fx.service));
            before = rounds;
            EVENTUALLY(rounds != before);
        }
    }
    go = 0;
    for (unsigned i = 0; i < n; i++)
        wait_stopped(t[i]);
    CHECK_EQUAL(last_status, 0);
}
TEST("smp.killing-and-rebuilding-a-server-under-calls")
{
    uint32_t space = make_space(), service, t[4];
    struct server s = make_server(space, 5, echo_entry, 1, 1000);
    unsigned n = BOOTINFO->cores < 4 ? BOOTINFO->cores : 4;
    service = s.service;
    go = 1, counter = rounds = 0, last_status = 0;
    for (unsigned i = 0; i < n; i++)
        t[i] = make_thread(SPACE_SELF, calling, s.gate, i, PRIORITY - 1);
    for (unsigned i = 0; i < 6; i++) {
        uint64_t before = counter;
        EVENTUALLY(counter != before);
        uint32_t next = make_space();
        uint32_t pool = make_pool(service, next, echo_entry, 1);
        MUST(pith_space_kill(space));
        MUST(pith_service_bind(service, pool));
        MUST(pith_service_open(service));
        space = next;
    }
    go = 0;
    for (unsigned i = 0; i < n; i++)
        wait_stopped(t[i]);
    CHECK_EQUAL(last_status, 0);
}
static void writing(uint64_t va)
{
    while (go) {
        *(volatile uint64_t *)va = 0x5555555555555555;
        counter++;
    }
    pith_thread_exit();
}
TEST("smp.unmapping-in-use-by-another-core")
{
    need_cores();
    uint32_t s = make_space();
    uint64_t p = page(), va = area(4096);
    go = 1, counter = 0;
    MUST(pith_space_map(s, va, BOOT_REGION, p, 1 | MAP_READ | MAP_WRITE));
    uint32_t t = make_thread(s, writing, va, LAST_CORE, PRIORITY);
    EVENTUALLY(counter > 100);
    MUST(pith_page_unmap(BOOT_REGION, p));
    MUST(pith_quiesce(pith_quiesce(0).value));
    wait_stopped(t); /* it faulted */
    CHECK(MUST(pith_space_fault(s, (uint64_t)&(struct pith_fault){ 0 })) == 1);
}
TEST("smp.no-core-writes-to-a-page-once-it-is-an-object")
{
    need_cores();
    for (unsigned i = 0; i < 10; i++) {
        uint32_t s = make_space(), n = slot();
        uint64_t p = page(), va = area(4096);
        go = 1, counter = 0;
        MUST(pith_space_map(s, va, BOOT_REGION, p, 1 | MAP_READ | MAP_WRITE));
        uint32_t t = make_thread(s, writing, va, 1 + i % (BOOTINFO->cores - 1), PRIORITY);
        EVENTUALLY(counter > 100);
        MUST(pith_page_take(BOOT_REGION, p));
        MUST(pith_notification_create(BOOT_REGION, WHERE(p, 0), n));
        EXPECT(pith_notify_wait(n, 0), -E_TIME); /* no bit of 0x55... */
        EXPECT(pith_notify_raise(n, 1), 0);
        wait_stopped(t);
    }
}
/* The core that reuses a page must not have the old mapping cached itself. */
static volatile uint64_t stage, helper_status;
static void remote_unmap(uint64_t va)
{
    while (stage != 1)
        __asm__ volatile("pause");
    helper_status = (uint64_t)pith_space_unmap(SPACE_SELF, va, 1).status;
    stage = 2;
    pith_thread_exit();
}
TEST("smp.the-reusing-core-drops-its-own-cached-mapping")
{
    need_cores();
    for (unsigned i = 0; i < 10; i++) {
        uint64_t va = area(4096), p = page();
        uint32_t n = slot();
        stage = 0;
        MUST(pith_space_map(SPACE_SELF, va, BOOT_REGION, p, 1 | MAP_READ | MAP_WRITE));
        uint32_t t = make_thread(SPACE_SELF, remote_unmap, va, LAST_CORE, PRIORITY);
        *(volatile uint64_t *)va = 1; /* cached here */
        stage = 1;
        while (stage != 2)
            __asm__ volatile("pause");
        CHECK_EQUAL(helper_status, 0);
        struct pith_result r;
        while ((r = pith_page_take(BOOT_REGION, p)).status == -E_AGAIN)
            ;
        CHECK_EQUAL(r.status, 0);
        while ((r = pith_notification_create(BOOT_REGION, WHERE(p, 0), n)).status == -E_AGAIN)
            ;
        CHECK_EQUAL(r.status, 0);
        uint32_t reader = make_space();
        (void)reader;
        /* A write through a stale entry would be seen in the object. */
        extern void stale_write(uint64_t);
        uint32_t w = make_thread(SPACE_SELF, stale_write, va, 0, PRIORITY + 1);
        EVENTUALLY(state_of(w) == T_STOPPED);
        EXPECT(pith_notify_raise(n, 4), 0);
        CHECK_EQUAL(MUST(pith_notify_wait(n, 0)), 4);
        wait_stopped(t);
    }
}
void stale_write(uint64_t va);
void stale_write(uint64_t va)
{
    for (unsigned i = 0; i < 512; i++)
        ((volatile uint64_t *)va)[i] = 0x77;
    pith_thread_exit();
}
TEST("smp.protecting-in-use-by-another-core")
{
    need_cores();
    uint32_t s = make_space();
    uint64_t p = page(), va = area(4096);
    go = 1, counter = 0;
    MUST(pith_space_map(s, va, BOOT_REGION, p, 1 | MAP_READ | MAP_WRITE));
    uint32_t t = make_thread(s, writing, va, LAST_CORE, PRIORITY);
    EVENTUALLY(counter > 100);
    MUST(pith_space_protect(s, va, 1 | MAP_READ));
    MUST(pith_quiesce(pith_quiesce(0).value));
    wait_stopped(t);
}
TEST("smp.a-large-mapping-is-gone-everywhere-before-a-page-of-it-is-reused")
{
    need_cores();
    uint32_t s = make_space(), n = slot();
    uint64_t p = pages_aligned(512, 512), va = 0x2000000000ull;
    MUST(pith_page_large(BOOT_REGION, p));
    go = 1, counter = 0;
    MUST(pith_space_map(s, va, BOOT_REGION, p, 1 | MAP_READ | MAP_WRITE | MAP_2M));
    uint32_t t = make_thread(s, writing, va + 77 * 4096, LAST_CORE, PRIORITY);
    EVENTUALLY(counter > 100);
    MUST(pith_page_take(BOOT_REGION, p + 77));
    CHECK_EQUAL(pith_notification_create(BOOT_REGION, WHERE(p + 77, 0), n).status, -E_AGAIN);
    MUST(pith_notification_create(BOOT_REGION, WHERE(p + 77, 0), n));
    EXPECT(pith_notify_wait(n, 0), -E_TIME);
    wait_stopped(t);
}
TEST("smp.killing-a-space-stops-its-threads-everywhere")
{
    uint32_t s = make_space(), t[4];
    unsigned n = BOOTINFO->cores < 4 ? BOOTINFO->cores : 4;
    go = 1, counter = 0;
    for (unsigned i = 0; i < n; i++)
        t[i] = make_thread(s, loop, 0, i, PRIORITY - 1);
    EVENTUALLY(counter > 1000);
    MUST(pith_space_kill(s));
    for (unsigned i = 0; i < n; i++)
        wait_stopped(t[i]);
}
TEST("smp.scheduling-changes-on-another-core")
{
    need_cores();
    go = 1;
    uint32_t t = make_thread(SPACE_SELF, loop, 0, LAST_CORE, PRIORITY);
    MUST(pith_thread_schedule(t, BOOT_TIME, 5));
    EVENTUALLY(info_of(t).priority == 5);
    go = 0;
    wait_stopped(t);
}
static void burst(uint64_t n)
{
    pith_notify_wait((uint32_t)n, DEADLINE_NEVER);
    __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
    pith_thread_exit();
}
TEST("smp.many-wakes-for-one-core-at-once")
{
    uint32_t n[50], t[50];
    counter = 0;
    for (unsigned i = 0; i < 50; i++) {
        n[i] = make_notification();
        t[i] = make_thread(SPACE_SELF, burst, n[i], LAST_CORE, PRIORITY - 1);
    }
    for (unsigned i = 0; i < 50; i++)
        EVENTUALLY(state_of(t[i]) == T_WAITING);
    for (unsigned i = 0; i < 50; i++)
        MUST(pith_notify_raise(n[i], 1));
    EVENTUALLY(counter == 50);
}
TEST("smp.a-thread-exits-while-many-requests-are-queued")
{
    need_cores();
    uint32_t t[40];
    for (unsigned i = 0; i < 40; i++)
        t[i] = make_thread(SPACE_SELF, nothing, i, LAST_CORE, PRIORITY - 1);
    for (unsigned i = 0; i < 40; i++)
        MUST(pith_thread_interrupt(t[i]));
    for (unsigned i = 0; i < 40; i++)
        wait_stopped(t[i]);
}
TEST("smp.every-step-of-a-spaces-end-keeps-the-invariants")
{
    uint32_t space = slot();
    uint64_t at = pages(2), caps = page();
    MUST(pith_space_create(BOOT_REGION, at, space));
    MUST(pith_cap_page(space, BOOT_REGION, caps, 3));
    give_tables(space, 6);
    for (unsigned i = 0; i < 2; i++)
        map(space, 0x10000000 + i * (1ull << 40), 1);
    int64_t status;
    do { /* other cores make it answer E_AGAIN between the steps */
        status = pith_page_take(BOOT_REGION, at).status;
        EXPECT(pith_kernel_check(BOOT_CONTROL), 0);
    } while (status == -E_AGAIN);
    CHECK_EQUAL(status, 0);
}
