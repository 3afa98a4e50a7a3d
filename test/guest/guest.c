/* SPDX-License-Identifier: MIT */
/* See guest.h. */
#include "guest.h"
#include <stdarg.h>

#define SERIAL 0x3f8
#define LINE_STATUS 5
#define TRANSMIT_EMPTY 0x20
#define DEBUG_EXIT 0x501
#define IMAGE_BASE 0x200000ull
#define STACK_AREA 0x40000000ull
#define STACK_PAGES 4
#define MAX_FREE 4096

extern char program_end[];

void guest_putc(char c)
{
    for (unsigned i = 0; i < 1000000; i++) /* until there is room, not for ever */
        if (pith_io_in(BOOT_PORTS, SERIAL + LINE_STATUS, 1).value & TRANSMIT_EMPTY)
            break;
    pith_io_out(BOOT_PORTS, SERIAL, 1, (uint8_t)c);
}

void guest_puts(const char *s)
{
    while (*s)
        guest_putc(*s++);
}

static void put_number(uint64_t v, unsigned base)
{
    char b[24];
    int n = 0;
    do
        b[n++] = "0123456789abcdef"[v % base];
    while ((v /= base));
    while (n)
        guest_putc(b[--n]);
}

void guest_printf(const char *f, ...)
{
    va_list a;
    va_start(a, f);
    for (; *f; f++) {
        if (*f != '%') {
            guest_putc(*f);
            continue;
        }
        f++;
        bool wide = *f == 'l';
        f += wide;
        if (*f == 's') {
            guest_puts(va_arg(a, const char *));
        } else if (*f == 'c') {
            guest_putc((char)va_arg(a, int));
        } else if (*f == 'd') {
            int64_t v = wide ? va_arg(a, int64_t) : va_arg(a, int);
            if (v < 0)
                guest_putc('-');
            put_number(v < 0 ? -(uint64_t)v : (uint64_t)v, 10);
        } else if (*f == 'u' || *f == 'x') {
            put_number(wide ? va_arg(a, uint64_t) : va_arg(a, unsigned), *f == 'x' ? 16 : 10);
        } else {
            guest_putc(*f);
        }
    }
    va_end(a);
}

void guest_exit(unsigned value)
{
    pith_io_out(BOOT_PORTS, DEBUG_EXIT, 1, value);
    for (;;)
        pith_thread_yield();
}

void guest_fail(const char *what, int64_t status)
{
    guest_printf("guest: %s: status %ld\n", what, status);
    guest_exit(1);
}

const char *guest_option(const char *key, size_t *length)
{
    const char *p = BOOTINFO->command_line;
    while (*p) {
        while (*p == ' ')
            p++;
        const char *k = key, *q = p;
        while (*k && *k == *q)
            k++, q++;
        if (!*k && *q == '=') {
            const char *v = ++q;
            while (*q && *q != ' ')
                q++;
            *length = (size_t)(q - v);
            return v;
        }
        while (*p && *p != ' ')
            p++;
    }
    return 0;
}

/* ---- pages and slots ---------------------------------------------------------------- */

static uint64_t next_page, free_pages[MAX_FREE];
static uint32_t free_page_count, next_slot = BOOT_FREE_SLOT, free_slots[MAX_FREE], free_slot_count;
static uint32_t slot_pages = 1;

uint64_t guest_page(void)
{
    if (free_page_count)
        return free_pages[--free_page_count];
    if (!next_page)
        next_page = (BOOTINFO->free_first + 1) & ~1ull;
    if (next_page >= BOOTINFO->free_first + BOOTINFO->free_count)
        guest_fail("out of pages", 0);
    return next_page++;
}

uint64_t guest_pages(uint64_t n)
{
    if (!next_page)
        next_page = (BOOTINFO->free_first + 1) & ~1ull;
    if (next_page & 1)
        guest_page_free(next_page++);
    uint64_t first = next_page;
    next_page += n;
    if (next_page > BOOTINFO->free_first + BOOTINFO->free_count)
        guest_fail("out of pages", 0);
    return first;
}

void guest_page_free(uint64_t index)
{
    if (free_page_count < MAX_FREE)
        free_pages[free_page_count++] = index;
}

uint32_t guest_slot(void)
{
    if (free_slot_count)
        return free_slots[--free_slot_count];
    if (next_slot >> 8 >= slot_pages) {
        GUEST_MUST(pith_cap_page(SPACE_SELF, BOOT_REGION, guest_page(), slot_pages));
        slot_pages++;
    }
    return next_slot++;
}

void guest_slot_free(uint32_t slot)
{
    if (free_slot_count < MAX_FREE)
        free_slots[free_slot_count++] = slot;
}

uint64_t guest_where(unsigned kind)
{
    static struct { uint64_t page; unsigned used; } kinds[16];
    if (!kinds[kind].page || kinds[kind].used == 32) {
        kinds[kind].page = guest_page();
        kinds[kind].used = 0;
    }
    return WHERE(kinds[kind].page, kinds[kind].used++);
}

/* ---- objects --------------------------------------------------------------------------- */

void guest_tables(uint32_t space, unsigned pairs)
{
    for (unsigned i = 0; i < pairs; i++)
        GUEST_MUST(pith_space_donate(space, BOOT_REGION, guest_pages(2)));
}

static void image_share(uint32_t space)
{
    for (uint64_t va = IMAGE_BASE; va < (uint64_t)program_end; va += 4096) {
        uint64_t q = GUEST_MUST(pith_space_query(SPACE_SELF, va));
        GUEST_MUST(pith_space_copy(space, SPACE_SELF, va, va,
                                   1 | MAP_READ | (q & (MAP_WRITE | MAP_EXEC))));
    }
    GUEST_MUST(
        pith_space_copy(space, SPACE_SELF, BOOTINFO_ADDRESS, BOOTINFO_ADDRESS, 2 | MAP_READ));
}

uint32_t guest_space(void)
{
    uint32_t slot = guest_slot();
    GUEST_MUST(pith_space_create(BOOT_REGION, guest_pages(2), slot));
    guest_tables(slot, 6);
    GUEST_MUST(pith_cap_page(slot, BOOT_REGION, guest_page(), 0));
    image_share(slot);
    return slot;
}

uint64_t guest_map(uint32_t space, uint64_t va, unsigned n)
{
    uint64_t first = guest_pages(n);
    for (unsigned i = 0; i < n; i += 64) {
        uint64_t now = n - i < 64 ? n - i : 64;
        GUEST_MUST(pith_space_map(space, va + i * 4096ull, BOOT_REGION, first + i,
                                  now | MAP_READ | MAP_WRITE));
    }
    return first;
}

uint64_t guest_stack(uint32_t space)
{
    static uint64_t next = STACK_AREA;
    uint64_t va = next;
    next += (STACK_PAGES + 1) * 4096;
    if ((next - STACK_AREA) / 0x200000 != (va - STACK_AREA) / 0x200000 || va == STACK_AREA)
        guest_tables(SPACE_SELF, 3);
    uint64_t first = guest_map(SPACE_SELF, va, STACK_PAGES);
    if (space != SPACE_SELF) {
        struct pith_result r;
        do {
            r = pith_space_map(space, va, BOOT_REGION, first, STACK_PAGES | MAP_READ | MAP_WRITE);
            if (r.status == -E_TABLES)
                guest_tables(space, 1);
        } while (r.status == -E_TABLES || r.status == -E_AGAIN);
        if (r.status)
            guest_fail("map stack", r.status);
    }
    return va + STACK_PAGES * 4096;
}

uint32_t guest_gate(uint32_t service, uint64_t badge)
{
    static uint64_t page;
    static unsigned used = 128;
    static uint32_t last;
    if (used == 128 || last != service) {
        page = guest_page();
        used = 0;
        last = service;
    }
    uint32_t slot = guest_slot();
    GUEST_MUST(pith_gate_create(service, BOOT_REGION, WHERE(page, used++), slot, badge));
    return slot;
}

struct guest_service guest_service(uint32_t space, unsigned level, void *entry, unsigned count,
                                   uint64_t badge)
{
    struct guest_service s = { guest_slot(), guest_slot(), 0, space, guest_page(), 0 };
    GUEST_MUST(pith_service_create(BOOT_REGION, guest_page(), s.service, level, 0));
    GUEST_MUST(pith_pool_create(s.service, BOOT_REGION, s.pool_page, s.pool, space,
                                (uint64_t)entry));
    for (unsigned core = 0; core < BOOTINFO->cores; core++) {
        uint64_t page = guest_page();
        uint64_t top = 0;
        for (unsigned i = 0; i < count; i++) {
            uint64_t t = guest_stack(space);
            top = i ? top : t;
        }
        if (!core)
            s.stack_page = page;
        GUEST_MUST(pith_stacks_add(s.pool, BOOT_REGION, page, core, top,
                                   (uint64_t)count << 32 | (STACK_PAGES + 1) * 4096));
    }
    GUEST_MUST(pith_service_bind(s.service, s.pool));
    GUEST_MUST(pith_service_open(s.service));
    s.gate = guest_gate(s.service, badge);
    return s;
}

uint32_t guest_notification(void)
{
    uint32_t slot = guest_slot();
    GUEST_MUST(pith_notification_create(BOOT_REGION, guest_where(0), slot));
    return slot;
}

uint32_t guest_thread(uint32_t space, void (*function)(uint64_t), uint64_t argument, int core,
                      unsigned priority)
{
    uint32_t slot = guest_slot();
    GUEST_MUST(pith_thread_create(BOOT_REGION, guest_page(), slot, space));
    uint64_t top = guest_stack(space);
    if (core >= 0)
        GUEST_MUST(pith_thread_start(slot, BOOT_TIME, (unsigned)core | priority << 8,
                                     (uint64_t)function, top - 8, argument));
    return slot;
}

void guest_thread_wait(uint32_t thread)
{
    static uint32_t nap;
    struct pith_thread_info i;
    if (!nap)
        nap = guest_notification();
    do {
        pith_notify_wait(nap, guest_now_ns() + 50000); /* it may have a lower priority */
        GUEST_MUST(pith_thread_info(thread, (uint64_t)&i));
    } while (i.state != 0);
}

void guest_give(uint32_t space, uint32_t slot)
{
    GUEST_MUST(pith_cap_copy(slot, space, slot, RIGHT_ALL));
}

/* ---- calls ----------------------------------------------------------------------------- */

#define CALL_CLOBBERS "rbx", "rcx", "r8", "r9", "r11", "r12", "r13", "r14", "r15", "memory"

__attribute__((noinline, optimize("omit-frame-pointer"))) int64_t
guest_call(uint32_t gate, uint64_t a, uint64_t b, uint64_t c, uint64_t *reply)
{
    uint64_t status = gate;
    __asm__ volatile("push %%rbp\n\tsyscall\n\tpop %%rbp"
                     : "+a"(status), "+D"(a), "+S"(b), "+d"(c)
                     :
                     : "r10", CALL_CLOBBERS);
    *reply = a;
    return (int64_t)status;
}

__attribute__((noinline, optimize("omit-frame-pointer"))) int64_t
guest_call6(uint32_t gate, struct words *w)
{
    uint64_t status = gate;
    register uint64_t d __asm__("r10") = w->w[3];
    register uint64_t e __asm__("r8") = w->w[4];
    register uint64_t f __asm__("r9") = w->w[5];
    uint64_t a = w->w[0], b = w->w[1], c = w->w[2];
    __asm__ volatile("push %%rbp\n\tpush %[w]\n\tsyscall\n\tpop %%rbx\n\tpop %%rbp"
                     : "+a"(status), "+D"(a), "+S"(b), "+d"(c), "+r"(d), "+r"(e), "+r"(f)
                     : [w] "b"(w)
                     : "rcx", "r11", "r12", "r13", "r14", "r15", "memory");
    w->w[0] = a;
    w->w[1] = b;
    w->w[2] = c;
    w->w[3] = d;
    w->w[4] = e;
    w->w[5] = f;
    return (int64_t)status;
}
