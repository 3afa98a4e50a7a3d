/* SPDX-License-Identifier: MIT */
/* See test.h. Runs the tests whose name begins with the command line's test=PREFIX. */
#include "test.h"

#define ARENA_MAX 8192u
#define SLOT_FIRST 64u
#define SLOT_PAGES 2u
#define PAGES_A_TEST 4096u
#define SLOT_LIMIT (256u * SLOT_PAGES)
#define AREA_FIRST 0x60000000ull
#define AREA_TABLES 24u
#define IMAGE_BASE 0x200000ull
#define STACK_PAGES 2u
#define CLEAN_PASSES 20000u
#define WATCHDOG_PRIORITY 62u

extern const struct test __start_tests[], __stop_tests[];
extern char program_end[];
void root_main(void);

/* A test gets pages behind those of the last one, so that these have the time to become
 * quiet; at the end it starts from the beginning. */
static uint64_t all_first, all_end, arena_first, arena_count, arena_used, arena_high;
static uint64_t area_next, page_given;
static uint32_t slot_next;
static const struct test *running;
static volatile bool failed;
static const char *skipped;
static unsigned failures;
static void *resume_point[5];
static char main_marker;
static uint64_t main_stack_low, main_stack_high;
static volatile uint64_t watchdog_end;
static uint32_t nap_notification;
static uint64_t nap_ns;
uint64_t region_base;
struct fixture fx;

/* ---- results ------------------------------------------------------------------------------ */

static bool on_main_stack(void)
{
    uint64_t sp = (uint64_t)__builtin_frame_address(0);
    return sp >= main_stack_low && sp < main_stack_high;
}

static void __attribute__((noreturn)) leave(void)
{
    if (on_main_stack())
        __builtin_longjmp(resume_point, 1);
    pith_thread_exit();
    for (;;)
        pith_thread_yield();
}

static void fail_line(const char *why)
{
    if (!failed)
        guest_printf("FAIL %s: %s", running->title, why);
    failed = true;
}

void test_fail(const char *file, int line, const char *what, int64_t got, int64_t wanted)
{
    const char *base = file;
    for (const char *p = file; *p; p++)
        if (*p == '/')
            base = p + 1;
    if (!failed) {
        fail_line(base);
        guest_printf(":%d %s", line, what);
        if (got != wanted)
            guest_printf(" is %ld, not %ld", got, wanted);
        guest_puts("\n");
    }
    leave();
}

void test_skip(const char *reason)
{
    skipped = reason;
    leave();
}

/* ---- pages, slots, addresses ---------------------------------------------------------------- */

bool arena_holds(uint64_t n)
{
    return arena_used + n <= arena_count;
}

uint64_t pages_aligned(uint64_t n, uint64_t align)
{
    uint64_t first = (arena_first + arena_used + align - 1) / align * align;
    if (first + n > arena_first + arena_count)
        test_skip("needs more memory");
    arena_used = first + n - arena_first;
    if (arena_used > arena_high)
        arena_high = arena_used;
    page_given = first;
    return first;
}

uint64_t page(void)
{
    return pages_aligned(1, 1);
}

uint64_t pages(uint64_t n)
{
    return pages_aligned(n, 2);
}

uint64_t last_page(void)
{
    return page_given;
}

uint32_t slot(void)
{
    CHECK(slot_next < SLOT_LIMIT);
    return slot_next++;
}

uint64_t where(void)
{
    return WHERE(page(), 0);
}

uint64_t area(uint64_t bytes)
{
    uint64_t va = area_next;
    area_next += (bytes + 4095) / 4096 * 4096 + 4096;
    return va;
}

uint32_t weak(uint32_t of, uint64_t rights)
{
    uint32_t s = slot();
    MUST(pith_cap_copy(of, SPACE_SELF, s, rights));
    return s;
}

uint64_t map(uint32_t space, uint64_t va, unsigned n)
{
    uint64_t first = pages(n);
    for (unsigned i = 0; i < n; i += 64) {
        uint64_t now = n - i < 64 ? n - i : 64, done = 0;
        while (done < now)
            done += MUST(pith_space_map(space, va + (i + done) * 4096, BOOT_REGION,
                                        first + i + done, (now - done) | MAP_READ | MAP_WRITE));
    }
    return first;
}

/* ---- objects --------------------------------------------------------------------------------- */

void give_tables(uint32_t space, unsigned pairs)
{
    for (unsigned i = 0; i < pairs; i++) {
        uint64_t first = pages(2);
        MUST(pith_space_donate(space, BOOT_REGION, first));
    }
}

uint32_t make_bare_space(void)
{
    uint32_t s = slot();
    uint64_t first = pages(2);
    MUST(pith_space_create(BOOT_REGION, first, s));
    return s;
}

static void share(uint32_t space, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t q = MUST(pith_space_query(SPACE_SELF, from)) & (MAP_WRITE | MAP_EXEC), n = 1;
        while (n < 64 && from + n * 4096 < to &&
               (MUST(pith_space_query(SPACE_SELF, from + n * 4096)) & (MAP_WRITE | MAP_EXEC)) == q)
            n++;
        MUST(pith_space_copy(space, SPACE_SELF, from, from, n | MAP_READ | q));
        from += n * 4096;
    }
}

uint32_t make_space(void)
{
    uint32_t s = make_bare_space();
    give_tables(s, 12);
    uint64_t caps = page();
    MUST(pith_cap_page(s, BOOT_REGION, caps, 0));
    share(s, IMAGE_BASE, (uint64_t)program_end);
    share(s, BOOTINFO_ADDRESS, BOOTINFO_ADDRESS + 0x2000);
    return s;
}

uint64_t make_stack(uint32_t space)
{
    uint64_t va = area(STACK_PAGES * 4096ull);
    uint64_t first = map(SPACE_SELF, va, STACK_PAGES);
    if (space != SPACE_SELF)
        MUST(pith_space_map(space, va, BOOT_REGION, first, STACK_PAGES | MAP_READ | MAP_WRITE));
    return va + STACK_PAGES * 4096ull;
}

uint32_t make_notification(void)
{
    uint32_t s = slot();
    uint64_t at = where();
    MUST(pith_notification_create(BOOT_REGION, at, s));
    return s;
}

uint32_t make_region(unsigned count)
{
    uint32_t s = slot();
    uint64_t at = where();
    region_base = pages(count);
    MUST(pith_region_create(BOOT_REGION, at, s, region_base));
    for (unsigned i = 0; i < count; i += 64)
        MUST(pith_region_grow(s, BOOT_REGION, count - i < 64 ? count - i : 64));
    return s;
}

uint32_t make_time(uint64_t cores, unsigned priority)
{
    uint32_t s = slot();
    uint64_t at = where();
    MUST(pith_time_create(BOOT_TIME, BOOT_REGION, at, s, cores, priority));
    return s;
}

uint32_t make_stopped(uint32_t space)
{
    uint32_t s = slot();
    uint64_t at = page();
    MUST(pith_thread_create(BOOT_REGION, at, s, space));
    return s;
}

uint32_t make_thread(uint32_t space, void (*f)(uint64_t), uint64_t argument, unsigned core,
                     unsigned priority)
{
    uint32_t s = make_stopped(space);
    uint64_t top = make_stack(space);
    MUST(pith_thread_start(s, BOOT_TIME, core | priority << 8, (uint64_t)f, top - 8, argument));
    return s;
}

uint32_t make_pool(uint32_t service, uint32_t space, void (*entry)(void), unsigned stacks)
{
    uint32_t s = slot();
    uint64_t at = page();
    MUST(pith_pool_create(service, BOOT_REGION, at, s, space, (uint64_t)entry));
    for (unsigned core = 0; core < BOOTINFO->cores && core < 4; core++) {
        uint64_t top = 0;
        for (unsigned i = 0; i < stacks; i++) {
            uint64_t t = make_stack(space);
            top = i ? top : t;
        }
        at = page();
        MUST(pith_stacks_add(s, BOOT_REGION, at, core, top,
                             (uint64_t)stacks << 32 | (STACK_PAGES + 1) * 4096));
    }
    return s;
}

uint32_t make_gate(uint32_t service, uint64_t badge, uint64_t *where_it_is)
{
    uint32_t s = slot();
    uint64_t at = where();
    MUST(pith_gate_create(service, BOOT_REGION, at, s, badge));
    if (where_it_is)
        *where_it_is = at;
    return s;
}

struct server make_server(uint32_t space, unsigned level, void (*entry)(void), unsigned stacks,
                          uint64_t badge)
{
    struct server s = { .service = slot(), .space = space, .service_page = page() };
    MUST(pith_service_create(BOOT_REGION, s.service_page, s.service, level, 0));
    s.pool_page = arena_first + arena_used;
    s.pool = make_pool(s.service, space, entry, stacks);
    MUST(pith_service_bind(s.service, s.pool));
    MUST(pith_service_open(s.service));
    s.gate = make_gate(s.service, badge, &s.gate_where);
    return s;
}

void give(uint32_t space, uint32_t s)
{
    MUST(pith_cap_copy(s, space, s, RIGHT_ALL));
}

struct pith_thread_info info_of(uint32_t thread)
{
    static struct pith_thread_info i;
    MUST(pith_thread_info(thread, (uint64_t)&i));
    return i;
}

uint64_t state_of(uint32_t thread)
{
    return info_of(thread).state;
}

void stop(uint32_t thread)
{
    while (EXPECT(pith_thread_stop(thread), 0), state_of(thread) != T_STOPPED)
        nap();
}

void wait_stopped(uint32_t thread)
{
    EVENTUALLY(state_of(thread) == T_STOPPED);
}

void nap(void)
{
    /* Ever longer, so that others get somewhere on the slowest machine. */
    nap_ns = nap_ns < 4000000 ? nap_ns + nap_ns / 8 : nap_ns;
    pith_notify_wait(nap_notification, guest_now_ns() + nap_ns);
}

void again(void)
{
    pith_notify_wait(nap_notification, guest_now_ns() + 20000);
}

static void idle_thread(uint64_t unused)
{
    (void)unused;
    pith_thread_exit();
}

void fixture(void)
{
    fx.empty = slot();
    fx.space = make_space();
    fx.server = make_server(fx.space, 5, echo_entry, 2, 1000);
    fx.service = fx.server.service;
    fx.pool = fx.server.pool;
    fx.gate = fx.server.gate;
    fx.region = make_region(8);
    fx.time = make_time(1, 40);
    fx.thread_page = arena_first + arena_used;
    fx.thread = make_thread(SPACE_SELF, idle_thread, 0, 0, PRIORITY + 1);
    fx.notification = make_notification();
    fx.interrupt = slot();
    uint64_t at = where();
    MUST(pith_interrupt_create(BOOT_CONTROL, BOOT_REGION, at, fx.interrupt, UINT64_MAX, 0));
    fx.ports = slot();
    at = where();
    MUST(pith_io_create(BOOT_PORTS, BOOT_REGION, at, fx.ports, 0x70, 2));
    fx.memory = slot();
    at = where();
    MUST(pith_io_create(BOOT_MEMORY, BOOT_REGION, at, fx.memory, 0xfec00, 0x201));
    fx.buffer = area(4096);
    map(SPACE_SELF, fx.buffer, 1);
    fx.bad = area(4096);
    fx.page = pages(2);
    fx.odd = fx.page + 1;
    fx.where = where();
    wait_stopped(fx.thread);
}

/* ---- servers --------------------------------------------------------------------------------- */

volatile uint64_t server_value, server_args[3], spin_flag, spin_count;

struct pith_result raw_op(uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                          uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    int64_t status;
    __asm__ volatile("syscall"
                     : "=a"(status), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8), "+r"(r9)
                     : "0"((uint64_t)OP_CODE(n))
                     : "rcx", "r11", "memory");
    return (struct pith_result){ status, c };
}

#define HANDLER(name)                                                                        \
    uint64_t name(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge);           \
    GUEST_ENTRY(name);                                                                       \
    uint64_t name(uint64_t a __attribute__((unused)), uint64_t b __attribute__((unused)),    \
                  uint64_t c __attribute__((unused)), uint64_t d __attribute__((unused)),    \
                  uint64_t badge __attribute__((unused)))

HANDLER(echo)
{
    return a + b + c + badge;
}
HANDLER(operate)
{
    struct pith_result r = raw_op(a, b, c, d, server_args[0], server_args[1], server_args[2]);
    server_value = r.value;
    return (uint64_t)r.status;
}
HANDLER(wait)
{
    return (uint64_t)pith_notify_wait((uint32_t)a, b).status;
}
HANDLER(forward)
{
    uint64_t reply = 0;
    server_value = (uint64_t)guest_call((uint32_t)a, b, c, 0, &reply);
    return reply;
}
HANDLER(spin)
{
    spin_count++;
    while (spin_flag)
        __asm__ volatile("pause");
    return a + badge;
}
HANDLER(poke)
{
    *(volatile uint64_t *)a = b;
    return 1;
}

__attribute__((noinline, optimize("omit-frame-pointer"))) struct pith_result
call_x(uint64_t transfer)
{
    uint64_t status = OP_CODE(OP_CALL_X), value;
    __asm__ volatile("push %%rbp\n\tsyscall\n\tpop %%rbp"
                     : "+a"(status), "+D"(transfer), "=d"(value)
                     :
                     : "rsi", "r8", "r9", "r10", "rbx", "rcx", "r11", "r12", "r13", "r14", "r15",
                       "memory");
    return (struct pith_result){ (int64_t)status, value };
}

int64_t call(uint32_t gate, uint64_t a, uint64_t b, uint64_t c, uint64_t *reply)
{
    return guest_call(gate, a, b, c, reply);
}

/* ---- running --------------------------------------------------------------------------------- */

/* Where the test stands. */
static void describe(void)
{
    static struct pith_thread_info i;
    static struct pith_regs r;
    pith_thread_info(BOOT_THREAD, (uint64_t)&i);
    for (unsigned tries = 0; tries < 1000 && pith_thread_stop(BOOT_THREAD).status; tries++)
        pith_thread_yield();
    pith_thread_regs_read(BOOT_THREAD, (uint64_t)&r);
    guest_printf("state %lu depth %lu rip %lx\n", i.state, i.depth, r.rip);
    for (unsigned n = 0; n < 8 && r.rbp >= main_stack_low && r.rbp < main_stack_high; n++) {
        guest_printf("called from %lx\n", ((uint64_t *)r.rbp)[1]);
        r.rbp = *(uint64_t *)r.rbp;
    }
}

static void watchdog(uint64_t notification)
{
    for (;;) {
        uint64_t end = watchdog_end;
        pith_notify_wait((uint32_t)notification, guest_now_ns() + NS_PER_S / 4);
        if (end && end == watchdog_end && guest_now_ns() > end) {
            guest_printf("\nFAIL %s: took longer than its limit\n", running->title);
            describe();
            guest_exit(1);
        }
    }
}

/* Takes back whatever the test made; false when something does not come back. */
static bool clean(void)
{
    uint64_t left = 1, bad = 0, answer = 0;
    pith_space_handler(SPACE_SELF, 0);
    for (uint32_t s = SLOT_FIRST; s < slot_next; s++)
        pith_cap_delete(SPACE_SELF, s);
    for (unsigned pass = 0; pass < CLEAN_PASSES && left; pass++) {
        left = 0;
        for (uint64_t p = arena_first; p < arena_first + arena_used; p++) {
            uint64_t info = pith_page_info(BOOT_REGION, p).value;
            if (info == (P_FREE | 1 << 10))
                continue;
            struct pith_result r = pith_page_take(BOOT_REGION, p);
            if (r.status) {
                left++;
                bad = p;
                answer = (uint64_t)r.status;
            }
        }
        if (left && pass > 3) {
            if (pass % 16)
                again();
            else
                nap();
        }
    }
    if (left) {
        fail_line("leaks ");
        guest_printf("%lu pages, one of type %lu, which answers %ld\n", left,
                     pith_page_info(BOOT_REGION, bad).value & 0xff, (int64_t)answer);
        all_first = arena_first + arena_used; /* what is before that is lost */
    }
    for (uint32_t s = SLOT_FIRST; s < slot_next; s++)
        if (pith_cap_identify(s).status != -E_CAP && !failed) {
            fail_line("a slot stays full\n");
            left++;
        }
    arena_first += arena_used;
    if (arena_first + PAGES_A_TEST > all_end)
        arena_first = all_first;
    arena_count = all_end - arena_first;
    arena_used = 0;
    slot_next = SLOT_FIRST;
    area_next = AREA_FIRST;
    return !left;
}

static void run(const struct test *t)
{
    running = t;
    failed = false;
    skipped = 0;
    nap_ns = 30000;
    guest_printf("TEST %s\n", t->title);
    watchdog_end = guest_now_ns() + TEST_LIMIT_NS;
    if (!__builtin_setjmp(resume_point))
        t->run();
    spin_flag = 0;
    clean();
    if (pith_kernel_check(BOOT_CONTROL).status && !failed)
        fail_line("the kernel's invariants are broken\n");
    watchdog_end = 0;
    if (failed)
        failures++;
    else if (skipped)
        guest_printf("SKIP %s: %s\n", t->title, skipped);
    else
        guest_printf("PASS %s\n", t->title);
}

static bool wanted(const struct test *t, const char *prefix, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (t->title[i] != prefix[i])
            return false;
    return true;
}

static void start(void)
{
    const struct pith_bootinfo *b = BOOTINFO;
    uint64_t sp = (uint64_t)__builtin_frame_address(0);
    main_stack_low = sp - 65536;
    main_stack_high = sp + 65536;
    (void)main_marker;
    for (unsigned i = 1; i < SLOT_PAGES; i++)
        MUST(pith_cap_page(SPACE_SELF, BOOT_REGION, guest_page(), i));
    guest_tables(SPACE_SELF, AREA_TABLES);
    nap_notification = guest_notification();
    uint32_t w = guest_thread(SPACE_SELF, watchdog, guest_notification(), 0, WATCHDOG_PRIORITY);
    (void)w;
    all_first = arena_first = guest_pages(2) + 2;
    all_end = b->free_first + b->free_count;
    arena_count = all_end - arena_first;
    slot_next = SLOT_FIRST;
    area_next = AREA_FIRST;
}

void root_main(void)
{
    size_t length = 0;
    const char *prefix = guest_option("test", &length);
    unsigned count = 0;
    static const struct test starting = { "start", 0 };
    running = &starting;
    if (__builtin_setjmp(resume_point))
        guest_exit(1);
    start();
    for (const struct test *t = __start_tests; t < __stop_tests; t++)
        if (!prefix || wanted(t, prefix, length)) {
            run(t);
            count++;
        }
    guest_printf("%u tests, %u failed, %lu pages at most\n", count, failures, arena_high);
    guest_puts("DONE\n");
    guest_exit(failures != 0);
}
