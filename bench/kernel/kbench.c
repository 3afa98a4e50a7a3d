/* SPDX-License-Identifier: MIT */
/*
 * kbench: measures the kernel from user code. README.md in bench/ says what each figure is.
 *
 * bench=kernel      counts instructions: one TSC tick is one under icount
 * bench=call.scale  a ratio of rates on all cores
 *
 * A sample is the difference of two TSC readings around what is measured, less the same
 * difference around nothing. A timer interrupt in a sample would show as a large maximum, so
 * each figure's samples start right after one. Prints a line for each figure:
 *   FIGURE name value unit key=value…
 * mark=N says that the Nth group of samples that tools/costs saw is the figure's; less=M and
 * by=K that group M is to be subtracted and the rest divided by K.
 */
#include "kbench.h"
#include "mark.h"

#define SAMPLES 200
#define TICK_GAP 150u          /* a spin this long was interrupted */
#define BENCH_VA 0x60000000ull /* own 2 MiB for mappings */
#define SPIN_PRIORITY 20u
#define WAITER_PRIORITY 40u

#define STUB __attribute__((noipa)) /* as if it were in another file */

void root_main(void);
void answer6_entry(void);
void upcall_entry(void);
uint32_t upcall_measure(uint64_t site);
extern char foreign_site[], foreign_site_end[], no_foreign_site[];

static inline uint32_t tsc32(void)
{
    uint32_t lo;
    __asm__ volatile("rdtsc" : "=a"(lo)::"rdx", "memory");
    return lo;
}

/* ---- samples ------------------------------------------------------------------ */

static struct { uint64_t sum; uint32_t count, least, most; } samples;
static uint32_t overhead; /* of a sample of nothing */
static unsigned marks;

static void samples_begin(void)
{
    samples.sum = samples.count = samples.most = 0;
    samples.least = UINT32_MAX;
    uint32_t last = tsc32(), now = last;
    for (; now - last < TICK_GAP; now = tsc32())
        last = now;
}

static void sample_add(uint32_t ticks)
{
    samples.sum += ticks;
    samples.count++;
    if (ticks < samples.least)
        samples.least = ticks;
    if (ticks > samples.most)
        samples.most = ticks;
}

/* Ends a group of samples: its value is the least, or the most. */
static uint32_t samples_end(void)
{
    MARK(MARK_FIGURE);
    marks++;
    samples.least -= overhead;
    samples.most -= overhead;
    return samples.least;
}

static void figure(const char *name, uint32_t value)
{
    guest_printf("FIGURE %s %u instr min=%u max=%u samples=%u mark=%u\n", name, value,
                 samples.least, samples.most, samples.count, marks);
}

#define SAMPLE(statement)              \
    do {                               \
        uint32_t sample_t0 = tsc32();  \
        MARK(MARK_BEGIN);              \
        statement;                     \
        MARK(MARK_END);                \
        sample_add(tsc32() - sample_t0); \
    } while (0)

/* The same for samples that begin in one thread and end in another. */
static volatile uint32_t sent, got;

static void overhead_measure(void)
{
    overhead = 0;
    samples_begin();
    for (int i = 0; i < SAMPLES; i++)
        SAMPLE();
    overhead = samples_end();
}

/* ---- out-of-line stubs -------------------------------------------------------- */

static STUB int64_t stub_identify(uint64_t slot)
{
    return pith_cap_identify(slot).status;
}

static STUB int64_t stub_raise(uint64_t slot, uint64_t bits)
{
    return pith_notify_raise(slot, bits).status;
}

static STUB int64_t stub_wait(uint64_t slot, uint64_t deadline)
{
    return pith_notify_wait(slot, deadline).status;
}

static STUB int64_t stub_map(uint64_t va, uint64_t index, uint64_t flags)
{
    return pith_space_map(SPACE_SELF, va, BOOT_REGION, index, flags).status;
}

/* ---- calls -------------------------------------------------------------------- */

uint64_t add(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge);
uint64_t add(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge)
{
    (void)d;
    return a + b + c + badge;
}
GUEST_ENTRY(add);

static void expect(const char *what, int64_t status, uint64_t value, uint64_t expected)
{
    if (status || value != expected)
        guest_fail(what, status);
}

static void bench_calls(uint32_t space)
{
    struct guest_service three = guest_service(space, 3, add_entry, 1, 1000);
    struct guest_service six = guest_service(space, 3, answer6_entry, 1, 0);
    struct words w = { { 1, 2, 3, 4, 5, 6 } };
    uint64_t reply = 0;

    int64_t status = guest_call(three.gate, 1, 2, 3, &reply);
    expect("call", status, reply, 1006);
    samples_begin();
    for (int i = 0; i < SAMPLES; i++)
        SAMPLE(guest_call(three.gate, 1, 2, 3, &reply));
    figure("call.roundtrip", samples_end());

    status = guest_call6(six.gate, &w);
    expect("call6", status, w.w[0] << 8 | w.w[5], 2 << 8 | 6);
    samples_begin();
    for (int i = 0; i < SAMPLES; i++)
        SAMPLE(guest_call6(six.gate, &w));
    figure("call.roundtrip6", samples_end());
}

/* ---- operations and notifications --------------------------------------------- */

static void bench_null(void)
{
    expect("identify", stub_identify(BOOT_SPACE), 0, 0);
    samples_begin();
    for (int i = 0; i < SAMPLES; i++)
        SAMPLE(stub_identify(BOOT_SPACE));
    figure("op.null", samples_end());
}

static uint32_t nap_notification;

static void nap(void)
{
    stub_wait(nap_notification, guest_now_ns() + 20000);
}

static void waiter(uint64_t notification)
{
    for (;;) {
        stub_wait(notification, DEADLINE_NEVER);
        MARK(MARK_END);
        got = tsc32();
    }
}

static void silent_waiter(uint64_t notification)
{
    for (;;)
        stub_wait(notification, DEADLINE_NEVER);
}

static void bench_notify(uint32_t space)
{
    uint32_t idle = guest_notification(), low = guest_notification(), high = guest_notification();

    samples_begin();
    for (int i = 0; i < SAMPLES; i++)
        SAMPLE(stub_raise(idle, 1));
    figure("notify.raise", samples_end());

    guest_give(space, low);
    guest_give(space, high);
    uint32_t low_thread = guest_thread(space, silent_waiter, low, 0, SPIN_PRIORITY);
    (void)guest_thread(space, waiter, high, 0, WAITER_PRIORITY);
    nap();
    samples_begin();
    for (int i = 0; i < SAMPLES; i++) {
        SAMPLE(stub_raise(low, 1));
        nap();
    }
    figure("notify.queue", samples_end());
    GUEST_MUST(pith_thread_stop(low_thread));

    samples_begin();
    for (int i = 0; i < SAMPLES; i++) {
        sent = tsc32();
        MARK(MARK_BEGIN);
        stub_raise(high, 1);
        sample_add(got - sent - 1); /* storing the first reading */
    }
    figure("notify.switch", samples_end());
}

/* ---- faults and mappings -------------------------------------------------------- */

static uint64_t fault_page;

uint64_t pager(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge);
uint64_t pager(uint64_t vector_error, uint64_t address, uint64_t rip, uint64_t rsp, uint64_t badge)
{
    (void)vector_error;
    (void)rip;
    (void)rsp;
    (void)badge;
    if (pith_space_map(BOOT_SPACE, address & ~4095ull, BOOT_REGION, fault_page,
                       1 | MAP_READ | MAP_WRITE)
            .status)
        return FAULT_UNWIND;
    return FAULT_RESUME;
}
GUEST_ENTRY(pager);

static inline void touch(uint64_t va)
{
    __asm__ volatile("movb $1, (%0)" ::"r"(va) : "memory");
}

static void bench_fault(uint32_t space)
{
    struct guest_service s = guest_service(space, 1, pager_entry, 1, 0);

    guest_give(space, BOOT_REGION);
    guest_give(space, BOOT_SPACE);
    GUEST_MUST(pith_space_handler(SPACE_SELF, s.gate));
    fault_page = guest_page();
    touch(BENCH_VA + 4096); /* makes the free page a frame */
    samples_begin();
    for (int i = 0; i < SAMPLES; i++) {
        GUEST_MUST(pith_space_unmap(SPACE_SELF, BENCH_VA + 4096, 1));
        SAMPLE(touch(BENCH_VA + 4096));
    }
    overhead++; /* the access itself */
    figure("fault.roundtrip", samples_end());
    overhead--;
    GUEST_MUST(pith_space_handler(SPACE_SELF, 0));
}

static uint32_t map_samples(uint64_t first, unsigned pages)
{
    samples_begin();
    for (int i = 0; i < SAMPLES / 4; i++) {
        SAMPLE(stub_map(BENCH_VA + 8192, first, pages | MAP_READ | MAP_WRITE));
        GUEST_MUST(pith_space_unmap(SPACE_SELF, BENCH_VA + 8192, pages));
    }
    return samples_end();
}

enum { MORE = 32 };

/* What each further page of a batch costs. */
static void figure_batch(const char *name, uint32_t batch, uint32_t one)
{
    guest_printf("FIGURE %s %u instr pages=%u mark=%u less=%u by=%u\n", name,
                 (batch - one + MORE - 1) / MORE, 1 + MORE, marks, marks - 1, MORE);
}

/* A fork's steps: mappings copied with the source's write taken, and gone again. */
static uint32_t copy_samples(uint32_t child, unsigned pages)
{
    samples_begin();
    for (int i = 0; i < SAMPLES / 4; i++) {
        GUEST_MUST(pith_space_protect(SPACE_SELF, BENCH_VA + 8192, pages | MAP_READ | MAP_WRITE));
        SAMPLE((void)pith_space_copy(child, SPACE_SELF, BENCH_VA + 8192, BENCH_VA + 8192,
                                     pages | MAP_READ | MAP_DEMOTE));
        GUEST_MUST(pith_space_unmap(child, BENCH_VA + 8192, pages));
    }
    return samples_end();
}

static uint32_t unmap_samples(uint32_t child, unsigned pages)
{
    samples_begin();
    for (int i = 0; i < SAMPLES / 4; i++) {
        GUEST_MUST(pith_space_copy(child, SPACE_SELF, BENCH_VA + 8192, BENCH_VA + 8192,
                                   pages | MAP_READ));
        SAMPLE((void)pith_space_unmap(child, BENCH_VA + 8192, pages));
    }
    return samples_end();
}

static void bench_copy(uint64_t first)
{
    uint32_t child = guest_space(), one;
    stub_map(BENCH_VA + 8192, first, (1 + MORE) | MAP_READ | MAP_WRITE);
    GUEST_MUST(pith_space_copy(child, SPACE_SELF, BENCH_VA + 8192, BENCH_VA + 8192, 1 | MAP_READ));
    GUEST_MUST(pith_space_unmap(child, BENCH_VA + 8192, 1)); /* its tables are there now */
    one = copy_samples(child, 1);
    figure("copy.one", one);
    figure_batch("copy.batch", copy_samples(child, 1 + MORE), one);
    one = unmap_samples(child, 1);
    figure("unmap.one", one);
    figure_batch("unmap.batch", unmap_samples(child, 1 + MORE), one);
    GUEST_MUST(pith_space_unmap(SPACE_SELF, BENCH_VA + 8192, 1 + MORE));
}

static void bench_map(void)
{
    uint64_t first = guest_pages(1 + MORE);
    uint32_t one;

    stub_map(BENCH_VA + 8192, first, (1 + MORE) | MAP_READ); /* makes the free pages frames */
    GUEST_MUST(pith_space_unmap(SPACE_SELF, BENCH_VA + 8192, 1 + MORE));
    one = map_samples(first, 1);
    figure("map.one", one);
    figure_batch("map.batch", map_samples(first, 1 + MORE), one);
    bench_copy(first);
}

/* ---- a device's interrupt --------------------------------------------------------- */

#define PIT_GSI 2u /* IRQ 0 arrives there on everything with an IO-APIC */
#define PIT_DATA 0x40
#define PIT_COMMAND 0x43

/* Reads the clock as often as it can; the last reading counts. */
static void spinner(uint64_t unused)
{
    (void)unused;
    for (;;) {
        uint32_t t = tsc32();
        MARK(MARK_BEGIN);
        sent = t;
    }
}

static void bench_interrupt(uint32_t space)
{
    uint32_t notification = guest_notification(), interrupt = guest_slot();
    uint32_t spin = guest_thread(space, spinner, 0, 0, SPIN_PRIORITY);

    GUEST_MUST(pith_interrupt_create(BOOT_CONTROL, BOOT_REGION, guest_where(1), interrupt, PIT_GSI,
                                     0));
    GUEST_MUST(pith_interrupt_bind(interrupt, notification, 1));
    samples_begin();
    for (unsigned i = 0; i < SAMPLES / 4; i++) { /* all before the next tick */
        pith_io_out(BOOT_PORTS, PIT_COMMAND, 1, 0x30); /* channel 0, once, at the count's end */
        pith_io_out(BOOT_PORTS, PIT_DATA, 1, 20 + i % 7);
        pith_io_out(BOOT_PORTS, PIT_DATA, 1, 0);
        stub_wait(notification, DEADLINE_NEVER);
        MARK(MARK_END);
        got = tsc32();
        sample_add(got - sent);
        GUEST_MUST(pith_interrupt_ack(interrupt));
    }
    samples_end();
    figure("irq.latency", samples.most); /* least and most differ by the spinner's loop */
    GUEST_MUST(pith_interrupt_bind(interrupt, 0, 0));
    GUEST_MUST(pith_thread_stop(spin));
}

/* ---- foreign system calls ------------------------------------------------------------- */

#define FOREIGN_VA 0x180000ull

static void bench_upcall(void)
{
    uint64_t data_va = BENCH_VA + 0x10000, write_va = BENCH_VA + 0x12000;
    uint64_t page = guest_map(SPACE_SELF, write_va, 1);
    uint8_t *to = (uint8_t *)write_va;

    (void)guest_map(SPACE_SELF, data_va, 1);
    for (const char *p = foreign_site; p < foreign_site_end; p++)
        *to++ = (uint8_t)*p;
    GUEST_MUST(pith_space_map(SPACE_SELF, FOREIGN_VA, BOOT_REGION, page, 1 | MAP_READ | MAP_EXEC));
    GUEST_MUST(pith_thread_upcall((uint64_t)upcall_entry, data_va, 0x200000));
    uint32_t empty = upcall_measure((uint64_t)no_foreign_site);
    uint32_t usual = overhead;
    overhead = empty;
    samples_begin();
    for (int i = 0; i < SAMPLES; i++)
        sample_add(upcall_measure(FOREIGN_VA));
    figure("upcall.entry", samples_end());
    overhead = usual;
    GUEST_MUST(pith_thread_upcall(0, 0, 0));
}

/* ---- lives ------------------------------------------------------------------------------ */

static void take(uint64_t index)
{
    GUEST_MUST(pith_page_take(BOOT_REGION, index));
}

static void nothing(uint64_t unused)
{
    (void)unused;
    pith_thread_exit();
}

/* Created, run from its first instruction to its exit at a higher priority, destroyed. */
static void thread_live(uint32_t slot, uint64_t page, uint64_t top)
{
    GUEST_MUST(pith_thread_create(BOOT_REGION, page, slot, SPACE_SELF));
    GUEST_MUST(pith_thread_start(slot, BOOT_TIME, WAITER_PRIORITY << 8, (uint64_t)nothing, top, 0));
    take(page);
    GUEST_MUST(pith_cap_delete(SPACE_SELF, slot));
}

/* Created with three tables and one page mapped, all destroyed. */
static void space_live(uint32_t slot, uint64_t first)
{
    GUEST_MUST(pith_space_create(BOOT_REGION, first, slot));
    for (unsigned i = 1; i < 4; i++)
        GUEST_MUST(pith_space_donate(slot, BOOT_REGION, first + 2 * i));
    GUEST_MUST(pith_space_map(slot, BENCH_VA, BOOT_REGION, first + 8, 1 | MAP_READ));
    for (unsigned i = 1; i < 4; i++)
        take(first + 2 * i);
    take(first + 8);
    take(first);
    GUEST_MUST(pith_cap_delete(SPACE_SELF, slot));
}

static void bench_lives(void)
{
    uint32_t slot = guest_slot();
    uint64_t page = guest_page(), first = guest_pages(9), top = guest_stack(SPACE_SELF) - 8;

    samples_begin();
    for (int i = 0; i < SAMPLES / 10; i++)
        SAMPLE(thread_live(slot, page, top));
    figure("thread.life", samples_end());

    samples_begin();
    for (int i = 0; i < SAMPLES / 10; i++)
        SAMPLE(space_live(slot, first));
    figure("space.life", samples_end());
}

/* ---- scaling ------------------------------------------------------------------------------ */

#define SCALE_ROUNDS 15
#define SCALE_NS 60000000ull

static volatile uint64_t callers; /* mask of the cores that call; the others spin */
static struct { volatile uint64_t calls; uint64_t pad[15]; } counters[64];
static uint32_t scale_gate;

static void caller(uint64_t core)
{
    uint64_t reply;
    for (;;) {
        if (callers >> core & 1) {
            guest_call(scale_gate, 1, 2, 3, &reply);
            counters[core].calls++;
        } else {
            for (volatile int i = 0; i < 50; i++)
                ;
        }
    }
}

/* Calls a second and core while the cores of mask call. */
static uint64_t rate(uint64_t mask)
{
    uint64_t before[64], calls = 0, cores = 0;
    callers = mask;
    stub_wait(nap_notification, guest_now_ns() + SCALE_NS / 10); /* let all cores see it */
    uint64_t t0 = guest_now_ns();
    for (unsigned i = 0; i < BOOTINFO->cores; i++)
        before[i] = counters[i].calls;
    stub_wait(nap_notification, t0 + SCALE_NS);
    for (unsigned i = 0; i < BOOTINFO->cores; i++)
        if (mask >> i & 1) {
            calls += counters[i].calls - before[i];
            cores++;
        }
    return calls * NS_PER_S / (guest_now_ns() - t0) / cores;
}

static void bench_scale(void)
{
    uint64_t ratios[SCALE_ROUNDS], all = 0, alone = 0, mask = (1ull << BOOTINFO->cores) - 1;
    uint32_t space = guest_space();
    struct guest_service s = guest_service(space, 3, add_entry, 1, 0);

    scale_gate = s.gate;
    for (unsigned i = 0; i < BOOTINFO->cores; i++) {
        uint32_t client = guest_space();
        guest_give(client, s.gate);
        (void)guest_thread(client, caller, i, (int)i, SPIN_PRIORITY);
    }
    (void)rate(mask);
    for (int round = 0; round < SCALE_ROUNDS; round++) {
        alone = 0;
        all = rate(mask);
        for (unsigned i = 0; i < BOOTINFO->cores; i++)
            alone += rate(1ull << i);
        uint64_t ratio = 1000 * all * BOOTINFO->cores / alone;
        int at = round;
        for (; at && ratios[at - 1] > ratio; at--)
            ratios[at] = ratios[at - 1];
        ratios[at] = ratio;
    }
    uint64_t median = ratios[SCALE_ROUNDS / 2];
    guest_printf("FIGURE call.scale %lu.%lu%lu%lu ratio least=0.%lu calls_per_s=%lu rounds=%u\n",
                 median / 1000, median / 100 % 10, median / 10 % 10, median % 10, ratios[0], all,
                 SCALE_ROUNDS);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static bool asked_for(const char *what)
{
    size_t length;
    const char *v = guest_option("bench", &length);
    if (!v)
        return true;
    for (size_t i = 0; i < length; i++)
        if (v[i] != what[i])
            return false;
    return !what[length];
}

static void bench_kernel(uint64_t booted)
{
    uint32_t space = guest_space();

    guest_printf("FIGURE boot.kernel %lu instr\n", booted);
    guest_tables(SPACE_SELF, 8);
    (void)guest_map(SPACE_SELF, BENCH_VA, 1); /* makes its tables */
    overhead_measure();
    bench_calls(space);
    bench_null();
    bench_notify(space);
    bench_fault(space);
    bench_map();
    bench_interrupt(space);
    bench_upcall();
    bench_lives();
    longest_provoke();
}

void root_main(void)
{
    uint64_t booted = guest_tsc() - BOOTINFO->clock_base;

    nap_notification = guest_notification();
    if (asked_for("kernel"))
        bench_kernel(booted);
    if (asked_for("call.scale"))
        bench_scale();
    guest_puts("DONE\n");
    guest_exit(0);
}
