/* SPDX-License-Identifier: MIT */
/*
 * futex: a queue of waiting threads, by address within the process. A waiter's block is in the
 * queue until it is woken (woken is set, its notification raised) or has taken itself out.
 * A word in memory that other processes share is named by its place there, and its queue is the
 * process server's: then all waiters are there.
 */
#include "layer.h"
#include <proto/memory_client.h>
#include <proto/process_client.h>

#define BUCKETS 64u

enum {
    FUTEX_WAIT,
    FUTEX_WAKE,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE,
    FUTEX_WAKE_OP,
    FUTEX_LOCK_PI,
    FUTEX_UNLOCK_PI,
    FUTEX_TRYLOCK_PI,
    FUTEX_WAIT_BITSET,
    FUTEX_WAKE_BITSET,
    FUTEX_LOCK_PI2 = 13,
    FUTEX_PRIVATE = 128,
    FUTEX_REALTIME = 256,
};

static struct block *queues[BUCKETS]; /* in the order of arrival */

static struct block **queue_of(uint64_t address)
{
    return &queues[(address >> 2 ^ address >> 12) % BUCKETS];
}

static void queue_add(struct block *b, uint64_t address)
{
    struct block **link = queue_of(address);
    while (*link)
        link = &(*link)->futex_next;
    b->futex_address = address;
    b->futex_next = 0;
    *link = b;
}

void futex_forget(struct block *b)
{
    struct block **link = queue_of(b->futex_address);
    while (b->futex_address && *link && *link != b)
        link = &(*link)->futex_next;
    if (b->futex_address && *link == b)
        *link = b->futex_next;
    b->futex_address = 0;
}

void futexes_clear(void)
{
    memset(queues, 0, sizeof queues);
}

/* The place of a word that other processes may share; 0: it is only ours. */
static uint64_t place_of(uint64_t address)
{
    uint64_t place = 0;
    uint32_t value;
    if (!self.shares_memory || !user_read(&value, address, 4))
        return 0;
    return memory_place(SLOT_MEMORY, address, &place) ? 0 : place;
}

static int64_t wake_shared(uint64_t place, uint32_t count, uint32_t bits)
{
    uint32_t woken = 0;
    int64_t e = errno_of(process_futex_wake(SLOT_PROCESS, place, count, bits, &woken));
    return e ? e : woken;
}

static void wake_taken_out(struct block *b)
{
    b->futex_address = 0;
    b->woken = true;
    pith_notify_raise(b->self.notification, 1);
}

static int64_t wake_private(uint64_t address, uint32_t count, uint32_t bits)
{
    uint32_t woken = 0;
    for (struct block **link = queue_of(address); *link && woken < count;) {
        struct block *b = *link;
        if (b->futex_address != address || !(b->futex_bits & bits)) {
            link = &b->futex_next;
            continue;
        }
        *link = b->futex_next;
        wake_taken_out(b);
        woken++;
    }
    return woken;
}

int64_t futex_wake(uint64_t address, uint32_t count, uint32_t bits)
{
    uint64_t place = place_of(address);
    return place ? wake_shared(place, count, bits) : wake_private(address, count, bits);
}

/* Of waiters of this process. At a place that is shared, all are woken instead: each looks again.
 * */
static int64_t requeue(uint64_t from, uint64_t to, uint32_t wake, uint32_t move)
{
    uint64_t place = place_of(from);
    if (place)
        return wake_shared(place, UINT32_MAX, UINT32_MAX);
    int64_t n = wake_private(from, wake, UINT32_MAX);
    for (struct block **link = queue_of(from); *link && move;) {
        struct block *b = *link;
        if (b->futex_address != from) {
            link = &b->futex_next;
            continue;
        }
        *link = b->futex_next;
        queue_add(b, to);
        n++;
        move--;
    }
    return n;
}

static int64_t deadline_of(const uint64_t *a, uint32_t operation, uint64_t *deadline)
{
    uint64_t ns;
    *deadline = DEADLINE_NEVER;
    if (!a[3])
        return 0;
    int64_t e = timespec_read(a[3], &ns);
    if (e)
        return e;
    if (operation == FUTEX_WAIT)
        *deadline = wait_deadline(ns);
    else if (a[1] & FUTEX_REALTIME)
        *deadline = ns > self.realtime_ns ? ns - self.realtime_ns : 1;
    else
        *deadline = ns ? ns : 1;
    return 0;
}

/* How a wait ended that the notification did not end. */
static int64_t wait_result(const uint64_t *a, int64_t status)
{
    return status != -E_INTR ? -ETIMEDOUT : a[3] ? -ERESTART_NO_HANDLER : -ERESTART;
}

static int64_t wait_shared(const uint64_t *a, uint64_t place, uint32_t bits, uint64_t deadline)
{
    struct block *b = block_self();
    for (;;) {
        uint32_t value;
        bool queued = false;
        process_futex_queue(SLOT_PROCESS, b->tid, place, bits);
        bool same = user_read(&value, a[0], 4) && value == (uint32_t)a[2];
        struct pith_result r = { 0, 0 };
        if (same)
            r = layer_wait(deadline);
        process_futex_leave(SLOT_PROCESS, b->tid, &queued);
        if (!queued)
            return 0; /* woken, whatever else happened */
        if (!same)
            return -EAGAIN;
        if (r.status)
            return wait_result(a, r.status);
    }
}

/* Waits at a[0] while a[2] is there. */
static int64_t wait_until(const uint64_t *a, uint32_t bits, uint64_t deadline)
{
    struct block *b = block_self();
    uint32_t value;
    if (!user_read(&value, a[0], 4))
        return -EFAULT;
    if (value != (uint32_t)a[2])
        return -EAGAIN;
    uint64_t place = a[1] & FUTEX_PRIVATE ? 0 : place_of(a[0]);
    if (place)
        return wait_shared(a, place, bits, deadline);
    b->woken = false;
    b->futex_bits = bits;
    queue_add(b, a[0]);
    while (!b->woken) {
        struct pith_result r = layer_wait(deadline);
        if (b->woken || !r.status)
            continue;
        futex_forget(b);
        return wait_result(a, r.status);
    }
    return 0;
}

static int64_t futex_wait(const uint64_t *a, uint32_t operation, uint32_t bits)
{
    uint64_t deadline;
    if (!bits)
        return -EINVAL;
    int64_t e = deadline_of(a, operation, &deadline);
    return e ? e : wait_until(a, bits, deadline);
}

/* ---- locks that know their owner --------------------------------------------------------------
 * The word is the owner's thread number, 0 when nobody has it. Priorities are not lent to the
 * owner: threads have none that differ. A lock of one process is handed to who waited longest;
 * one that is shared is given up, and the first to look takes it.
 */

/* Of another process only its first thread is known here: the benefit of the doubt. */
static bool owner_lives(uint32_t tid)
{
    struct process_identity i;
    size_t length = 0;
    for (struct block *b = block_each(0); b; b = block_each(b))
        if (b->tid == tid)
            return true;
    return self.shares_memory ||
           process_identify(SLOT_PROCESS, tid, &i, 0, &length) != PROCESS_ERROR_SRCH;
}

/* One try. 0: taken; -EAGAIN: `*seen` is there and says that somebody waits. */
static int64_t lock_try(uint64_t word, uint32_t waiters, bool wait, uint32_t *seen)
{
    uint32_t tid = block_self()->tid, value, next;
    int64_t was;
    do {
        if (!user_read(&value, word, 4))
            return -EFAULT;
        uint32_t owner = value & FUTEX_TID;
        if (owner == tid)
            return -EDEADLK;
        if (owner && !owner_lives(owner))
            return -ESRCH;
        if (owner && !wait)
            return -EAGAIN;
        next = owner ? value | FUTEX_WAITERS : value | waiters | tid;
        *seen = next;
        was = next == value ? value : user_exchange(word, value, next);
    } while (was >= 0 && was != value);
    return was < 0 ? -EFAULT : value & FUTEX_TID ? -EAGAIN : 0;
}

static int64_t lock_owned(const uint64_t *a, uint32_t operation)
{
    uint64_t wait[6] = {a[0], a[1] | (operation == FUTEX_LOCK_PI ? FUTEX_REALTIME : 0), 0, a[3]};
    uint64_t deadline;
    uint32_t waiters = 0, seen = 0, value;
    int64_t e = operation == FUTEX_TRYLOCK_PI ? 0 : deadline_of(wait, operation, &deadline);
    while (!e) {
        e = lock_try(a[0], waiters, operation != FUTEX_TRYLOCK_PI, &seen);
        if (e != -EAGAIN || operation == FUTEX_TRYLOCK_PI)
            return e;
        wait[2] = seen;
        waiters = FUTEX_WAITERS; /* there may be others behind us */
        e = wait_until(wait, UINT32_MAX, deadline);
        if (!e && user_read(&value, a[0], 4) && (value & FUTEX_TID) == block_self()->tid)
            return 0; /* it was handed to us */
        e = e == -EAGAIN ? 0 : e == -ERESTART || e == -ERESTART_NO_HANDLER ? -ERESTART_ALWAYS : e;
    }
    return e;
}

static struct block *first_waiter(uint64_t address)
{
    struct block *b = *queue_of(address);
    while (b && b->futex_address != address)
        b = b->futex_next;
    return b;
}

static int64_t unlock_owned(const uint64_t *a)
{
    uint32_t value;
    uint64_t place = a[1] & FUTEX_PRIVATE ? 0 : place_of(a[0]);
    struct block *next = place ? 0 : first_waiter(a[0]);
    int64_t was;
    do {
        if (!user_read(&value, a[0], 4))
            return -EFAULT;
        if ((value & FUTEX_TID) != block_self()->tid)
            return -EPERM;
        was = user_exchange(a[0], value, next ? FUTEX_WAITERS | next->tid : 0);
    } while (was >= 0 && was != value);
    if (was < 0)
        return -EFAULT;
    if (place)
        return wake_shared(place, 1, UINT32_MAX) < 0 ? -EFAULT : 0;
    if (next) {
        futex_forget(next);
        wake_taken_out(next);
    }
    return 0;
}

/* FUTEX_WAKE_OP: changes the second word and looks at what it was. */
static int64_t wake_op(const uint64_t *a)
{
    int64_t before;
    uint32_t code = (uint32_t)a[5], what = code >> 28 & 7, compare = code >> 24 & 15, old, new;
    int32_t operand = (int32_t)(code << 8) >> 20, with = (int32_t)(code << 20) >> 20;
    if (code >> 31)
        operand = (int32_t)(1u << (operand & 31));
    if (what > 4 || compare > 5)
        return -ENOSYS;
    do {
        if (!user_read(&old, a[4], 4) || !user_range(a[4], 4))
            return -EFAULT;
        new = what == 0 ? (uint32_t)operand : what == 1 ? old + (uint32_t)operand
            : what == 2 ? old | (uint32_t)operand : what == 3 ? old & ~(uint32_t)operand
                                                              : old ^ (uint32_t)operand;
        before = user_exchange(a[4], old, new);
    } while (before >= 0 && before != old);
    if (before < 0)
        return -EFAULT;
    int32_t was = (int32_t)old;
    bool wanted = compare == 0   ? was == with
                  : compare == 1 ? was != with
                  : compare == 2 ? was < with
                  : compare == 3 ? was <= with
                  : compare == 4 ? was > with
                                 : was >= with;
    int64_t n = futex_wake(a[0], (uint32_t)a[2], UINT32_MAX);
    return wanted ? n + futex_wake(a[4], (uint32_t)a[3], UINT32_MAX) : n;
}

int64_t sys_futex(const uint64_t *a)
{
    uint32_t operation = a[1] & 127, value;
    if (a[0] & 3 || !user_range(a[0], 4))
        return a[0] & 3 ? -EINVAL : -EFAULT;
    switch (operation) {
    case FUTEX_WAIT:
        return futex_wait(a, operation, UINT32_MAX);
    case FUTEX_WAIT_BITSET:
        return futex_wait(a, operation, (uint32_t)a[5]);
    case FUTEX_WAKE:
        if (!(a[1] & FUTEX_PRIVATE) && !user_read(&value, a[0], 4))
            return -EFAULT;
        return (a[1] & FUTEX_PRIVATE ? wake_private : futex_wake)(
            a[0], (int32_t)a[2] > 0 ? (uint32_t)a[2] : 1, UINT32_MAX);
    case FUTEX_WAKE_BITSET:
        return a[5] ? futex_wake(a[0], (uint32_t)a[2], (uint32_t)a[5]) : -EINVAL;
    case FUTEX_CMP_REQUEUE:
        if (!user_read(&value, a[0], 4))
            return -EFAULT;
        if (value != (uint32_t)a[5])
            return -EAGAIN;
        /* fall through */
    case FUTEX_REQUEUE:
        if (a[4] & 3)
            return -EINVAL;
        return requeue(a[0], a[4], (uint32_t)a[2], (uint32_t)a[3]);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_TRYLOCK_PI:
        return lock_owned(a, operation);
    case FUTEX_UNLOCK_PI:
        return unlock_owned(a);
    case FUTEX_WAKE_OP:
        return a[4] & 3 ? -EINVAL : wake_op(a);
    default:
        return -ENOSYS;
    }
}
