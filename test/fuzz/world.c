/* SPDX-License-Identifier: MIT */
/* What runs inside a world: fuzzing threads, and the servers that they call. */
#include "fuzz.h"

#define TRIES 4

struct pith_result operation_do(uint64_t n, const uint64_t a[6])
{
    uint64_t rdi = a[0], rsi = a[1], rdx = a[2];
    register uint64_t r10 __asm__("r10") = a[3];
    register uint64_t r8 __asm__("r8") = a[4];
    register uint64_t r9 __asm__("r9") = a[5];
    int64_t status;
    /* A call_x that succeeds keeps no register, and what it answers is no status. */
    __asm__ volatile("push %%rbp\n\tsyscall\n\tpop %%rbp"
                     : "=a"(status), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9)
                     : "0"((uint64_t)OP_CODE(n))
                     : "rbx", "rcx", "r11", "r12", "r13", "r14", "r15", "memory");
    return (struct pith_result){ status, rdx };
}

static const struct operation *operation_pick(struct random *r)
{
    uint64_t at = random_below(r, 16 * operation_count);
    const struct operation *o = &operations[at / 16];
    return at % 16 < o->weight ? o : 0;
}

static void operation_random(struct random *r, uint64_t buffer)
{
    const struct operation *o = 0;
    uint64_t a[6] = { 0 };
    while (!o)
        o = operation_pick(r);
    unsigned i = 0;
    for (; i < 6 && o->arguments[i]; i++)
        a[i] = argument_make(r, o->arguments[i], buffer);
    for (; i < 6; i++)
        a[i] = one_in(r, 8) ? random_next(r) : 0;
    struct pith_result result;
    unsigned tries = 0;
    do
        result = operation_do(o->number, a);
    while (result.status == -E_AGAIN && ++tries < TRIES);
    if (o->makes && !result.status)
        WORLD->kinds[a[o->slot_argument - 1] & 255] = o->makes;
    if (o->number == OP_CAP_COPY && !result.status && a[1] == SPACE_SELF)
        WORLD->kinds[a[2] & 255] = WORLD->kinds[a[0] & 255];
    *(result.status ? &WORLD->refused : &WORLD->ok) += 1;
}

static void call_random(struct random *r)
{
    uint64_t reply = 0, gate = argument_make(r, 'g', 0);
    (void)guest_call((uint32_t)gate & 0x7fffffff, random_next(r), random_next(r), random_next(r),
                     &reply);
}

/* Reads or writes the window: mostly a page fault, or a stale mapping would show. */
static void touch_random(struct random *r)
{
    uint64_t va = WINDOW_VA + random_below(r, 32) * 4096;
    struct pith_result q = pith_space_query(SPACE_SELF, va);
    if (q.status || (!(q.value & MAP_READ) && !one_in(r, 100)) || q.value & MAP_UNCACHED)
        return;
    if (q.value & MAP_WRITE && one_in(r, 2))
        *(volatile uint64_t *)va = random_next(r);
    else
        (void)*(volatile uint64_t *)va;
}

static void fuzz_loop(struct random *r, uint64_t index)
{
    uint64_t buffer = BUFFER_VA + index * 4096;
    for (;;) {
        uint64_t what = random_below(r, 20);
        if (what < 3)
            call_random(r);
        else if (what < 4)
            touch_random(r);
        else
            operation_random(r, buffer);
        WORLD->ops[index]++;
    }
}

void fuzz_thread(uint64_t index_and_seed)
{
    struct random r = { index_and_seed | 1ull << 63 };
    for (unsigned i = 0; i < 8; i++)
        random_next(&r);
    fuzz_loop(&r, index_and_seed % THREADS_MAX);
}

/* A thread that a random operation has made, on whatever stack. */
void fuzz_child(uint64_t seed)
{
    struct random r = { seed | 1ull << 62 };
    for (unsigned i = 0; i < 200; i++) {
        random_next(&r);
        operation_random(&r, BUFFER_VA);
    }
    pith_thread_exit();
    for (;;)
        pith_thread_yield();
}

/* ---- servers -------------------------------------------------------------------------- */

uint64_t serve(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge);
GUEST_ENTRY(serve);

static uint64_t serve_odd(uint64_t a, uint64_t b, uint64_t c)
{
    struct pith_transfer x = { .words = { a, b, c }, .cap_count = (uint32_t)(a >> 9 & 3),
                               .caps = { V_NOTIFICATION, V_GATE, V_FIRST, V_REGION } };
    struct pith_regs regs;
    switch (a >> 5 & 7) {
    case 0:
        return (uint64_t)pith_return_x((uint64_t)&x).status;
    case 1:
        return (uint64_t)pith_receive(V_FIRST + (b & 31), 1 + (b >> 8 & 3)).status;
    case 2:
        if (!(a >> 12 & 31))
            *(volatile uint64_t *)BAD_VA = 1;
        return 0;
    case 3:
        (void)pith_fault_regs_read((uint64_t)&regs);
        regs.rip += 2;
        return (uint64_t)pith_fault_regs_write((uint64_t)&regs).status & 3;
    case 4:
        for (uint64_t i = 0; i < 4; i++)
            (void)pith_cap_delete(SPACE_SELF, V_FIRST + ((b + i) & 31));
        return 2;
    case 5:
        return (uint64_t)pith_thread_exit().status;
    case 6:
        for (volatile uint64_t i = 0; i < (b & 4095); i = i + 1)
            ;
        return 2;
    default:
        return (uint64_t)pith_notification_create(V_REGION, b & 0x7f1f, V_FIRST + (c & 31)).status;
    }
}

uint64_t serve(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge)
{
    uint64_t reply = 0, local[64];
    (void)d, (void)badge;
    switch (a & 31) {
    case 0: case 1: case 2: case 3:
        (void)guest_call(V_GATE, b, c, a, &reply);
        return reply;
    case 4:
        return (uint64_t)pith_notify_wait(V_NOTIFICATION, guest_now_ns() + (b & 0x3ffff)).status;
    case 5: case 6:
        return (uint64_t)pith_copy_in(b & 1, c & 8191, (uint64_t)local, b >> 8 & 511).status;
    case 7: case 8:
        return (uint64_t)pith_copy_out(b & 1, c & 8191, (uint64_t)local, b >> 8 & 511).status;
    case 9:
        return (uint64_t)pith_notify_raise(V_NOTIFICATION, b).status;
    case 10: case 11: case 12:
        return serve_odd(a, b, c);
    default:
        return a + b; /* as the answer to a fault: RESUME, WAIT, UNWIND or nonsense */
    }
}
