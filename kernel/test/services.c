/* SPDX-License-Identifier: MIT */
/* Services, pools, gates, calls, levels, queueing, helping, limits, capability passing,
 * granted copies. */
#include "test.h"

static volatile int64_t status_of[4];
static volatile uint64_t reply_of[4], done_count;

/* A thread's argument: gate | index << 32. */
static void calling(uint64_t x)
{
    uint64_t reply = 0, i = x >> 32;
    status_of[i] = call((uint32_t)x, 100, 0, 0, &reply);
    reply_of[i] = reply;
    __atomic_fetch_add(&done_count, 1, __ATOMIC_SEQ_CST);
    pith_thread_exit();
}
static uint32_t caller(uint32_t gate, uint64_t index, unsigned core, unsigned priority)
{
    status_of[index] = 99;
    return make_thread(SPACE_SELF, calling, gate | index << 32, core, priority);
}

TEST("calls.carry-the-badge-and-words")
{
    uint64_t reply = 0;
    struct server s = make_server(make_space(), 3, echo_entry, 1, 500);
    CHECK_EQUAL(call(s.gate, 1, 20, 300, &reply), 0);
    CHECK_EQUAL(reply, 821);
}
void six_entry(void);
__asm__(".text\n.globl six_entry\nsix_entry:\n"
        "inc %rdi\nadd $2, %rsi\nadd $3, %rdx\nadd $4, %r10\nadd $5, %r8\nadd $6, %r9\n"
        "mov $0x80000000, %eax\nsyscall\nud2\n");
TEST("calls.carry-six-words-each-way")
{
    struct server s = make_server(make_space(), 3, six_entry, 1, 0);
    struct words w = { { 10, 20, 30, 40, 50, 60 } };
    CHECK_EQUAL(guest_call6(s.gate, &w), 0);
    for (unsigned i = 0; i < 6; i++)
        CHECK_EQUAL(w.w[i], 10 * (i + 1) + i + 1);
}
void flags_entry(void);
__asm__(".text\n.globl flags_entry\nflags_entry:\n"
        "pushf\npop %rdi\nmov %rbx, %rsi\nmov %rbp, %rdx\n"
        "mov $0x80000000, %eax\nsyscall\nud2\n");
TEST("calls.start-the-server-with-clean-flags-and-registers")
{
    struct server s = make_server(make_space(), 3, flags_entry, 1, 0);
    struct words w = { { 0 } };
    __asm__ volatile("std" ::: "cc");
    __asm__ volatile("cld" ::: "cc");
    CHECK_EQUAL(guest_call6(s.gate, &w), 0);
    CHECK_EQUAL(w.w[0] & 0xcd5, w.w[0] & 0xd5 & 0x44); /* at most what instructions set */
    CHECK_EQUAL(w.w[1], 0);
    CHECK_EQUAL(w.w[2], 0);
}
TEST("calls.ten-thousand")
{
    uint64_t reply = 0;
    struct server s = make_server(make_space(), 3, echo_entry, 1, 0);
    for (unsigned i = 0; i < 10000; i++) {
        CHECK_EQUAL(call(s.gate, i, 0, 0, &reply), 0);
        CHECK_EQUAL(reply, i);
    }
}
TEST("calls.nest")
{
    uint64_t reply = 0;
    uint32_t space = make_space();
    struct server inner = make_server(make_space(), 3, echo_entry, 1, 7);
    struct server outer = make_server(space, 9, forward_entry, 1, 0);
    give(space, inner.gate);
    CHECK_EQUAL(call(outer.gate, inner.gate, 30, 4, &reply), 0);
    CHECK_EQUAL(server_value, 0);
    CHECK_EQUAL(reply, 41);
}
TEST("calls.nest-through-all-32-levels")
{
    uint64_t reply = 0;
    uint32_t space = make_space(), gates[32];
    for (unsigned level = 0; level < 32; level++) {
        struct server s = make_server(space, level, level ? forward_entry : echo_entry, 1, 0);
        gates[level] = s.gate;
        give(space, s.gate);
    }
    CHECK_EQUAL(call(gates[1], gates[0], 5, 6, &reply), 0);
    CHECK_EQUAL(reply, 11);
    CHECK_EQUAL(call(gates[31], gates[30], gates[29], 0, &reply), 0);
}
#define CALL(gate) ({ uint64_t call_reply = 0;                                               \
                      (struct pith_result){ call(gate, 1, 2, 3, &call_reply), call_reply }; })
ANSWER("calls.answer-e-cap-for-an-empty-slot", CALL(fx.empty), -E_CAP)
ANSWER("calls.answer-e-cap-for-slot-0", CALL(0), -E_CAP)
ANSWER("calls.answer-e-cap-for-another-type", CALL(fx.notification), -E_CAP)
ANSWER("calls.answer-e-cap-without-a-slot-page", CALL(60000), -E_CAP)
TEST("calls.answer-e-order-at-the-same-level-and-above")
{
    uint64_t reply = 0;
    uint32_t space = make_space();
    struct server same = make_server(make_space(), 9, echo_entry, 1, 7);
    struct server above = make_server(make_space(), 10, echo_entry, 1, 7);
    struct server s = make_server(space, 9, forward_entry, 1, 0);
    give(space, same.gate);
    give(space, above.gate);
    CHECK_EQUAL(call(s.gate, same.gate, 0, 0, &reply), 0);
    CHECK_EQUAL((int64_t)server_value, -E_ORDER);
    CHECK_EQUAL(call(s.gate, above.gate, 0, 0, &reply), 0);
    CHECK_EQUAL((int64_t)server_value, -E_ORDER);
    CHECK_EQUAL(call(s.gate, s.gate, 0, 0, &reply), 0);
    CHECK_EQUAL((int64_t)server_value, -E_CAP);
}
TEST("calls.answer-e-limit-without-stacks-on-the-core")
{
    uint32_t space = make_space(), service = slot(), pool = slot();
    uint64_t a = page(), b = page();
    MUST(pith_service_create(BOOT_REGION, a, service, 3, 0));
    MUST(pith_pool_create(service, BOOT_REGION, b, pool, space, (uint64_t)echo_entry));
    MUST(pith_service_bind(service, pool));
    MUST(pith_service_open(service));
    uint32_t g = make_gate(service, 1, 0);
    EXPECT(CALL(g), -E_LIMIT);
}
TEST("calls.a-plain-return-at-depth-0-answers-e-depth")
{
    CHECK_EQUAL(raw_op(0, 0, 0, 0, 0, 0, 0).status, -E_DEPTH);
}
TEST("calls.leave-an-unwound-client-zeroed-registers")
{
    fixture();
    struct words w = { { 1, 2, 3, 4, 5, 6 } };
    CHECK_EQUAL(guest_call6(fx.empty, &w), -E_CAP);
    for (unsigned i = 0; i < 6; i++)
        CHECK_EQUAL(w.w[i], 0);
}

/* ---- queueing and helping ----------------------------------------------------------------- */

TEST("queue.a-paused-service-holds-calls-until-it-opens")
{
    fixture();
    MUST(pith_service_pause(fx.service));
    uint32_t t = caller(fx.gate, 0, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(t), T_QUEUED);
    MUST(pith_service_open(fx.service));
    wait_stopped(t);
    CHECK_EQUAL(status_of[0], 0);
    CHECK_EQUAL(reply_of[0], 1100);
}
TEST("queue.callers-of-every-core-are-woken")
{
    fixture();
    uint32_t t[4];
    unsigned n = BOOTINFO->cores < 4 ? BOOTINFO->cores : 4;
    MUST(pith_service_pause(fx.service));
    for (unsigned i = 0; i < n; i++)
        t[i] = caller(fx.gate, i, i, PRIORITY + 1);
    for (unsigned i = 0; i < n; i++)
        EVENTUALLY(state_of(t[i]) == T_QUEUED);
    MUST(pith_service_open(fx.service));
    for (unsigned i = 0; i < n; i++) {
        wait_stopped(t[i]);
        CHECK_EQUAL(status_of[i], 0);
    }
}
TEST("queue.forty-callers-are-woken")
{
    fixture();
    MUST(pith_service_pause(fx.service));
    done_count = 0;
    for (unsigned i = 0; i < 40; i++)
        caller(fx.gate, 0, 0, PRIORITY + 1);
    CHECK_EQUAL(pith_service_open(fx.service).status, -E_AGAIN); /* 32 a step */
    MUST(pith_service_open(fx.service));
    EVENTUALLY(done_count == 40);
}
TEST("queue.a-queued-caller-can-be-stopped-and-calls-again")
{
    fixture();
    MUST(pith_service_pause(fx.service));
    uint32_t t = caller(fx.gate, 0, 0, PRIORITY + 1);
    MUST(pith_thread_stop(t));
    CHECK_EQUAL(state_of(t), T_STOPPED);
    MUST(pith_service_open(fx.service));
    MUST(pith_thread_resume(t));
    wait_stopped(t);
    CHECK_EQUAL(reply_of[0], 1100);
}
TEST("queue.a-caller-helps-the-holder-of-the-only-stack")
{
    /* The low holder is interrupted inside; a high caller lends it its priority, past a
     * spinner in between. */
    struct server s = make_server(make_space(), 3, spin_entry, 1, 0);
    spin_flag = 1, spin_count = 0;
    uint32_t low = caller(s.gate, 0, 0, PRIORITY - 3);
    EVENTUALLY(spin_count == 1);
    uint32_t high = caller(s.gate, 1, 0, PRIORITY - 1);
    uint64_t before = info_of(low).run_ns;
    EVENTUALLY(info_of(low).run_ns > before); /* it runs though high is ready */
    CHECK_EQUAL(state_of(high), T_READY);
    spin_flag = 0;
    wait_stopped(high);
    wait_stopped(low);
    CHECK_EQUAL(status_of[0], 0);
    CHECK_EQUAL(status_of[1], 0);
}
TEST("queue.a-caller-queues-while-every-holder-waits")
{
    uint32_t space = make_space(), n = make_notification();
    struct server s = make_server(space, 3, wait_entry, 1, 0);
    give(space, n);
    void waiting_call(uint64_t);
    uint32_t a = make_thread(SPACE_SELF, waiting_call, (uint64_t)n << 32 | s.gate, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(a), T_WAITING);
    uint32_t b = make_thread(SPACE_SELF, waiting_call, (uint64_t)n << 32 | s.gate, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(b), T_QUEUED);
    MUST(pith_notify_raise(n, 1));
    wait_stopped(a);
    EVENTUALLY(state_of(b) == T_WAITING);
    MUST(pith_notify_raise(n, 1));
    wait_stopped(b);
}
void waiting_call(uint64_t x);
void waiting_call(uint64_t x)
{
    uint64_t reply = 0;
    status_of[0] = call((uint32_t)x, x >> 32, DEADLINE_NEVER, 0, &reply);
    reply_of[0] = reply;
    pith_thread_exit();
}

/* ---- pause, bind, open, dead, restart -------------------------------------------------------- */

TEST("services.bind-a-new-incarnation")
{
    uint64_t reply;
    uint32_t old = make_space(), next = make_space();
    struct server s = make_server(old, 3, echo_entry, 1, 5);
    CHECK_EQUAL(MUST(pith_service_info(s.service)), 1 << 8 | 1);
    uint32_t pool = make_pool(s.service, next, echo_entry, 1);
    EXPECT(pith_service_bind(s.service, pool), -E_STATE); /* open */
    MUST(pith_service_pause(s.service));
    CHECK_EQUAL(MUST(pith_service_info(s.service)), 1 << 8 | 0);
    CHECK_EQUAL(MUST(pith_service_bind(s.service, pool)), 2);
    MUST(pith_service_open(s.service));
    MUST(pith_space_kill(old));
    CHECK_EQUAL(call(s.gate, 1, 2, 3, &reply), 0);
    CHECK_EQUAL(reply, 11);
}
TEST("services.a-dead-service-answers-e-restart-with-the-incarnation")
{
    fixture();
    struct words w = { { 0 } };
    MUST(pith_service_dead(fx.service));
    CHECK_EQUAL(MUST(pith_service_info(fx.service)), 1 << 8 | 2);
    CHECK_EQUAL(guest_call6(fx.gate, &w), -E_RESTART);
    CHECK_EQUAL(w.w[2], 1);
    EXPECT(pith_service_open(fx.service), -E_STATE); /* until it is bound again */
    MUST(pith_service_pause(fx.service));
    EXPECT(CALL(fx.gate), -E_RESTART);
    MUST(pith_service_bind(fx.service, fx.pool));
    MUST(pith_service_open(fx.service));
    EXPECT(CALL(fx.gate), 0);
}
TEST("services.queued-callers-see-the-death")
{
    fixture();
    MUST(pith_service_pause(fx.service));
    uint32_t t = caller(fx.gate, 0, 0, PRIORITY + 1);
    MUST(pith_service_dead(fx.service));
    wait_stopped(t);
    CHECK_EQUAL(status_of[0], -E_RESTART);
}
TEST("services.a-kill-sends-callers-back-with-e-restart")
{
    uint32_t space = make_space();
    struct server s = make_server(space, 3, spin_entry, 1, 0);
    spin_flag = 1, spin_count = 0;
    uint32_t t = caller(s.gate, 0, 0, PRIORITY - 1);
    EVENTUALLY(spin_count);
    MUST(pith_space_kill(space));
    wait_stopped(t);
    CHECK_EQUAL(status_of[0], -E_RESTART);
    CHECK_EQUAL(MUST(pith_service_info(s.service)), 1 << 8 | 0);
}
TEST("services.a-kill-on-another-core-sends-callers-back")
{
    uint32_t space = make_space();
    struct server s = make_server(space, 3, spin_entry, 1, 0);
    spin_flag = 1, spin_count = 0;
    uint32_t t = caller(s.gate, 0, LAST_CORE, PRIORITY - 1);
    EVENTUALLY(spin_count);
    MUST(pith_space_kill(space));
    wait_stopped(t);
    CHECK_EQUAL(status_of[0], -E_RESTART);
}
TEST("services.a-kill-in-the-middle-of-a-chain-returns-past-the-dead-frame")
{
    uint32_t middle = make_space();
    struct server inner = make_server(make_space(), 2, spin_entry, 1, 0);
    struct server outer = make_server(middle, 5, forward_entry, 1, 0);
    give(middle, inner.gate);
    spin_flag = 1, spin_count = 0;
    void chain_call(uint64_t);
    uint32_t t = make_thread(SPACE_SELF, chain_call, outer.gate | (uint64_t)inner.gate << 32, 0,
                             PRIORITY - 1);
    EVENTUALLY(spin_count);
    CHECK_EQUAL(info_of(t).depth, 2);
    MUST(pith_space_kill(middle));
    CHECK_EQUAL(info_of(t).depth, 2); /* the inner server finishes */
    spin_flag = 0;
    wait_stopped(t);
    CHECK_EQUAL(status_of[0], -E_RESTART);
}
void chain_call(uint64_t x);
void chain_call(uint64_t x)
{
    uint64_t reply = 0;
    status_of[0] = call((uint32_t)x, x >> 32, 0, 0, &reply);
    pith_thread_exit();
}
TEST("services.taking-the-stacks-of-a-dead-space-frees-waiting-callers")
{
    uint32_t space = make_space(), n = make_notification();
    struct server s = make_server(space, 3, wait_entry, 1, 0);
    give(space, n);
    void waiting_call(uint64_t);
    uint32_t t = make_thread(SPACE_SELF, waiting_call, (uint64_t)n << 32 | s.gate, LAST_CORE,
                             PRIORITY + 1);
    EVENTUALLY(state_of(t) == T_WAITING);
    MUST(pith_space_kill(space));
    for (uint64_t p = s.pool_page; p < s.pool_page + 20; p++)
        if ((pith_page_info(BOOT_REGION, p).value & 0xff) == P_STACKS)
            MUST(pith_page_take(BOOT_REGION, p));
    wait_stopped(t);
    CHECK_EQUAL(status_of[0], -E_RESTART);
}
TEST("services.taking-a-space-kills-it-with-its-services")
{
    uint32_t space = make_bare_space();
    uint64_t at = last_page();
    give_tables(space, 12);
    struct server s = make_server(space, 3, echo_entry, 1, 0);
    EXPECT(pith_page_take(BOOT_REGION, at), -E_BUSY);
    CHECK_EQUAL(MUST(pith_service_info(s.service)) & 0xff, 0); /* no call enters it */
}
TEST("services.a-client-that-dies-inside-a-server-leaves-after-the-return")
{
    uint32_t client = make_space();
    struct server s = make_server(make_space(), 3, spin_entry, 1, 0);
    give(client, s.gate);
    spin_flag = 1, spin_count = 0;
    uint32_t t = make_thread(client, calling, s.gate, 0, PRIORITY - 1);
    EVENTUALLY(spin_count);
    MUST(pith_space_kill(client));
    CHECK_EQUAL(info_of(t).depth, 1);
    spin_flag = 0;
    wait_stopped(t);
    EXPECT(CALL(s.gate), 0); /* the stack is back */
}
TEST("services.stop-waits-for-depth-0")
{
    struct server s = make_server(make_space(), 3, spin_entry, 1, 0);
    spin_flag = 1, spin_count = 0;
    uint32_t t = caller(s.gate, 0, 0, PRIORITY - 1);
    EVENTUALLY(spin_count);
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQUAL(pith_thread_stop(t).status, -E_AGAIN);
        nap();
    }
    spin_flag = 0;
    MUST(pith_thread_stop(t));
    CHECK_EQUAL(info_of(t).depth, 0);
}

/* ---- limits and unwinding -------------------------------------------------------------------- */

TEST("limits.the-owner-hears-of-a-passed-limit")
{
    uint32_t space = make_space(), n = make_notification(), service = slot();
    uint64_t at = page();
    MUST(pith_service_create(BOOT_REGION, at, service, 3, 1000000));
    uint32_t pool = make_pool(service, space, spin_entry, 1);
    MUST(pith_service_bind(service, pool));
    MUST(pith_service_open(service));
    MUST(pith_service_owner(service, n, 1ull << 35));
    uint32_t g = make_gate(service, 0, 0);
    spin_flag = 1;
    uint32_t t = caller(g, 0, 0, PRIORITY - 1);
    CHECK_EQUAL(MUST(pith_notify_wait(n, DEADLINE_NEVER)), 1 << 3);
    spin_flag = 0;
    wait_stopped(t);
}
TEST("unwind.ends-an-activation-by-force")
{
    struct server s = make_server(make_space(), 3, spin_entry, 1, 0);
    uint32_t n = make_notification();
    MUST(pith_service_owner(s.service, n, 1ull << 33));
    spin_flag = 1, spin_count = 0;
    uint32_t t = caller(s.gate, 0, 0, PRIORITY - 1);
    EVENTUALLY(spin_count);
    MUST(pith_thread_unwind(t, s.service));
    wait_stopped(t);
    CHECK_EQUAL(status_of[0], -E_UNWOUND);
    CHECK_EQUAL(MUST(pith_notify_wait(n, 0)), 2);
    CHECK_EQUAL(MUST(pith_gate_drained(s.gate, 0)), 0);
    /* The stack is quarantined: it was the only one, so callers queue. */
    uint32_t u = caller(s.gate, 1, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(u), T_QUEUED);
}
TEST("unwind.reaches-a-waiting-activation")
{
    uint32_t space = make_space(), n = make_notification();
    struct server s = make_server(space, 3, wait_entry, 1, 0);
    give(space, n);
    void waiting_call(uint64_t);
    uint32_t t = make_thread(SPACE_SELF, waiting_call, (uint64_t)n << 32 | s.gate, LAST_CORE,
                             PRIORITY + 1);
    EVENTUALLY(state_of(t) == T_WAITING);
    MUST(pith_thread_unwind(t, s.service));
    wait_stopped(t);
    CHECK_EQUAL(status_of[0], -E_UNWOUND);
}
static void spinning(uint64_t unused)
{
    (void)unused;
    while (spin_flag)
        spin_count++;
    pith_thread_exit();
}
TEST("unwind.of-a-thread-that-is-not-inside-is-fine")
{
    fixture();
    spin_flag = 1;
    EXPECT(pith_thread_unwind(fx.thread, fx.service), 0);
    uint32_t t = make_thread(SPACE_SELF, spinning, 0, LAST_CORE, PRIORITY - 1);
    EXPECT(pith_thread_unwind(t, fx.service), 0);
    spin_flag = 0;
    wait_stopped(t);
}
ANSWER("unwind.answers-e-cap", pith_thread_unwind(fx.gate, fx.service), -E_CAP)
ANSWER("unwind.answers-e-cap-for-the-service", pith_thread_unwind(fx.thread, fx.gate), -E_CAP)
ANSWER(
    "unwind.answers-e-right", pith_thread_unwind(weak(fx.thread, RIGHT_USE), fx.service), -E_RIGHT)
ANSWER("unwind.of-itself-answers-e-state", pith_thread_unwind(BOOT_THREAD, fx.service), -E_STATE)

/* ---- answers of services, pools and gates ---------------------------------------------------- */

#define SERVICE(region, index, at, level) pith_service_create(region, index, at, level, 0)
ANSWER("services.create-answers-e-cap", SERVICE(fx.gate, 0, fx.empty, 1), -E_CAP)
ANSWER("services.create-answers-e-right", SERVICE(weak(fx.region, RIGHT_GRANT), 0, fx.empty, 1),
    -E_RIGHT)
ANSWER(
    "services.create-answers-e-owner", SERVICE(BOOT_REGION, fx.thread_page, fx.empty, 1), -E_OWNER)
ANSWER("services.create-answers-e-busy", SERVICE(fx.region, 0, fx.gate, 1), -E_BUSY)
ANSWER("services.create-answers-e-range", SERVICE(fx.region, 0, fx.empty, 32), -E_RANGE)
ANSWER("services.owner-answers-e-cap", pith_service_owner(fx.gate, fx.notification, 1), -E_CAP)
ANSWER("services.owner-answers-e-cap-for-the-notification",
       pith_service_owner(fx.service, fx.gate, 1), -E_CAP)
ANSWER("services.owner-answers-e-right",
       pith_service_owner(weak(fx.service, RIGHT_USE), fx.notification, 1), -E_RIGHT)
ANSWER("services.owner-answers-e-right-for-the-notification",
       pith_service_owner(fx.service, weak(fx.notification, RIGHT_WAIT), 1), -E_RIGHT)
#define POOL(service, region, index, at, space, entry)                                       \
    pith_pool_create(service, region, index, at, space, entry)
ANSWER("pools.create-answers-e-cap", POOL(fx.gate, fx.region, 0, fx.empty, fx.space, 0), -E_CAP)
ANSWER("pools.create-answers-e-cap-for-the-space",
    POOL(fx.service, fx.region, 0, fx.empty, fx.gate, 0), -E_CAP)
ANSWER("pools.create-answers-e-right",
       POOL(weak(fx.service, RIGHT_USE), fx.region, 0, fx.empty, fx.space, 0), -E_RIGHT)
ANSWER("pools.create-answers-e-right-for-the-space",
       POOL(fx.service, fx.region, 0, fx.empty, weak(fx.space, RIGHT_USE), 0), -E_RIGHT)
ANSWER("pools.create-answers-e-owner",
    POOL(fx.service, BOOT_REGION, fx.thread_page, fx.empty, fx.space, 0), -E_OWNER)
ANSWER("pools.create-answers-e-busy", POOL(fx.service, fx.region, 0, fx.gate, fx.space, 0), -E_BUSY)
ANSWER("pools.create-answers-e-arg", POOL(fx.service, fx.region, 0, fx.empty, fx.space, 1ull << 47),
    -E_ARG)
TEST("pools.create-answers-e-state-for-the-33rd-of-a-space")
{
    uint32_t space = make_bare_space(), service = slot();
    uint64_t at = page(), first = pages(33);
    MUST(pith_service_create(BOOT_REGION, at, service, 3, 0));
    for (unsigned i = 0; i < 32; i++)
        MUST(POOL(service, BOOT_REGION, first + i, slot(), space, 0));
    EXPECT(POOL(service, BOOT_REGION, first + 32, slot(), space, 0), -E_STATE);
}
TEST("pools.stacks-answer-their-errors")
{
    fixture();
    uint64_t one = 1ull << 32 | 4096;
    uint32_t pool = slot();
    MUST(POOL(fx.service, fx.region, 0, pool, fx.space, 0x1000));
#define STACKS(p, r, index, core, top, shape) pith_stacks_add(p, r, index, core, top, shape)
    EXPECT(STACKS(fx.gate, fx.region, 1, 0, 0x10000, one), -E_CAP);
    EXPECT(STACKS(weak(pool, RIGHT_USE), fx.region, 1, 0, 0x10000, one), -E_RIGHT);
    EXPECT(STACKS(pool, fx.region, 0, 0, 0x10000, one), -E_OWNER);
    EXPECT(STACKS(pool, fx.region, 1, BOOTINFO->cores, 0x10000, one), -E_RANGE);
    EXPECT(STACKS(pool, fx.region, 1, 0, 0x10000, 4096), -E_RANGE);
    EXPECT(STACKS(pool, fx.region, 1, 0, 0x10000, 22ull << 32 | 4096), -E_RANGE);
    EXPECT(STACKS(pool, fx.region, 1, 0 | 65535 << 16, 0x10000, one), -E_RANGE);
    EXPECT(STACKS(pool, fx.region, 1, 0, 0x10008, one), -E_ARG);
    EXPECT(STACKS(pool, fx.region, 1, 0, 1ull << 48, one), -E_ARG);
    EXPECT(STACKS(pool, fx.region, 1, 0, 0x10000, 1ull << 32 | 4097), -E_ARG);
    EXPECT(STACKS(pool, fx.region, 1, 0, 0x7ffffffff000, 2ull << 32 | 4096), -E_ARG);
    CHECK_EQUAL(MUST(STACKS(pool, fx.region, 1, 0, 0x10000, 21ull << 32 | 4096)), 21);
    EXPECT(STACKS(pool, fx.region, 2, 0, 0x10000, one), -E_BUSY);
}
TEST("pools.stacks-of-a-bound-pool-stay")
{
    fixture();
    for (uint64_t p = fx.server.pool_page; p < fx.server.pool_page + 20; p++) {
        uint64_t type = pith_page_info(BOOT_REGION, p).value & 0xff;
        if (type == P_STACKS || type == P_POOL)
            EXPECT(pith_page_take(BOOT_REGION, p), -E_BUSY);
    }
    EXPECT(CALL(fx.gate), 0);
}
ANSWER("services.pause-answers-e-cap", pith_service_pause(fx.gate), -E_CAP)
ANSWER("services.pause-answers-e-right", pith_service_pause(weak(fx.service, RIGHT_USE)), -E_RIGHT)
ANSWER("services.bind-answers-e-cap", pith_service_bind(fx.gate, fx.pool), -E_CAP)
ANSWER("services.bind-answers-e-cap-for-the-pool", pith_service_bind(fx.service, fx.gate), -E_CAP)
ANSWER("services.bind-answers-e-right", pith_service_bind(weak(fx.service, RIGHT_USE), fx.pool),
    -E_RIGHT)
ANSWER("services.bind-answers-e-right-for-the-pool",
       pith_service_bind(fx.service, weak(fx.pool, RIGHT_USE)), -E_RIGHT)
TEST("services.bind-answers-e-state-for-a-pool-of-another-service")
{
    fixture();
    struct server other = make_server(fx.space, 4, echo_entry, 1, 0);
    MUST(pith_service_pause(fx.service));
    EXPECT(pith_service_bind(fx.service, other.pool), -E_STATE);
}
TEST("services.bind-and-open-answer-e-state-for-a-dead-space")
{
    fixture();
    MUST(pith_space_kill(fx.space));
    EXPECT(pith_service_bind(fx.service, fx.pool), -E_STATE);
    EXPECT(pith_service_open(fx.service), -E_STATE);
}
TEST("services.open-answers-e-state-when-nothing-is-bound")
{
    uint32_t service = slot();
    uint64_t at = page();
    MUST(pith_service_create(BOOT_REGION, at, service, 3, 0));
    EXPECT(pith_service_open(service), -E_STATE);
}
ANSWER("services.open-answers-e-cap", pith_service_open(fx.gate), -E_CAP)
ANSWER("services.open-answers-e-right", pith_service_open(weak(fx.service, RIGHT_USE)), -E_RIGHT)
ANSWER("services.dead-answers-e-cap", pith_service_dead(fx.gate), -E_CAP)
ANSWER("services.dead-answers-e-right", pith_service_dead(weak(fx.service, RIGHT_USE)), -E_RIGHT)
ANSWER("services.info-answers-e-cap", pith_service_info(fx.gate), -E_CAP)
ANSWER("services.take-with-gates-answers-e-busy",
       pith_page_take(BOOT_REGION, fx.server.service_page), -E_BUSY)
#define GATE(service, region, place, at) pith_gate_create(service, region, place, at, 1)
ANSWER("gates.create-answers-e-cap", GATE(fx.gate, BOOT_REGION, fx.where, fx.empty), -E_CAP)
ANSWER("gates.create-answers-e-right",
    GATE(weak(fx.service, RIGHT_USE), BOOT_REGION, fx.where, fx.empty), -E_RIGHT)
ANSWER("gates.create-answers-e-owner",
       GATE(fx.service, BOOT_REGION, WHERE(fx.thread_page, 0), fx.empty), -E_OWNER)
ANSWER("gates.create-answers-e-busy-for-the-slot", GATE(fx.service, BOOT_REGION, fx.where, fx.gate),
    -E_BUSY)
ANSWER("gates.create-answers-e-busy-for-the-place",
       GATE(fx.service, BOOT_REGION, fx.server.gate_where, fx.empty), -E_BUSY)
ANSWER("gates.create-answers-e-range", GATE(fx.service, BOOT_REGION, fx.where + 128, fx.empty),
    -E_RANGE)
TEST("gates.create-answers-e-owner-on-a-page-of-another-service")
{
    fixture();
    struct server other = make_server(fx.space, 4, echo_entry, 1, 0);
    EXPECT(GATE(fx.service, BOOT_REGION, other.gate_where + 1, fx.empty), -E_OWNER);
}
TEST("gates.fill-a-page")
{
    fixture();
    uint64_t p = page(), reply;
    for (unsigned i = 0; i < 128; i++)
        MUST(pith_gate_create(fx.service, BOOT_REGION, WHERE(p, i), slot(), i));
    CHECK_EQUAL(call(slot() - 1, 0, 0, 0, &reply), 0);
    CHECK_EQUAL(reply, 127);
}
TEST("gates.count-their-capabilities")
{
    fixture();
    CHECK_EQUAL(MUST(pith_gate_info(fx.gate)), 1);
    uint32_t c = weak(fx.gate, RIGHT_ALL);
    give(fx.space, fx.gate);
    CHECK_EQUAL(MUST(pith_gate_info(fx.gate)), 3);
    MUST(pith_cap_delete(SPACE_SELF, c));
    CHECK_EQUAL(MUST(pith_gate_info(fx.gate)), 2);
}
ANSWER("gates.info-answers-e-cap", pith_gate_info(fx.space), -E_CAP)
TEST("calls.need-the-use-right")
{
    struct server s = make_server(make_space(), 3, echo_entry, 1, 0);
    CHECK_EQUAL(call(weak(s.gate, RIGHT_ALL & ~RIGHT_USE), 1, 2, 3, &(uint64_t){ 0 }), -E_RIGHT);
    CHECK_EQUAL(call(weak(s.gate, RIGHT_USE), 1, 2, 3, &(uint64_t){ 0 }), 0);
}
TEST("gates.a-server-recognises-its-own")
{
    fixture();
    uint32_t g = make_gate(fx.service, 4711, 0);
    CHECK_EQUAL(MUST(pith_gate_badge(g, fx.service)), 4711);
    CHECK_EQUAL(MUST(pith_gate_badge(weak(g, 0), fx.service)), 4711);
    struct server other = make_server(SPACE_SELF, 2, echo_entry, 1, 0);
    EXPECT(pith_gate_badge(g, other.service), -E_STATE);
}
ANSWER("gates.badge-answers-e-cap", pith_gate_badge(fx.space, fx.service), -E_CAP)
ANSWER("gates.badge-answers-e-cap-for-the-service", pith_gate_badge(fx.gate, fx.gate), -E_CAP)
ANSWER(
    "gates.badge-answers-e-right", pith_gate_badge(fx.gate, weak(fx.service, RIGHT_USE)), -E_RIGHT)
ANSWER("gates.drained-answers-e-cap", pith_gate_drained(fx.space, 0), -E_CAP)
ANSWER("gates.drained-answers-e-range", pith_gate_drained(fx.gate, 64), -E_RANGE)
TEST("gates.drained-answers-e-busy-while-a-call-is-inside")
{
    struct server s = make_server(make_space(), 3, spin_entry, 1, 0);
    EXPECT(pith_gate_drained(s.gate, 0), 0);
    spin_flag = 1, spin_count = 0;
    uint32_t t = caller(s.gate, 0, LAST_CORE, PRIORITY - 1);
    EVENTUALLY(spin_count);
    EXPECT(pith_gate_drained(s.gate, LAST_CORE), -E_BUSY);
    if (LAST_CORE)
        EXPECT(pith_gate_drained(s.gate, 0), 0);
    uint32_t other = make_gate(s.service, 3, 0);
    EXPECT(pith_gate_drained(other, LAST_CORE), 0);
    spin_flag = 0;
    wait_stopped(t);
    EXPECT(pith_gate_drained(s.gate, LAST_CORE), 0);
}
TEST("closed.the-last-close-is-told")
{
    fixture();
    uint32_t n = make_notification(), c;
    MUST(pith_service_owner(fx.service, n, 1 << 6));
    EXPECT(pith_service_closed(fx.service), -E_STATE);
    c = weak(fx.gate, RIGHT_ALL);
    MUST(pith_cap_delete(SPACE_SELF, c));
    CHECK_EQUAL(MUST(pith_notify_wait(n, 0)), 1 << 6);
    CHECK_EQUAL(MUST(pith_service_closed(fx.service)), 1000);
    EXPECT(pith_service_closed(fx.service), -E_STATE);
}
TEST("closed.answers-e-again-when-the-gate-has-new-capabilities")
{
    fixture();
    uint32_t c = weak(fx.gate, RIGHT_ALL);
    MUST(pith_cap_delete(SPACE_SELF, c));
    MUST(pith_cap_copy(fx.gate, SPACE_SELF, slot(), RIGHT_ALL));
    CHECK_EQUAL(pith_service_closed(fx.service).status, -E_AGAIN);
    CHECK_EQUAL(pith_service_closed(fx.service).status, -E_STATE);
}
TEST("closed.every-gate-of-a-page-is-told-once")
{
    fixture();
    uint64_t p = page(), sum = 0;
    uint32_t c = slot();
    for (unsigned i = 0; i < 128; i++) {
        uint32_t g = slot();
        MUST(pith_gate_create(fx.service, BOOT_REGION, WHERE(p, i), g, i));
        MUST(pith_cap_copy(g, SPACE_SELF, c, RIGHT_ALL));
        MUST(pith_cap_delete(SPACE_SELF, c));
    }
    for (unsigned i = 0; i < 128; i++)
        sum += MUST(pith_service_closed(fx.service));
    CHECK_EQUAL(sum, 127 * 64);
    EXPECT(pith_service_closed(fx.service), -E_STATE);
}
TEST("closed.a-close-during-the-reading-of-a-pair-is-not-lost")
{
    fixture();
    uint64_t p = page(), seen = 0;
    uint32_t g[8], c = slot();
    for (unsigned i = 0; i < 8; i++) {
        g[i] = slot();
        MUST(pith_gate_create(fx.service, BOOT_REGION, WHERE(p, i), g[i], 1ull << i));
    }
#define CLOSE(i)                                                                                   \
    ({                                                                                             \
        MUST(pith_cap_copy(g[i], SPACE_SELF, c, RIGHT_ALL));                                       \
        MUST(pith_cap_delete(SPACE_SELF, c));                                                      \
    })
    CLOSE(4);
    CLOSE(5);
    seen |= MUST(pith_service_closed(fx.service)); /* one of the pair */
    CLOSE(0);                                      /* an earlier one meanwhile */
    for (unsigned i = 0; i < 4; i++) {
        struct pith_result r = pith_service_closed(fx.service);
        if (!r.status)
            seen |= r.value;
    }
    CHECK_EQUAL(seen & 0x31, 0x31); /* others without clients may come along */
}
TEST("closed.a-killed-clients-capabilities-count")
{
    fixture();
    uint32_t client = make_bare_space(), n = make_notification();
    uint64_t caps = page();
    MUST(pith_service_owner(fx.service, n, 1));
    MUST(pith_cap_page(client, BOOT_REGION, caps, 0));
    give(client, fx.gate);
    MUST(pith_page_take(BOOT_REGION, caps));
    CHECK_EQUAL(MUST(pith_notify_wait(n, 0)), 1);
    CHECK_EQUAL(MUST(pith_service_closed(fx.service)), 1000);
}
ANSWER("closed.answers-e-cap", pith_service_closed(fx.gate), -E_CAP)
ANSWER("closed.answers-e-right", pith_service_closed(weak(fx.service, RIGHT_USE)), -E_RIGHT)

/* ---- capabilities along with calls ----------------------------------------------------------- */

static struct pith_transfer transfer;
static volatile uint64_t came;

/* Says where capabilities shall arrive (a call before), or looks at what came. */
uint64_t receiver(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge);
GUEST_ENTRY(receiver);
uint64_t receiver(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge)
{
    (void)c, (void)d, (void)badge;
    if (a == 1)
        return (uint64_t)pith_receive(100, b).status;
    if (a == 3)
        return (uint64_t)pith_cap_delete(SPACE_SELF, b).status;
    came = pith_cap_identify(100).value;
    return (uint64_t)pith_cap_identify(100).status;
}
#define TRANSFER(...)                                                                        \
    ({                                                                                       \
        transfer = (struct pith_transfer){ __VA_ARGS__ };                                    \
        call_x((uint64_t)&transfer);                                                    \
    })
static struct server receiving(void)
{
    uint64_t reply;
    struct server s = make_server(make_space(), 3, receiver_entry, 1, 0);
    fixture();
    CHECK_EQUAL(call(s.gate, 1, 2, 0, &reply), 0);
    CHECK_EQUAL(reply, 0);
    return s;
}
TEST("passing.a-capability-arrives")
{
    struct server s = receiving();
    EXPECT(TRANSFER(.gate = s.gate, .cap_count = 1, .caps = { fx.notification }), 0);
    CHECK_EQUAL(came, P_NOTIFICATION << 8 | RIGHT_ALL);
    EXPECT(TRANSFER(.gate = s.gate, .cap_count = 1, .caps = { fx.notification }), -E_BUSY);
}
TEST("passing.nothing-arrives-when-one-of-two-cannot")
{
    struct server s = receiving();
    uint64_t reply;
    EXPECT(TRANSFER(.gate = s.gate, .cap_count = 2, .caps = { fx.notification, fx.empty }), -E_CAP);
    CHECK_EQUAL(call(s.gate, 2, 0, 0, &reply), 0);
    CHECK_EQUAL((int64_t)reply, -E_CAP);
}
TEST("passing.answers-e-right-without-grant")
{
    struct server s = receiving();
    EXPECT(TRANSFER(.gate = s.gate, .cap_count = 1, .caps = {weak(fx.notification, RIGHT_USE)}),
        -E_RIGHT);
}
TEST("passing.answers-e-limit-beyond-the-receive-slots")
{
    struct server s = receiving();
    EXPECT(TRANSFER(.gate = s.gate, .cap_count = 3,
                    .caps = { fx.notification, fx.notification, fx.notification }), -E_LIMIT);
    EXPECT(TRANSFER(.gate = s.gate, .cap_count = 5), -E_LIMIT);
    EXPECT(TRANSFER(.gate = fx.gate, .cap_count = 1, .caps = { fx.notification }), -E_LIMIT);
}
ANSWER("call-x.carries-words", TRANSFER(.gate = fx.gate, .words = { 1, 2, 3 }), 0)
ANSWER("call-x.answers-e-cap", TRANSFER(.gate = fx.notification), -E_CAP)
ANSWER("call-x.answers-e-cap-out-of-range", TRANSFER(.gate = 1 << 20), -E_CAP)
ANSWER("call-x.answers-e-right", TRANSFER(.gate = weak(fx.gate, RIGHT_GRANT)), -E_RIGHT)
ANSWER("call-x.answers-e-memory", call_x(fx.bad), -E_MEMORY)
ANSWER("call-x.answers-e-memory-for-kernel-addresses", call_x(0xffff800000000000), -E_MEMORY)
ANSWER("call-x.answers-e-arg-for-the-direction",
       TRANSFER(.gate = fx.gate, .grants = { { fx.buffer, 8, 4 } }), -E_ARG)
ANSWER("call-x.answers-e-arg-for-the-address",
       TRANSFER(.gate = fx.gate, .grants = { { 0 }, { 1ull << 47, 8, 1 } }), -E_ARG)
ANSWER("call-x.answers-e-arg-for-the-length",
       TRANSFER(.gate = fx.gate, .grants = { { fx.buffer, UINT64_MAX, 1 } }), -E_ARG)
ANSWER("call-x.answers-e-restart",
       (pith_service_dead(fx.service), TRANSFER(.gate = fx.gate)), -E_RESTART)
TEST("call-x.answers-e-order")
{
    uint64_t reply;
    uint32_t space = make_space();
    struct server same = make_server(make_space(), 9, echo_entry, 1, 7);
    struct server s = make_server(space, 9, operate_entry, 1, 0);
    give(space, same.gate);
    transfer = (struct pith_transfer){ .gate = same.gate };
    CHECK_EQUAL(call(s.gate, OP_CALL_X, (uint64_t)&transfer, 0, &reply), 0);
    CHECK_EQUAL((int64_t)reply, -E_ORDER);
}
static void calling_x(uint64_t gate)
{
    static struct pith_transfer x;
    x = (struct pith_transfer){ .gate = (uint32_t)gate };
    struct pith_result r;
    done_count = 0;
    while ((r = call_x((uint64_t)&x)).status == -E_AGAIN)
        done_count++;
    status_of[0] = r.status;
    pith_thread_exit();
}
TEST("call-x.answers-e-again-after-queueing")
{
    fixture();
    MUST(pith_service_pause(fx.service));
    uint32_t t = make_thread(SPACE_SELF, calling_x, fx.gate, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(t), T_QUEUED);
    MUST(pith_service_open(fx.service));
    wait_stopped(t);
    CHECK_EQUAL(done_count, 1);
    CHECK_EQUAL(status_of[0], 0);
}
ANSWER("receive.answers-e-range-for-the-count", pith_receive(100, 5), -E_RANGE)
ANSWER("receive.answers-e-range-for-the-slot", pith_receive(65536, 1), -E_RANGE)
ANSWER("receive.answers-e-range-at-the-end", pith_receive(65534, 4), -E_RANGE)
ANSWER("receive.answers-e-range-for-huge-slots", pith_receive(UINT64_MAX, 1), -E_RANGE)
ANSWER("return-x.answers-e-depth", pith_return_x((uint64_t)&transfer), -E_DEPTH)

/* Returns with what transfer says; when the kernel refuses, answers with the status. */
uint64_t returning(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge);
GUEST_ENTRY(returning);
uint64_t returning(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge)
{
    (void)b, (void)c, (void)d, (void)badge;
    return (uint64_t)pith_return_x(a).status;
}
TEST("return-x.a-capability-arrives")
{
    uint64_t reply;
    uint32_t space = make_space(), n = make_notification(), to = slot();
    struct server s = make_server(space, 3, returning_entry, 1, 0);
    give(space, n);
    MUST(pith_receive(to, 1));
    transfer = (struct pith_transfer){ .words = { 321 }, .cap_count = 1, .caps = { n } };
    CHECK_EQUAL(call(s.gate, (uint64_t)&transfer, 0, 0, &reply), 0);
    CHECK_EQUAL(reply, 321);
    CHECK_EQUAL(MUST(pith_cap_identify(to)), P_NOTIFICATION << 8 | RIGHT_ALL);
    CHECK_EQUAL(call(s.gate, (uint64_t)&transfer, 0, 0, &reply), 0);
    CHECK_EQUAL((int64_t)reply, -E_BUSY);
    transfer.caps[0] = 200;
    CHECK_EQUAL(call(s.gate, (uint64_t)&transfer, 0, 0, &reply), 0);
    CHECK_EQUAL((int64_t)reply, -E_CAP);
    transfer.cap_count = 2;
    CHECK_EQUAL(call(s.gate, (uint64_t)&transfer, 0, 0, &reply), 0);
    CHECK_EQUAL((int64_t)reply, -E_LIMIT);
    MUST(pith_cap_copy(n, space, 201, RIGHT_USE));
    transfer.cap_count = 1;
    transfer.caps[0] = 201;
    CHECK_EQUAL(call(s.gate, (uint64_t)&transfer, 0, 0, &reply), 0);
    CHECK_EQUAL((int64_t)reply, -E_RIGHT);
    CHECK_EQUAL(call(s.gate, 1ull << 40, 0, 0, &reply), 0);
    CHECK_EQUAL((int64_t)reply, -E_MEMORY);
    MUST(pith_receive(0, 0));
}
TEST("return-x.answers-e-again-until-the-slot-is-quiet")
{
    if (BOOTINFO->cores == 1)
        test_skip("needs several cores");
    uint64_t reply, seen = 0;
    uint32_t space = make_space(), n = make_notification(), to = slot();
    struct server s = make_server(space, 3, returning_entry, 1, 0);
    give(space, n);
    MUST(pith_receive(to, 1));
    for (unsigned i = 0; i < 50; i++) {
        transfer = (struct pith_transfer){ .cap_count = 1, .caps = { n } };
        do {
            CHECK_EQUAL(call(s.gate, (uint64_t)&transfer, 0, 0, &reply), 0);
            seen += (int64_t)reply == -E_AGAIN;
        } while ((int64_t)reply == -E_AGAIN);
        CHECK_EQUAL(reply, 0);
        MUST(pith_cap_delete(SPACE_SELF, to));
    }
    CHECK(seen > 0);
    MUST(pith_receive(0, 0));
}

/* ---- granted copies -------------------------------------------------------------------------- */

static volatile uint64_t copied, copy_to;
static volatile int64_t copy_status;

/* a: operation, b: grant, c: offset, d: length; the server's buffer is copy_to. */
uint64_t copier(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge);
GUEST_ENTRY(copier);
uint64_t copier(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge)
{
    (void)badge;
    struct pith_result r = a == 0 ? pith_copy_in(b, c, copy_to, d)
                           : a == 1 ? pith_copy_out(b, c, copy_to, d) : pith_grant_info(b);
    copied = r.value;
    copy_status = r.status;
    return 0;
}
static struct server copying(void)
{
    uint32_t space = make_space();
    fixture();
    copy_to = area(8192);
    uint64_t p = map(SPACE_SELF, copy_to, 2);
    MUST(pith_space_map(space, copy_to, BOOT_REGION, p, 2 | MAP_READ | MAP_WRITE));
    return make_server(space, 3, copier_entry, 1, 0);
}
#define COPY(s, a, b, c, d, ...)                                                             \
    (copy_status = 99, copied = 0,                                                           \
     EXPECT(TRANSFER(.gate = (s).gate, .words = { a, b, c, d }, .grants = { __VA_ARGS__ }), 0))
TEST("copies.in")
{
    struct server s = copying();
    *(volatile uint64_t *)(fx.buffer + 16) = 0xabcdef;
    COPY(s, 0, 0, 16, 20, { fx.buffer, 100, GRANT_READ });
    CHECK_EQUAL(copy_status, 0);
    CHECK_EQUAL(copied, 20);
    CHECK_EQUAL(*(volatile uint64_t *)copy_to, 0xabcdef);
}
TEST("copies.out")
{
    struct server s = copying();
    *(volatile uint64_t *)copy_to = 0x123456;
    COPY(s, 1, 1, 8, 13, { 0 }, { fx.buffer, 100, GRANT_WRITE });
    CHECK_EQUAL(copy_status, 0);
    CHECK_EQUAL(copied, 13);
    CHECK_EQUAL(*(volatile uint64_t *)(fx.buffer + 8), 0x123456);
}
TEST("copies.at-most-a-page-a-step")
{
    struct server s = copying();
    uint64_t va = area(4 * 4096);
    map(SPACE_SELF, va, 4);
    COPY(s, 0, 0, 100, 8192, { va, 4 * 4096, GRANT_READ });
    CHECK_EQUAL(copied, 4096);
}
TEST("copies.stop-at-a-missing-page")
{
    struct server s = copying();
    COPY(s, 0, 0, 4000, 200, { fx.buffer, 8192, GRANT_READ });
    CHECK_EQUAL(copy_status, 0);
    CHECK_EQUAL(copied, 96);
    COPY(s, 0, 0, 4096, 200, { fx.buffer, 8192, GRANT_READ });
    CHECK_EQUAL(copy_status, -E_MEMORY);
}
TEST("copies.an-empty-one-is-fine")
{
    struct server s = copying();
    COPY(s, 0, 0, 0, 0, { fx.bad, 10, GRANT_READ });
    CHECK_EQUAL(copy_status, 0);
}
TEST("copies.answer-e-range")
{
    struct server s = copying();
    COPY(s, 0, 0, 0, 101, { fx.buffer, 100, GRANT_READ });
    CHECK_EQUAL(copy_status, -E_RANGE);
    COPY(s, 0, 0, 101, 0, { fx.buffer, 100, GRANT_READ });
    CHECK_EQUAL(copy_status, -E_RANGE);
    COPY(s, 0, 0, UINT64_MAX, 2, { fx.buffer, 100, GRANT_READ });
    CHECK_EQUAL(copy_status, -E_RANGE);
    COPY(s, 0, 2, 0, 1, { fx.buffer, 100, GRANT_READ });
    CHECK_EQUAL(copy_status, -E_RANGE);
    COPY(s, 1, 0, 0, 101, { fx.buffer, 100, GRANT_WRITE });
    CHECK_EQUAL(copy_status, -E_RANGE);
}
TEST("copies.answer-e-right-for-the-other-direction")
{
    struct server s = copying();
    COPY(s, 1, 0, 0, 1, { fx.buffer, 100, GRANT_READ });
    CHECK_EQUAL(copy_status, -E_RIGHT);
    COPY(s, 0, 0, 0, 1, { fx.buffer, 100, GRANT_WRITE });
    CHECK_EQUAL(copy_status, -E_RIGHT);
}
TEST("copies.answer-e-memory-for-the-servers-side")
{
    struct server s = copying();
    copy_to = fx.bad;
    COPY(s, 0, 0, 0, 1, { fx.buffer, 100, GRANT_READ });
    CHECK_EQUAL(copy_status, -E_MEMORY);
    COPY(s, 1, 0, 0, 1, { fx.buffer, 100, GRANT_WRITE });
    CHECK_EQUAL(copy_status, -E_MEMORY);
}
TEST("copies.out-does-not-write-read-only-pages")
{
    struct server s = copying();
    MUST(pith_space_protect(SPACE_SELF, fx.buffer, 1 | MAP_READ));
    COPY(s, 1, 0, 0, 1, { fx.buffer, 100, GRANT_WRITE });
    CHECK_EQUAL(copy_status, -E_MEMORY);
}
TEST("copies.answer-e-depth-outside-a-server")
{
    fixture();
    EXPECT(pith_copy_in(0, 0, fx.buffer, 1), -E_DEPTH);
    EXPECT(pith_copy_out(0, 0, fx.buffer, 1), -E_DEPTH);
    EXPECT(pith_grant_info(0), -E_DEPTH);
}
TEST("copies.grant-info")
{
    struct server s = copying();
    COPY(s, 2, 0, 0, 0, { fx.buffer, 100, GRANT_READ | GRANT_WRITE });
    CHECK_EQUAL(copied, 100 << 2 | 3);
    COPY(s, 2, 2, 0, 0, { fx.buffer, 100, GRANT_READ });
    CHECK_EQUAL(copy_status, -E_RANGE);
}
TEST("copies.grants-end-with-the-call")
{
    struct server s = copying();
    uint64_t reply;
    COPY(s, 0, 0, 0, 8, { fx.buffer, 100, GRANT_READ });
    CHECK_EQUAL(copy_status, 0);
    CHECK_EQUAL(call(s.gate, 0, 0, 0, &reply), 0); /* without grants: d is 0, too */
    CHECK_EQUAL(copied, 0);
    CHECK_EQUAL(call(s.gate, 2, 0, 0, &reply), 0);
    CHECK_EQUAL(copied, 0);
}
static volatile uint64_t flip;
static void flipper(uint64_t va)
{
    uint64_t p = done_count;
    while (flip) {
        pith_space_unmap(SPACE_SELF, va, 1);
        while (
            flip && pith_space_map(SPACE_SELF, va, BOOT_REGION, p, 1 | MAP_READ | MAP_WRITE).status)
            ;
    }
    pith_thread_exit();
}
TEST("copies.survive-unmapping-meanwhile")
{
    struct server s = copying();
    uint64_t va = area(4096), worked = 0, missed = 0;
    done_count = map(SPACE_SELF, va, 1);
    flip = 1;
    uint32_t t = make_thread(SPACE_SELF, flipper, va, LAST_CORE, PRIORITY);
    for (unsigned i = 0; i < 1000; i++) {
        COPY(s, 0, 0, 0, 4096, { va, 4096, GRANT_READ });
        worked += copy_status == 0;
        missed += copy_status == -E_MEMORY;
        if (!LAST_CORE && i % 8 == 0)
            pith_thread_yield();
    }
    CHECK_EQUAL(worked + missed, 1000);
    flip = 0;
    wait_stopped(t);
}
