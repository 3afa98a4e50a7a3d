/* SPDX-License-Identifier: MIT */
/*
 * Resource limits. They are the process's own matter here: what must hold between processes
 * (memory, their number) the servers bound as well.
 */
#include "layer.h"
#include <proto/memory_client.h>
#include <proto/process_client.h>

#define NONE UINT64_MAX
#define LIMITS 16u

struct limit { uint64_t now, most; };
static struct limit limits[LIMITS] = {
    [LIMIT_CPU] = {NONE, NONE},
    [LIMIT_FSIZE] = {NONE, NONE},
    [LIMIT_DATA] = {NONE, NONE},
    [LIMIT_STACK] = {8 << 20, NONE},
    [LIMIT_CORE] = {0, NONE},
    [LIMIT_RSS] = {NONE, NONE},
    [LIMIT_NPROC] = {4096, 4096},
    [LIMIT_NOFILE] = {1024, FDS_MAX},
    [LIMIT_MEMLOCK] = {8 << 20, 8 << 20},
    [LIMIT_AS] = {NONE, NONE},
    [LIMIT_LOCKS] = {NONE, NONE},
    [LIMIT_SIGPENDING] = {1024, 1024},
    [LIMIT_MSGQUEUE] = {819200, 819200},
    [LIMIT_RTTIME] = {NONE, NONE},
};

uint64_t limit_of(unsigned which)
{
    return limits[which].now;
}

uint64_t limit_most(unsigned which)
{
    return limits[which].most;
}

uint64_t pages_counted(const struct memory_usage *u)
{
    const uint64_t begun = 33; /* of a stack */
    uint64_t stack = (self.stack_high - self.stack_low) / PAGE;
    return stack > begun && u->mapped > stack ? u->mapped - stack + begun : u->mapped;
}

/* May the program's part of the address space grow by that much? */
bool limit_memory(uint64_t bytes)
{
    struct memory_usage u;
    if (limits[LIMIT_AS].now == NONE)
        return true;
    own_ready(&u, sizeof u);
    return !memory_usage(SLOT_MEMORY, &u) &&
           pages_counted(&u) * PAGE + bytes <= limits[LIMIT_AS].now;
}

/* How much of a write to a file at that position is within the limit; -EFBIG and SIGXFSZ:
 * nothing. */
int64_t limit_file(uint64_t position, size_t bytes)
{
    uint64_t most = limits[LIMIT_FSIZE].now;
    if (most == NONE || !bytes || position + bytes <= most)
        return (int64_t)bytes;
    if (position < most)
        return (int64_t)(most - position);
    signal_self(SIGXFSZ);
    return -EFBIG;
}

static int64_t limit_change(uint64_t which, uint64_t new, uint64_t old)
{
    struct limit l;
    if (which >= LIMITS)
        return -EINVAL;
    if (new && !user_read(&l, new, sizeof l))
        return -EFAULT;
    if (new && l.now > l.most)
        return -EINVAL;
    if (new && which == LIMIT_NOFILE && l.most > FDS_MAX)
        return -EPERM;
    if (new &&l.most > limits[which].most && self.ids.user)
        return -EPERM;
    if (old && !user_write(old, &limits[which], sizeof l))
        return -EFAULT;
    if (new)
        limits[which] = l;
    if (new &&which == LIMIT_STACK)
        stack_limit(l.now);
    return 0;
}

int64_t sys_getrlimit(const uint64_t *a)
{
    return limit_change(a[0], 0, a[1]);
}

int64_t sys_setrlimit(const uint64_t *a)
{
    return limit_change(a[0], a[1], 0);
}

int64_t sys_prlimit64(const uint64_t *a)
{
    struct process_identity i;
    size_t length = 0;
    if (!a[0] || (uint32_t)a[0] == self.pid)
        return limit_change(a[1], a[2], a[3]);
    /* Another's limits are kept where we do not reach. */
    return process_identify(SLOT_PROCESS, (uint32_t)a[0], &i, 0, &length) ? -ESRCH : -EPERM;
}
