/* SPDX-License-Identifier: MIT */
/*
 * Timers: the interval timers of each process and those of timer_create(2).
 * One list by rising end, so that the main thread looks at its head only. A timer whose signal
 * is still queued when it ends again counts an overrun instead.
 */
#include "process.h"

/* Looks at timers by time on a core are so far apart that those can run whose time it is. */
#define CLOCK_STEP_NS 1000000u

struct timer *timer_find(struct process *p, uint32_t number)
{
    struct timer *t = p->timers ? processes->timers : 0;
    while (t && (t->process != p || t->number != number))
        t = t->next;
    return t;
}

static void list_remove(struct timer *t)
{
    struct timer **link = &processes->timers;
    while (*link != t)
        link = &(*link)->next;
    TX_SET(*link, t->next);
}

static void list_insert(struct timer *t)
{
    struct timer **link = &processes->timers;
    while (*link && (*link)->at_ns <= t->at_ns)
        link = &(*link)->next;
    TX_SET(t->next, *link);
    TX_SET(*link, t);
}

struct timer *timer_make(
    struct process *p, uint32_t signal, uint32_t thread, uint8_t clock, uint64_t value)
{
    struct timer *t = p->timers < TIMERS_MAX ? capsule_alloc(sizeof *t) : 0;
    if (!t)
        return 0;
    t->process = p;
    t->number = p->next_timer;
    t->signal = signal;
    t->thread = thread;
    t->clock = clock;
    t->value = value;
    t->at_ns = UINT64_MAX;
    list_insert(t);
    TX_SET(p->timers, p->timers + 1);
    return t;
}

struct timer *timer_interval(struct process *p, uint8_t which)
{
    static const uint32_t signals[TIMER_NUMBERED] = {SIGALRM, SIGVTALRM, SIGPROF};
    struct timer *t = timer_find(p, which);
    uint8_t clock = which == PROCESS_INTERVAL_TIMER_REAL ? PROCESS_TIMER_CLOCK_REAL
                                                         : PROCESS_TIMER_CLOCK_PROCESS;
    if (!t && (t = timer_make(p, signals[which], 0, clock, 0)))
        t->number = which;
    return t;
}

/* What its clock shows. */
static uint64_t clock_now(const struct timer *t)
{
    const struct task *of;
    switch (t->clock) {
    case PROCESS_TIMER_CLOCK_REAL:
        return rt_now_ns();
    case PROCESS_TIMER_CLOCK_PROCESS:
        return t->process->run_ns + tasks_run_ns(t->process);
    default:
        of = task_find(t->process, t->clock_thread);
        return of ? task_run_ns(of) : 0;
    }
}

uint64_t timer_left(const struct timer *t)
{
    uint64_t now = clock_now(t);
    return !t->end_ns ? 0 : t->end_ns > now ? t->end_ns - now : 1;
}

/* Puts it where the next look at it belongs: time on a core passes no faster than time. */
static void schedule(struct timer *t)
{
    list_remove(t);
    if (!t->end_ns)
        TX_SET(t->at_ns, UINT64_MAX);
    else if (t->clock == PROCESS_TIMER_CLOCK_REAL)
        TX_SET(t->at_ns, t->end_ns);
    else {
        uint64_t left = timer_left(t);
        TX_SET(t->at_ns, rt_now_ns() + (left > CLOCK_STEP_NS ? left : CLOCK_STEP_NS));
    }
    list_insert(t);
}

void timer_set(struct timer *t, bool relative, uint64_t at_ns, uint64_t interval_ns)
{
    TX_SET(t->end_ns, at_ns && relative ? clock_now(t) + at_ns : at_ns);
    TX_SET(t->interval_ns, interval_ns);
    TX_SET(t->overruns, 0);
    schedule(t);
    pith_notify_raise(SLOT_MAIN, BIT_WORK);
}

void timer_drop(struct timer *t)
{
    list_remove(t);
    TX_SET(t->process->timers, t->process->timers - 1);
    capsule_free(t, sizeof *t);
}

void timers_end(struct process *p)
{
    for (struct timer *t = processes->timers, *next; t && p->timers; t = next) {
        next = t->next;
        if (t->process == p)
            timer_drop(t);
    }
}

static void timer_send(struct timer *t, uint64_t times)
{
    struct process *p = t->process;
    bool interval = t->number < TIMER_NUMBERED;
    struct task *to = t->thread ? task_find(p, t->thread) : 0;
    struct queued s = {.signal = t->signal,
        .code = interval ? 0x80 : SI_TIMER,
        .process = t->number,
        .value = t->value};
    if (t->pending) {
        TX_SET(t->overruns, t->overruns + (uint32_t)times);
        return;
    }
    TX_SET(t->overruns, (uint32_t)times - 1);
    if (!t->signal || (t->thread && !to))
        return;
    TX_SET(t->pending, !interval && !(p->ignored & BIT(t->signal)) && signal_queue(p, to, &s));
    if (interval)
        (void)signal_queue(p, to, &s);
}

uint64_t timers_look(void)
{
    uint64_t now = rt_now_ns();
    struct timer *t;
    while ((t = processes->timers) && t->at_ns <= now && !tx_full()) {
        uint64_t shown = clock_now(t), times = 1;
        if (shown < t->end_ns) {
            schedule(t);
            continue;
        }
        if (t->interval_ns)
            times += (shown - t->end_ns) / t->interval_ns;
        TX_SET(t->end_ns, t->interval_ns ? t->end_ns + times * t->interval_ns : 0);
        schedule(t);
        timer_send(t, times);
    }
    return t ? t->at_ns : UINT64_MAX;
}
