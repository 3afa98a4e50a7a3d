/* SPDX-License-Identifier: MIT */
/*
 * Exceptions of user code: saved in the thread, then a call to the space's fault handler.
 *
 * Invariant: frame.fault - 1 is the index of the thread's set of registers (thread.saved) that
 * belongs to the frame; sets are used like a stack, at most FAULT_SETS deep, and entry.S saves
 * to the one above (thread.regs), so nothing is copied. The handler's activation lies on the
 * frame, which is trapped, so its answer comes to fault_answer(). A fault that nobody
 * can handle is recorded in its space and the owner told; the thread stops at depth 0,
 * deeper it waits with the callers of its service until that is bound anew or opened.
 */
#include <arch/platform.h>
#include <arch/x86.h>
#include <kernel.h>


static void regs_collect(struct regs *to, const struct saved *saved, const struct frame *f)
{
    copy_words(to, saved, 15);
    to->rip = f->rip;
    to->rsp = f->rsp;
    to->flags = f->flags;
}

static void fault_record(struct cpu *cpu, struct space *space)
{
    const struct saved *saved = cpu->thread->regs;
    struct fault_record *r = &space->fault;
    r->depth = 0;
    for (const struct frame *f = cpu->frame; f->kind != FRAME_BASE; f = f->prev)
        r->depth++;
    r->vector = saved->vector;
    r->error = saved->error;
    r->address = saved->address;
    r->thread_id = cpu->thread->id;
    regs_collect(&r->regs, saved, cpu->frame);
    space->fault_seq++;
    notification_tell(space->owner, space->owner_gen, space->owner_bits);
}

/* Nobody handles it. The registers are in the thread. */
static void fault_stop(struct cpu *cpu)
{
    struct thread *t = cpu->thread;
    struct frame *f = cpu->frame;
    fault_record(cpu, frame_space(f));
    if (f->kind == FRAME_BASE) {
        thread_block(t, THREAD_STOPPED);
    } else {
        t->faulted = 1;
        thread_queue(t, f->pool->service);
    }
}

/* Calls the handler. The registers of the fault stay; it gets the next set. */
static ALWAYS_INLINE void handler_call(struct cpu *cpu, struct thread *t, struct frame *f,
                                       struct frame *stack, struct gate *g, u64 vector, u64 error,
                                       u64 address)
{
    struct saved *saved = t->regs, *handler = saved + 1;
    u8 count = t->fault_count + 1;
    saved->vector = vector;
    saved->error = error;
    saved->address = address;
    f->fault = t->fault_count = count;
    t->regs = handler;
    frame_trap(f);
    frame_push(cpu, f, stack, g);
    handler->kind = REGS_CALL;
    handler->rax = g->badge;
    handler->rdi = vector | error << 8;
    handler->rsi = address;
    handler->rdx = f->rip;
    handler->r10 = f->rsp;
    handler->r8 = t->id;
    handler->r9 = f->level == USER_LEVEL ? 0 : f->level + 1u;
}

void fault(struct cpu *cpu, u64 vector, u64 error)
{
    struct thread *t = cpu->thread;
    struct frame *f = cpu->frame;
    struct space *space = f->space;
    struct gate *g = space->handler;
    struct saved *saved = t->regs;
    saved->vector = vector;
    saved->error = error;
    saved->address = vector == VECTOR_PF ? read_cr2() : 0;
    if (vector == VECTOR_BP)
        f->rip--; /* of the instruction, like every other fault: it repeats if the handler dies */
    trace(EVENT_FAULT, vector, saved->address);
    if (t->fault_count < FAULT_SETS && object_alive(g, PT_GATE, space->handler_gen)) {
        i64 status;
        u64 unused;
        struct frame *s = call_stack(cpu, g, &status, &unused);
        if (likely(s != 0)) {
            handler_call(cpu, t, f, s, g, vector, error, saved->address);
            return;
        }
        if (status == -E_AGAIN)
            return; /* waits for the handler; the instruction repeats */
    }
    fault_stop(cpu);
}

static NOINLINE struct thread *page_fault_any(u64 vector, u64 error, struct cpu *cpu)
{
    lock_take();
    fault(cpu, vector, error);
    if (cpu->resched)
        return schedule_locked(cpu);
    lock_release();
    return cpu->thread;
}

/* Reads what entry.S's call reads, and of the space the handler and its generation, which
 * match only when both are read of one setting; writes what this core owns. So it needs no
 * lock, for the same reasons. */
struct thread *page_fault(u64 vector, u64 error, struct cpu *cpu)
{
    struct thread *t = cpu->thread;
    struct frame *f = cpu->frame;
    const struct space *space = f->space;
    struct gate *g = space->handler;
    if (unlikely(t->fault_count >= FAULT_SETS) ||
        unlikely(!object_alive(g, PT_GATE, space->handler_gen)) || unlikely(trace_on))
        return page_fault_any(vector, error, cpu);
    const struct service *s = g->service;
    struct frame **free = &s->pool->free[cpu->core], *stack = *free;
    if (unlikely(s->level >= f->level) || unlikely(!stack))
        return page_fault_any(vector, error, cpu);
    *free = stack->next;
    handler_call(cpu, t, f, stack, g, VECTOR_PF, error, read_cr2());
    return t;
}

/* The thread learns of its fault itself: as an event, with what happened beside the registers.
 * Not inside a server, in its native range or while it handles an event. */
static bool fault_event(struct cpu *cpu, struct thread *t, const struct frame *f)
{
    struct pith_event *e = (struct pith_event *)t->event_frame;
    const struct saved *saved = t->regs;
    if (f != &t->base || !t->event_entry || t->events_masked || f->rip >= f->native_lo)
        return false;
    event_enter(cpu, t);
    if (saved->vector == VECTOR_BP)
        e->regs.rip++; /* behind it, as the processor says */
    e->fault = 1;
    e->vector = saved->vector;
    e->error = saved->error;
    e->address = saved->address;
    return true;
}

/* Frame f is current again after its handler: it continues with the registers of before. */
void fault_return(struct cpu *cpu, struct frame *f, u64 answer)
{
    struct thread *t = cpu->thread;
    trace(EVENT_FAULT_ANSWER, t->id, answer);
    f->fault = 0;
    t->regs = &t->saved[--t->fault_count];
    if (likely(answer == FAULT_RESUME))
        return;
    if (answer == FAULT_WAIT && object_alive(t->own, PT_NOTIFICATION, t->own_gen)) {
        if (t->own->word || t->own->waiter)
            return; /* look again */
        t->own->waiter = t;
        t->waits_on = t->own;
        t->wait_kind = WAIT_FAULT;
        thread_block(t, THREAD_WAITING);
        return;
    }
    if (answer == FAULT_EVENT && fault_event(cpu, t, f))
        return;
    fault_stop(cpu);
}

/* The frame whose fault the current activation handles. */
static struct frame *handled(struct cpu *cpu)
{
    const struct frame *f = cpu->frame;
    return f->kind != FRAME_BASE && f->prev->fault ? f->prev : 0;
}

struct result op_fault_regs_read(u64 buffer)
{
    struct thread *t = cpu_self()->thread;
    const struct frame *f = handled(cpu_self());
    REFUSE_IF(!f, E_DEPTH);
    thread_bases_sync(t);
    struct pith_regs r = { .rip = f->rip, .rsp = f->rsp, .flags = f->flags,
                           .fs_base = t->fs_base, .gs_base = t->gs_base };
    copy_words(&r, &t->saved[f->fault - 1], 15);
    return user_write(buffer, &r, sizeof r) ? ok(0) : fail(-E_MEMORY);
}

struct result op_fault_regs_write(u64 buffer)
{
    struct frame *f = handled(cpu_self());
    struct pith_regs r;
    REFUSE_IF(!f, E_DEPTH);
    REFUSE_IF(!user_read(&r, buffer, sizeof r), E_MEMORY);
    REFUSE_IF(r.rip >= USER_TOP, E_ARG);
    copy_words(&cpu_self()->thread->saved[f->fault - 1], &r, 15);
    f->rip = r.rip;
    f->rsp = r.rsp;
    f->flags = (r.flags & USER_FLAGS) | 0x202 | (f->flags & 0x100);
    return ok(0);
}
