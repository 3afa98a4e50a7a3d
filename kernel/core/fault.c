/* SPDX-License-Identifier: MIT */
/*
 * Exceptions of user code: saved in the thread, then a call to the space's fault handler.
 *
 * Invariant: frame.fault - 1 is the index of the thread's set that belongs to the frame;
 * sets are used like a stack, at most FAULT_SETS deep. The handler's activation lies on
 * the frame, which is trapped, so its answer comes to fault_return(). A fault that nobody
 * can handle is recorded in its space and the owner told; the thread stops at depth 0,
 * deeper it waits with the callers of its service until that is bound anew or opened.
 */
#include <arch/platform.h>
#include <arch/x86.h>
#include <kernel.h>

#define VECTOR_PF 14u

static void fault_record(struct cpu *cpu, struct space *space, const struct fault_set *set)
{
    u64 depth = 0;
    for (const struct frame *f = cpu->frame; f->kind != FRAME_BASE; f = f->prev)
        depth++;
    space->fault = (struct fault_record){ set->vector, set->error, set->address,
                                          cpu->thread->id, depth, set->regs };
    space->fault_seq++;
    notification_tell(space->owner, space->owner_gen, space->owner_bits);
}

/* Nobody handles it. The registers are in the thread. */
static void fault_stop(struct cpu *cpu, const struct fault_set *set)
{
    struct thread *t = cpu->thread;
    struct frame *f = cpu->frame;
    fault_record(cpu, frame_space(f), set);
    if (f->kind == FRAME_BASE) {
        thread_block(t, THREAD_STOPPED);
    } else {
        t->faulted = 1;
        thread_queue(t, f->pool->service);
    }
}

static void regs_collect(struct regs *to, const struct thread *t, const struct frame *f)
{
    copy_words(to, &t->regs, 15);
    to->rip = f->rip;
    to->rsp = f->rsp;
    to->flags = f->flags;
}

void fault(struct cpu *cpu, u64 vector, u64 error)
{
    struct thread *t = cpu->thread;
    struct frame *f = cpu->frame;
    struct space *space = f->space;
    struct gate *g = space->handler;
    u64 address = vector == VECTOR_PF ? read_cr2() : 0;
    trace(EVENT_FAULT, vector, address);
    if (t->fault_count < FAULT_SETS && object_alive(g, PT_GATE, space->handler_gen)) {
        i64 status;
        u64 unused;
        struct frame *s = call_stack(cpu, g, &status, &unused);
        if (s) {
            struct fault_set *set = &t->faults[t->fault_count++];
            regs_collect(&set->regs, t, f);
            set->vector = vector;
            set->error = error;
            set->address = address;
            f->fault = t->fault_count;
            frame_trap(f);
            frame_push(cpu, s, g);
            t->regs.rax = g->badge;
            t->regs.rdi = vector | error << 8;
            t->regs.rsi = address;
            t->regs.rdx = set->regs.rip;
            t->regs.r10 = set->regs.rsp;
            t->regs.r8 = t->id;
            t->regs.r9 = f->kind == FRAME_BASE ? 0 : f->level + 1u;
            t->regs.rbx = t->regs.rbp = t->regs.r12 = t->regs.r13 = t->regs.r14 = t->regs.r15 = 0;
            return;
        }
        if (status == -E_AGAIN)
            return; /* waits for the handler; the instruction repeats */
    }
    struct fault_set set = { .vector = vector, .error = error, .address = address };
    regs_collect(&set.regs, t, f);
    fault_stop(cpu, &set);
}

static void regs_restore(struct thread *t, struct frame *f, const struct regs *r)
{
    copy_words(&t->regs, r, 15);
    f->rip = r->rip;
    f->rsp = r->rsp;
    f->flags = r->flags;
    t->full = 1;
}

void fault_return(struct cpu *cpu, struct frame *f, u64 answer)
{
    struct thread *t = cpu->thread;
    struct fault_set *set = &t->faults[f->fault - 1];
    trace(EVENT_FAULT_ANSWER, t->id, answer);
    f->fault = 0;
    t->fault_count--;
    regs_restore(t, f, &set->regs);
    if (answer == FAULT_RESUME)
        return;
    if (answer == FAULT_WAIT && object_alive(t->own, PT_NOTIFICATION, t->own_gen)) {
        if (t->own->word || t->own->waiter)
            return; /* look again */
        t->own->waiter = t;
        t->waits_on = t->own;
        t->wait_plain = 1;
        thread_block(t, THREAD_WAITING);
        return;
    }
    fault_stop(cpu, set);
}

/* The set of the fault that the current activation handles. */
static struct fault_set *handled(struct cpu *cpu)
{
    const struct frame *f = cpu->frame;
    if (f->kind == FRAME_BASE || !f->prev->fault)
        return 0;
    return &cpu->thread->faults[f->prev->fault - 1];
}

struct result op_fault_regs_read(u64 buffer)
{
    LOCKED;
    const struct fault_set *set = handled(cpu_self());
    if (!set)
        return fail(-E_DEPTH);
    struct pith_regs r;
    copy_words(&r, &set->regs, 18);
    thread_bases_sync(cpu_self()->thread);
    r.fs_base = cpu_self()->thread->fs_base;
    r.gs_base = cpu_self()->thread->gs_base;
    return user_write(buffer, &r, sizeof r) ? ok(0) : fail(-E_MEMORY);
}

struct result op_fault_regs_write(u64 buffer)
{
    LOCKED;
    struct fault_set *set = handled(cpu_self());
    struct pith_regs r;
    if (!set)
        return fail(-E_DEPTH);
    if (!user_read(&r, buffer, sizeof r))
        return fail(-E_MEMORY);
    if (r.rip >= USER_TOP)
        return fail(-E_ARG);
    u64 flags = (r.flags & USER_FLAGS) | 0x202 | (set->regs.flags & 0x100);
    copy_words(&set->regs, &r, 18);
    set->regs.flags = flags;
    return ok(0);
}
