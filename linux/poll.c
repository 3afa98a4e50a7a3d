/* SPDX-License-Identifier: MIT */
/*
 * poll and select. Files are always ready; streams and terminals are asked through protocol
 * ready, first whether they are, then with our notification, so that any of them wakes us.
 */
#include "layer.h"
#include <proto/ready.h>

struct pollfd { int32_t fd; int16_t wanted, found; };
enum { POLLIN = 1, POLLOUT = 4, POLLNVAL = 32, POLLRDNORM = 64, POLLWRNORM = 256 };

/* Asks a stream; watch: and has it raise our notification when that changes. */
static int16_t stream_ready(const struct file *f, int16_t wanted, bool watch)
{
    struct msg m = { .w = { READY_OP_READY | (watch ? RPC_PARKS : 0),
                            (uint64_t)wanted & (READY_EVENTS_IN | READY_EVENTS_OUT) } };
    struct xfer x = { .n_caps_in = watch, .caps_in = { rt_self()->notification } };
    int64_t status = watch ? rt_call_x(f->slot, &m, &x) : rt_call(f->slot, &m);
    if (status || (uint32_t)m.w[0] == RPC_PARK)
        return 0;
    return m.w[0] ? POLLIN | POLLOUT : (int16_t)m.w[1];
}

static int16_t ready(const struct file *f, int16_t wanted, bool watch)
{
    int16_t found = wanted & (POLLIN | POLLOUT);
    if (f->kind == FILE_EVENT && !f->value)
        found &= ~POLLIN;
    if (f->kind == FILE_STREAM || f->kind == FILE_TERMINAL)
        found = stream_ready(f, wanted, watch);
    return (int16_t)(found | (found & POLLIN ? wanted & POLLRDNORM : 0) |
                     (found & POLLOUT ? wanted & POLLWRNORM : 0));
}

static int64_t poll_pass(uint64_t at, uint64_t count, bool watch)
{
    int64_t n = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct pollfd p;
        if (!user_read(&p, at + i * sizeof p, sizeof p))
            return -EFAULT;
        struct file *f = p.fd < 0 ? 0 : file_of((uint32_t)p.fd);
        p.found = p.fd < 0 ? 0 : f ? ready(f, p.wanted, watch) : POLLNVAL;
        n += p.found != 0;
        if (!user_write(at + i * sizeof p, &p, sizeof p))
            return -EFAULT;
    }
    return n;
}

static int64_t poll_all(uint64_t at, uint64_t count, uint64_t deadline)
{
    int64_t n = count > FDS_MAX ? -EINVAL : poll_pass(at, count, false);
    while (!n && deadline != DEADLINE_POLL) {
        n = poll_pass(at, count, true);
        if (n)
            break;
        struct pith_result r = layer_wait(deadline);
        if (r.status)
            return r.status == -E_INTR ? -ERESTART_NO_HANDLER : 0;
        n = poll_pass(at, count, false);
    }
    return n;
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

/* The sets as they come in, and as they go out. */
struct sets { uint64_t in[3][FDS_MAX / 64], out[3][FDS_MAX / 64]; };

static int64_t select_pass(struct sets *s, uint64_t words, bool watch)
{
    static const int16_t wanted[3] = { POLLIN, POLLOUT, 0 };
    int64_t n = 0;
    memset(s->out, 0, sizeof s->out);
    for (unsigned set = 0; set < 3; set++)
        for (uint64_t w = 0; w < words; w++)
            for (uint64_t bits = s->in[set][w]; bits; bits &= bits - 1) {
                struct file *f = file_of(w * 64 + (uint64_t)__builtin_ctzll(bits));
                if (!f)
                    return -EBADF;
                if (wanted[set] && ready(f, wanted[set], watch)) {
                    s->out[set][w] |= bits & -bits;
                    n++;
                }
            }
    return n;
}

static int64_t select_all(const uint64_t *a, uint64_t deadline)
{
    struct sets s;
    uint64_t words = (a[0] + 63) / 64;
    memset(&s, 0, sizeof s);
    if (a[0] > FDS_MAX)
        return -EINVAL;
    for (unsigned set = 0; set < 3; set++)
        if (a[1 + set] && !user_read(s.in[set], a[1 + set], words * 8))
            return -EFAULT;
    for (unsigned set = 0; set < 3 && a[0] % 64; set++)
        s.in[set][words - 1] &= (1ull << a[0] % 64) - 1;
    int64_t n = select_pass(&s, words, false);
    while (!n && deadline != DEADLINE_POLL) {
        n = select_pass(&s, words, true);
        if (n)
            break;
        struct pith_result r = layer_wait(deadline);
        if (r.status == -E_INTR)
            return -ERESTART_NO_HANDLER;
        if (r.status)
            break;
        n = select_pass(&s, words, false);
    }
    if (n < 0)
        return n;
    for (unsigned set = 0; set < 3; set++)
        if (a[1 + set] && !user_write(a[1 + set], s.out[set], words * 8))
            return -EFAULT;
    return n;
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
