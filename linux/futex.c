/* SPDX-License-Identifier: MIT */
/*
 * futex: a queue of waiting threads, by address within the process. A waiter's block is in the
 * queue until it is woken (woken is set, its notification raised) or has taken itself out.
 * Words shared with other processes wake only waiters of this one.
 */
#include "layer.h"

#define BUCKETS 64u

enum {
    FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET, FUTEX_REALTIME = 256,
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

int64_t futex_wake(uint64_t address, uint32_t count, uint32_t bits)
{
    uint32_t woken = 0;
    for (struct block **link = queue_of(address); *link && woken < count;) {
        struct block *b = *link;
        if (b->futex_address != address || !(b->futex_bits & bits)) {
            link = &b->futex_next;
            continue;
        }
        *link = b->futex_next;
        b->futex_address = 0;
        b->woken = true;
        pith_notify_raise(b->self.notification, 1);
        woken++;
    }
    return woken;
}

static int64_t requeue(uint64_t from, uint64_t to, uint32_t wake, uint32_t move)
{
    int64_t n = futex_wake(from, wake, UINT32_MAX);
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

static int64_t futex_wait(const uint64_t *a, uint32_t operation, uint32_t bits)
{
    struct block *b = block_self();
    uint32_t value;
    uint64_t deadline;
    if (!bits)
        return -EINVAL;
    int64_t e = deadline_of(a, operation, &deadline);
    if (e)
        return e;
    if (!user_read(&value, a[0], 4))
        return -EFAULT;
    if (value != (uint32_t)a[2])
        return -EAGAIN;
    b->woken = false;
    b->futex_bits = bits;
    queue_add(b, a[0]);
    while (!b->woken) {
        struct pith_result r = layer_wait(deadline);
        if (b->woken || !r.status)
            continue;
        futex_forget(b);
        if (r.status != -E_INTR)
            return -ETIMEDOUT;
        return a[3] ? -ERESTART_NO_HANDLER : -ERESTART;
    }
    return 0;
}

/* FUTEX_WAKE_OP: changes the second word and looks at what it was. */
static int64_t wake_op(const uint64_t *a)
{
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
    } while (user_exchange(a[4], old, new) != old);
    int32_t was = (int32_t)old;
    bool wanted = compare == 0 ? was == with : compare == 1 ? was != with : compare == 2 ? was < with
                : compare == 3 ? was <= with : compare == 4 ? was > with : was >= with;
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
        return futex_wake(a[0], (int32_t)a[2] > 0 ? (uint32_t)a[2] : 1, UINT32_MAX);
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
    case FUTEX_WAKE_OP:
        return a[4] & 3 ? -EINVAL : wake_op(a);
    default:
        return -ENOSYS;
    }
}
