/* SPDX-License-Identifier: MIT */
/* The C twin of the assembly call path; see twin.h. Each step stands in the order in which the
 * assembly does it, because other cores may write what is read. */
#include "twin.h"

#define USER_START_FLAGS 0x202u

/* Every register that an odd case may have to give back; rcx, r11, rbx and rbp are lost. */
static enum outcome odd(struct cpu *cpu, struct machine *m, enum outcome outcome)
{
    struct saved *s = cpu->thread->regs;
    *s = (struct saved){ .rax = m->r[RAX], .rdx = m->r[RDX], .rsi = m->r[RSI], .rdi = m->r[RDI],
                         .r8 = m->r[R8], .r9 = m->r[R9], .r10 = m->r[R10], .r12 = m->r[R12],
                         .r13 = m->r[R13], .r14 = m->r[R14], .r15 = m->r[R15], .kind = REGS_ALL,
                         .vector = s->vector, .error = s->error, .address = s->address };
    return outcome;
}

static enum outcome user(struct machine *m, const struct frame *to, u64 rip, u64 flags, u64 rsp)
{
    m->cr3 = to->cr3;
    m->rip = rip;
    m->flags = flags;
    m->r[RCX] = rip;
    m->r[R11] = flags;
    m->r[RSP] = rsp;
    return USER;
}

/* The gate that slot index names, if it may be called. */
static struct gate *gate_of(const struct frame *f, u64 index)
{
    const struct slot *slot = &f->space->capdir[index >> 8 & 255][index & 255];
    u64 w0 = slot->w0, w1 = slot->w1;
    struct gate *gate = (struct gate *)((i64)w0 >> 16);
    if (*(const u8 *)((i64)w0 >> 28) != PT_GATE || !(w0 & CALL_RIGHT) || gate->gen != w1)
        return 0;
    return gate;
}

static enum outcome call(struct cpu *cpu, struct machine *m, struct frame *f)
{
    struct gate *gate = gate_of(f, m->r[RAX] & 0xffff);
    struct pool *pool = gate && f->level > gate->service->level ? gate->service->pool : 0;
    struct frame *stack = pool ? pool->free[cpu->core8 / 8] : 0;
    if (!stack) {
        f->rsp = cpu->ursp;
        return odd(cpu, m, CALL_SLOW);
    }
    pool->free[cpu->core8 / 8] = stack->next;
    f->rsp = cpu->ursp;
    stack->prev = f;
    stack->gate = gate;
    stack->granted = 0;
    cpu->frame = stack;
    m->r[RAX] = gate->badge;
    m->r[RBX] = m->r[RBP] = 0;
    return user(m, stack, stack->entry, USER_START_FLAGS, stack->top);
}

static enum outcome return_to(struct cpu *cpu, struct machine *m, struct frame *f)
{
    struct frame *below = f->prev;
    m->r[RAX] = 0;
    if (below->space->dead) {
        if (below->fault) {
            m->arguments[0] = m->r[RDI];
            m->arguments[1] = (u64)cpu;
            return FAULT_ANSWER;
        }
        f->rsp = cpu->ursp;
        return odd(cpu, m, RETURN_SLOW);
    }
    f->next = *f->head;
    *f->head = f;
    f->gate = 0;
    cpu->frame = below;
    m->r[RBX] = 0;
    return user(m, below, below->rip, below->flags, below->rsp);
}

/* Outside the native range of a base frame: to the thread's upcall entry. No other frame has one.
 * */
static enum outcome foreign(const struct cpu *cpu, struct machine *m, struct frame *f)
{
    const struct thread *t = (const struct thread *)((u64)f - THREAD_BASE);
    u64 *data = (u64 *)t->upcall_data;
    data[0] = m->r[RCX];
    data[1] = m->r[R11];
    user(m, f, t->upcall_entry, USER_START_FLAGS, cpu->ursp);
    m->cr3 = 0;
    return USER;
}

enum outcome twin_syscall(struct cpu *cpu, struct machine *m)
{
    struct frame *f = cpu->frame;
    cpu->ursp = m->r[RSP];
    m->cr3 = 0;
    if (m->r[RCX] < f->native_lo)
        return foreign(cpu, m, f);
    f->rip = m->r[RCX];
    f->flags = m->r[R11];
    if (!(m->r[RAX] & 0x80000000u))
        return call(cpu, m, f);
    return m->r[RAX] & 0x7fffffff ? OPERATION : return_to(cpu, m, f);
}
