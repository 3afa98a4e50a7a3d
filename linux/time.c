/* SPDX-License-Identifier: MIT */
/* Clocks, sleeping. */
#include "layer.h"
#include <proto/process_client.h>

/* What a process's threads (0: our own) have used of the processor. */
static int64_t process_time(uint32_t pid, uint64_t *ns)
{
    struct process_identity i;
    size_t length = 0;
    int64_t e = errno_of(process_identify(SLOT_PROCESS, pid, &i, 0, &length));
    *ns = e ? 0 : i.run_ns;
    return e;
}

static int64_t thread_time(uint32_t tid, uint64_t *ns)
{
    return errno_of(process_thread_time(SLOT_PROCESS, tid, ns));
}

/* A clock that names a process or one of our threads: clock_getcpuclockid(3), glibc's and musl's.
 * Bits 0 and 1 say what is counted (all of it here), bit 2 that it is a thread. */
static int64_t clock_named(uint32_t clock, uint64_t *ns)
{
    uint32_t who = ~(clock >> 3) & 0x1fffffff;
    if ((clock & 3) == 3)
        return -EINVAL;
    if (clock & 4)
        return thread_time(who ? who : block_self()->tid, ns) ? -EINVAL : 0;
    *ns = 0;
    return who != PROCESS_INIT && process_time(who, ns) ? -EINVAL : 0;
}

static int64_t clock_read(uint64_t clock, uint64_t *ns)
{
    switch ((int32_t)clock) {
    case 0:  /* REALTIME */
    case 5:  /* its coarse sister */
    case 11: /* TAI */
        *ns = realtime_ns();
        return 0;
    case 1: case 4: case 6: case 7: case 9:
        *ns = now_ns();
        return 0;
    case 2:
        return process_time(0, ns);
    case 3:
        return thread_time(block_self()->tid, ns);
    default:
        return (int32_t)clock < 0 ? clock_named((uint32_t)clock, ns) : -EINVAL;
    }
}

static int64_t time_out(uint64_t to, uint64_t ns, uint64_t unit)
{
    int64_t t[2] = { (int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S / unit) };
    return user_write(to, t, sizeof t) ? 0 : -EFAULT;
}

int64_t sys_clock_gettime(const uint64_t *a)
{
    uint64_t ns;
    int64_t e = clock_read(a[0], &ns);
    return e ? e : time_out(a[1], ns, 1);
}

int64_t sys_clock_getres(const uint64_t *a)
{
    uint64_t ns;
    int64_t e = clock_read(a[0], &ns);
    return e ? e : a[1] ? time_out(a[1], 1, 1) : 0;
}

/* The machine's clock is not the program's to set. */
int64_t sys_clock_settime(const uint64_t *a)
{
    uint64_t ns;
    int64_t e = timespec_read(a[1], &ns);
    return e ? e : a[0] ? -EINVAL : -EPERM;
}

int64_t sys_gettimeofday(const uint64_t *a)
{
    static const uint64_t zone;
    if (a[1] && !user_write(a[1], &zone, 8))
        return -EFAULT;
    return a[0] ? time_out(a[0], realtime_ns(), 1000) : 0;
}

int64_t sys_time(const uint64_t *a)
{
    uint64_t s = realtime_ns() / NS_PER_S;
    return a[0] && !user_write(a[0], &s, 8) ? -EFAULT : (int64_t)s;
}

bool timespec_ns(const struct linux_timespec *t, uint64_t *ns)
{
    const int64_t seconds_most = INT64_MAX / (int64_t)NS_PER_S - 1;
    *ns = t->seconds > seconds_most ? INT64_MAX
                                    : (uint64_t)t->seconds * NS_PER_S + (uint64_t)t->nanoseconds;
    return t->seconds >= 0 && (uint64_t)t->nanoseconds < NS_PER_S;
}

int64_t timespec_read(uint64_t from, uint64_t *ns)
{
    struct linux_timespec t;
    if (!user_read(&t, from, sizeof t))
        return -EFAULT;
    return timespec_ns(&t, ns) ? 0 : -EINVAL;
}

static int64_t sleep_until(uint64_t deadline, uint64_t remain)
{
    struct pith_result r;
    do
        r = layer_wait(deadline);
    while (!r.status);
    if (r.status != -E_INTR)
        return 0;
    uint64_t now = now_ns();
    if (now >= deadline)
        return 0;
    if (remain && time_out(remain, deadline - now, 1))
        return -EFAULT;
    return -ERESTART_NO_HANDLER;
}

static int64_t sleep_for(uint64_t ns, uint64_t remain)
{
    return sleep_until(wait_deadline(ns), remain);
}

int64_t sys_nanosleep(const uint64_t *a)
{
    uint64_t ns;
    int64_t e = timespec_read(a[0], &ns);
    return e ? e : sleep_for(ns, a[1]);
}

int64_t sys_clock_nanosleep(const uint64_t *a)
{
    uint64_t ns, now;
    int64_t e = timespec_read(a[2], &ns);
    if (!e)
        e = clock_read(a[0], &now);
    if (e)
        return e;
    if (a[0] == 3)
        return -EOPNOTSUPP; /* a thread that sleeps uses no time of its own */
    if (!(a[1] & 1))
        return sleep_for(ns, a[3]);
    uint64_t offset = a[0] == 0 || a[0] == 5 || a[0] == 11 ? self.realtime_ns : 0;
    return sleep_until(ns > offset ? ns - offset : 0, 0);
}

/* The lock is not kept: who is let run may be waiting for it. */
int64_t sys_sched_yield(const uint64_t *a)
{
    (void)a;
    layer_unlock();
    pith_thread_yield();
    layer_lock();
    return 0;
}

/* ---- the clock's own ------------------------------------------------------------------------- */

/* struct timex of adjtimex(2). */
struct timex {
    uint32_t modes, pad;
    int64_t offset, frequency, error_most, error_estimated;
    int32_t status, pad2;
    int64_t constant, precision, tolerance, time[2], tick;
    int64_t pulse[8];
    int32_t tai, pad3[11];
};
_Static_assert(sizeof(struct timex) == 208, "size");

/* Nobody steers the clock: what it answers where no time server is, and no leave to change it. */
static int64_t clock_state(uint64_t at)
{
    enum { UNSYNCHRONISED = 0x40, STATE_ERROR = 5, OFFSET_READ = 0xa001 };
    struct timex t;
    uint64_t now = realtime_ns();
    if (!user_read(&t, at, sizeof t))
        return -EFAULT;
    if (t.modes && t.modes != OFFSET_READ)
        return -EPERM;
    t = (struct timex){.modes = t.modes,
        .error_most = 16000000,
        .error_estimated = 16000000,
        .status = UNSYNCHRONISED,
        .constant = 2,
        .precision = 1,
        .tolerance = 32768000,
        .time = {(int64_t)(now / NS_PER_S), (int64_t)(now % NS_PER_S / 1000)},
        .tick = 10000};
    return user_write(at, &t, sizeof t) ? STATE_ERROR : -EFAULT;
}

int64_t sys_adjtimex(const uint64_t *a)
{
    return clock_state(a[0]);
}

int64_t sys_clock_adjtime(const uint64_t *a)
{
    return a[0] == 0 ? clock_state(a[1]) : (uint32_t)a[0] < 12 ? -EOPNOTSUPP : -EINVAL;
}

/* ---- interval timers ------------------------------------------------------------------------- */

static int64_t timer_set(
    uint8_t which, uint64_t ns, uint64_t interval, uint64_t *left, uint64_t *old_interval)
{
    return errno_of(process_timer(SLOT_PROCESS, which, ns, interval, left, old_interval));
}

int64_t sys_alarm(const uint64_t *a)
{
    uint64_t left = 0, interval = 0;
    int64_t e =
        timer_set(PROCESS_INTERVAL_TIMER_REAL, (uint32_t)a[0] * NS_PER_S, 0, &left, &interval);
    return e ? e : (int64_t)((left + NS_PER_S / 2) / NS_PER_S) + (left && left < NS_PER_S / 2);
}

static bool timeval_ns(const int64_t t[2], uint64_t *ns)
{
    const struct linux_timespec s = {t[0], t[1] * 1000};
    return t[1] >= 0 && t[1] < 1000000 && timespec_ns(&s, ns);
}

static int64_t timer_out(uint64_t to, uint64_t left, uint64_t interval)
{
    int64_t t[4] = { (int64_t)(interval / NS_PER_S), (int64_t)(interval % NS_PER_S / 1000),
                     (int64_t)(left / NS_PER_S), (int64_t)(left % NS_PER_S / 1000) };
    return !to || user_write(to, t, sizeof t) ? 0 : -EFAULT;
}

int64_t sys_setitimer(const uint64_t *a)
{
    int64_t t[4] = { 0 };
    uint64_t ns, interval, left = 0, old = 0;
    if (a[0] > PROCESS_INTERVAL_TIMER_PROFILE)
        return -EINVAL;
    if (a[1] && !user_read(t, a[1], sizeof t))
        return -EFAULT;
    if (!timeval_ns(t, &interval) || !timeval_ns(t + 2, &ns))
        return -EINVAL;
    if (!ns && a[0] == PROCESS_INTERVAL_TIMER_REAL)
        interval = 0; /* what is off repeats nothing */
    int64_t e = timer_set((uint8_t)a[0], ns, interval, &left, &old);
    return e ? e : timer_out(a[2], left, old);
}

int64_t sys_getitimer(const uint64_t *a)
{
    uint64_t left = 0, interval = 0, left2 = 0, interval2 = 0;
    if (a[0] > PROCESS_INTERVAL_TIMER_PROFILE)
        return -EINVAL;
    int64_t e = timer_set((uint8_t)a[0], 0, 0, &left, &interval);
    if (!e && left)
        e = timer_set((uint8_t)a[0], left, interval, &left2, &interval2);
    return e ? e : timer_out(a[1], left, interval);
}

/* ---- POSIX timers: the process server's, whose numbers are one more -------------------------- */

int64_t sys_timer_create(const uint64_t *a)
{
    enum { NOTIFY_SIGNAL, NOTIFY_NONE, NOTIFY_THREAD, NOTIFY_THREAD_ID = 4 };
    struct {
        uint64_t value;
        int32_t signal, notify, thread, pad[11];
    } event = {.signal = SIGALRM};
    uint64_t now;
    uint32_t timer = 0;
    int64_t e = clock_read(a[0], &now);
    if (e)
        return e;
    if (a[1] && !user_read(&event, a[1], sizeof event))
        return -EFAULT;
    bool to_thread = event.notify == NOTIFY_THREAD_ID;
    if (!to_thread && (event.notify < NOTIFY_SIGNAL || event.notify > NOTIFY_THREAD))
        return -EINVAL;
    if (event.notify != NOTIFY_NONE && (event.signal <= 0 || event.signal > SIGNALS))
        return -EINVAL;
    uint32_t signal = event.notify == NOTIFY_NONE ? 0 : (uint32_t)event.signal;
    uint8_t clock = (int32_t)a[0] == 2   ? PROCESS_TIMER_CLOCK_PROCESS
                    : (int32_t)a[0] == 3 ? PROCESS_TIMER_CLOCK_THREAD
                                         : PROCESS_TIMER_CLOCK_REAL;
    uint32_t thread = to_thread                             ? (uint32_t)event.thread
                      : clock == PROCESS_TIMER_CLOCK_THREAD ? block_self()->tid
                                                            : 0;
    e = errno_of(process_timer_make(SLOT_PROCESS, signal, thread, clock, event.value, &timer));
    if (e)
        return e;
    int32_t id = (int32_t)timer - 1;
    if (user_write(a[2], &id, 4))
        return 0;
    process_timer_drop(SLOT_PROCESS, timer);
    return -EFAULT;
}

static int64_t timer_state_out(uint64_t to, uint64_t left, uint64_t interval)
{
    const struct linux_timespec t[2] = {
        { (int64_t)(interval / NS_PER_S), (int64_t)(interval % NS_PER_S) },
        { (int64_t)(left / NS_PER_S), (int64_t)(left % NS_PER_S) },
    };
    return user_write(to, t, sizeof t) ? 0 : -EFAULT;
}

/* Absolute times are on the clock REALTIME or on the timer's: the server does not keep which, so
 * one that is far beyond our clock is taken for the former. */
static uint64_t timer_at(uint64_t ns)
{
    return ns <= self.realtime_ns / 2 ? ns : ns > self.realtime_ns ? ns - self.realtime_ns : 1;
}

int64_t sys_timer_settime(const uint64_t *a)
{
    uint64_t interval, ns, left = 0, old = 0;
    bool relative = !(a[1] & 1);
    int64_t e = a[2] ? timespec_read(a[2], &interval) : -EINVAL;
    if (!e)
        e = timespec_read(a[2] + 16, &ns);
    if (!e)
        e = errno_of(process_timer_set(SLOT_PROCESS, (uint32_t)a[0] + 1, relative,
            relative ? ns : timer_at(ns), interval, &left, &old));
    return e ? e : a[3] ? timer_state_out(a[3], left, old) : 0;
}

int64_t sys_timer_gettime(const uint64_t *a)
{
    uint64_t left = 0, interval = 0;
    uint32_t overruns;
    int64_t e =
        errno_of(process_timer_look(SLOT_PROCESS, (uint32_t)a[0] + 1, &left, &interval, &overruns));
    return e ? e : timer_state_out(a[1], left, interval);
}

int64_t sys_timer_getoverrun(const uint64_t *a)
{
    uint64_t at, interval;
    uint32_t overruns = 0;
    int64_t e =
        errno_of(process_timer_look(SLOT_PROCESS, (uint32_t)a[0] + 1, &at, &interval, &overruns));
    return e ? e : overruns;
}

int64_t sys_timer_delete(const uint64_t *a)
{
    return errno_of(process_timer_drop(SLOT_PROCESS, (uint32_t)a[0] + 1));
}
