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
#define INBOX_STEP 32u

void thread_ready(struct thread *t)
{
    struct cpu *cpu = cpu_of(t->core);
    struct thread **head = &cpu->run[t->priority];
    t->state = THREAD_READY;
    t->slice_ns = SLICE_NS;
    if (!*head) {
        t->run_next = t->run_prev = t;
        *head = t;
        cpu->run_bits |= 1ull << t->priority;
    } else {
        t->run_next = *head;
        t->run_prev = (*head)->run_prev;
        t->run_prev->run_next = t;
        (*head)->run_prev = t;
    }
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

void schedule_if_higher(struct cpu *cpu, const struct thread *t)
{
    if (!cpu->donor || t->priority > cpu->donor->priority)
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
    }
    if (cpu == cpu_self())
        cpu->resched = 1;
    else
        ipi_send(t->core, VEC_KICK);
}

/* Charges the time since the last call to the running thread and the donor's time. */
void account(struct cpu *cpu)
{
    u64 now = clock_ns(), delta = now - cpu->since_ns;
    cpu->since_ns = now;
    if (!cpu->thread)
        return;
    cpu->thread->run_ns += delta;
    struct thread *donor = cpu->donor; /* none when nothing could be picked just now */
    if (!donor)
        return;
    donor->slice_ns = donor->slice_ns > delta ? donor->slice_ns - (u32)delta : 0;
    if (object_alive(donor->time, PT_TIME, donor->time_gen) && donor->time->budget_ns)
        donor->time->left_ns -= (i64)delta;
}

/* Counts running time in the activations of the running thread; tells owners of services
 * whose limit is passed. */
static void limits_check(struct cpu *cpu, u64 delta)
{
    struct frame *f = cpu->frame;
    for (u32 i = 0; i < USER_LEVEL && f->kind != FRAME_BASE; i++, f = f->prev) {
        if (!f->ran_ns)
            frame_trap(f->prev); /* the return resets it */
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
    u64 before = cpu->since_ns;
    account(cpu);
    cpu->armed_ns = UINT64_MAX;
    wheel_advance(cpu, cpu->since_ns);
    if (cpu->thread)
        limits_check(cpu, cpu->since_ns - before);
    cpu->resched = 1;
}

/* A time whose budget is used up: wait for the next period. */
static bool time_left(struct cpu *cpu, struct thread *t)
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
    if (!time->budget_ns)
        return true;
    if (cpu->since_ns >= time->refill_ns) {
        time->left_ns = (time->left_ns < 0 ? time->left_ns : 0) + (i64)time->budget_ns;
        time->refill_ns = cpu->since_ns + time->period_ns;
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
    if (cpu->inbox)
        ipi_send(cpu->core, VEC_KICK);
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
        if (t->debug_on)
            debug_registers_load(t->debug);
        cpu->thread = t;
    }
    cpu->frame = t->top;
}

void space_load(struct cpu *cpu)
{
    u64 want = cpu->frame->cr3;
    if (read_cr3() != (want & ~(1ull << 63)))
        write_cr3(want);
}

/* The next thread by priority that may run; nil: none. Each round takes one out. */
static struct thread *pick(struct cpu *cpu)
{
    for (u32 rounds = 0; cpu->run_bits && rounds < 64; rounds++) {
        u32 priority = 63u - (u32)__builtin_clzll(cpu->run_bits);
        struct thread *t = cpu->run[priority];
        if (!t->slice_ns) { /* used up, also when others interrupted it: to the end */
            t->slice_ns = SLICE_NS;
            cpu->run[priority] = t = t->run_next;
        }
        if (t->space->dead && t->top == &t->base) {
            thread_block(t, THREAD_STOPPED);
            continue;
        }
        if (!time_left(cpu, t))
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
    cpu->frame = 0;
    write_cr3(kernel_pml4);
    u64 next = wheel_next_ns(cpu);
    if (cpu->armed_ns != next) {
        cpu->armed_ns = next;
        timer_arm(next);
    }
    lock_release();
    __asm__ volatile("sti; hlt; cli" ::: "memory");
    lock_take();
    cpu->since_ns = clock_ns();
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

struct thread *schedule(void)
{
    struct cpu *cpu = cpu_self();
    struct thread *t;
    lock_take();
    for (;;) {
        if (cpu->thread)
            cpu->thread->top = cpu->frame;
        account(cpu);
        cpu->resched = 0;
        if (cpu->inbox)
            inbox_process(cpu);
        t = pick(cpu);
        if (!t) {
            if (!cpu->run_bits && !cpu->inbox)
                idle(cpu);
            continue;
        }
        t = helped(t);
        thread_enter(cpu, t);
        if (frame_space(cpu->frame)->dead) {
            frames_drop_dead(cpu);
            continue;
        }
        if (t->unwind && unwind_due(cpu, t))
            continue;
        if (cpu->resched)
            continue;
        break;
    }
    space_load(cpu);
    u64 latest = cpu->since_ns + TICK_NS;
    if (cpu->armed_ns > latest) {
        cpu->armed_ns = min_u64(latest, wheel_next_ns(cpu));
        timer_arm(cpu->armed_ns);
    }
    lock_release();
    return t;
}
