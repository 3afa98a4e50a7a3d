/* SPDX-License-Identifier: MIT */
/*
 * eventfd, timerfd, signalfd: files of the layer's own.
 *
 *   FILE_EVENT   value: the count; length 1: read as a semaphore; position: changes
 *   FILE_TIMER   value: next end on our clock, 0: rests; length: interval; position: the clock
 *   FILE_SIGNAL  value: the set
 */
#include "layer.h"

/* ---- eventfd --------------------------------------------------------------------------------- */

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
    f->length = a[1] & 1;
    f->flags = O_RDWR | (a[1] & O_NONBLOCK);
    return fd_new(f, 0, a[1] & O_CLOEXEC);
}

int64_t sys_eventfd(const uint64_t *a)
{
    uint64_t b[2] = { a[0], 0 };
    return sys_eventfd2(b);
}

static int64_t count_read(struct file *f, uint64_t to, size_t bytes)
{
    if (bytes < 8)
        return -EINVAL;
    if (f->shared) {
        uint64_t shared;
        int64_t e = event_count_read(f, &shared);
        return e ? e : user_write(to, &shared, 8) ? 8 : -EFAULT;
    }
    while (!f->value) {
        int64_t e = local_wait(f);
        if (e)
            return e;
    }
    uint64_t value = f->length ? 1 : f->value;
    if (!user_write(to, &value, 8))
        return -EFAULT;
    f->value -= value;
    f->position++;
    pollers_wake();
    return 8;
}

static int64_t count_write(struct file *f, uint64_t from, size_t bytes)
{
    uint64_t value;
    if (bytes < 8)
        return -EINVAL;
    if (!user_read(&value, from, 8))
        return -EFAULT;
    if (value == UINT64_MAX)
        return -EINVAL;
    if (f->shared) {
        int64_t e = event_count_add(f, value);
        return e ? e : 8;
    }
    while (f->value + value < value || f->value + value == UINT64_MAX) {
        int64_t e = local_wait(f);
        if (e)
            return e;
    }
    f->value += value;
    f->position++;
    pollers_wake();
    return 8;
}

/* ---- timerfd --------------------------------------------------------------------------------- */

struct timer_spec { struct linux_timespec interval, value; };

static bool clock_settable(uint64_t clock)
{
    return clock == 0 || clock == 8; /* REALTIME and its ALARM */
}

int64_t sys_timerfd_create(const uint64_t *a)
{
    struct file *f;
    if (a[1] & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    if (a[0] != 0 && a[0] != 1 && a[0] != 7 && a[0] != 8 && a[0] != 9)
        return -EINVAL;
    int64_t e = file_new(&f);
    if (e)
        return e;
    f->kind = FILE_TIMER;
    f->position = a[0];
    f->flags = O_RDWR | (a[1] & O_NONBLOCK);
    return fd_new(f, 0, a[1] & O_CLOEXEC);
}

uint64_t timer_next(const struct file *f)
{
    return f->value ? f->value : DEADLINE_NEVER;
}

static int64_t timer_out(const struct file *f, uint64_t to)
{
    uint64_t now = now_ns(), left = !f->value ? 0 : f->value > now ? f->value - now : 1;
    if (f->value && f->value <= now && f->length)
        left = f->length - (now - f->value) % f->length;
    const struct timer_spec s = {
        { (int64_t)(f->length / NS_PER_S), (int64_t)(f->length % NS_PER_S) },
        { (int64_t)(left / NS_PER_S), (int64_t)(left % NS_PER_S) },
    };
    return user_write(to, &s, sizeof s) ? 0 : -EFAULT;
}

int64_t sys_timerfd_settime(const uint64_t *a)
{
    struct file *f = file_of(a[0]);
    struct timer_spec s;
    uint64_t at, interval, now = now_ns();
    if (!f)
        return -EBADF;
    if (f->kind != FILE_TIMER || a[1] & ~3ull)
        return -EINVAL;
    if (!user_read(&s, a[2], sizeof s))
        return -EFAULT;
    if (!timespec_ns(&s.value, &at) || !timespec_ns(&s.interval, &interval))
        return -EINVAL;
    int64_t e = a[3] ? timer_out(f, a[3]) : 0;
    if (e)
        return e;
    if (at && !(a[1] & 1))
        at += now;
    else if (at && clock_settable(f->position))
        at = at > self.realtime_ns ? at - self.realtime_ns : 1;
    f->value = at;
    f->length = interval;
    pollers_wake();
    return 0;
}

int64_t sys_timerfd_gettime(const uint64_t *a)
{
    struct file *f = file_of(a[0]);
    if (!f)
        return -EBADF;
    return f->kind == FILE_TIMER ? timer_out(f, a[1]) : -EINVAL;
}

static int64_t timer_read(struct file *f, uint64_t to, size_t bytes)
{
    uint64_t now, times = 1;
    if (bytes < 8)
        return -EINVAL;
    while (timer_next(f) > (now = now_ns())) {
        int64_t e = local_wait(f);
        if (e)
            return e;
    }
    if (f->length)
        times += (now - f->value) / f->length;
    if (!user_write(to, &times, 8))
        return -EFAULT;
    f->value = f->length ? f->value + times * f->length : 0;
    return 8;
}

/* ---- signalfd -------------------------------------------------------------------------------- */

int64_t sys_signalfd4(const uint64_t *a)
{
    const uint64_t unblockable = 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1);
    struct file *f;
    uint64_t set;
    if (a[2] != 8 || a[3] & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    if (!user_read(&set, a[1], 8))
        return -EFAULT;
    set &= ~unblockable;
    if ((int32_t)a[0] != -1) {
        f = file_of((uint32_t)a[0]);
        if (!f)
            return -EBADF;
        if (f->kind != FILE_SIGNAL)
            return -EINVAL;
        f->value = set;
        return (int64_t)(uint32_t)a[0];
    }
    int64_t e = file_new(&f);
    if (e)
        return e;
    f->kind = FILE_SIGNAL;
    f->value = set;
    f->flags = O_RDWR | (a[3] & O_NONBLOCK);
    return fd_new(f, 0, a[3] & O_CLOEXEC);
}

int64_t sys_signalfd(const uint64_t *a)
{
    uint64_t b[4] = { a[0], a[1], a[2], 0 };
    return sys_signalfd4(b);
}

#define SIGNAL_INFO 128u

static int64_t signals_read(struct file *f, uint64_t to, size_t bytes)
{
    int64_t done = 0;
    if (bytes < SIGNAL_INFO)
        return -EINVAL;
    while ((size_t)done + SIGNAL_INFO <= bytes) {
        int64_t n = signal_read(f->value, to + (uint64_t)done);
        if (n < 0)
            return done ? done : n;
        done += n;
        if (n)
            continue;
        if (done)
            break;
        int64_t e = local_wait(f);
        if (e)
            return e;
    }
    return done;
}

/* ---- all ------------------------------------------------------------------------------------- */

int64_t event_read(struct file *f, uint64_t to, size_t bytes)
{
    return f->kind == FILE_EVENT ? count_read(f, to, bytes)
         : f->kind == FILE_TIMER ? timer_read(f, to, bytes) : signals_read(f, to, bytes);
}

int64_t event_write(struct file *f, uint64_t from, size_t bytes)
{
    return f->kind == FILE_EVENT ? count_write(f, from, bytes) : -EINVAL;
}
