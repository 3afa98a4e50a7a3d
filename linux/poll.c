/* SPDX-License-Identifier: MIT */
/* poll and select: everything is ready for now but what never will be. */
#include "layer.h"

struct pollfd { int32_t fd; int16_t wanted, found; };
enum { POLLIN = 1, POLLOUT = 4, POLLNVAL = 32, POLLRDNORM = 64, POLLWRNORM = 256 };

static int64_t wait_until(uint64_t deadline)
{
    struct pith_result r;
    do
        r = pith_notify_wait(SLOT_NOTE, deadline);
    while (!r.status);
    return r.status == -E_INTR ? -ERESTART_NO_HANDLER : 0;
}

static int16_t ready(const struct file *f, int16_t wanted)
{
    int16_t found = wanted & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
    if (f->kind == FILE_EVENT && !f->value)
        found &= ~(POLLIN | POLLRDNORM);
    return found;
}

static int64_t poll_all(uint64_t at, uint64_t count, uint64_t deadline)
{
    int64_t n = 0;
    if (count > FDS_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        struct pollfd p;
        if (!user_read(&p, at + i * sizeof p, sizeof p))
            return -EFAULT;
        struct file *f = p.fd < 0 ? 0 : file_of((uint32_t)p.fd);
        p.found = p.fd < 0 ? 0 : f ? ready(f, p.wanted) : POLLNVAL;
        n += p.found != 0;
        if (!user_write(at + i * sizeof p, &p, sizeof p))
            return -EFAULT;
    }
    return n || deadline == DEADLINE_POLL ? n : wait_until(deadline);
}

int64_t sys_poll(const uint64_t *a)
{
    int32_t ms = (int32_t)a[2];
    return poll_all(a[0], a[1], !ms ? DEADLINE_POLL : ms < 0 ? DEADLINE_NEVER
                                                  : now_ns() + (uint64_t)ms * 1000000);
}

static int64_t deadline_read(uint64_t at, uint64_t *deadline)
{
    uint64_t ns;
    *deadline = DEADLINE_NEVER;
    if (!at)
        return 0;
    int64_t e = timespec_read(at, &ns);
    if (!e)
        *deadline = ns ? now_ns() + ns : DEADLINE_POLL;
    return e;
}

int64_t sys_ppoll(const uint64_t *a)
{
    uint64_t deadline;
    int64_t e = deadline_read(a[2], &deadline);
    return e ? e : poll_all(a[0], a[1], deadline);
}

static int64_t select_all(const uint64_t *a, uint64_t deadline)
{
    static const int16_t wanted[3] = { POLLIN, POLLOUT, 0 };
    int64_t n = 0;
    if (a[0] > FDS_MAX)
        return -EINVAL;
    for (unsigned set = 0; set < 3; set++)
        for (uint64_t w = 0; a[1 + set] && w * 64 < a[0]; w++) {
            uint64_t bits, out = 0;
            if (!user_read(&bits, a[1 + set] + w * 8, 8))
                return -EFAULT;
            for (; bits; bits &= bits - 1) {
                uint64_t fd = w * 64 + (uint64_t)__builtin_ctzll(bits);
                struct file *f = fd < a[0] ? file_of(fd) : 0;
                if (fd < a[0] && !f)
                    return -EBADF;
                if (f && ready(f, wanted[set])) {
                    out |= bits & -bits;
                    n++;
                }
            }
            if (!user_write(a[1 + set] + w * 8, &out, 8))
                return -EFAULT;
        }
    return n || deadline == DEADLINE_POLL ? n : wait_until(deadline);
}

int64_t sys_select(const uint64_t *a)
{
    struct linux_timespec t = { 0, 0 };
    uint64_t deadline = DEADLINE_NEVER;
    if (a[4]) {
        if (!user_read(&t, a[4], sizeof t))
            return -EFAULT;
        uint64_t ns = (uint64_t)t.seconds * NS_PER_S + (uint64_t)t.nanoseconds * 1000;
        deadline = ns ? now_ns() + ns : DEADLINE_POLL;
    }
    return select_all(a, deadline);
}

int64_t sys_pselect6(const uint64_t *a)
{
    uint64_t deadline;
    int64_t e = deadline_read(a[4], &deadline);
    return e ? e : select_all(a, deadline);
}

int64_t sys_eventfd2(const uint64_t *a)
{
    struct file *f;
    if (a[1] & ~(uint64_t)(1 | O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    int64_t e = file_new(&f);
    if (e)
        return e;
    f->kind = FILE_EVENT;
    f->value = (uint32_t)a[0];
    f->flags = O_RDWR | (a[1] & O_NONBLOCK) | (a[1] & 1 ? 1u << 31 : 0);
    return fd_new(f, 0, a[1] & O_CLOEXEC);
}

int64_t sys_eventfd(const uint64_t *a)
{
    uint64_t b[2] = { a[0], 0 };
    return sys_eventfd2(b);
}
