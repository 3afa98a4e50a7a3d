/* SPDX-License-Identifier: MIT */
/*
 * The scheduler of a core: 64 priorities, round robin, budgets, helping, and requests from
 * other cores.
 *
 * Invariants: a thread is in its core's run queue exactly when its state is READY; running
 * threads stay in it. cpu.thread runs; cpu.donor is the one whose turn it is (it differs
 * from cpu.thread when the donor waits for a stack that cpu.thread holds). Run queues,
 * thread states and wheels are written by their own core only; others post requests.
 *
 * Locking: all of it under the kernel lock. No policy here: who may run where at which
 * priority is in times, set by user programs.
 */
#include <arch/fpu.h>
#include <arch/platform.h>
#include <arch/x86.h>
#include <kernel.h>

#define TICK_NS 4000000ull
#define SLICE_NS 8000000u
/* How much is done before interrupts get a chance: see breathe(). */
#define INBOX_STEP 8u
#define PICK_STEP 8u
#define ROUNDS_AT_ONCE 2u

u64 changes = 1;
u64 slice_ticks;

void schedule_init(void)
{
    slice_ticks = clock_tsc_ticks(SLICE_NS);
}

void thread_block(struct thread *t, u8 state)
{
    struct cpu *cpu = cpu_of(t->core);
    if (t->state == THREAD_READY) {
        struct thread **head = &cpu->run[t->priority];
        if (t->run_next == t) {
            *head = 0;
            cpu->run_bits &= ~(1ull << t->priority);
        } else {
            t->run_next->run_prev = t->run_prev;
            t->run_prev->run_next = t->run_next;
            if (*head == t)
                *head = t->run_next;
        }
        t->run_next = t->run_prev = 0;
    }
    t->state = state;
    if (t == cpu->thread || t == cpu->donor)
        cpu->resched = 1;
}

void thread_post(struct thread *t, u32 requests)
{
    struct cpu *cpu = cpu_of(t->core);
    t->requests |= requests;
    if (!t->inboxed) {
        t->inboxed = 1;
        t->inbox_next = cpu->inbox;
        cpu->inbox = t;
        cpu->attention |= ATTENTION_INBOX;
    }
    if (cpu == cpu_self())
        cpu->resched = 1;
    else
        ipi_send(t->core, VEC_KICK);
}

static void charge(struct cpu *cpu, u64 ticks)
{
    const struct thread *donor = cpu->donor;
    if (donor && donor->time == cpu->charged &&
        object_alive(cpu->charged, PT_TIME, donor->time_gen))
        cpu->charged->left_ns -= (i64)clock_ticks_ns(ticks);
}

/* Charges the time since the last call to the running thread, and to the donor's turn and
 * time. In TSC ticks, because it is on the way of every switch. */
static u64 account_ticks(struct cpu *cpu)
{
    u32 now = rdtsc_low(), ticks = now - cpu->since; /* a thread runs a tick between two */
    cpu->since = now;
    if (cpu->thread) {
        cpu->thread->run += ticks;
        if (cpu->donor) /* none when nothing could be picked just now */
            cpu->donor->slice -= (i64)ticks;
        if (cpu->charged)
            charge(cpu, ticks);
    }
    return ticks;
}

void account(struct cpu *cpu)
{
    (void)account_ticks(cpu);
}

/* Counts running time in the activations of the running thread; tells owners of services
 * whose limit is passed. */
static void limits_check(struct cpu *cpu, u64 delta)
{
    struct frame *f = cpu->frame;
    for (u32 i = 0; i < USER_LEVEL && f->kind != FRAME_BASE; i++, f = f->prev) {
        if (!f->ran_ns)
            frame_trap(f->prev); /* the return resets it */
        f->marked = 1;
        f->ran_ns += delta;
        struct service *s = f->pool->service;
        if (s && f->ran_ns > s->limit_ns && !f->limit_told) {
            f->limit_told = 1;
            notification_tell(s->owner, s->owner_gen, s->owner_bits >> 32);
        }
    }
}

void tick(struct cpu *cpu)
{
    u64 ran_ns = clock_ticks_ns(account_ticks(cpu));
    u64 now_ns = clock_ns();
    trace(EVENT_TIMER, now_ns, cpu->armed_ns);
    cpu->armed_ns = UINT64_MAX;
    cpu->attention |= ATTENTION_TIMER;
    wheel_advance(cpu, now_ns);
    if (cpu->thread)
        limits_check(cpu, ran_ns);
    cpu->resched = 1;
}

/* Looks at the thread's time: false when the thread cannot run now. A time whose budget is
 * used up lets it wait for the next period. */
static bool time_look(struct cpu *cpu, struct thread *t)
{
    struct time *time = t->time;
    if (!object_alive(time, PT_TIME, t->time_gen)) {
        if (t->top != &t->base) {
            frame_trap(&t->base); /* stops when it is back at depth 0 */
            return true;
        }
        thread_block(t, THREAD_STOPPED);
        return false;
    }
    if (!time->budget_ns) {
        if (!t->helps && !t->unwind && !t->debug_on)
            t->plain = changes;
        return true;
    }
    cpu->charged = time;
    cpu->attention |= ATTENTION_CHARGED;
    u64 now = clock_ns();
    if (now >= time->refill_ns) {
        time->left_ns = (time->left_ns < 0 ? time->left_ns : 0) + (i64)time->budget_ns;
        time->refill_ns = now + time->period_ns;
    }
    if (time->left_ns > 0)
        return true;
    if (t->top != &t->base) {
        frame_trap(&t->base); /* in debt until it is back at depth 0 */
        return true;
    }
    thread_block(t, THREAD_THROTTLED);
    wheel_insert(cpu, t, time->refill_ns);
    return false;
}

/* Whom to run on donor's turn: itself, or along the chain of stacks it waits for. */
static struct thread *helped(struct thread *donor)
{
    struct thread *t = donor;
    if (donor->top->space->dead)
        return donor;
    for (u32 i = 0; i < USER_LEVEL && t->helps; i++) {
        const struct frame *s = t->helps;
        struct thread *holder = 0;
        if (*page_type_of(frame_of(s)) == PT_STACKS && s->gate && s->kind == FRAME_STACK)
            holder = thread_of(s);
        if (!holder || holder->state != THREAD_READY || holder->core != donor->core) {
            t->helps = 0; /* free by now, or its holder waits: look again */
            return t;
        }
        t = holder;
    }
    return t;
}

/* Takes over the time and priority that thread_schedule asked for. */
static void schedule_change(struct thread *t)
{
    bool queued = t->state == THREAD_READY;
    if (queued)
        thread_block(t, THREAD_STOPPED);
    t->time = t->new_time;
    t->time_gen = t->new_time_gen;
    t->plain = 0;
    t->priority = t->new_priority;
    t->new_time = 0;
    if (queued)
        thread_ready(t);
}

static void requests_take(struct cpu *cpu, struct thread *t)
{
    u32 requests = t->requests;
    t->requests = 0;
    if (requests & REQUEST_WAKE)
        wait_end(t, t->wake_status, t->wake_value);
    if (requests & REQUEST_EVENT)
        t->event_sticky = 1;
    if (requests & REQUEST_UNWIND && t->state != THREAD_READY && t->state != THREAD_STOPPED)
        wait_end(t, -E_UNWOUND, 0);
    if (t->new_time)
        schedule_change(t);
    if (t->top == &t->base || t == cpu->thread)
        (void)depth0_requests(cpu, t);
    else if (t->stop_wanted || t->event_sticky)
        frame_trap(&t->base);
}

void inbox_process(struct cpu *cpu)
{
    for (u32 i = 0; i < INBOX_STEP && cpu->inbox; i++) {
        struct thread *t = cpu->inbox;
        cpu->inbox = t->inbox_next;
        t->inboxed = 0;
        requests_take(cpu, t);
    }
    if (cpu->inbox) {
        cpu->attention |= ATTENTION_INBOX;
        ipi_send(cpu->core, VEC_KICK);
    }
}

void thread_bases_sync(struct thread *t)
{
    if (features.fsgsbase) {
        __asm__ volatile("rdfsbase %0" : "=r"(t->fs_base));
        __asm__ volatile("rdgsbase %0" : "=r"(t->gs_base));
    }
}

void bases_load(const struct thread *t)
{
    if (features.fsgsbase) {
        __asm__ volatile("wrfsbase %0" ::"r"(t->fs_base));
        __asm__ volatile("wrgsbase %0" ::"r"(t->gs_base));
    } else {
        wrmsr(0xc0000100, t->fs_base);
        wrmsr(0xc0000101, t->gs_base);
    }
}

static void thread_leave(struct cpu *cpu)
{
    struct thread *t = cpu->thread;
    thread_bases_sync(t);
    fpu_save(t->fpu);
    if (t->debug_on)
        debug_registers_clear();
    cpu->attention &= ~(u64)ATTENTION_DEBUG;
    cpu->thread = 0;
}

static void thread_enter(struct cpu *cpu, struct thread *t)
{
    if (cpu->thread != t) {
        trace(EVENT_SWITCH, cpu->thread ? cpu->thread->id : 0, t->id);
        if (cpu->thread)
            thread_leave(cpu);
        bases_load(t);
        fpu_load(t->fpu);
        if (t->debug_on) {
            debug_registers_load(t->debug);
            cpu->attention |= ATTENTION_DEBUG;
        }
        cpu->thread = t;
    }
    frame_enter(cpu, cpu->frame, t->top);
}

/* The next thread by priority that may run; nil: none, or not found yet. Each round takes one
 * out of the queue. */
static struct thread *pick(struct cpu *cpu)
{
    cpu->charged = 0;
    cpu->attention &= ~(u64)ATTENTION_CHARGED;
    for (u32 rounds = 0; cpu->run_bits && rounds < PICK_STEP; rounds++) {
        u32 priority = 63u ^ (u32)__builtin_clzll(cpu->run_bits);
        struct thread *t = cpu->run[priority];
        if (unlikely(t->slice <= 0)) { /* used up, also when others interrupted it: to the end */
            t->slice = (i64)slice_ticks;
            cpu->run[priority] = t = t->run_next;
        }
        if (t->plain != changes && !time_look(cpu, t))
            continue;
        cpu->donor = t;
        return t;
    }
    cpu->donor = 0;
    return 0;
}

static void idle(struct cpu *cpu)
{
    if (cpu->thread)
        thread_leave(cpu);
    frame_enter(cpu, cpu->frame, &nil_frame);
    u64 next = wheel_next_ns(cpu);
    if (cpu->armed_ns != next) {
        cpu->armed_ns = next;
        timer_arm(next);
    }
    lock_release();
    /* Woken only to pass quiescence, it sleeps on: requests come with a thread in the inbox,
     * every other interrupt asks for schedule(). */
    do
        __asm__ volatile("sti; hlt; cli" ::: "memory");
    while (!__atomic_load_n(&cpu->inbox, __ATOMIC_ACQUIRE) && !cpu->resched);
    lock_take();
    cpu->attention |= ATTENTION_TIMER; /* it may be armed for too late */
    cpu->since = rdtsc_low();
}

static void attend(struct cpu *cpu)
{
    u64 attention = cpu->attention;
    cpu->attention &= ~(u64)(ATTENTION_INBOX | ATTENTION_TIMER);
    if (attention & ATTENTION_INBOX)
        inbox_process(cpu);
    u64 latest = clock_ns() + TICK_NS;
    if (attention & ATTENTION_TIMER && cpu->armed_ns > latest) {
        cpu->armed_ns = min_u64(latest, wheel_next_ns(cpu));
        timer_arm(cpu->armed_ns);
    }
}

static bool unwind_due(struct cpu *cpu, struct thread *t)
{
    if (cpu->frame->kind == FRAME_BASE) {
        t->unwind = 0;
        return false;
    }
    if (cpu->frame->pool->service != t->unwind) {
        frame_trap(cpu->frame->prev); /* looked at again with each return */
        return false;
    }
    t->unwind = 0;
    frame_unwind(cpu, -E_UNWOUND, 0, true);
    return true;
}

/* What stands against running t, which has been entered; false: choose again. */
static bool settle(struct cpu *cpu, struct thread *t)
{
    if (cpu->frame->space->dead) {
        if (cpu->frame->kind == FRAME_BASE)
            thread_block(t, THREAD_STOPPED);
        else
            frames_drop_dead(cpu);
        return false;
    }
    if (t->unwind && unwind_due(cpu, t))
        return false;
    return !cpu->resched;
}

/* Interrupts for a moment, so that many threads to sort out do not keep them off. */
static void breathe(struct cpu *cpu)
{
    if (cpu->thread)
        thread_leave(cpu);
    frame_enter(cpu, cpu->frame, &nil_frame);
    lock_release();
    __asm__ volatile("sti; nop; cli" ::: "memory");
    lock_take();
    cpu->since = rdtsc_low();
}

static NOINLINE struct thread *schedule_any(struct cpu *cpu)
{
    struct thread *t;
    for (u32 rounds = 1;; rounds++) {
        if (cpu->thread)
            cpu->thread->top = cpu->frame;
        (void)account_ticks(cpu);
        if (!(rounds % ROUNDS_AT_ONCE))
            breathe(cpu);
        if (cpu->attention)
            attend(cpu);
        t = pick(cpu);
        cpu->resched = 0;
        if (!t) {
            if (!cpu->run_bits && !cpu->inbox)
                idle(cpu);
            continue;
        }
        if (t->helps)
            t = helped(t);
        thread_enter(cpu, t);
        if ((cpu->frame->space->dead || t->unwind) && !settle(cpu, t))
            continue;
        lock_release();
        return t;
    }
}

/* The same for the usual case: from a thread that runs on its own turn to one of higher
 * priority, or from one that waits now to the next. Nothing is changed before all is known. */
static ALWAYS_INLINE struct thread *schedule_usual(struct cpu *cpu)
{
    struct thread *old = cpu->thread;
    assert(old || cpu->attention);
    if (unlikely(cpu->donor != old) || unlikely(cpu->attention) ||
        unlikely(!cpu->run_bits) || unlikely(trace_on))
        return schedule_any(cpu);
    struct thread *t = cpu->run[63u ^ (u32)__builtin_clzll(cpu->run_bits)];
    if (unlikely(t == old) || unlikely(t->slice <= 0) || unlikely(t->plain != changes) ||
        unlikely(t->top->space->dead))
        return schedule_any(cpu);
    u32 now = rdtsc_low(), ticks = now - cpu->since;
    cpu->since = now;
    old->run += ticks;
    old->slice -= ticks;
    struct frame *frame = old->top = cpu->frame;
    state_switch(old->fpu, &old->fs_base, &old->gs_base, t->fpu, t->fs_base, t->gs_base);
    cpu->thread = cpu->donor = t;
    cpu->resched = 0;
    frame_enter(cpu, frame, t->top);
    lock_release();
    return t;
}

struct thread *schedule_locked(struct cpu *cpu)
{
    return schedule_usual(cpu);
}

struct thread *schedule(struct cpu *cpu)
{
    lock_take();
    return schedule_usual(cpu);
}
