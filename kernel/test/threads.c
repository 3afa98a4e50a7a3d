/* SPDX-License-Identifier: MIT */
/* Threads: life, registers, debugging, events, foreign system calls. */
#include "test.h"

volatile uint64_t go __attribute__((visibility("hidden"))), seen, counter;

static void note(uint64_t x)
{
    seen = x;
    pith_thread_exit();
}
static void loop(uint64_t unused)
{
    (void)unused;
    while (go)
        counter++;
    seen = 1;
    pith_thread_exit();
}
static void waiter(uint64_t n)
{
    struct pith_result r = pith_notify_wait((uint32_t)n, DEADLINE_NEVER);
    seen = (uint64_t)r.status;
    counter = r.value;
    pith_thread_exit();
}
static uint64_t where_of(unsigned core, unsigned priority)
{
    return core | priority << 8;
}

TEST("threads.run-with-their-argument")
{
    seen = 0;
    wait_stopped(make_thread(SPACE_SELF, note, 77, 0, PRIORITY - 1));
    CHECK_EQUAL(seen, 77);
}
TEST("threads.a-higher-priority-runs-at-once")
{
    seen = 0;
    make_thread(SPACE_SELF, note, 5, 0, PRIORITY + 1);
    CHECK_EQUAL(seen, 5);
}
TEST("threads.run-again-after-their-exit")
{
    uint32_t t = make_thread(SPACE_SELF, note, 1, 0, PRIORITY + 1);
    uint64_t top = make_stack(SPACE_SELF);
    MUST(pith_thread_start(t, BOOT_TIME, where_of(0, PRIORITY + 1), (uint64_t)note, top - 8, 2));
    CHECK_EQUAL(seen, 2);
}
TEST("threads.have-ids-of-their-own")
{
    uint32_t a = make_stopped(SPACE_SELF), b = make_stopped(SPACE_SELF);
    CHECK(info_of(a).id != info_of(b).id);
}
TEST("threads.run-in-another-space")
{
    uint32_t s = make_space();
    seen = 0;
    wait_stopped(make_thread(s, note, 9, 0, PRIORITY - 1));
    CHECK_EQUAL(seen, 9);
}
ANSWER("threads.create-answers-e-cap", pith_thread_create(fx.gate, 0, fx.empty, SPACE_SELF), -E_CAP)
ANSWER("threads.create-answers-e-cap-for-the-space",
       pith_thread_create(BOOT_REGION, fx.page, fx.empty, fx.gate), -E_CAP)
ANSWER("threads.create-answers-e-right",
       pith_thread_create(weak(fx.region, RIGHT_GRANT), 0, fx.empty, SPACE_SELF), -E_RIGHT)
ANSWER("threads.create-answers-e-right-for-the-space",
       pith_thread_create(BOOT_REGION, fx.page, fx.empty, weak(fx.space, RIGHT_USE)), -E_RIGHT)
ANSWER("threads.create-answers-e-owner",
       pith_thread_create(BOOT_REGION, fx.thread_page, fx.empty, SPACE_SELF), -E_OWNER)
ANSWER("threads.create-answers-e-busy",
    pith_thread_create(BOOT_REGION, fx.page, fx.gate, SPACE_SELF), -E_BUSY)
#define START(t, time, where, rip, rsp) pith_thread_start(t, time, where, rip, rsp, 0)
ANSWER("threads.start-answers-e-cap", START(fx.gate, BOOT_TIME, 0, 0, 0), -E_CAP)
ANSWER("threads.start-answers-e-cap-for-the-time", START(fx.thread, fx.gate, 0, 0, 0), -E_CAP)
ANSWER("threads.start-answers-e-right", START(weak(fx.thread, RIGHT_USE), BOOT_TIME, 0, 0, 0),
    -E_RIGHT)
ANSWER("threads.start-answers-e-right-for-the-time",
       START(fx.thread, weak(fx.time, RIGHT_MANAGE), 0, 0, 0), -E_RIGHT)
ANSWER("threads.start-answers-e-state-for-a-running-one", START(BOOT_THREAD, BOOT_TIME, 0, 0, 0),
    -E_STATE)
ANSWER("threads.start-answers-e-range-for-the-priority",
       START(fx.thread, fx.time, where_of(0, 41), 0, 0), -E_RANGE)
ANSWER(
    "threads.start-answers-e-range-for-the-core", START(fx.thread, BOOT_TIME, 64, 0, 0), -E_RANGE)
ANSWER("threads.start-answers-e-range-for-a-core-not-in-the-time",
       START(fx.thread, fx.time, 1, 0, 0), -E_RANGE)
ANSWER("threads.start-answers-e-arg-for-a-kernel-address",
       START(fx.thread, BOOT_TIME, 0, 0xffffffff80000000, 0), -E_ARG)
ANSWER("threads.start-answers-e-arg-for-the-last-page",
       START(fx.thread, BOOT_TIME, 0, 0x7ffffffff000, 0), -E_ARG)
ANSWER("threads.start-answers-e-arg-for-the-stack",
       START(fx.thread, BOOT_TIME, 0, 0x1000, 0x800000000000), -E_ARG)
TEST("threads.start-answers-e-state-in-a-dead-space")
{
    uint32_t s = make_space(), t = make_stopped(s);
    MUST(pith_space_kill(s));
    EXPECT(START(t, BOOT_TIME, where_of(0, 1), 0x1000, 0), -E_STATE);
    EXPECT(pith_thread_resume(t), -E_STATE);
}
TEST("threads.stop-and-resume-a-running-one")
{
    go = 1, seen = 0;
    uint32_t t = make_thread(SPACE_SELF, loop, 0, 0, PRIORITY - 1);
    uint64_t before = counter;
    EVENTUALLY(counter != before);
    MUST(pith_thread_stop(t));
    CHECK_EQUAL(state_of(t), T_STOPPED);
    before = counter;
    nap();
    CHECK_EQUAL(counter, before);
    MUST(pith_thread_resume(t));
    EVENTUALLY(counter != before);
    go = 0;
    wait_stopped(t);
    CHECK_EQUAL(seen, 1);
}
TEST("threads.stop-ends-a-wait-with-e-intr")
{
    uint32_t n = make_notification(), t = make_thread(SPACE_SELF, waiter, n, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(t), T_WAITING);
    MUST(pith_thread_stop(t));
    CHECK_EQUAL(state_of(t), T_STOPPED);
    MUST(pith_thread_resume(t));
    wait_stopped(t);
    CHECK_EQUAL((int64_t)seen, -E_INTR);
}
TEST("threads.stop-cancels-a-start-that-has-not-happened")
{
    for (unsigned i = 0; i < 50; i++) {
        uint32_t t = make_stopped(SPACE_SELF);
        uint64_t top = make_stack(SPACE_SELF);
        go = 0, seen = 0;
        MUST(pith_thread_start(t, BOOT_TIME, where_of(LAST_CORE, PRIORITY - 1), (uint64_t)note,
                               top - 8, 1));
        MUST(pith_thread_stop(t));
        uint64_t had = seen;
        MUST(pith_thread_interrupt(t)); /* a later request must not start it */
        nap();
        CHECK_EQUAL(seen, had);
        if (i % 10 == 9 && !arena_holds(100))
            break;
    }
}
ANSWER("threads.stop-answers-e-cap", pith_thread_stop(fx.gate), -E_CAP)
ANSWER("threads.stop-answers-e-right", pith_thread_stop(weak(fx.thread, RIGHT_USE)), -E_RIGHT)
ANSWER("threads.stop-of-itself-answers-e-depth", pith_thread_stop(BOOT_THREAD), -E_DEPTH)
ANSWER("threads.stop-of-a-stopped-one-is-fine", pith_thread_stop(fx.thread), 0)
TEST("threads.stop-answers-e-again-first")
{
    go = 1;
    uint32_t t = make_thread(SPACE_SELF, loop, 0, 0, PRIORITY - 1);
    CHECK_EQUAL(pith_thread_stop(t).status, -E_AGAIN);
    MUST(pith_thread_stop(t));
}
ANSWER("threads.resume-answers-e-cap", pith_thread_resume(fx.gate), -E_CAP)
ANSWER("threads.resume-answers-e-right", pith_thread_resume(weak(fx.thread, RIGHT_USE)), -E_RIGHT)
ANSWER(
    "threads.resume-answers-e-state-for-a-running-one", pith_thread_resume(BOOT_THREAD), -E_STATE)
TEST("threads.resume-answers-e-state-for-one-that-never-ran")
{
    EXPECT(pith_thread_resume(make_stopped(SPACE_SELF)), -E_STATE);
}
ANSWER("threads.exit-inside-a-server-answers-e-depth", ({
           uint64_t reply = 0;
           struct server s = make_server(fx.space, 4, operate_entry, 1, 0);
           int64_t status = call(s.gate, OP_THREAD_EXIT, 0, 0, &reply);
           (struct pith_result){ status ? status : (int64_t)reply, 0 };
       }), -E_DEPTH)
TEST("threads.schedule-changes-the-priority")
{
    uint32_t t = make_thread(SPACE_SELF, note, 1, 0, PRIORITY + 1);
    MUST(pith_thread_schedule(t, BOOT_TIME, 7));
    CHECK_EQUAL(info_of(t).priority, 7);
    go = 1;
    uint32_t r = make_thread(SPACE_SELF, loop, 0, 0, PRIORITY - 1);
    MUST(pith_thread_schedule(r, BOOT_TIME, 3));
    EVENTUALLY(info_of(r).priority == 3);
    go = 0;
    wait_stopped(r);
}
TEST("threads.schedule-takes-effect-at-once")
{
    seen = 0;
    uint32_t t = make_thread(SPACE_SELF, note, 4, 0, PRIORITY - 1);
    CHECK_EQUAL(seen, 0);
    MUST(pith_thread_schedule(t, BOOT_TIME, PRIORITY + 1));
    wait_stopped(t);
    CHECK_EQUAL(seen, 4);
}
ANSWER("threads.schedule-answers-e-cap", pith_thread_schedule(fx.gate, BOOT_TIME, 1), -E_CAP)
ANSWER("threads.schedule-answers-e-cap-for-the-time", pith_thread_schedule(fx.thread, fx.gate, 1),
    -E_CAP)
ANSWER("threads.schedule-answers-e-right",
       pith_thread_schedule(weak(fx.thread, RIGHT_USE), BOOT_TIME, 1), -E_RIGHT)
ANSWER("threads.schedule-answers-e-right-for-the-time",
       pith_thread_schedule(fx.thread, weak(fx.time, RIGHT_MANAGE), 1), -E_RIGHT)
ANSWER("threads.schedule-answers-e-range", pith_thread_schedule(fx.thread, fx.time, 41), -E_RANGE)
ANSWER("threads.move-answers-e-cap", pith_thread_move(fx.gate, 0), -E_CAP)
ANSWER("threads.move-answers-e-right", pith_thread_move(weak(fx.thread, RIGHT_USE), 0), -E_RIGHT)
ANSWER("threads.move-answers-e-range", pith_thread_move(fx.thread, 64), -E_RANGE)
ANSWER("threads.move-answers-e-state", pith_thread_move(BOOT_THREAD, 0), -E_STATE)
TEST("threads.move-answers-e-range-for-one-that-never-ran")
{
    EXPECT(pith_thread_move(make_stopped(SPACE_SELF), 0), -E_RANGE);
}
ANSWER("threads.info-answers-e-cap", pith_thread_info(fx.gate, fx.buffer), -E_CAP)
ANSWER("threads.info-answers-e-memory", pith_thread_info(fx.thread, fx.bad), -E_MEMORY)
ANSWER("threads.info-answers-e-memory-for-kernel-addresses",
       pith_thread_info(fx.thread, 0xffff800000000000), -E_MEMORY)
TEST("threads.info-counts-running-time")
{
    go = 1;
    uint32_t t = make_thread(SPACE_SELF, loop, 0, 0, PRIORITY - 1);
    EVENTUALLY(info_of(t).run_ns > 1000);
    go = 0;
    wait_stopped(t);
}
TEST("threads.share-a-core-in-turns")
{
    static volatile uint64_t counts[2];
    go = 1;
    counts[0] = counts[1] = 0;
    uint32_t a = make_thread(SPACE_SELF, loop, 0, 0, PRIORITY - 1);
    uint32_t b = make_thread(SPACE_SELF, loop, 0, 0, PRIORITY - 1);
    EVENTUALLY(info_of(a).run_ns > 1000 && info_of(b).run_ns > 1000);
    go = 0;
    wait_stopped(a);
    wait_stopped(b);
}
TEST("threads.yield-lets-an-equal-run")
{
    seen = 0;
    uint32_t t = make_thread(SPACE_SELF, note, 3, 0, PRIORITY);
    MUST(pith_thread_yield());
    CHECK_EQUAL(seen, 3);
    wait_stopped(t);
}
TEST("threads.a-destroyed-time-stops-its-threads")
{
    uint64_t at = where();
    uint32_t m = slot(), t = make_stopped(SPACE_SELF);
    MUST(pith_time_create(BOOT_TIME, BOOT_REGION, at, m, 1, 40));
    uint64_t top = make_stack(SPACE_SELF);
    go = 1;
    MUST(pith_thread_start(t, m, where_of(0, PRIORITY - 1), (uint64_t)loop, top - 8, 0));
    uint64_t before = counter;
    EVENTUALLY(counter != before);
    MUST(pith_object_destroy(BOOT_REGION, at));
    wait_stopped(t);
    MUST(pith_thread_schedule(t, BOOT_TIME, 1));
}
TEST("threads.a-time-destroyed-while-inside-a-server-stops-them-after-the-return")
{
    static volatile uint64_t gate;
    uint64_t at = where();
    uint32_t m = slot(), t = make_stopped(SPACE_SELF);
    struct server s = make_server(make_space(), 4, spin_entry, 1, 0);
    gate = s.gate;
    MUST(pith_time_create(BOOT_TIME, BOOT_REGION, at, m, 1, 40));
    uint64_t top = make_stack(SPACE_SELF);
    extern void call_gate(uint64_t);
    spin_flag = 1, spin_count = 0;
    MUST(pith_thread_start(t, m, where_of(0, PRIORITY - 1), (uint64_t)call_gate, top - 8, gate));
    EVENTUALLY(spin_count);
    MUST(pith_object_destroy(BOOT_REGION, at));
    nap();
    CHECK(state_of(t) != T_STOPPED);
    CHECK_EQUAL(info_of(t).depth, 1);
    spin_flag = 0;
    wait_stopped(t);
    CHECK_EQUAL(info_of(t).depth, 0);
}
void call_gate(uint64_t gate);
void call_gate(uint64_t gate)
{
    uint64_t reply = 0;
    seen = (uint64_t)call((uint32_t)gate, 1, 0, 0, &reply);
    counter = reply;
    pith_thread_exit();
}

/* ---- registers and debugging ------------------------------------------------------------- */

static struct pith_regs regs;
static struct pith_debug debug;

TEST("regs.read-what-a-stopped-thread-has")
{
    fixture();
    MUST(pith_thread_regs_read(fx.thread, (uint64_t)&regs));
    CHECK(regs.rip > 0x200000 && regs.rip < 0x300000);
    CHECK(regs.flags & 0x200);
}
TEST("regs.written-registers-are-what-it-runs-with")
{
    fixture();
    uint64_t top = make_stack(SPACE_SELF);
    MUST(pith_thread_regs_read(fx.thread, (uint64_t)&regs));
    regs.rip = (uint64_t)note;
    regs.rsp = top - 8;
    regs.rdi = 4711;
    MUST(pith_thread_regs_write(fx.thread, (uint64_t)&regs));
    MUST(pith_thread_resume(fx.thread));
    wait_stopped(fx.thread);
    CHECK_EQUAL(seen, 4711);
}
TEST("regs.write-takes-status-flags-only")
{
    fixture();
    MUST(pith_thread_regs_read(fx.thread, (uint64_t)&regs));
    regs.flags = ~0ull;
    MUST(pith_thread_regs_write(fx.thread, (uint64_t)&regs));
    MUST(pith_thread_regs_read(fx.thread, (uint64_t)&regs));
    CHECK_EQUAL(regs.flags, 0xcd5 | 0x202);
}
ANSWER("regs.read-answers-e-cap", pith_thread_regs_read(fx.gate, fx.buffer), -E_CAP)
ANSWER("regs.read-answers-e-right",
       pith_thread_regs_read(weak(fx.thread, 0xff & ~RIGHT_DEBUG), fx.buffer), -E_RIGHT)
ANSWER("regs.read-answers-e-state", pith_thread_regs_read(BOOT_THREAD, fx.buffer), -E_STATE)
ANSWER("regs.read-answers-e-memory", pith_thread_regs_read(fx.thread, fx.bad), -E_MEMORY)
ANSWER("regs.write-answers-e-cap", pith_thread_regs_write(fx.gate, fx.buffer), -E_CAP)
ANSWER("regs.write-answers-e-right",
       pith_thread_regs_write(weak(fx.thread, 0xff & ~RIGHT_DEBUG), fx.buffer), -E_RIGHT)
ANSWER("regs.write-answers-e-state", pith_thread_regs_write(BOOT_THREAD, fx.buffer), -E_STATE)
ANSWER("regs.write-answers-e-memory", pith_thread_regs_write(fx.thread, fx.bad), -E_MEMORY)
#define WITH_REG(field, v) ({ regs = (struct pith_regs){ .field = (v) };                     \
                              pith_thread_regs_write(fx.thread, (uint64_t)&regs); })
ANSWER("regs.write-answers-e-arg-for-a-kernel-rip", WITH_REG(rip, 0xffffffff80000000), -E_ARG)
ANSWER("regs.write-answers-e-arg-for-a-non-canonical-rip", WITH_REG(rip, 1ull << 47), -E_ARG)
ANSWER("regs.write-answers-e-arg-for-fs", WITH_REG(fs_base, 1ull << 63), -E_ARG)
ANSWER("regs.write-answers-e-arg-for-gs", WITH_REG(gs_base, 1ull << 47), -E_ARG)
ANSWER("regs.debug-answers-e-cap", pith_thread_debug(fx.gate, fx.buffer), -E_CAP)
ANSWER("regs.debug-answers-e-right",
       pith_thread_debug(weak(fx.thread, 0xff & ~RIGHT_DEBUG), fx.buffer), -E_RIGHT)
ANSWER("regs.debug-answers-e-state", pith_thread_debug(BOOT_THREAD, fx.buffer), -E_STATE)
ANSWER("regs.debug-answers-e-memory", pith_thread_debug(fx.thread, fx.bad), -E_MEMORY)
#define WITH_DEBUG(field, v) ({ debug = (struct pith_debug){ .field = (v) };                 \
                                pith_thread_debug(fx.thread, (uint64_t)&debug); })
ANSWER(
    "regs.debug-answers-e-arg-for-a-kernel-address", WITH_DEBUG(dr[2], 0xffff800000000000), -E_ARG)
ANSWER("regs.debug-answers-e-arg-for-general-detect", WITH_DEBUG(dr7, 0x2000), -E_ARG)
ANSWER("regs.debug-answers-e-arg-for-a-wide-dr7", WITH_DEBUG(dr7, 1ull << 32), -E_ARG)

static volatile uint64_t steps, last_vector, watched;
uint64_t stepper(uint64_t vector, uint64_t address, uint64_t rip, uint64_t rsp, uint64_t badge);
GUEST_ENTRY(stepper);
uint64_t stepper(uint64_t vector, uint64_t address, uint64_t rip, uint64_t rsp, uint64_t badge)
{
    (void)address, (void)rip, (void)rsp, (void)badge;
    last_vector = vector & 0xff;
    steps++;
    if (last_vector == 3 || last_vector == 14 || last_vector == 13)
        return FAULT_UNWIND;
    return FAULT_RESUME;
}

/* A thread in its own space whose faults go to the stepper. */
static uint32_t debugged(uint32_t space)
{
    struct server s = make_server(make_space(), 3, stepper_entry, 2, 0);
    MUST(pith_space_handler(space, s.gate));
    steps = last_vector = 0;
    return make_stopped(space);
}
static void launch(uint32_t t, uint32_t space, void (*f)(uint64_t), uint64_t argument)
{
    uint64_t top = make_stack(space);
    MUST(
        pith_thread_start(t, BOOT_TIME, where_of(0, PRIORITY - 1), (uint64_t)f, top - 8, argument));
}
static void touch(uint64_t unused)
{
    (void)unused;
    watched = 1;
    seen = 3;
    pith_thread_exit();
}
TEST("debug.single-step-faults-at-each-instruction")
{
    uint32_t s = make_space(), t = debugged(s);
    debug = (struct pith_debug){ .single_step = 1 };
    MUST(pith_thread_debug(t, (uint64_t)&debug));
    seen = 0;
    launch(t, s, touch, 0);
    MUST(pith_thread_stop(t));
    MUST(pith_thread_debug(t, (uint64_t)&debug));
    MUST(pith_thread_resume(t));
    wait_stopped(t);
    CHECK_EQUAL(last_vector, 1);
    CHECK(steps >= 3);
    CHECK_EQUAL(seen, 3);
}
static void step_over_call(uint64_t gate)
{
    uint64_t reply = 0;
    seen = (uint64_t)call((uint32_t)gate, 1, 0, 0, &reply);
    counter = reply;
    pith_thread_exit();
}
static void debug_on(uint32_t t, uint32_t space, void (*f)(uint64_t), uint64_t argument)
{
    launch(t, space, f, argument);
    MUST(pith_thread_stop(t));
    MUST(pith_thread_debug(t, (uint64_t)&debug));
    MUST(pith_thread_resume(t));
    wait_stopped(t);
}
TEST("debug.single-step-does-not-enter-servers")
{
    uint32_t s = make_space(), t = debugged(s);
    struct server e = make_server(make_space(), 4, echo_entry, 1, 100);
    give(s, e.gate);
    debug = (struct pith_debug){ .single_step = 1 };
    seen = counter = 0;
    debug_on(t, s, step_over_call, e.gate);
    CHECK_EQUAL(seen, 0);
    CHECK_EQUAL(counter, 101);
    CHECK_EQUAL(last_vector, 1);
}
TEST("debug.a-watchpoint-faults")
{
    uint32_t s = make_space(), t = debugged(s);
    debug = (struct pith_debug){ .dr = { (uint64_t)&watched }, .dr7 = 1 | 1 << 16 | 3 << 18 };
    seen = 0;
    debug_on(t, s, touch, 0);
    CHECK_EQUAL(last_vector, 1);
    CHECK_EQUAL(steps, 1);
    CHECK_EQUAL(seen, 3);
}
uint64_t toucher(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge);
GUEST_ENTRY(toucher);
uint64_t toucher(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge)
{
    (void)a, (void)b, (void)c, (void)d, (void)badge;
    watched++;
    return 11;
}
TEST("debug.a-clients-watchpoint-does-not-hurt-a-server")
{
    uint32_t s = make_space(), t = debugged(s), v = make_space();
    struct server e = make_server(v, 4, toucher_entry, 1, 0);
    give(s, e.gate);
    debug = (struct pith_debug){ .dr = { (uint64_t)&watched }, .dr7 = 1 | 1 << 16 | 3 << 18 };
    seen = counter = 0;
    debug_on(t, s, step_over_call, e.gate);
    CHECK_EQUAL(counter, 11);
    CHECK_EQUAL(steps, 0);
    CHECK_EQUAL(MUST(pith_space_fault(v, (uint64_t)&(struct pith_fault){ 0 })), 0);
}
TEST("debug.a-clients-breakpoint-does-not-hurt-a-server")
{
    uint32_t s = make_space(), t = debugged(s), v = make_space();
    struct server e = make_server(v, 4, toucher_entry, 1, 0);
    give(s, e.gate);
    debug = (struct pith_debug){ .dr = { (uint64_t)toucher }, .dr7 = 1 };
    seen = counter = 0;
    debug_on(t, s, step_over_call, e.gate);
    CHECK_EQUAL(counter, 11);
    CHECK_EQUAL(steps, 0);
}
TEST("debug.bases-are-set")
{
    MUST(pith_thread_bases(0x1000, 0x2000, 3));
    MUST(pith_thread_bases(0, 0, 3));
    EXPECT(pith_thread_bases(0, 0, 4), -E_ARG);
    EXPECT(pith_thread_bases(1ull << 63, 0, 1), -E_RANGE);
    EXPECT(pith_thread_bases(0, 1ull << 47, 2), -E_RANGE);
    EXPECT(pith_thread_bases(1ull << 63, 0, 2), 0);
}
static void read_fs(uint64_t out)
{
    uint64_t v;
    MUST(pith_thread_bases(out, 0, 1));
    __asm__ volatile("mov %%fs:0, %0" : "=r"(v));
    seen = v;
    pith_thread_exit();
}
TEST("debug.bases-are-the-threads-own")
{
    static volatile uint64_t cells[2] = { 123, 456 };
    wait_stopped(make_thread(SPACE_SELF, read_fs, (uint64_t)&cells[1], 0, PRIORITY + 1));
    CHECK_EQUAL(seen, 456);
    wait_stopped(make_thread(SPACE_SELF, read_fs, (uint64_t)&cells[0], 0, PRIORITY + 1));
    CHECK_EQUAL(seen, 123);
}

/* ---- events ---------------------------------------------------------------------------------- */

static uint64_t event_page;
volatile uint64_t events, foreign_seen, foreign_in;
void event_code(void);
void foreign_code(uint64_t);
void upcall_code(void);
extern char foreign_loop[], foreign_end[], foreign_site[];

/* "Foreign" code is below native_lo = upcall_code. rbx counts, and must survive events. */
__asm__(".text\n"
        ".globl foreign_code, foreign_loop, foreign_end, foreign_site, event_code, upcall_code\n"
        "foreign_code:\n"
        "    mov $0x1122334455, %rbx\n"
        "    mov $77, %r15\n"
        "    incq foreign_in(%rip)\n"
        "foreign_loop:\n"
        "    cmpq $0, go(%rip)\n"
        "    jne foreign_loop\n"
        "    mov $39, %eax\n"
        "    syscall\n" /* to upcall_code */
        "foreign_site:\n"
        "    mov %rbx, seen(%rip)\n"
        "    mov %r15, counter(%rip)\n"
        "foreign_end:\n"
        "    jmp native_exit\n"
        "    .balign 64\n"
        "upcall_code:\n" /* native from here on */
        "    incq foreign_seen(%rip)\n"
        "    mov upcall_rip(%rip), %rcx\n"
        "    mov (%rcx), %rcx\n"
        "    jmp *%rcx\n"
        "native_exit:\n"
        "    mov $0x80000000 + 42, %eax\n" /* thread_exit */
        "    syscall\n"
        "    ud2\n"
        "event_code:\n"
        "    incq events(%rip)\n"
        "    xor %ebx, %ebx\n"
        "    xor %r15d, %r15d\n"
        "    mov $0x80000000 + 46, %eax\n" /* event_done */
        "    syscall\n"
        "    ud2\n");
_Static_assert(OP_THREAD_EXIT == 42 && OP_EVENT_DONE == 46, "the code above");
volatile uint64_t upcall_rip __attribute__((used));

static void foreign_thread(uint64_t pages_at)
{
    upcall_rip = pages_at + 4096;
    if (pith_thread_events((uint64_t)event_code, pages_at, 0, 0).status)
        pith_thread_exit();
    /* From here on every system call of this function would be a foreign one, too. */
    pith_thread_upcall((uint64_t)upcall_code, pages_at + 4096, (uint64_t)upcall_code);
    foreign_code(0);
}
static uint32_t foreign_start(void)
{
    go = 1;
    events = foreign_seen = foreign_in = seen = counter = 0;
    event_page = area(8192);
    map(SPACE_SELF, event_page, 2);
    CHECK(foreign_end < (char *)upcall_code && (uint64_t)foreign_code < (uint64_t)upcall_code);
    uint32_t t = make_thread(SPACE_SELF, foreign_thread, event_page, 0, PRIORITY - 1);
    EVENTUALLY(foreign_in); /* before that, events are only pending */
    return t;
}
TEST("upcalls.foreign-system-calls-go-to-the-entry")
{
    uint32_t t = foreign_start();
    go = 0;
    wait_stopped(t);
    CHECK_EQUAL(foreign_seen, 1);
    CHECK_EQUAL(seen, 0x1122334455);
    CHECK_EQUAL(*(volatile uint64_t *)(event_page + 4096), (uint64_t)foreign_site);
}
TEST("upcalls.answer-their-errors")
{
    fixture();
    EXPECT(pith_thread_upcall(1ull << 47, fx.buffer, 0x1000), -E_ARG);
    EXPECT(pith_thread_upcall(0x1000, fx.buffer, 1ull << 47), -E_ARG);
    EXPECT(pith_thread_upcall(0x1000, fx.buffer, 0), -E_ARG);
    EXPECT(pith_thread_upcall(0, fx.buffer, 0x1000), -E_ARG);
    EXPECT(pith_thread_upcall(0x1000, fx.buffer + 8, 0x1000), -E_ARG);
    EXPECT(pith_thread_upcall(0x1000, fx.bad, 0x1000), -E_MEMORY);
    EXPECT(
        pith_thread_upcall(0x1000, (uint64_t)note & ~4095ull, 0x1000), -E_MEMORY); /* read-only */
    EXPECT(pith_thread_upcall(0x1000, fx.buffer, 0x1000), 0);
    EXPECT(pith_thread_upcall(0, 0, 0), 0);
}
static int64_t inside(uint64_t op, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t reply = 0;
    struct server s = make_server(make_space(), 4, operate_entry, 1, 0);
    server_args[0] = server_args[1] = server_args[2] = 0;
    CHECK_EQUAL(call(s.gate, op, a, b, &reply), 0);
    (void)c;
    return (int64_t)reply;
}
TEST("upcalls.answer-e-depth-inside-a-server")
{
    CHECK_EQUAL(inside(OP_THREAD_UPCALL, 0, 0, 0), -E_DEPTH);
}
TEST("events.registering-answers-e-depth-inside-a-server")
{
    CHECK_EQUAL(inside(OP_THREAD_EVENTS, 0, 0, 0), -E_DEPTH);
}
TEST("events.done-answers-e-depth-inside-a-server")
{
    CHECK_EQUAL(inside(OP_EVENT_DONE, 0, 0, 0), -E_DEPTH);
}
TEST("events.done-answers-e-state-without-registration") { EXPECT(pith_event_done(), -E_STATE); }
TEST("events.done-answers-e-arg-for-bad-registers")
{
    fixture();
    MUST(pith_thread_events(0x1000, fx.buffer, 0, 0));
    ((struct pith_event *)fx.buffer)->regs.rip = 1ull << 63;
    EXPECT(pith_event_done(), -E_ARG);
    ((struct pith_event *)fx.buffer)->regs.rip = 0x1000;
    ((struct pith_event *)fx.buffer)->regs.fs_base = 1ull << 50;
    EXPECT(pith_event_done(), -E_ARG);
    MUST(pith_thread_events(0, 0, 0, 0));
}
TEST("events.registering-answers-its-errors")
{
    fixture();
    EXPECT(pith_thread_events(1ull << 47, fx.buffer, 0, 0), -E_ARG);
    EXPECT(pith_thread_events(0x1000, fx.buffer, 2, 1), -E_ARG);
    EXPECT(pith_thread_events(0x1000, fx.buffer, 0, 1ull << 47), -E_ARG);
    EXPECT(pith_thread_events(0x1000, fx.buffer + 1, 0, 0), -E_ARG);
    EXPECT(pith_thread_events(0x1000, fx.bad, 0, 0), -E_MEMORY);
}
static void pin(uint64_t va)
{
    seen = (uint64_t)pith_thread_events(0x1000, va, 0, 0).status;
    counter = (uint64_t)pith_thread_upcall(0x1000, va, 1).status;
    pith_thread_exit();
}
TEST("events.registering-answers-e-limit-when-a-page-has-16-pins")
{
    fixture();
    for (unsigned i = 0; i < 8; i++) {
        make_thread(SPACE_SELF, pin, fx.buffer, 0, PRIORITY + 1);
        CHECK_EQUAL(seen, 0);
        CHECK_EQUAL(counter, 0);
    }
    make_thread(SPACE_SELF, pin, fx.buffer, 0, PRIORITY + 1);
    CHECK_EQUAL((int64_t)seen, -E_LIMIT);
    CHECK_EQUAL((int64_t)counter, -E_LIMIT);
}
TEST("events.interrupt-foreign-code-and-restore-every-register")
{
    uint32_t t = foreign_start();
    MUST(pith_thread_interrupt(t));
    EVENTUALLY(events == 1);
    MUST(pith_thread_interrupt(t));
    EVENTUALLY(events == 2);
    go = 0;
    wait_stopped(t);
    CHECK_EQUAL(seen, 0x1122334455);
    CHECK_EQUAL(counter, 77);
}
TEST("events.save-where-the-code-was")
{
    uint32_t t = foreign_start();
    MUST(pith_thread_interrupt(t));
    EVENTUALLY(events == 1);
    uint64_t rip = ((struct pith_event *)event_page)->regs.rip;
    CHECK(rip >= (uint64_t)foreign_loop && rip < (uint64_t)foreign_end);
    go = 0;
    wait_stopped(t);
}
TEST("events.end-a-wait-with-e-intr")
{
    uint32_t n = make_notification(), t = make_thread(SPACE_SELF, waiter, n, 0, PRIORITY + 1);
    MUST(pith_thread_interrupt(t));
    wait_stopped(t);
    CHECK_EQUAL((int64_t)seen, -E_INTR);
}
TEST("events.end-the-next-wait-when-none-is-on")
{
    uint32_t n = make_notification();
    MUST(pith_thread_interrupt(BOOT_THREAD));
    EXPECT(pith_notify_wait(n, DEADLINE_NEVER), -E_INTR);
    EXPECT(pith_notify_wait(n, 0), -E_TIME);
}
static void registered_waiter(uint64_t n)
{
    if (pith_thread_events((uint64_t)event_code, event_page, 0, 0).status)
        pith_thread_exit();
    seen = (uint64_t)pith_notify_wait((uint32_t)n, DEADLINE_NEVER).status;
    pith_thread_exit();
}
TEST("events.in-native-code-are-pending")
{
    uint32_t n = make_notification();
    event_page = area(8192);
    map(SPACE_SELF, event_page, 1);
    uint32_t t = make_thread(SPACE_SELF, registered_waiter, n, 0, PRIORITY + 1);
    MUST(pith_thread_interrupt(t));
    wait_stopped(t);
    CHECK_EQUAL((int64_t)seen, -E_INTR);
    CHECK_EQUAL(((struct pith_event *)event_page)->pending, 1);
}
TEST("events.are-not-lost-during-an-event")
{
    uint32_t t = foreign_start();
    for (unsigned i = 0; i < 200; i++)
        MUST(pith_thread_interrupt(t));
    EVENTUALLY(events >= 1);
    uint64_t had = events;
    MUST(pith_thread_interrupt(t));
    EVENTUALLY(events > had);
    go = 0;
    wait_stopped(t);
    CHECK_EQUAL(counter, 77);
}
ANSWER("events.interrupt-answers-e-cap", pith_thread_interrupt(fx.gate), -E_CAP)
ANSWER("events.interrupt-answers-e-right",
       pith_thread_interrupt(weak(fx.thread, 0xff & ~RIGHT_INTERRUPT)), -E_RIGHT)
ANSWER("threads.notification-answers-e-cap", pith_thread_notification(fx.gate, fx.notification),
    -E_CAP)
ANSWER("threads.notification-answers-e-cap-for-the-notification",
       pith_thread_notification(fx.thread, fx.gate), -E_CAP)
ANSWER("threads.notification-answers-e-right",
       pith_thread_notification(weak(fx.thread, RIGHT_USE), fx.notification), -E_RIGHT)
ANSWER("threads.notification-answers-e-right-for-the-notification",
       pith_thread_notification(fx.thread, weak(fx.notification, RIGHT_USE)), -E_RIGHT)
ANSWER("threads.notification-can-be-taken-away",
    (pith_thread_notification(fx.thread, fx.notification), pith_thread_notification(fx.thread, 0)),
    0)
