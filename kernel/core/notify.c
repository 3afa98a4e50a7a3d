/* SPDX-License-Identifier: MIT */
/*
 * Notifications: one word of bits and at most one waiter.
 *
 * Invariant: n->waiter == t exactly when t is WAITING with waits_on == n, except while a
 * wake is on its way to another core: then the waiter is already unlinked and the bits are
 * in its wake_value. Raising never blocks and never carries data.
 */
#include <arch/platform.h>
#include <kernel.h>

/* A fault's wait takes nothing. */
static void fault_wait_end(const struct thread *t, u64 bits)
{
    if (bits && object_alive(t->own, PT_NOTIFICATION, t->own_gen))
        t->own->word |= bits;
}

/* Own core. Also ends queueing and throttling, where no result is due. */
void wait_end(struct thread *t, i64 status, u64 bits)
{
    struct cpu *cpu = cpu_self();
    if (t->requests & REQUEST_WAKE) { /* a wake from another core came first */
        t->requests &= ~(u32)REQUEST_WAKE;
        status = t->wake_status;
        bits = t->wake_value;
    }
    if (t->state != THREAD_WAITING && t->state != THREAD_QUEUED && t->state != THREAD_THROTTLED)
        return;
    trace(EVENT_WAKE, t->id, bits);
    wheel_remove(cpu, t);
    if (t->state == THREAD_QUEUED)
        thread_dequeue(t);
    if (t->state == THREAD_WAITING) {
        if (t->waits_on && t->waits_on->waiter == t)
            t->waits_on->waiter = 0;
        t->waits_on = 0;
        if (t->wait_kind == WAIT_FAULT) {
            fault_wait_end(t, bits);
        } else {
            t->regs->rax = (u64)status;
            t->regs->rdx = bits;
        }
    }
    thread_ready(t);
    schedule_if_higher(cpu, t);
}

void notification_raise(struct notification *n, u64 bits)
{
    struct thread *t = n->waiter;
    n->word |= bits;
    trace(EVENT_RAISE, small_ref(n), bits);
    if (!t || !n->word)
        return;
    bits = n->word;
    n->word = 0;
    n->waiter = 0;
    t->waits_on = 0;
    if (t->core == cpu_self()->core) {
        wait_end(t, 0, bits);
    } else {
        t->wake_status = 0;
        t->wake_value = bits;
        thread_post(t, REQUEST_WAKE);
    }
}

void notification_tell(struct notification *n, u64 gen, u64 bits)
{
    if (bits && object_alive(n, PT_NOTIFICATION, gen))
        notification_raise(n, bits);
}

void notification_reset(struct notification *n)
{
    struct thread *t = n->waiter;
    n->waiter = 0;
    n->word = 0;
    if (!t)
        return;
    t->waits_on = 0;
    t->wake_status = -E_CAP;
    t->wake_value = 0;
    thread_post(t, REQUEST_WAKE);
}

i64 notification_wait(struct cpu *cpu, struct notification *n, u64 deadline_ns, u64 *bits)
{
    struct thread *t = cpu->thread;
    *bits = n->word;
    if (n->word) {
        n->word = 0;
        return 0;
    }
    if (n->waiter)
        return -E_BUSY;
    if (t->event_sticky && cpu->frame == &t->base) {
        t->event_sticky = 0;
        return -E_INTR;
    }
    if (deadline_ns != DEADLINE_NEVER) {
        if (!deadline_ns || deadline_ns <= clock_ns())
            return -E_TIME;
        wheel_insert(cpu, t, deadline_ns);
    }
    n->waiter = t;
    t->waits_on = n;
    t->wait_kind = deadline_ns == DEADLINE_NEVER ? WAIT_RESULT : WAIT_DEADLINE;
    thread_block(t, THREAD_WAITING);
    return 0;
}

struct result op_notification_create(struct region *r, u64 where, u64 slot)
{
    void *object;
    REQUIRE(small_place(r, where, PT_NOTIFICATION, &object));
    small_commit(object, PT_NOTIFICATION);
    return slot_give(slot, object, PT_NOTIFICATION);
}

static NOINLINE struct result raise_any(struct notification *n, u64 bits)
{
    notification_raise(n, bits);
    lock_release();
    return ok(0);
}

struct result op_notify_raise(u64 notification, u64 bits)
{
    i64 error = 0;
    lock_take();
    struct notification *n =
        cap_object(current_space(), notification, PT_NOTIFICATION, RIGHT_USE, &error);
    if (likely(n != 0) && unlikely(!notification_raise_usual(cpu_self(), n, bits)))
        return raise_any(n, bits);
    lock_release();
    return fail(error);
}

struct result op_notify_wait(struct notification *n, u64 deadline_ns)
{
    i64 error;
    u64 bits;
    error = notification_wait(cpu_self(), n, deadline_ns, &bits);
    return (struct result){ error, bits };
}
