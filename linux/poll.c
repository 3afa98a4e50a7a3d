/* SPDX-License-Identifier: MIT */
/* poll and select, and what of them takes a signal mask. */
#include "layer.h"

#define SET_WORDS (FDS_MAX / 64)

/* ---- poll ------------------------------------------------------------------------------------ */

struct pollfd { int32_t fd; int16_t wanted, found; };
struct polled { uint64_t at, count; };

#define CHUNK 64u /* entries copied at a time */

static int64_t poll_pass(void *context, struct look *look)
{
    const struct polled *polled = context;
    struct pollfd p[CHUNK];
    int64_t n = 0;
    for (uint64_t first = 0; first < polled->count; first += CHUNK) {
        uint64_t at = polled->at + first * sizeof *p, left = polled->count - first;
        uint64_t count = left < CHUNK ? left : CHUNK;
        if (!user_read(p, at, count * sizeof *p))
            return -EFAULT;
        for (uint64_t i = 0; i < count; i++) {
            struct file *f = p[i].fd < 0 ? 0 : file_of((uint32_t)p[i].fd);
            p[i].found = p[i].fd < 0 ? 0
                         : f ? (int16_t)file_ready(f, (uint16_t)p[i].wanted, look) : POLLNVAL;
            n += p[i].found != 0;
        }
        if (!user_write(at, p, count * sizeof *p))
            return -EFAULT;
    }
    return n;
}

static int64_t poll_all(uint64_t at, uint64_t count, uint64_t deadline)
{
    struct polled polled = { at, count };
    return count > FDS_MAX ? -EINVAL : ready_wait(poll_pass, &polled, deadline);
}

int64_t sys_poll(const uint64_t *a)
{
    int32_t ms = (int32_t)a[2];
    return poll_all(a[0], (uint32_t)a[1], !ms ? DEADLINE_POLL : ms < 0 ? DEADLINE_NEVER
                                                  : wait_deadline((uint64_t)ms * 1000000));
}

static int64_t deadline_read(uint64_t at, uint64_t *deadline)
{
    uint64_t ns;
    *deadline = DEADLINE_NEVER;
    if (!at)
        return 0;
    int64_t e = timespec_read(at, &ns);
    if (!e)
        *deadline = ns ? wait_deadline(ns) : DEADLINE_POLL;
    return e;
}

/* Linux tells pselect6 and ppoll how much time was left; glibc hides it, musl never looks. */
static void deadline_write(uint64_t at, uint64_t deadline)
{
    uint64_t now = now_ns(), left = deadline > now ? deadline - now : 0;
    struct linux_timespec t = { (int64_t)(left / NS_PER_S), (int64_t)(left % NS_PER_S) };
    if (at)
        user_write(at, &t, sizeof t);
}

int64_t mask_of_wait(uint64_t set, uint64_t size)
{
    uint64_t mask;
    if (!set)
        return 0;
    if (size != 8)
        return -EINVAL;
    if (!user_read(&mask, set, 8))
        return -EFAULT;
    signals_mask(block_self(), mask);
    return 0;
}

/* The end of a call that had a mask: kept where the call is repeated or a handler comes first. */
int64_t mask_of_wait_end(int64_t result)
{
    struct block *b = block_self();
    if (result != -ERESTART_NO_HANDLER)
        signals_unmask(b);
    return result;
}

int64_t sys_ppoll(const uint64_t *a)
{
    uint64_t deadline;
    int64_t e = deadline_read(a[2], &deadline);
    if (!e)
        e = mask_of_wait(a[3], a[4]);
    if (e)
        return e;
    e = poll_all(a[0], (uint32_t)a[1], deadline);
    deadline_write(a[2], deadline);
    return mask_of_wait_end(e);
}

/* ---- select ---------------------------------------------------------------------------------- */

/* The sets as they come in, and as they go out: to read, to write, exceptions. */
struct sets { uint64_t in[3][SET_WORDS], out[3][SET_WORDS], words; };

static int64_t select_pass(void *context, struct look *look)
{
    static const uint32_t wanted[3] = { POLLIN, POLLOUT, POLLPRI };
    static const uint32_t counts[3] = { POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI };
    struct sets *s = context;
    int64_t n = 0;
    memset(s->out, 0, sizeof s->out);
    for (unsigned set = 0; set < 3; set++)
        for (uint64_t w = 0; w < s->words; w++)
            for (uint64_t bits = s->in[set][w]; bits; bits &= bits - 1) {
                struct file *f = file_of(w * 64 + (uint64_t)__builtin_ctzll(bits));
                if (!f)
                    return -EBADF;
                if (file_ready(f, wanted[set], look) & counts[set]) {
                    s->out[set][w] |= bits & -bits;
                    n++;
                }
            }
    return n;
}

static int64_t select_all(const uint64_t *a, uint64_t deadline)
{
    struct sets s;
    memset(&s, 0, sizeof s);
    if ((int32_t)a[0] < 0)
        return -EINVAL;
    uint64_t count = a[0] > FDS_MAX ? FDS_MAX : a[0];
    s.words = (count + 63) / 64;
    for (unsigned set = 0; set < 3; set++)
        if (a[1 + set] && !user_read(s.in[set], a[1 + set], s.words * 8))
            return -EFAULT;
    for (unsigned set = 0; set < 3 && count % 64; set++)
        s.in[set][s.words - 1] &= (1ull << count % 64) - 1;
    int64_t n = ready_wait(select_pass, &s, deadline);
    if (n < 0)
        return n;
    for (unsigned set = 0; set < 3; set++)
        if (a[1 + set] && !user_write(a[1 + set], s.out[set], s.words * 8))
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
        if (t.seconds < 0 || t.nanoseconds < 0)
            return -EINVAL;
        uint64_t ns = (uint64_t)t.seconds * NS_PER_S + (uint64_t)t.nanoseconds * 1000;
        deadline = ns ? wait_deadline(ns) : DEADLINE_POLL;
    }
    int64_t n = select_all(a, deadline);
    if (a[4] && n != -ERESTART_NO_HANDLER) { /* microseconds */
        uint64_t now = now_ns(), left = deadline > now ? deadline - now : 0;
        t = (struct linux_timespec){(int64_t)(left / NS_PER_S), (int64_t)(left % NS_PER_S / 1000)};
        user_write(a[4], &t, sizeof t);
    }
    return n;
}

int64_t sys_pselect6(const uint64_t *a)
{
    uint64_t deadline, mask[2] = { 0, 0 };
    int64_t e = deadline_read(a[4], &deadline);
    if (!e && a[5] && !user_read(mask, a[5], sizeof mask))
        e = -EFAULT;
    if (!e)
        e = mask_of_wait(mask[0], mask[1]);
    if (e)
        return e;
    e = select_all(a, deadline);
    deadline_write(a[4], deadline);
    return mask_of_wait_end(e);
}
