/* SPDX-License-Identifier: MIT */
/*
 * Calls: everything that entry.S's call path does not do itself.
 *
 * A thread's frames form a chain from cpu.frame (or thread.top) down to its base frame,
 * strictly falling in level, so it has at most 33. A frame whose space field is
 * &trap_space makes the return into it come here; the true space is in its thread or pool.
 * Reasons to trap: a fault was saved in the frame, the activation above has counted time,
 * somebody waits for its stack, or something waits for depth 0. Grants are no reason: each
 * call says whether its frame has any.
 */
#include <arch/platform.h>
#include <arch/pte.h>
#include <arch/x86.h>
#include <kernel.h>

#define SYSCALL_LENGTH 2u

struct frame nil_frame = { .space = &trap_space, .kind = FRAME_BASE };

static void regs_clear(struct thread *t)
{
    for (u32 i = 0; i < 15; i++)
        ((u64 *)t->regs)[i] = 0;
    t->regs->kind = REGS_ALL;
}

/* ---- finding a stack ------------------------------------------------------------- */

struct frame *stack_find(struct cpu *cpu, struct pool *pool)
{
    u32 core = cpu->core;
    if (!pool->free[core]) {
        pool->free[core] = pool->incoming[core];
        pool->incoming[core] = 0;
    }
    struct frame *s = pool->free[core];
    if (s)
        pool->free[core] = s->next;
    return s;
}

static struct thread **queue_of(const struct thread *t, struct service *s)
{
    return t->faulted ? &s->faulted[t->core] : &s->waiters[t->core];
}

void thread_queue(struct thread *t, struct service *s)
{
    struct thread **head = queue_of(t, s);
    thread_block(t, THREAD_QUEUED);
    t->queued_on = s;
    if (!*head) {
        t->run_next = t->run_prev = t;
        *head = t;
        return;
    }
    t->run_next = *head;
    t->run_prev = (*head)->run_prev;
    t->run_prev->run_next = t;
    (*head)->run_prev = t;
}

void thread_dequeue(struct thread *t)
{
    if (!t->queued_on)
        return;
    struct thread **head = queue_of(t, t->queued_on);
    if (t->run_next == t) {
        *head = 0;
    } else {
        t->run_next->run_prev = t->run_prev;
        t->run_prev->run_next = t->run_next;
        if (*head == t)
            *head = t->run_next;
    }
    t->run_next = t->run_prev = 0;
    t->queued_on = 0;
    t->faulted = 0;
}

/* No stack is free: help a holder that can run, else queue until one returns. */
static i64 stack_wait(struct cpu *cpu, struct service *s)
{
    struct thread *t = cpu->thread;
    const struct pool *pool = s->pool;
    u32 page = pool->stacks[cpu->core];
    if (!page)
        return -E_LIMIT;
    struct frame *f = frame_address(page);
    for (u32 i = 0; i < page_of(page)->used; i++) {
        if (!f[i].gate)
            continue;
        frame_trap(f[i].prev);
        if (thread_of(&f[i])->state == THREAD_READY) {
            t->helps = &f[i];
            t->plain = 0;
            cpu->resched = 1;
            return -E_AGAIN;
        }
    }
    thread_queue(t, s);
    return -E_AGAIN;
}

struct frame *call_stack(struct cpu *cpu, struct gate *g, i64 *error, u64 *value)
{
    struct service *s = g->service;
    *value = s->incarnation;
    if (s->level >= cpu->frame->level) {
        *error = -E_ORDER;
        return 0;
    }
    if (s->state == SERVICE_DEAD) {
        *error = -E_RESTART;
        return 0;
    }
    if (s->state == SERVICE_PAUSED) {
        thread_queue(cpu->thread, s);
        *error = -E_AGAIN;
        return 0;
    }
    struct frame *f = stack_find(cpu, s->pool);
    if (!f)
        *error = stack_wait(cpu, s);
    return f;
}

/* entry.S: a call that the fast path would not finish. Registers are in the thread. */
struct thread *call_slow(void)
{
    struct cpu *cpu = cpu_self();
    struct thread *t = cpu->thread;
    i64 error;
    u64 value = 0;
    lock_take();
    struct frame *s = 0;
    struct gate *g = cap_here(t->regs->rax & 0xffff, PT_GATE, RIGHT_USE, &error);
    trace(EVENT_CALL_SLOW, frame_of(g), t->regs->rax);
    if (g)
        s = call_stack(cpu, g, &error, &value);
    if (s) {
        frame_push(cpu, cpu->frame, s, g);
        t->regs->rax = g->badge;
    } else if (error == -E_AGAIN) {
        cpu->frame->rip -= SYSCALL_LENGTH; /* the call is made again */
    } else {
        regs_clear(t);
        t->regs->rax = (u64)error;
        t->regs->rdx = value;
    }
    if (unlikely(cpu->resched))
        return schedule_locked(cpu);
    lock_release();
    return t;
}

/* ---- capabilities and grants along with a call --------------------------------------- */

static i64 caps_check(struct space *from, const struct pith_transfer *x, struct space *to,
                      const struct frame *receiver)
{
    if (x->cap_count > TRANSFER_CAPS || x->cap_count > receiver->recv_count)
        return x->cap_count ? -E_LIMIT : 0;
    for (u32 i = 0; i < x->cap_count; i++) {
        i64 error = cap_transfer_check(from, x->caps[i], to, receiver->recv_slot + i);
        if (error)
            return error;
    }
    return 0;
}

static NOINLINE void caps_move(struct space *from, const struct pith_transfer *x, struct space *to,
    const struct frame *receiver)
{
    for (u32 i = 0; i < x->cap_count; i++) {
        i64 error = cap_transfer(from, x->caps[i], to, receiver->recv_slot + i, RIGHT_ALL);
        assert(!error);
        (void)error;
    }
}

static NOINLINE void words_set(struct thread *t, const u64 w[6])
{
    regs_clear(t);
    t->regs->rdi = w[0];
    t->regs->rsi = w[1];
    t->regs->rdx = w[2];
    t->regs->r10 = w[3];
    t->regs->r8 = w[4];
    t->regs->r9 = w[5];
}

/* Takes over what the call lets its server touch; false: it is not memory of a user. */
static ALWAYS_INLINE bool grants_take(struct frame *s, const volatile struct pith_transfer *x)
{
    for (u32 i = 0; i < FRAME_GRANTS; i++) {
        struct grant g = {x->grants[i].address, x->grants[i].length, x->grants[i].direction};
        if (g.direction > (GRANT_READ | GRANT_WRITE) || g.length > USER_TOP ||
            g.address > USER_TOP - g.length)
            return false;
        s->grants[i] = g;
    }
    return true;
}

/* With capabilities, or no stack at hand: under the lock. */
static NOINLINE struct result call_x_any(struct cpu *cpu, u64 transfer)
{
    i64 error;
    u64 value = 0;
    struct pith_transfer x;
    REFUSE_IF(!user_read(&x, transfer, sizeof x), E_MEMORY);
    lock_take();
    struct frame *s = 0;
    struct gate *g = cap_here(x.gate, PT_GATE, RIGHT_USE, &error);
    if (g && (s = call_stack(cpu, g, &error, &value))) {
        error = grants_take(s, &x) ? caps_check(current_space(), &x, s->pool->space, s) : -E_ARG;
        value = 0;
        if (error) {
            s->next = *s->head;
            *s->head = s;
            s = 0;
        }
    }
    if (s) {
        caps_move(current_space(), &x, s->pool->space, s);
        cpu->frame->rsp = cpu->ursp;
        frame_push(cpu, cpu->frame, s, g);
        s->granted = 1;
        words_set(cpu->thread, x.words);
        cpu->thread->regs->rbx = x.cap_count;
        cpu->thread->regs->rax = g->badge;
        cpu->resched = RESCHED_RESUME;
    }
    lock_release();
    return (struct result){ error, value };
}

/* Reads and writes what entry.S's call does, so without the lock, for the same reasons. The user's
 * words are read once each: other threads may change them. */
struct result op_call_x(u64 transfer)
{
    i64 error = 0;
    struct cpu *cpu = cpu_self();
    struct user_run user = user_address(current_space(), transfer, USER_READ);
    const volatile struct pith_transfer *x = (const void *)user.at;
    if (unlikely(!x) || unlikely(user.bytes < sizeof *x) || unlikely(x->cap_count) ||
        unlikely(trace_on))
        return call_x_any(cpu, transfer);
    struct gate *g = cap_object(current_space(), x->gate, PT_GATE, RIGHT_USE, &error);
    if (!g)
        return fail(error);
    const struct service *service = g->service;
    struct frame **free = &service->pool->free[cpu->core], *s = *free;
    if (unlikely(service->level >= cpu->frame->level) || unlikely(!s))
        return call_x_any(cpu, transfer);
    REFUSE_IF(!grants_take(s, x), E_ARG);
    *free = s->next;
    cpu->frame->rsp = cpu->ursp;
    frame_push(cpu, cpu->frame, s, g);
    s->granted = 1;
    struct saved *regs = cpu->thread->regs;
    regs->rdi = x->words[0];
    regs->rsi = x->words[1];
    regs->rdx = x->words[2];
    regs->r10 = x->words[3];
    regs->r8 = x->words[4];
    regs->r9 = x->words[5];
    regs->rax = g->badge;
    regs->kind = REGS_CALL; /* the others are 0 */
    cpu->resched = RESCHED_RESUME;
    return ok(0);
}

/* ---- returning ------------------------------------------------------------------------ */

/* Takes the current frame off the chain and gives its stack back. The frame below gets
 * its true space again. */
static struct frame *frame_pop(struct cpu *cpu, bool quarantine)
{
    struct frame *f = cpu->frame, *below = f->prev;
    struct service *s = f->pool->service;
    below->space = frame_space(below);
    f->gate = 0;
    f->marked = 0;
    f->ran_ns = 0;
    f->limit_told = 0;
    if (quarantine) {
        f->kind = FRAME_QUARANTINED;
    } else {
        f->next = *f->head;
        *f->head = f;
    }
    frame_enter(cpu, f, below);
    if (s->waiters[cpu->core])
        wait_end(s->waiters[cpu->core], 0, 0);
    return below;
}

/* What the frame below sees when an activation above it ended early. */
static void below_set(struct cpu *cpu, struct frame *below, i64 status, u64 value)
{
    if (below->fault) {
        fault_return(cpu, below, FAULT_RESUME); /* the instruction is executed again */
        return;
    }
    regs_clear(cpu->thread);
    cpu->thread->regs->rax = (u64)status;
    cpu->thread->regs->rdx = value;
}

void frame_unwind(struct cpu *cpu, i64 status, u64 value, bool quarantine)
{
    struct thread *t = cpu->thread;
    trace(EVENT_UNWIND, t->id, (u64)status);
    if (quarantine) {
        struct service *s = cpu->frame->pool->service;
        notification_tell(s->owner, s->owner_gen, s->owner_bits >> 32);
    }
    struct frame *below = frame_pop(cpu, quarantine);
    below_set(cpu, below, status, value);
    t->top = cpu->frame;
    if (below->kind == FRAME_BASE)
        (void)depth0_requests(cpu, t);
}

void frames_drop_dead(struct cpu *cpu)
{
    for (u32 i = 0; i < USER_LEVEL && cpu->frame->kind != FRAME_BASE; i++) {
        if (!frame_space(cpu->frame)->dead)
            return;
        frame_unwind(cpu, -E_RESTART, cpu->frame->pool->service->incarnation, false);
    }
    if (cpu->frame->kind == FRAME_BASE)
        (void)depth0_requests(cpu, cpu->thread);
}

/* The frame below is current again: act on what waited for that. False: to schedule(). */
static bool return_settled(struct cpu *cpu)
{
    struct thread *t = cpu->thread;
    t->top = cpu->frame;
    if (cpu->frame->kind == FRAME_BASE) {
        if (unlikely(t->stop_wanted | t->event_sticky))
            (void)depth0_requests(cpu, t);
        const struct time *m = t->time;
        if (unlikely(t->plain != changes) &&
            (!object_alive(m, PT_TIME, t->time_gen) || (m->budget_ns && m->left_ns <= 0)))
            cpu->resched = 1;
    }
    if (t->unwind && cpu->frame->kind != FRAME_BASE && cpu->frame->pool->service == t->unwind)
        cpu->resched = 1;
    if (cpu->donor != t || cpu->frame->space->dead)
        cpu->resched = 1;
    return !cpu->resched;
}

/* Goes on in the frame below; releases the lock. */
static struct thread *return_finish(struct cpu *cpu)
{
    if (unlikely(!return_settled(cpu)))
        return schedule_locked(cpu);
    lock_release();
    return cpu->thread;
}

/* entry.S: a return into a trapped frame. The server's registers are in the thread. */
struct thread *return_slow(void)
{
    struct cpu *cpu = cpu_self();
    struct thread *t = cpu->thread;
    lock_take();
    if (cpu->frame->kind == FRAME_BASE) {
        regs_clear(t);
        t->regs->rax = (u64)-E_DEPTH;
        lock_release();
        return t;
    }
    trace(EVENT_RETURN_SLOW, frame_of(cpu->frame), 0);
    (void)frame_pop(cpu, false);
    t->regs->rax = 0;
    t->regs->r12 = t->regs->r13 = t->regs->r14 = t->regs->r15 = 0;
    return return_finish(cpu);
}

static NOINLINE struct thread *fault_answer_any(struct cpu *cpu, u64 answer)
{
    lock_take();
    struct frame *below = frame_pop(cpu, false);
    fault_return(cpu, below, answer);
    return return_finish(cpu);
}

/* entry.S: a return into a frame whose fault the current one has handled. The usual RESUME
 * touches only what this core owns, like entry.S's return, and needs no lock either. */
struct thread *fault_answer(u64 answer, struct cpu *cpu)
{
    struct thread *t = cpu->thread;
    struct frame *f = cpu->frame, *below = f->prev;
    struct space *space = frame_space(below);
    if (unlikely(answer != FAULT_RESUME) || unlikely(f->marked) || unlikely(trace_on) ||
        unlikely(f->pool->service->waiters[cpu->core] != 0) || unlikely(space->dead) ||
        unlikely(t->stop_wanted | t->event_sticky) || unlikely(t->plain != changes) ||
        unlikely(cpu->donor != t))
        return fault_answer_any(cpu, answer);
    below->space = space;
    below->fault = 0;
    t->fault_count--;
    t->regs--;
    f->gate = 0;
    f->next = *f->head;
    *f->head = f;
    frame_enter(cpu, f, below);
    return t;
}

struct result op_return_x(u64 transfer)
{
    i64 error;
    struct pith_transfer x;
    struct cpu *cpu = cpu_self();
    struct frame *f = cpu->frame;
    REFUSE_IF(f->kind == FRAME_BASE, E_DEPTH);
    REFUSE_IF(!user_read(&x, transfer, sizeof x), E_MEMORY);
    struct space *from = current_space(), *to = frame_space(f->prev);
    if (f->prev->fault)
        x.cap_count = 0;
    if (!to->dead && (error = caps_check(from, &x, to, f->prev)))
        return fail(error);
    if (!to->dead)
        caps_move(from, &x, to, f->prev);
    struct frame *below = frame_pop(cpu, false);
    if (below->fault) {
        fault_return(cpu, below, x.words[0]);
    } else {
        words_set(cpu->thread, x.words);
    }
    bool settled = return_settled(cpu);
    cpu->resched = settled ? RESCHED_RESUME : RESCHED_LOADED;
    return ok(0);
}

struct result op_receive(u64 slot, u64 count)
{
    if (count > TRANSFER_CAPS || slot + count > CAP_PAGES * SLOTS_PER_PAGE || slot > 0xffff)
        return fail(-E_RANGE);
    cpu_self()->frame->recv_slot = (u32)slot;
    cpu_self()->frame->recv_count = (u32)count;
    return ok(0);
}

struct result op_thread_unwind(struct thread *t, struct service *s)
{
    REFUSE_IF(t == cpu_self()->thread, E_STATE);
    REFUSE_IF(t->inboxed, E_AGAIN);
    struct cpu *cpu = cpu_of(t->core);
    if (cpu->thread == t && __atomic_load_n(&cpu->frame, __ATOMIC_RELAXED) == &t->base) {
        t->unwind = 0; /* it runs at depth 0 this moment */
        return ok(0);
    }
    for (u32 i = 0; cpu->thread != t && i <= USER_LEVEL; i++) {
        const struct frame *f = t->top;
        for (u32 j = 0; j < i && f->kind != FRAME_BASE; j++)
            f = f->prev;
        if (f->kind == FRAME_BASE) {
            t->unwind = 0;
            return ok(0);
        }
        if (f->pool->service == s)
            break;
    }
    t->unwind = s;
    t->plain = 0;
    thread_post(t, REQUEST_UNWIND);
    return fail(-E_AGAIN);
}

/* ---- granted copies --------------------------------------------------------------------- */

static const struct grant no_grant;

/* The grant of that number of the current call; nil with the error that there is none. */
static ALWAYS_INLINE const struct grant *grant_find(const struct frame *f, u64 grant, i64 *error)
{
    if (likely(f->granted) && likely(grant < FRAME_GRANTS))
        return &f->grants[grant];
    *error = f->kind == FRAME_BASE ? -E_DEPTH : -E_RANGE;
    return f->kind == FRAME_BASE || grant >= FRAME_GRANTS ? 0 : &no_grant;
}

static struct result grant_copy(u64 grant, u64 offset, u64 va, u64 length, u64 direction)
{
    i64 error;
    const struct frame *f = cpu_self()->frame;
    const struct grant *g = grant_find(f, grant, &error);
    if (!g)
        return fail(error);
    REFUSE_IF(offset > g->length || length > g->length - offset, E_RANGE);
    REFUSE_IF(!(g->direction & direction), E_RIGHT);
    /* A client that dies meanwhile stays what it was: see user_address(). */
    const struct space *client = frame_space(f->prev), *server = f->space;
    bool in = direction == GRANT_READ;
    u64 access = in ? USER_READ : USER_WRITE, other = access ^ USER_READ ^ USER_WRITE;
    u64 at = g->address + offset, done = 0, run;
    struct user_run c = {0, 0}, s = {0, 0};
    length = min_u64(length, PAGE_SIZE);
    for (; done < length; done += run) {
        if (!c.bytes)
            c = user_address(client, at + done, access);
        if (!s.bytes)
            s = user_address(server, va + done, other);
        if (!c.at || !s.at)
            break;
        run = min_u64(length - done, min_u64(c.bytes, s.bytes));
        u8 *to = in ? s.at : c.at;
        const u8 *from = in ? c.at : s.at;
        copy_words(to, from, run / 8);
        if (run & 7)
            copy_bytes(to + (run & ~7ull), from + (run & ~7ull), run & 7);
        c = (struct user_run){c.at + run, c.bytes - run};
        s = (struct user_run){s.at + run, s.bytes - run};
    }
    return done || !length ? ok(done) : fail(-E_MEMORY);
}

struct result op_copy_in(u64 grant, u64 offset, u64 va, u64 length)
{
    return grant_copy(grant, offset, va, length, GRANT_READ);
}

struct result op_copy_out(u64 grant, u64 offset, u64 va, u64 length)
{
    return grant_copy(grant, offset, va, length, GRANT_WRITE);
}

struct result op_grant_info(u64 grant)
{
    i64 error;
    const struct grant *g = grant_find(cpu_self()->frame, grant, &error);
    return g ? ok(g->length << 2 | g->direction) : fail(error);
}
