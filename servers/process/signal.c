/* SPDX-License-Identifier: MIT */
/* Signals between processes and threads, stops, and the death of a layer. */
#include "process.h"
#include <rt/string.h>

#define STOPS (BIT(19) | BIT(20) | BIT(21) | BIT(22))

/* ---- what pends ------------------------------------------------------------------------------ */

static void set_refresh(struct pending *list)
{
    uint64_t set = 0;
    for (const struct queued *q = list->first; q; q = q->next)
        set |= BIT(q->signal);
    TX_SET(list->set, set);
}

/* A timer's queued signal has gone: the next one may be queued. Its overruns, for siginfo. */
static uint32_t timer_taken(struct process *p, const struct queued *q)
{
    struct timer *t = q->code == SI_TIMER ? timer_find(p, q->process) : 0;
    if (!t)
        return 0;
    TX_SET(t->pending, false);
    return t->overruns;
}

static struct queued *list_take(struct process *p, struct pending *list, uint64_t set)
{
    uint64_t ready = list->set & set;
    uint32_t signal = ready ? (uint32_t)__builtin_ctzll(ready) + 1 : 0;
    struct queued **link = &list->first;
    if (!signal)
        return 0;
    while ((*link)->signal != signal)
        link = &(*link)->next;
    struct queued *q = *link;
    TX_SET(*link, q->next);
    TX_SET(p->queued, p->queued - 1);
    set_refresh(list);
    q->user = q->code == SI_TIMER ? timer_taken(p, q) : q->user;
    return q;
}

struct queued *signal_take(struct process *p, struct task *t, uint64_t set)
{
    struct queued *q = list_take(p, &t->pending, set);
    return q ? q : list_take(p, &p->pending, set);
}

void signals_drop(struct process *p, struct pending *list, uint64_t set)
{
    struct queued *q;
    while ((q = list_take(p, list, set)))
        capsule_free(q, sizeof *q);
}

/* ---- stops ----------------------------------------------------------------------------------- */

void signal_child(
    struct process *parent, const struct process *child, int32_t code, uint32_t status)
{
    struct queued s = {.signal = SIGCHLD,
        .code = code,
        .process = child->pid,
        .user = child->credentials->ids.real_user,
        .value = status};
    park_wake(&parent->waiters);
    (void)signal_queue(parent, 0, &s);
}

void signal_stop(struct process *p, uint32_t signal)
{
    if (p->state != PROCESS_STATE_RUNNING)
        return;
    TX_SET(p->state, PROCESS_STATE_STOPPED);
    TX_SET(p->code, 0x7fu | signal << 8);
    TX_SET(p->stop_told, false);
    for (struct task *t = p->tasks; t; t = t->next)
        TX_SET(t->stop_wanted, true);
    process_work(p); /* the main thread stops them: one may be calling us */
    if (p->parent) {
        park_wake(&p->parent->waiters);
        if (!p->parent->no_stops)
            signal_child(p->parent, p, 5, signal); /* CLD_STOPPED */
    }
}

/* Nobody outside the group, but in its session, is parent of one of it: POSIX's orphaned group. */
bool group_orphaned(uint32_t group, const struct process *without)
{
    for (const struct process *p = processes->all; p; p = p->next)
        if (p->state && p->state != PROCESS_STATE_ZOMBIE && p->group == group && p != without &&
            p->parent && p->parent != without && p->parent->group != group &&
            p->parent->session == p->session)
            return false;
    return true;
}

/* A group that `without`'s end makes an orphan and that has a stopped member is told. */
static void group_hang_up(uint32_t group, const struct process *without)
{
    bool stopped = false;
    for (const struct process *p = processes->all; p; p = p->next)
        stopped |= p->group == group && p != without && p->state == PROCESS_STATE_STOPPED;
    if (!stopped || !group_orphaned(group, without))
        return;
    for (struct process *p = processes->all, *next; p; p = next) {
        next = p->next;
        if (p->group != group || p == without)
            continue;
        signal_post(p, 1, 0);
        signal_post(p, SIGCONT, 0);
    }
}

/* Is `child` one that links its group to another of its session? */
static bool links_groups(const struct process *parent, const struct process *child)
{
    return parent && parent->group != child->group && parent->session == child->session;
}

void groups_orphan(const struct process *p)
{
    if (links_groups(p->parent, p))
        group_hang_up(p->group, p);
    for (const struct process *c = p->children; c; c = c->sibling)
        if (links_groups(p, c))
            group_hang_up(c->group, p);
}

bool stops_look(struct process *p)
{
    bool busy = false;
    for (struct task *t = p->tasks; t; t = t->next) {
        if (!t->stop_wanted || p->state != PROCESS_STATE_STOPPED)
            continue;
        if (pith_thread_stop(t->thread).status == -E_AGAIN)
            busy = true;
        else
            TX_SET(t->stop_wanted, false);
    }
    return busy;
}

void signal_continue(struct process *p)
{
    signals_drop(p, &p->pending, STOPS);
    for (struct task *t = p->tasks; t; t = t->next)
        signals_drop(p, &t->pending, STOPS);
    if (p->state != PROCESS_STATE_STOPPED)
        return;
    TX_SET(p->state, PROCESS_STATE_RUNNING);
    TX_SET(p->code, 0xffffu); /* what wait says of it */
    for (struct task *t = p->tasks; t; t = t->next) {
        TX_SET(t->stop_wanted, false);
        for (unsigned i = 0; i < 1000 && pith_thread_resume(t->thread).status == -E_STATE; i++)
            pith_thread_stop(t->thread);
    }
    if (p->parent) {
        park_wake(&p->parent->waiters);
        if (!p->parent->no_stops)
            signal_child(p->parent, p, 6, SIGCONT); /* CLD_CONTINUED */
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

/* The effects that do not wait for the process to look; true: that is all. */
static bool signal_at_once(struct process *p, uint32_t signal)
{
    if (p->state == PROCESS_STATE_ZOMBIE || !p->state)
        return true;
    if (signal == SIGKILL) {
        process_exit_with(p, SIGKILL);
        return true;
    }
    if (signal == SIGSTOP) {
        signal_stop(p, signal);
        return true;
    }
    if (signal == SIGCONT)
        signal_continue(p);
    if (BIT(signal) & STOPS) {
        signals_drop(p, &p->pending, BIT(SIGCONT));
        for (struct task *t = p->tasks; t; t = t->next)
            signals_drop(p, &t->pending, BIT(SIGCONT));
    }
    return p->ignored & BIT(signal) || !p->tasks;
}

bool signal_queue(struct process *p, struct task *t, const struct queued *s)
{
    struct pending *list = t ? &t->pending : &p->pending;
    if (signal_at_once(p, s->signal))
        return true;
    if (s->signal >= SIGRTMIN || !(list->set & BIT(s->signal))) {
        struct queued *q = p->queued < QUEUED_MAX ? capsule_alloc(sizeof *q) : 0,
                      **link = &list->first;
        if (!q)
            return false;
        *q = *s;
        q->next = 0;
        while (*link)
            link = &(*link)->next;
        TX_SET(*link, q);
        TX_SET(list->set, list->set | BIT(s->signal));
        TX_SET(p->queued, p->queued + 1);
    }
    pith_thread_interrupt(t ? t->thread : p->tasks->thread);
    return true;
}

void signal_post(struct process *p, uint32_t signal, uint32_t sender)
{
    const struct process *from = sender ? process_find(sender) : 0;
    struct queued s = {.signal = signal,
        .code = sender ? SI_USER : 0x80,
        .process = sender,
        .user = from ? from->credentials->ids.real_user : 0};
    (void)signal_queue(p, 0, &s);
}

/* A fault that neither the pager nor the program's handlers could take: in the layer itself. */
void fault_look(struct process *p)
{
    struct pith_fault f;
    if (p->state == PROCESS_STATE_ZOMBIE || !p->state ||
        pith_space_fault(p->space, (uint64_t)&f).status || f.sequence == p->fault_seen)
        return;
    TX_SET(p->fault_seen, f.sequence);
    rt_log("process %u (%s) died in its layer: vector %lu at %lx, address %lx", p->pid, p->name,
           f.vector, f.regs[15], f.address);
    process_exit_with(p, 11);
}
