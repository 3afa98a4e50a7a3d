/* SPDX-License-Identifier: MIT */
/* A component's own business with the kernel: see rt/component.h. */
#include <rt/call.h>
#include <rt/component.h>
#include <rt/format.h>
#include <rt/status.h>
#include <rt/string.h>
#include <stdarg.h>

#define GUARD 4096u
#define STACK_STRIDE (RT_STACK_SIZE * 2) /* the block before each stack stays unmapped */
#define BIT_READY 1
#define BIT_DONE 4

static uint64_t volatile_next, stacks_next;
static uint32_t receive_next = SLOT_RECEIVE, lanes;
static struct rt_lock lock;

int64_t rt_events_left;
uint8_t rt_dying;

void component_start(void);

void rt_lock_wait(struct rt_lock *l)
{
    do
        pith_thread_yield();
    while (__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE));
}

uint32_t rt_cap(const char *name)
{
    for (unsigned i = 0; i < RT_NAMES && STARTUP->caps[i].slot; i++)
        if (!strcmp(STARTUP->caps[i].name, name))
            return STARTUP->caps[i].slot;
    return 0;
}

uint64_t rt_now_ns(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    uint64_t tsc = (uint64_t)hi << 32 | lo;
    unsigned __int128 p = tsc - STARTUP->clock_base;
    return (uint64_t)(p * STARTUP->clock_mult >> STARTUP->clock_shift);
}

uint64_t rt_realtime_ns(void)
{
    return STARTUP->boot_ns_realtime + rt_now_ns();
}

uint64_t rt_volatile_pages(uint64_t n)
{
    uint64_t first = 0;
    rt_lock(&lock);
    uint64_t next = volatile_next ? volatile_next : STARTUP->volatile_first;
    if (n > 1 && next & 1)
        next++;
    if (next + n <= STARTUP->volatile_first + STARTUP->volatile_count) {
        first = next;
        volatile_next = next + n;
    }
    rt_unlock(&lock);
    return first;
}

uint64_t rt_volatile_page(void)
{
    return rt_volatile_pages(1);
}

static struct pith_result again(struct pith_result (*op)(uint64_t, uint64_t, uint64_t), uint64_t a,
                                uint64_t b, uint64_t c)
{
    struct pith_result r;
    do
        r = op(a, b, c);
    while (r.status == -E_AGAIN);
    return r;
}

static struct pith_result donate(uint64_t space, uint64_t region, uint64_t index)
{
    return pith_space_donate(space, region, index);
}

/* Maps n fresh volatile pages at va. */
static bool map_fresh(uint64_t va, uint64_t n)
{
    uint64_t first = rt_volatile_pages(n);
    if (!first)
        return false;
    for (uint64_t done = 0; done < n;) {
        uint64_t now = n - done < MAP_BATCH ? n - done : MAP_BATCH;
        struct pith_result r = pith_space_map(SPACE_SELF, va + done * 4096, SLOT_VOLATILE,
                                              first + done, now | MAP_READ | MAP_WRITE);
        if (r.status == -E_TABLES) {
            uint64_t pair = rt_volatile_pages(2);
            if (!pair || again(donate, SPACE_SELF, SLOT_VOLATILE, pair).status)
                return false;
        } else if (r.status && r.status != -E_AGAIN) {
            return false;
        } else if (!r.status) {
            done += r.value;
        }
    }
    return true;
}

/* Four slots for capabilities; 0: all are given out. */
static uint32_t receive_slots(void)
{
    uint32_t first = __atomic_fetch_add(&receive_next, 4, __ATOMIC_RELAXED);
    if (first + 4 > SLOT_DYNAMIC2)
        return 0;
    for (uint32_t i = 0; i < 4; i++)
        pith_cap_delete(SPACE_SELF, first + i); /* a killed incarnation may have left some */
    return first;
}

static void self_init(uint64_t base, uint32_t notification, uint32_t receive)
{
    struct rt_self *s = (struct rt_self *)base;
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    memset(s, 0, sizeof *s);
    s->magic = RT_SELF_MAGIC;
    s->notification = notification;
    s->recv_slot = receive;
    s->lane = (uint16_t)(STARTUP->incarnation * 64 + ++lanes);
    s->number = lo | 1;
    s->deadline_ns = UINT64_MAX;
}

/* A stack with its rt_self; its top, or 0. */
static uint64_t stack_make(uint32_t notification, uint32_t receive)
{
    /* The first is the main thread's. */
    uint64_t n = 1 + __atomic_fetch_add(&stacks_next, 1, __ATOMIC_RELAXED);
    uint64_t base = STACKS_BASE + n * STACK_STRIDE + RT_STACK_SIZE;
    if (!map_fresh(base, RT_STACK_SIZE / 4096))
        return 0;
    self_init(base, notification, receive);
    return base + RT_STACK_SIZE;
}

bool rt_service_open(const char *name, void (*entry)(void), unsigned count)
{
    return rt_service_serve(rt_cap(name), name, entry, count);
}

bool rt_service_serve(uint32_t service, const char *name, void (*entry)(void), unsigned count)
{
    uint32_t pool = SLOT_POOL;
    uint64_t page = rt_volatile_page();
    struct pith_result r;
    if (!service || !page) {
        rt_log("%s: no service or no memory", name);
        return false;
    }
    do
        r = pith_cap_delete(SPACE_SELF, pool);
    while (r.status == -E_AGAIN);
    uint64_t at = (uint64_t)entry - (STARTUP->crash_at ? RT_ENTRY_COUNTED : 0);
    do
        r = pith_pool_create(service, SLOT_VOLATILE, page, pool, SLOT_SPACE, at);
    while (r.status == -E_AGAIN);
    for (unsigned core = 0; !r.status && core < STARTUP->cores; core++) {
        uint64_t top = 0;
        uint32_t receive = 0;
        page = rt_volatile_page();
        for (unsigned i = 0; i < count; i++) {
            uint32_t slots = receive_slots();
            uint64_t t = slots ? stack_make(0, slots) : 0;
            if (!t || !page) {
                rt_log("%s: no %s for stacks of core %u", name, slots ? "memory" : "slots", core);
                return false;
            }
            top = i ? top : t;
            receive = i ? receive : slots;
        }
        do
            r = pith_stacks_add(pool, SLOT_VOLATILE, page, core | (uint64_t)receive << 16, top,
                                (uint64_t)count << 32 | STACK_STRIDE);
        while (r.status == -E_AGAIN);
    }
    if (!r.status)
        r = pith_service_pause(service);
    if (!r.status)
        r = pith_service_bind(service, pool);
    if (!r.status)
        do
            r = pith_service_open(service);
        while (r.status == -E_AGAIN);
    if (r.status)
        rt_log("%s: cannot open: %ld", name, r.status);
    return !r.status;
}

/* ---- threads ------------------------------------------------------------------------- */

static void thread_body(uint64_t base)
{
    uint64_t *start = (uint64_t *)(base + sizeof(struct rt_self) + 64);
    void (*function)(uint64_t) = (void (*)(uint64_t))start[0];
    function(start[1]);
    for (;;)
        pith_thread_exit();
}

int64_t rt_thread_start(void (*function)(uint64_t), uint64_t argument, unsigned core,
                        unsigned priority)
{
    static uint32_t next_slot = SLOT_NAMED + RT_NAMES;
    static uint64_t small_page;
    static unsigned small_used = 32;
    rt_lock(&lock);
    uint32_t note = next_slot++, thread = next_slot++;
    bool fresh = small_used == 32;
    if (fresh)
        small_used = 0;
    unsigned place = small_used++;
    rt_unlock(&lock);
    if (thread >= SLOT_DYNAMIC)
        return -E_LIMIT;
    if (fresh)
        small_page = rt_volatile_page();
    uint64_t page = rt_volatile_page();
    if (!page || !small_page)
        return -E_LIMIT;
    struct pith_result r;
    /* Slots may still hold what an earlier incarnation had. */
    pith_cap_delete(SPACE_SELF, note);
    pith_cap_delete(SPACE_SELF, thread);
    do
        r = pith_notification_create(SLOT_VOLATILE, WHERE(small_page, place), note);
    while (r.status == -E_AGAIN);
    uint32_t receive = receive_slots();
    uint64_t top = r.status || !receive ? 0 : stack_make(note, receive);
    if (!top)
        return r.status ? r.status : -E_LIMIT;
    uint64_t base = top - RT_STACK_SIZE;
    uint64_t *start = (uint64_t *)(base + sizeof(struct rt_self) + 64);
    start[0] = (uint64_t)function;
    start[1] = argument;
    do
        r = pith_thread_create(SLOT_VOLATILE, page, thread, SPACE_SELF);
    while (r.status == -E_AGAIN);
    if (!r.status)
        r = pith_thread_start(thread, SLOT_TIME, core | priority << 8, (uint64_t)thread_body,
                              top - 8, base);
    return r.status;
}

static uint64_t beat_ns = UINT64_MAX; /* when the next heartbeat is due */

/* A service that is stuck keeps its stack; this call then waits for it, and no beat is seen. */
static void beat(void)
{
    bool alive = true;
    for (uint32_t i = 0; i < STARTUP->offers; i++) {
        struct msg m = {{0}};
        alive &= !rt_call(SLOT_ALIVE + i, &m);
    }
    if (alive)
        __atomic_store_n(&RT_STATUS->beats, RT_STATUS->beats + 1, __ATOMIC_RELEASE);
    beat_ns = rt_now_ns() + STARTUP->heartbeat_ns;
}

static void crash_awake(void)
{
    if (!STARTUP->crash_at || __atomic_sub_fetch(&rt_events_left, 1, __ATOMIC_RELAXED))
        return;
    RT_STATUS->crashed_waking = STARTUP->incarnation;
    __asm__ volatile("int3");
}

uint64_t rt_wait(uint64_t deadline_ns)
{
    uint32_t notification = rt_self()->notification;
    for (;;) {
        uint64_t next = notification == SLOT_MAIN ? beat_ns : UINT64_MAX;
        uint64_t until = next < deadline_ns ? next : deadline_ns;
        struct pith_result r = pith_notify_wait(notification, until);
        if (r.status == -E_INTR)
            continue;
        if (next != UINT64_MAX && rt_now_ns() >= next)
            beat();
        if (!r.status) {
            crash_awake();
            return r.value;
        }
        if (until == deadline_ns)
            return 0;
    }
}

void rt_ready(void)
{
    if (STARTUP->heartbeat_ns)
        beat_ns = rt_now_ns() + STARTUP->heartbeat_ns;
    __atomic_store_n(&RT_STATUS->ready, STARTUP->incarnation, __ATOMIC_RELEASE);
    pith_notify_raise(SLOT_SUPERVISOR, BIT_READY);
}

/* ---- output ---------------------------------------------------------------------------- */

#define SERIAL_DATA 0

static void log_text(const char *text)
{
    uint32_t port = rt_cap("log-port");
    for (; port && *text; text++)
        pith_io_out(port, SERIAL_DATA, 1, (uint8_t)*text);
}

/* Kept where it is read after our death. The time comes last: a line that has one is whole. */
static void log_keep(const char *text)
{
    uint64_t n = __atomic_fetch_add(&RT_STATUS->lines_written, 1, __ATOMIC_RELAXED);
    struct rt_line *line = &RT_STATUS->lines[n % RT_LINES];
    __atomic_store_n(&line->time_ns, 0, __ATOMIC_RELAXED);
    strlcpy(line->text, text, sizeof line->text);
    __atomic_store_n(&line->time_ns, rt_now_ns(), __ATOMIC_RELEASE);
}

static void log_line(const char *format, va_list arguments)
{
    char line[256];
    snprintf(line, sizeof line, "[%s] ", STARTUP->name);
    size_t n = strlen(line);
    vsnprintf(line + n, sizeof line - n - 1, format, arguments);
    log_keep(line + n);
    n = strlen(line);
    line[n] = '\n';
    line[n + 1] = 0;
    log_text(line);
}

void rt_log(const char *format, ...)
{
    va_list a;
    va_start(a, format);
    log_line(format, a);
    va_end(a);
}

void rt_panic(const char *format, ...)
{
    va_list a;
    va_start(a, format);
    log_line(format, a);
    va_end(a);
    __builtin_trap();
}

void component_start(void)
{
    self_init((uint64_t)rt_self(), SLOT_MAIN, receive_slots());
    rt_events_left = (int64_t)STARTUP->crash_at;
    component_main();
    __atomic_store_n(&RT_STATUS->done, STARTUP->incarnation, __ATOMIC_RELEASE);
    pith_notify_raise(SLOT_SUPERVISOR, BIT_DONE);
    while (beat_ns != UINT64_MAX)
        (void)rt_wait(DEADLINE_NEVER);
    for (;;)
        pith_thread_exit();
}
