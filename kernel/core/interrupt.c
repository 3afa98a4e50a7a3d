/* SPDX-License-Identifier: MIT */
/*
 * Interrupts as objects, and what entry.S hands over: traps of user code, and traps in the
 * kernel.
 *
 * A line is masked when it is delivered and unmasked by interrupt_ack; a message is
 * coalesced in its notification and limited to MESSAGES_PER_WINDOW in 10 ms, after which
 * its core drops it until the window ends and raises once then. Invariant:
 * cpu.vectors[v] == i exactly when i->core and i->vector say so.
 */
#include <arch/platform.h>
#include <arch/x86.h>
#include <kernel.h>

#define MESSAGE (UINT32_MAX)
#define VECTOR_DB 1u
#define FLAG_RF 0x10000ull
#define WINDOW_NS 10000000ull
#define MESSAGES_PER_WINDOW 1000u

struct result op_interrupt_create(struct control *control, struct region *r, u64 where, u64 slot,
                                  u64 source, u64 core)
{
    void *object;
    bool message = source == UINT64_MAX;
    (void)control;
    REQUIRE(small_place(r, where, PT_INTERRUPT, &object));
    if (core >= cpu_count || (!message && (source >> 34 || !ioapic_valid((u32)source))))
        return fail(-E_RANGE);
    REFUSE_IF(!message && line_used((u32)source), E_BUSY);
    struct cpu *cpu = cpu_of((u32)core);
    u32 vector = VEC_DEVICE_FIRST;
    while (vector <= VEC_DEVICE_LAST && cpu->vectors[vector])
        vector++;
    REFUSE_IF(vector > VEC_DEVICE_LAST, E_LIMIT);
    small_commit(object, PT_INTERRUPT);
    struct interrupt *i = object;
    i->gsi = message ? MESSAGE : (u32)source;
    i->core = (u32)core;
    i->vector = (u8)vector;
    i->masked = 1;
    cpu->vectors[vector] = i;
    if (!message)
        i->line = ioapic_route(i->gsi, i->vector, i->core, source >> 32 & 1, source >> 33 & 1);
    return slot_give(slot, i, PT_INTERRUPT);
}

static ALWAYS_INLINE void interrupt_mask(struct interrupt *i, bool masked)
{
    i->masked = masked;
    if (i->gsi != MESSAGE)
        line_mask(&i->line, masked);
}

void interrupt_release(struct interrupt *i)
{
    interrupt_mask(i, true);
    if (cpu_of(i->core)->vectors[i->vector] == i)
        cpu_of(i->core)->vectors[i->vector] = 0;
}

bool line_used(u32 gsi)
{
    for (u32 c = 0; c < cpu_count; c++)
        for (u32 v = VEC_DEVICE_FIRST; v <= VEC_DEVICE_LAST; v++)
            if (cpu_of(c)->vectors[v] && cpu_of(c)->vectors[v]->gsi == gsi)
                return true;
    return false;
}

struct result op_interrupt_bind(struct interrupt *i, struct notification *n, u64 bits)
{
    i->target = n;
    i->target_gen = n ? n->gen : 0;
    i->bits = bits;
    i->pending = 0;
    interrupt_mask(i, !n);
    return ok(0);
}

struct result op_interrupt_ack(struct interrupt *i)
{
    if (object_alive(i->target, PT_NOTIFICATION, i->target_gen))
        interrupt_mask(i, false);
    return ok(0);
}

struct result op_interrupt_message(struct interrupt *i)
{
    u64 address;
    u32 data;
    REFUSE_IF(i->gsi != MESSAGE, E_STATE);
    msi_message(i->core, i->vector, &address, &data);
    return ok(address << 32 | data);
}

/* Whether a message is to be raised now: not when there are too many. */
static bool message_allowed(struct interrupt *i)
{
    u64 now = clock_ns();
    if (now - i->window_ns > WINDOW_NS) {
        i->window_ns = now;
        i->in_window = 0;
    }
    if (i->in_window++ < MESSAGES_PER_WINDOW)
        return true;
    i->pending = 1; /* raised by the first message of the next window */
    return false;
}

static void device_interrupt(struct cpu *cpu, u64 vector)
{
    struct interrupt *i = cpu->vectors[vector];
    bool raise = true;
    trace(EVENT_INTERRUPT, vector, 0);
    if (i && i->gsi != MESSAGE) {
        raise = !i->masked; /* else it came once more before it was masked */
        interrupt_mask(i, true);
    } else if (i) {
        raise = message_allowed(i);
    }
    lapic_eoi();
    if (i && raise)
        notification_tell(i->target, i->target_gen, i->bits);
}

static void interrupt(struct cpu *cpu, u64 vector)
{
    if (vector <= VEC_DEVICE_LAST) {
        device_interrupt(cpu, vector);
        return;
    }
    if (vector == VEC_SPURIOUS)
        return;
    lapic_eoi();
    if (vector == VEC_TIMER) {
        tick(cpu);
    } else {
        trace(EVENT_KICK, epoch, 0);
        quiesce_self(cpu);
        cpu->resched = 1;
    }
}

/* With the lock: continues with the running thread, or chooses another. */
static ALWAYS_INLINE struct thread *trap_finish(struct cpu *cpu)
{
    if (cpu->resched)
        return schedule_locked(cpu);
    lock_release();
    return cpu->thread;
}

static NOINLINE struct thread *interrupt_any(struct cpu *cpu, u64 vector)
{
    interrupt(cpu, vector);
    return trap_finish(cpu);
}

static NOINLINE struct thread *raise_any(struct cpu *cpu, const struct interrupt *i)
{
    notification_tell(i->target, i->target_gen, i->bits);
    return trap_finish(cpu);
}

static NOINLINE struct thread *exception(struct cpu *cpu, u64 vector, u64 error)
{
    if (vector == 2 || vector == 18)
        panic("%s", vector == 2 ? "NMI" : "machine check");
    lock_take();
    if (vector == VECTOR_DB && cpu->frame->kind != FRAME_BASE)
        cpu->frame->flags |= FLAG_RF; /* a client's debug registers do not concern a server */
    else
        fault(cpu, vector, error);
    return trap_finish(cpu);
}

/* From user mode; the registers are in the thread. Answers with the thread to resume.
 * A page fault and a line's interrupt go straight, the rest through interrupt(). */
struct thread *trap_entry(u64 vector, u64 error, struct cpu *cpu)
{
    if (vector == VECTOR_PF)
        return page_fault(vector, error, cpu);
    if (unlikely(vector < VEC_DEVICE_FIRST))
        return exception(cpu, vector, error);
    lock_take();
    struct interrupt *i = cpu->vectors[vector]; /* only devices' are filled */
    if (unlikely(!i) || unlikely(i->gsi == MESSAGE) || unlikely(i->masked) || unlikely(trace_on))
        return interrupt_any(cpu, vector);
    interrupt_mask(i, true);
    lapic_eoi();
    struct notification *n = i->target;
    if (unlikely(!object_alive(n, PT_NOTIFICATION, i->target_gen)) ||
        unlikely(!notification_raise_usual(cpu, n, i->bits)))
        return raise_any(cpu, i);
    return trap_finish(cpu);
}

struct kernel_trap {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    u64 vector, error, rip, cs, flags, rsp, ss;
};

#define IRETQ 0xcf48

/* From kernel mode: an interrupt that ends idling, iretq's refusal of a user's rsp, or our bug. */
void trap_kernel(struct kernel_trap *k)
{
    struct cpu *cpu = cpu_self();
    if (k->vector >= 32 && !cpu->thread) {
        if (k->vector == VEC_KICK) {
            /* Without the lock: sixty idle cores would queue for it behind each other. */
            lapic_eoi();
            quiesce_self(cpu);
            return;
        }
        cpu->resched = 1;
        lock_take();
        interrupt(cpu, k->vector);
        lock_release();
        return;
    }
    if (k->vector == 1)
        return; /* mov ss shadow: a user's data breakpoint, delivered after syscall */
    if (k->vector == 2 && panic_stopping)
        halt_forever();
    u64 *rsp = (u64 *)k->rsp + 3;
    if (k->vector == 13 && *(const u16 *)k->rip == IRETQ && *rsp) {
        *rsp = 0; /* AMD's iretq faults where the user's is no canonical address */
        return;
    }
    panic_regs(k->vector, k->error, k->rip, k->rsp, k->rbp, (const u64 *)k, 15);
}
