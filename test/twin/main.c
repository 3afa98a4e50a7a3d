/* SPDX-License-Identifier: MIT */
/*
 * Runs kernel/arch/x86_64/entry.S itself and its C twin from the same random states, and compares
 * everything: the outcome, every register, cr3, and every byte of memory.
 *
 * The assembly runs in this process. Its text is copied to the start of a core's area, as the
 * kernel maps it; kernel objects lie in an arena whose type bytes are where address >> 12 says.
 * What a user program may not do (mov to cr3, sysretq) faults: the handler notes it and goes on,
 * or ends the run. C functions that the assembly calls are defined here and end the run too.
 *
 *   twin [STATES [SEED]]
 */
#include "twin.h"
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define ARENA 0x700000000000ull /* objects; the page types are at ARENA >> 12 */
#define PAGES 64u
#define CODE 0x10000000ull      /* a core's area */
#define SPACES 3u
#define SERVICES 3u
#define STACKS 12u
#define GATES 16u
#define SLOTS 64u

extern char syscall_entry[], etext[]; /* the first instruction of the entry text; the end of text */

struct world { u64 cpu[512], arena[PAGES][512]; };
static struct world before, after_assembly, after_twin;
static struct cpu *const cpu = (struct cpu *)(CODE + CPU_DATA);
static struct machine machine, result;
static sigjmp_buf ended;
static u64 seed = 1;

static u64 random_next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static u64 below(u64 limit)
{
    return (random_next() >> 11) % limit;
}

static bool one_in(u64 n)
{
    return !below(n);
}

/* ---- what the assembly refers to ------------------------------------------------------- */

const u64 op_table[1];
u64 kernel_lock;
struct thread *call_slow(void), *return_slow(void), *fault_answer(u64, struct cpu *);
void unused(void);
void operation(void);

struct thread *call_slow(void)
{
    siglongjmp(ended, CALL_SLOW);
}

struct thread *return_slow(void)
{
    siglongjmp(ended, RETURN_SLOW);
}

struct thread *fault_answer(u64 answer, struct cpu *core)
{
    result.arguments[0] = answer;
    result.arguments[1] = (u64)core;
    siglongjmp(ended, FAULT_ANSWER);
}

void unused(void)
{
    fprintf(stderr, "twin: the call path went astray\n");
    abort();
}
__asm__(".globl schedule, trap_entry, trap_kernel, core_loop, operation_decode\n"
        ".set schedule, unused\n.set trap_entry, unused\n.set trap_kernel, unused\n"
        ".set core_loop, unused\n.set operation_decode, unused");

/* ---- running it ------------------------------------------------------------------------- */

static const int gregs[REGISTERS] = { REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP,
                                      REG_RSP, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13,
                                      REG_R14, REG_R15 };

static void on_start(int signal, siginfo_t *info, void *context)
{
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)signal;
    (void)info;
    for (unsigned i = 0; i < REGISTERS; i++)
        g[gregs[i]] = (greg_t)machine.r[i];
    g[REG_RIP] = (greg_t)CODE;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    const u8 *at = (const u8 *)g[REG_RIP];
    bool ours = (u64)at >= CODE && (u64)at < CODE + CPU_DATA;
    if (ours && !memcmp(at, "\x0f\x22\xd9", 3)) { /* mov %rcx, %cr3 */
        result.cr3 = (u64)g[REG_RCX];
        g[REG_RIP] += 3;
        return;
    }
    if (ours && !memcmp(at, "\x48\x0f\x07", 3)) { /* sysretq */
        for (unsigned i = 0; i < REGISTERS; i++)
            result.r[i] = (u64)g[gregs[i]];
        result.rip = result.r[RCX];
        result.flags = result.r[R11];
        siglongjmp(ended, USER);
    }
    fprintf(stderr, "twin: signal %d at %p, address %p\n", signal, (const void *)at, info->si_addr);
    _exit(1);
}

static void handlers_set(void)
{
    static char stack[65536];
    stack_t s = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction a = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    if (sigaltstack(&s, 0))
        abort();
    a.sa_sigaction = on_start;
    sigaction(SIGUSR1, &a, 0);
    a.sa_sigaction = on_fault;
    sigaction(SIGSEGV, &a, 0);
    sigaction(SIGBUS, &a, 0);
    sigaction(SIGILL, &a, 0);
}

static void memory_map(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, rw = PROT_READ | PROT_WRITE;
    void *code = mmap((void *)CODE, CPU_STRIDE, rw, flags, -1, 0);
    void *arena = mmap((void *)ARENA, PAGES * PAGE_SIZE, rw, flags, -1, 0);
    void *types = mmap((void *)(ARENA >> 12 & ~(PAGE_SIZE - 1)), PAGE_SIZE, rw, flags, -1, 0);
    if (code == MAP_FAILED || arena == MAP_FAILED || types == MAP_FAILED) {
        perror("twin: mmap");
        exit(1);
    }
    memcpy(code, syscall_entry, min_u64(CPU_DATA, (u64)(etext - syscall_entry)));
    if (mprotect(code, CPU_DATA, PROT_READ | PROT_EXEC)) {
        perror("twin: mprotect");
        exit(1);
    }
}

static void world_save(struct world *w)
{
    memcpy(w->cpu, cpu, sizeof w->cpu);
    memcpy(w->arena, (void *)ARENA, sizeof w->arena);
}

static void world_load(const struct world *w)
{
    memcpy(cpu, w->cpu, sizeof w->cpu);
    memcpy((void *)ARENA, w->arena, sizeof w->arena);
}

/* ---- random states ----------------------------------------------------------------------- */

/* The arena's pages, and which type each says it has. */
enum {
    A_SPACE = 0,
    A_CAPS = 4,
    A_GATE = 12,
    A_SERVICE = 13,
    A_POOL = 17,
    A_STACKS = 21,
    A_THREAD = 22,
    A_DATA = 24,
    A_NOTHING = 25
};

static void *page(unsigned index)
{
    return (void *)(ARENA + index * PAGE_SIZE);
}

static u64 address_random(void)
{
    return one_in(8) ? random_next() : random_next() & 0x7fffffffffff;
}

static struct gate *gate_at(u64 i)
{
    return (struct gate *)page(A_GATE) + i;
}

static struct frame *stack_at(u64 i)
{
    return (struct frame *)page(A_STACKS) + i;
}

static void objects_make(void)
{
    u8 *types = (u8 *)(ARENA >> 12);
    memset(types, 0, PAGES);
    types[A_GATE] = PT_GATE;
    for (u64 i = 0; i < SPACES; i++) {
        struct space *s = page((unsigned)(A_SPACE + i));
        s->dead = one_in(6);
        for (u64 d = 0; d < CAP_PAGES; d++)
            s->capdir[d] = page((unsigned)(A_CAPS + (d ? below(8) : i)));
    }
    for (u64 i = 0; i < SERVICES; i++) {
        struct service *s = page((unsigned)(A_SERVICE + i));
        struct pool *p = page((unsigned)(A_POOL + i));
        s->level = below(USER_LEVEL);
        s->pool = one_in(6) ? page(A_POOL + SERVICES) : (void *)p; /* a pool without stacks */
    }
    for (u64 i = 0; i < GATES; i++)
        *gate_at(i) = (struct gate){ below(6), page((unsigned)(A_SERVICE + below(SERVICES))),
                                     random_next(), below(9) };
    for (unsigned p = 0; p < 8; p++)
        for (unsigned i = 0; i < SLOTS_PER_PAGE; i++) {
            struct slot *s = (struct slot *)page(A_CAPS + p) + i;
            const struct gate *g = gate_at(below(GATES));
            u64 object = one_in(8) ? (u64)page(A_NOTHING) + below(128) * 32 : (u64)g;
            *s = (struct slot){ object << 16 | PT_GATE << 8 | (one_in(5) ? below(256) : 0xff),
                                one_in(6) ? below(6) : g->gen };
        }
}

static void frame_make(struct frame *f, u64 level)
{
    f->rip = address_random();
    f->rsp = address_random();
    f->flags = random_next();
    f->space = page((unsigned)(A_SPACE + below(SPACES)));
    f->level = (u8)level;
    f->fault = one_in(8) ? (u8)(1 + below(4)) : 0;
    f->cr3 = random_next() | 1;
    f->top = address_random();
    f->entry = address_random();
}

/* Some stacks are in use, one on another, the others free, each in one of the pools' lists. */
static void frames_make(struct thread *t)
{
    struct frame *top = &t->base;
    u64 core = below(MAX_CPUS);
    frame_make(top, USER_LEVEL);
    top->native_lo = one_in(3) ? address_random() : 0;
    cpu->core = (u32)core;
    cpu->core8 = core * 8;
    for (u64 i = 0; i < STACKS; i++) {
        struct frame *f = stack_at(i);
        struct pool *p = page((unsigned)(A_POOL + below(SERVICES)));
        frame_make(f, below(USER_LEVEL));
        f->head = &p->free[core];
        if (one_in(4)) {
            f->prev = top;
            f->gate = gate_at(below(GATES));
            top = f;
        } else {
            f->next = *f->head;
            *f->head = f;
        }
    }
    cpu->frame = top;
}

static void state_make(void)
{
    struct thread *t = page(A_THREAD);
    memset(cpu, 0, PAGE_SIZE);
    memset((void *)ARENA, 0, PAGES * PAGE_SIZE);
    objects_make();
    cpu->thread = t;
    t->upcall_entry = address_random();
    t->upcall_data = (u64)page(A_DATA);
    t->fault_count = (u8)below(FAULT_SETS);
    t->regs = &t->saved[t->fault_count];
    frames_make(t);
    t->base.prev = stack_at(STACKS); /* as nil_frame: its space is dead by construction */
    t->base.prev->space = page(A_SPACE + SPACES);
    ((struct space *)page(A_SPACE + SPACES))->dead = 1;
    t->base.head = (struct frame **)page(A_NOTHING + 1);
    for (unsigned i = 0; i < REGISTERS; i++)
        machine.r[i] = random_next();
    machine.r[RSP] &= 0x7fffffffffff; /* this process's own start with it: AMD's iretq wants one */
    machine.r[RCX] = address_random();
    machine.r[RAX] = one_in(3)    ? 0x80000000u
                     : one_in(12) ? random_next() & 0x7fffffff
                                  : below(SLOTS);
}

/* ---- comparing ------------------------------------------------------------------------------ */

static int differ(u64 state, const char *what, u64 assembly, u64 twin)
{
    printf("state %lu: %s is %lx after the assembly, %lx after the twin\n", state, what, assembly,
           twin);
    return 1;
}

static int memory_compare(u64 state)
{
    const u64 *a = (const u64 *)&after_assembly, *b = (const u64 *)&after_twin;
    for (u64 i = 0; i < sizeof after_assembly / 8; i++)
        if (a[i] != b[i]) {
            char what[64];
            snprintf(what, sizeof what, "byte %lx of %s", i < 512 ? i * 8 : (i - 512) * 8,
                     i < 512 ? "struct cpu" : "the arena");
            return differ(state, what, a[i], b[i]);
        }
    return 0;
}

static int compare(u64 state, enum outcome assembly, enum outcome twin, const struct machine *m)
{
    int bad = 0;
    if (assembly != twin)
        return differ(state, "the outcome", assembly, twin);
    for (unsigned i = 0; assembly == USER && i < REGISTERS; i++)
        if (result.r[i] != m->r[i])
            bad += differ(state, "a register", result.r[i], m->r[i]);
    if (assembly == USER && (result.rip != m->rip || result.flags != m->flags))
        bad += differ(state, "rip", result.rip, m->rip);
    if (result.cr3 != m->cr3)
        bad += differ(state, "cr3", result.cr3, m->cr3);
    if (assembly == FAULT_ANSWER && memcmp(result.arguments, m->arguments, sizeof result.arguments))
        bad += differ(state, "the answer", result.arguments[0], m->arguments[0]);
    return bad + memory_compare(state);
}

int main(int argc, char **argv)
{
    u64 states = argc > 1 ? strtoull(argv[1], 0, 0) : 40000;
    static u64 seen[OPERATION + 1];
    volatile int bad = 0;
    seed = argc > 2 ? strtoull(argv[2], 0, 0) | 1 : 1;
    memory_map();
    handlers_set();
    printf("TEST call-path-and-twin\n");
    for (volatile u64 state = 0; state < states && bad < 10; state++) {
        state_make();
        world_save(&before);
        struct machine twin = machine;
        int outcome = sigsetjmp(ended, 1);
        if (!outcome) {
            memset(&result, 0, sizeof result);
            raise(SIGUSR1);
            abort();
        }
        world_save(&after_assembly);
        world_load(&before);
        twin = machine;
        enum outcome expected = twin_syscall(cpu, &twin);
        world_save(&after_twin);
        seen[outcome]++;
        bad += compare(state, (enum outcome)outcome, expected, &twin);
    }
    printf("%lu states: %lu to user code, %lu slow calls, %lu slow returns, %lu fault answers\n",
        states, seen[USER], seen[CALL_SLOW], seen[RETURN_SLOW], seen[FAULT_ANSWER]);
    if (bad || !seen[USER] || !seen[CALL_SLOW] || !seen[RETURN_SLOW] || !seen[FAULT_ANSWER])
        printf("FAIL call-path-and-twin: see the lines above\nDONE\n");
    else
        printf("PASS call-path-and-twin\nDONE\n");
    return bad != 0;
}
