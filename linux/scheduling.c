/* SPDX-License-Identifier: MIT */
/*
 * sched_ calls. Every program runs under the usual policy, in turns, on one core: what asks for
 * that is answered so, what asks for another policy is refused.
 */
#include "layer.h"
#include <proto/process_client.h>

enum { POLICY_OTHER, POLICY_FIFO, POLICY_RR, POLICY_BATCH, POLICY_IDLE = 5, REALTIME_MOST = 99 };
#define SLICE_NS 10000000

/* 0, -ESRCH, or -EPERM: it is another user's. */
static int64_t whose(uint64_t pid)
{
    if ((int32_t)pid < 0)
        return -EINVAL;
    if (!pid || pid == self.pid || (uint32_t)pid == block_self()->tid)
        return 0;
    return errno_of(process_kill(SLOT_PROCESS, (int32_t)pid, 0));
}

static int64_t exists(uint64_t pid)
{
    int64_t e = whose(pid);
    return e == -EPERM ? 0 : e;
}

/* The affinity calls know no negative process instead of refusing the number. */
static int64_t exists_any(uint64_t pid)
{
    return (int32_t)pid < 0 ? -ESRCH : exists(pid);
}

static bool is_realtime(uint64_t policy)
{
    return policy == POLICY_FIFO || policy == POLICY_RR;
}

static bool is_policy(uint64_t policy)
{
    return policy <= POLICY_BATCH || policy == POLICY_IDLE;
}

static int64_t set(uint64_t pid, uint64_t policy, uint64_t parameter)
{
    int32_t priority;
    if (!parameter || (int32_t)pid < 0)
        return -EINVAL;
    if (!user_read(&priority, parameter, 4))
        return -EFAULT;
    int64_t e = exists(pid);
    if (e)
        return e;
    policy &= ~0x40000000ull; /* SCHED_RESET_ON_FORK */
    if (!is_policy(policy))
        return -EINVAL;
    if (is_realtime(policy) ? priority < 1 || priority > REALTIME_MOST : priority != 0)
        return -EINVAL;
    return is_realtime(policy) ? -EPERM : 0;
}

int64_t sys_sched_setscheduler(const uint64_t *a)
{
    return (int32_t)a[1] < 0 ? -EINVAL : set(a[0], (uint32_t)a[1], a[2]);
}

int64_t sys_sched_setparam(const uint64_t *a)
{
    return set(a[0], POLICY_OTHER, a[1]);
}

int64_t sys_sched_getscheduler(const uint64_t *a)
{
    return exists(a[0]);
}

int64_t sys_sched_getparam(const uint64_t *a)
{
    static const uint32_t zero;
    int64_t e = a[1] ? exists(a[0]) : -EINVAL;
    return e ? e : user_write(a[1], &zero, 4) ? 0 : -EFAULT;
}

int64_t sys_sched_get_priority_max(const uint64_t *a)
{
    return !is_policy((uint32_t)a[0]) ? -EINVAL : is_realtime((uint32_t)a[0]) ? REALTIME_MOST : 0;
}

int64_t sys_sched_get_priority_min(const uint64_t *a)
{
    return !is_policy((uint32_t)a[0]) ? -EINVAL : is_realtime((uint32_t)a[0]) ? 1 : 0;
}

int64_t sys_sched_rr_get_interval(const uint64_t *a)
{
    static const struct linux_timespec slice = { 0, SLICE_NS };
    int64_t e = exists(a[0]);
    return e ? e : user_write(a[1], &slice, sizeof slice) ? 0 : -EFAULT;
}

/* Nice values are kept and answered; nobody is preferred for one. Of other processes that exist
 * everything is as usual. */
enum { NICE_LEAST = -20, NICE_MOST = 19 };
static int nice_value;

static bool is_our_own(uint64_t which, uint64_t who)
{
    return (which == 0 && (!who || who == self.pid || (uint32_t)who == block_self()->tid)) ||
           (which == 1 && !who);
}

int64_t sys_getpriority(const uint64_t *a)
{
    if (a[0] > 2)
        return -EINVAL;
    if (is_our_own(a[0], a[1]))
        return 20 - nice_value;
    int64_t e = a[0] == 0 ? exists((uint32_t)a[1]) : 0;
    return e ? -ESRCH : 20;
}

int64_t sys_setpriority(const uint64_t *a)
{
    int value = (int32_t)a[2];
    if (a[0] > 2)
        return -EINVAL;
    if (!is_our_own(a[0], a[1])) {
        int64_t e = a[0] == 0 ? whose((uint32_t)a[1]) : 0;
        return e && e != -EPERM ? -ESRCH : e;
    }
    value = value < NICE_LEAST ? NICE_LEAST : value > NICE_MOST ? NICE_MOST : value;
    if (value < nice_value && self.ids.user)
        return -EACCES;
    nice_value = value;
    return 0;
}

static uint64_t cores_mask(void)
{
    return self.cores < 64 ? (1ull << self.cores) - 1 : UINT64_MAX;
}

int64_t sys_sched_getaffinity(const uint64_t *a)
{
    uint64_t mask = cores_mask();
    if (a[1] < 8 || a[1] & 7)
        return -EINVAL;
    int64_t e = exists_any(a[0]);
    return e ? e : user_write(a[2], &mask, 8) ? 8 : -EFAULT;
}

/* Any set with one of our cores will do; where it runs is not the program's to say yet. */
int64_t sys_sched_setaffinity(const uint64_t *a)
{
    uint64_t mask = 0;
    if (!user_read(&mask, a[2], a[1] < 8 ? a[1] : 8))
        return -EFAULT;
    int64_t e = exists_any(a[0]);
    return e ? e : mask & cores_mask() ? 0 : -EINVAL;
}

/* One core runs all programs: memory is in order for all who look at it. */
int64_t sys_membarrier(const uint64_t *a)
{
    enum {
        GLOBAL = 1,
        GLOBAL_EXPEDITED = 2,
        REGISTER_GLOBAL = 4,
        PRIVATE = 8,
        REGISTER_PRIVATE = 16
    };
    const uint64_t known = GLOBAL | GLOBAL_EXPEDITED | REGISTER_GLOBAL | PRIVATE | REGISTER_PRIVATE;
    if (a[1])
        return -EINVAL;
    if (!a[0])
        return (int64_t)known;
    return a[0] & (a[0] - 1) || !(a[0] & known) ? -EINVAL : 0;
}

int64_t sys_ioprio_set(const uint64_t *a)
{
    uint64_t class = a[2] >> 13;
    return a[0] < 1 || a[0] > 3 || class > 3 ? -EINVAL : 0;
}

int64_t sys_ioprio_get(const uint64_t *a)
{
    return a[0] < 1 || a[0] > 3 ? -EINVAL : 4; /* no class, the middle */
}
