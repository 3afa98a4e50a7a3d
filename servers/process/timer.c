/* SPDX-License-Identifier: MIT */
/*
 * Timers: the interval timer of each process (number TIMER_REAL) and those of timer_create(2).
 * One list by rising end, so that the main thread looks at its head only. A timer whose signal
 * is still queued when it ends again counts an overrun instead.
 */
#include "process.h"

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

struct timer *timer_make(struct process *p, uint32_t signal, uint32_t thread, uint64_t value)
{
    struct timer *t = p->timers < TIMERS_MAX ? capsule_alloc(sizeof *t) : 0;
    if (!t)
        return 0;
    t->process = p;
    t->number = p->next_timer;
    t->signal = signal;
    t->thread = thread;
    t->value = value;
    t->at_ns = UINT64_MAX;
    list_insert(t);
    TX_SET(p->timers, p->timers + 1);
    return t;
}

void timer_set(struct timer *t, uint64_t at_ns, uint64_t interval_ns)
{
    list_remove(t);
    TX_SET(t->at_ns, at_ns ? at_ns : UINT64_MAX);
    TX_SET(t->interval_ns, interval_ns);
    TX_SET(t->overruns, 0);
    list_insert(t);
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
    struct task *to = t->thread ? task_find(p, t->thread) : 0;
    struct queued s = { .signal = t->signal, .code = t->number == TIMER_REAL ? 0x80 : SI_TIMER,
                        .process = t->number, .value = t->value };
    if (t->pending) {
        TX_SET(t->overruns, t->overruns + (uint32_t)times);
        return;
    }
    TX_SET(t->overruns, (uint32_t)times - 1);
    if (!t->signal || (t->thread && !to))
        return;
    TX_SET(t->pending, t->number != TIMER_REAL && !(p->ignored & BIT(t->signal)) &&
                           signal_queue(p, to, &s));
    if (t->number == TIMER_REAL)
        (void)signal_queue(p, to, &s);
}

uint64_t timers_look(void)
{
    uint64_t now = rt_now_ns();
    struct timer *t;
    while ((t = processes->timers) && t->at_ns <= now) {
        uint64_t times = t->interval_ns ? 1 + (now - t->at_ns) / t->interval_ns : 1;
        list_remove(t);
        TX_SET(t->at_ns, t->interval_ns ? t->at_ns + times * t->interval_ns : UINT64_MAX);
        list_insert(t);
        timer_send(t, times);
    }
    return t ? t->at_ns : UINT64_MAX;
}
