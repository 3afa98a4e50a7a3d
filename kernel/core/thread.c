/* SPDX-License-Identifier: MIT */
/*
 * Threads: life, registers, events, foreign system calls, debugging.
 *
 * A thread inside a server is the server's: stop, move, events and debugging act when it is
 * back at depth 0 (top == &base). Invariant: state STOPPED implies depth 0 and no run
 * queue; a registered upcall or event page is a pinned frame of the thread's space.
 */
#include <arch/fpu.h>
#include <arch/platform.h>
#include <arch/pte.h>
#include <arch/x86.h>
#include <kernel.h>

#define FLAG_TF 0x100ull
#define FLAGS_FIXED 0x202ull
#define PINS_MAX 16u /* of one page */

static u32 thread_ids;

struct thread *thread_of(const struct frame *f)
{
    for (u32 i = 0; i <= USER_LEVEL && f->kind != FRAME_BASE; i++)
        f = f->prev;
    return thread_of_base(f);
}

static bool depth0(const struct thread *t)
{
    const struct cpu *cpu = cpu_of(t->core);
    return (cpu->thread == t ? cpu->frame : t->top) == &t->base;
}

/* Stopped, nothing on its way to it, and its core has let go of it: a thread that exits is
 * on its core a moment longer, without the lock. */
static bool thread_stopped(const struct thread *t)
{
    return t->state == THREAD_STOPPED && !t->inboxed && cpu_of(t->core)->thread != t;
}

void thread_init(struct thread *t, struct space *space)
{
    t->gen = generation_new();
    t->id = ++thread_ids;
    t->space = space;
    t->top = &t->base;
    t->base.kind = FRAME_BASE;
    t->base.level = USER_LEVEL;
    t->base.space = space;
    t->base.cr3 = space->cr3;
    t->base.prev = &nil_frame;
    t->base.flags = FLAGS_FIXED;
    t->state = THREAD_STOPPED;
    t->regs = t->saved;
    t->regs->kind = REGS_ALL;
    fpu_init(t->fpu);
    page_of(frame_of(t))->used = 1;
    space->threads++;
}

struct result op_thread_create(struct region *r, u64 index, u64 slot, struct space *s)
{
    u32 pfn;
    REQUIRE(page_place(r, index, &pfn));
    REFUSE_IF(s->dead, E_STATE);
    page_commit(pfn, PT_THREAD);
    struct thread *t = frame_address(pfn);
    thread_init(t, s);
    slot_fill(current_space(), slot, t, PT_THREAD, RIGHT_ALL, t->gen);
    return ok(t->id);
}

i64 time_check(const struct time *time, u64 core, u64 priority)
{
    if (core >= cpu_count || !(time->cores >> core & 1) || priority > time->priority_max)
        return -E_RANGE;
    return 0;
}

void thread_bind(struct thread *t, struct time *time)
{
    t->time = time;
    t->time_gen = time->gen;
    t->plain = 0;
}

struct result op_thread_start(struct thread *t, struct time *m, u64 where, u64 rip, u64 rsp,
                              u64 argument)
{
    u64 core = where & 0xff, priority = where >> 8;
    REFUSE_IF(!thread_stopped(t) || t->space->dead, E_STATE);
    REQUIRE(time_check(m, core, priority));
    REFUSE_IF(rip >= USER_TOP || rsp > USER_TOP, E_ARG);
    for (u32 i = 0; i < 15; i++)
        ((u64 *)t->regs)[i] = 0;
    t->base.rip = rip;
    t->base.rsp = rsp;
    t->base.flags = FLAGS_FIXED;
    t->regs->rdi = argument;
    t->regs->kind = REGS_ALL;
    t->stop_wanted = t->event_sticky = t->events_masked = 0;
    t->helps = 0;
    t->core = (u8)core;
    t->priority = (u8)priority;
    thread_bind(t, m);
    t->requests_start = 1;
    thread_post(t, REQUEST_SCHEDULE);
    return ok(0);
}

/* Ends a depth-0 wait or queueing so that the thread can be worked on. */
static void wait_break(struct thread *t, i64 status)
{
    if (t->state == THREAD_WAITING || t->state == THREAD_QUEUED)
        wait_end(t, status, 0);
    else if (t->state == THREAD_THROTTLED) {
        wheel_remove(cpu_of(t->core), t);
        thread_ready(t);
    }
}

/* All registers of a thread at depth 0 go to its event frame, and it to its event entry. */
void event_enter(struct cpu *cpu, struct thread *t)
{
    struct pith_event *e = (struct pith_event *)t->event_frame;
    struct frame *b = &t->base;
    if (cpu->thread == t)
        thread_bases_sync(t);
    copy_words(&e->regs, t->regs, 15);
    e->regs.rip = b->rip;
    e->regs.rsp = b->rsp;
    e->regs.flags = b->flags;
    e->regs.fs_base = t->fs_base;
    e->regs.gs_base = t->gs_base;
    t->events_masked = 1;
    b->rip = t->event_entry;
    b->flags = FLAGS_FIXED;
}

/* The event: at depth 0 outside the native range and unmasked it goes to the entry. */
static void event_deliver(struct cpu *cpu, struct thread *t)
{
    struct frame *b = &t->base;
    struct pith_event *e = (struct pith_event *)t->event_frame;
    if (!t->event_entry) { /* no frame: it only ends a wait */
        if (t->state == THREAD_WAITING)
            wait_end(t, -E_INTR, 0);
        else if (t->state != THREAD_STOPPED)
            t->event_sticky = 1;
        return;
    }
    if (b->rip >= t->exit_lo && b->rip < t->exit_hi)
        b->rip = t->exit_lo;
    if (t->events_masked || t->regs->kind != REGS_ALL || b->rip >= b->native_lo) {
        e->pending = 1;
        if (t->state == THREAD_WAITING)
            wait_end(t, -E_INTR, 0);
        else if (t->state != THREAD_STOPPED)
            t->event_sticky = 1; /* ends the next wait */
        return;
    }
    event_enter(cpu, t);
    e->fault = 0;
}

bool depth0_requests(struct cpu *cpu, struct thread *t)
{
    if (!depth0(t)) {
        if (t->stop_wanted || t->event_sticky)
            frame_trap(&t->base);
        return false;
    }
    if (t->event_sticky) {
        t->event_sticky = 0;
        event_deliver(cpu, t);
    }
    if (t->stop_wanted || t->space->dead) {
        wait_break(t, -E_INTR);
        thread_block(t, THREAD_STOPPED);
        t->stop_wanted = t->requests_start = 0;
        return true;
    }
    if (t->state == THREAD_STOPPED && t->requests_start) {
        t->requests_start = 0;
        thread_ready(t);
        schedule_if_higher(cpu, t);
    }
    return false;
}

struct result op_thread_stop(struct thread *t)
{
    REFUSE_IF(t == cpu_self()->thread, E_DEPTH);
    if (thread_stopped(t))
        return ok(0);
    t->stop_wanted = 1;
    thread_post(t, REQUEST_STOP);
    return fail(-E_AGAIN);
}

struct result op_thread_resume(struct thread *t)
{
    REFUSE_IF(!thread_stopped(t) || t->space->dead || !t->time, E_STATE);
    t->requests_start = 1;
    thread_post(t, REQUEST_SCHEDULE);
    return ok(0);
}

struct result op_thread_schedule(struct thread *t, struct time *m, u64 priority)
{
    REQUIRE(time_check(m, t->core, priority));
    if (thread_stopped(t)) {
        t->priority = (u8)priority;
        thread_bind(t, m);
        return ok(0);
    }
    t->new_priority = (u8)priority;
    t->new_time = m;
    t->new_time_gen = m->gen;
    thread_post(t, REQUEST_SCHEDULE);
    return ok(0);
}

struct result op_thread_move(struct thread *t, u64 core)
{
    REFUSE_IF(!thread_stopped(t), E_STATE);
    if (!object_alive(t->time, PT_TIME, t->time_gen) || time_check(t->time, core, t->priority))
        return fail(-E_RANGE);
    t->core = (u8)core;
    return ok(0);
}

static u64 thread_depth(const struct thread *t)
{
    const struct cpu *cpu = cpu_of(t->core);
    const struct frame *f = cpu->thread == t ? cpu->frame : t->top;
    u64 depth = 0;
    if (cpu->thread == t && cpu != cpu_self())
        return 0; /* another core is moving it right now */
    for (; depth < USER_LEVEL && f->kind != FRAME_BASE; depth++)
        f = f->prev;
    return depth;
}

struct result op_thread_info(struct thread *t, u64 buffer)
{
    account(cpu_self());
    u64 state = t->state == THREAD_STOPPED && (t->requests_start || cpu_of(t->core)->thread == t)
                    ? THREAD_READY : t->state;
    struct pith_thread_info i = { state, t->core, t->priority, thread_depth(t),
                                  clock_ticks_ns(t->run), t->id, t->fault_count, 0 };
    return user_write(buffer, &i, sizeof i) ? ok(state) : fail(-E_MEMORY);
}

struct result op_thread_regs_read(struct thread *t, u64 buffer)
{
    struct pith_regs r;
    REFUSE_IF(!thread_stopped(t), E_STATE);
    copy_words(&r, t->regs, 15);
    if (t->regs->kind != REGS_ALL)
        r.rcx = r.rsi = r.rdi = r.r8 = r.r9 = r.r10 = r.r11 = 0;
    r.rip = t->base.rip;
    r.rsp = t->base.rsp;
    r.flags = t->base.flags;
    r.fs_base = t->fs_base;
    r.gs_base = t->gs_base;
    return user_write(buffer, &r, sizeof r) ? ok(0) : fail(-E_MEMORY);
}

static bool base_valid(u64 address)
{
    return address < USER_TOP;
}

static void regs_set(struct thread *t, const struct pith_regs *r)
{
    copy_words(t->regs, r, 15);
    t->base.rip = r->rip;
    t->base.rsp = r->rsp;
    t->base.flags = (r->flags & USER_FLAGS) | FLAGS_FIXED | (t->single_step ? FLAG_TF : 0);
    t->fs_base = r->fs_base;
    t->gs_base = r->gs_base;
    t->regs->kind = REGS_ALL;
}

static bool regs_valid(const struct pith_regs *r)
{
    return r->rip < USER_TOP && base_valid(r->fs_base) && base_valid(r->gs_base);
}

struct result op_thread_regs_write(struct thread *t, u64 buffer)
{
    struct pith_regs r;
    REFUSE_IF(!thread_stopped(t), E_STATE);
    REFUSE_IF(!user_read(&r, buffer, sizeof r), E_MEMORY);
    REFUSE_IF(!regs_valid(&r), E_ARG);
    regs_set(t, &r);
    return ok(0);
}

struct result op_thread_interrupt(struct thread *t)
{
    thread_post(t, REQUEST_EVENT);
    return ok(0);
}

struct result op_thread_debug(struct thread *t, u64 buffer)
{
    struct pith_debug d;
    REFUSE_IF(!thread_stopped(t), E_STATE);
    REFUSE_IF(!user_read(&d, buffer, sizeof d), E_MEMORY);
    for (u32 i = 0; i < 4; i++)
        if (d.dr[i] >= USER_TOP)
            return fail(-E_ARG);
    if (d.dr7 >> 32 || d.dr7 & 0x2000) /* general detect would trap the kernel's own loads */
        return fail(-E_ARG);
    for (u32 i = 0; i < 4; i++)
        t->debug[i] = d.dr[i];
    t->debug[5] = (d.dr7 & ~0xaaull) | 0x400; /* local enables only */
    t->debug_on = (d.dr7 & 0x55) != 0;
    t->plain = 0;
    t->single_step = d.single_step != 0;
    t->base.flags = (t->base.flags & ~FLAG_TF) | (t->single_step ? FLAG_TF : 0);
    return ok(0);
}

struct result op_thread_exit(void)
{
    struct cpu *cpu = cpu_self();
    REFUSE_IF(cpu->frame != &cpu->thread->base, E_DEPTH);
    thread_block(cpu->thread, THREAD_STOPPED);
    return ok(0);
}

struct result op_thread_yield(void)
{
    cpu_self()->donor->slice = 0;
    cpu_self()->resched = 1;
    return ok(0);
}

/* Pins the frame at page-aligned va of the current space, writable; its direct-map address. */
static i64 page_pin(u64 va, u64 *address)
{
    struct walk w;
    const struct space *s = current_space();
    if (va & (PAGE_SIZE - 1))
        return -E_ARG;
    if (!space_leaf(s, va, &w) || w.level != 1 ||
        !(*address = (u64)user_address(s, va, USER_WRITE).at))
        return -E_MEMORY;
    struct page *p = page_of(frame_of((void *)*address));
    if (p->used == PINS_MAX)
        return -E_LIMIT;
    p->used++;
    return 0;
}

static void page_unpin(u64 address)
{
    if (address)
        page_of(frame_of((void *)address))->used--;
}

struct result op_thread_upcall(u64 entry, u64 data, u64 native_lo)
{
    u64 address = 0;
    i64 error;
    struct thread *t = cpu_self()->thread;
    REFUSE_IF(cpu_self()->frame != &t->base, E_DEPTH);
    REFUSE_IF(entry >= USER_TOP || native_lo >= USER_TOP || (!entry != !native_lo), E_ARG);
    if (entry && (error = page_pin(data, &address)))
        return fail(error);
    page_unpin(t->upcall_data);
    t->upcall_entry = entry;
    t->upcall_data = address;
    t->base.native_lo = native_lo;
    return ok(0);
}

struct result op_thread_events(u64 entry, u64 frame, u64 exit_lo, u64 exit_hi)
{
    u64 address = 0;
    i64 error;
    struct thread *t = cpu_self()->thread;
    REFUSE_IF(cpu_self()->frame != &t->base, E_DEPTH);
    REFUSE_IF(entry >= USER_TOP || exit_lo > exit_hi || exit_hi >= USER_TOP, E_ARG);
    if (entry && (error = page_pin(frame, &address)))
        return fail(error);
    page_unpin(t->event_frame);
    t->event_entry = entry;
    t->event_frame = address;
    t->exit_lo = exit_lo;
    t->exit_hi = exit_hi;
    t->events_masked = 0;
    return ok(0);
}

struct result op_event_done(void)
{
    struct cpu *cpu = cpu_self();
    struct thread *t = cpu->thread;
    const struct pith_event *e = (const struct pith_event *)t->event_frame;
    REFUSE_IF(cpu->frame != &t->base, E_DEPTH);
    REFUSE_IF(!t->event_entry, E_STATE);
    struct pith_regs r = e->regs;
    REFUSE_IF(!regs_valid(&r), E_ARG);
    t->events_masked = 0;
    regs_set(t, &r);
    bases_load(t);
    if (e->pending) {
        ((struct pith_event *)t->event_frame)->pending = 0;
        t->event_sticky = 1;
        (void)depth0_requests(cpu, t);
    }
    cpu->resched = RESCHED_LOADED; /* the registers are in the thread already */
    return ok(0);
}

struct result op_thread_bases(u64 fs, u64 gs, u64 mask)
{
    struct thread *t = cpu_self()->thread;
    REFUSE_IF(mask & ~3ull, E_ARG);
    REFUSE_IF((mask & 1 && !base_valid(fs)) || (mask & 2 && !base_valid(gs)), E_RANGE);
    thread_bases_sync(t);
    if (mask & 1)
        t->fs_base = fs;
    if (mask & 2)
        t->gs_base = gs;
    bases_load(t);
    return ok(0);
}

struct result op_thread_notification(struct thread *t, struct notification *n)
{
    t->own = n;
    t->own_gen = n ? n->gen : 0;
    return ok(0);
}

i64 thread_take(struct thread *t)
{
    if (t == cpu_self()->thread)
        return -E_BUSY;
    if (!thread_stopped(t)) {
        t->stop_wanted = 1;
        thread_post(t, REQUEST_STOP);
        return -E_AGAIN;
    }
    if (t->gen) {
        t->gen = 0;
        t->space->threads--;
        page_unpin(t->upcall_data);
        page_unpin(t->event_frame);
        t->upcall_data = t->event_frame = 0;
        page_of(frame_of(t))->stamp = epoch_stamp();
    }
    return 0;
}
