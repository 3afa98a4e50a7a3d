/* SPDX-License-Identifier: MIT */
/* Threads of a process. The memory server makes and ends the kernel's; we keep who is who. */
#include "process.h"
#include <proto/memory_client.h>

#define THREAD_IS_STOPPED 0u /* pith_thread_info.state */

struct task *task_find(struct process *p, uint32_t number)
{
    struct task *t = p->tasks;
    while (t && t->number != number)
        t = t->next;
    return t;
}

struct task *task_make(struct process *p, uint32_t number)
{
    struct task *t = capsule_alloc(sizeof *t);
    uint32_t thread = 0, notification = 0;
    if (!t)
        return 0;
    int64_t status =
        processes->intent.thread_of
            ? intent_ask(&processes->intent, &t->id, &thread, &notification)
            : memory_thread(rt_cap("memory"), p->memory, &t->id, &thread, &notification);
    if (status)
        return 0;
    t->number = number;
    t->thread = keep(thread);
    t->notification = keep(notification);
    return t->thread && t->notification ? t : 0;
}

void task_begins(struct task *t, uint64_t entry, uint64_t stack, uint64_t argument)
{
    t->begins = true;
    t->entry = entry;
    t->stack = stack;
    t->argument = argument;
}

/* One that has run before was started by an earlier incarnation of ours. */
static void start_once(const struct process *p, const struct task *t)
{
    struct pith_result r = {0, 0};
    if (!task_run_ns(t))
        r = RETRY(pith_thread_start(
            t->thread, SLOT_TIME, PRIORITY << 8, t->entry, t->stack, t->argument));
    if (r.status && r.status != -E_STATE)
        rt_log("cannot start thread %u of process %u: %ld", t->number, p->pid, r.status);
}

void task_begin(uint32_t pid, uint32_t number)
{
    tx_begin();
    struct process *p = process_find(pid);
    struct task *t = p ? task_find(p, number) : 0;
    if (t && t->begins) {
        start_once(p, t);
        TX_SET(t->begins, false);
    }
    tx_commit();
}

void tasks_begin(void)
{
    for (const struct process *p = processes->all; p; p = p->next)
        for (const struct task *t = p->tasks; t; t = t->next)
            if (t->begins)
                task_begin(p->pid, t->number);
}

uint64_t task_run_ns(const struct task *t)
{
    struct pith_thread_info i;
    return pith_thread_info(t->thread, (uint64_t)&i).status ? 0 : i.run_ns;
}

uint64_t tasks_run_ns(const struct process *p)
{
    uint64_t sum = 0;
    for (const struct task *t = p->tasks; t; t = t->next)
        sum += task_run_ns(t);
    return sum;
}

void task_end(struct process *p, struct task *t, bool forced)
{
    struct task **link = &p->tasks;
    t->forced = forced;
    while (*link != t)
        link = &(*link)->next;
    TX_SET(p->run_ns, p->run_ns + task_run_ns(t));
    TX_SET(*link, t->next);
    TX_SET(t->next, p->ended);
    TX_SET(p->ended, t);
    signals_drop(p, &t->pending, UINT64_MAX);
    (void)futex_leave(t);
    process_work(p);
}

static void task_free(struct process *p, struct task *t)
{
    rt_slot_free(t->thread);
    rt_slot_free(t->notification);
    if (t->number != p->pid)
        number_less(t->number);
    capsule_free(t, sizeof *t);
}

/* A thread that ends by itself does what it has to do before it stops. */
static bool task_runs(const struct task *t)
{
    struct pith_thread_info i;
    return !t->forced && !pith_thread_info(t->thread, (uint64_t)&i).status &&
           i.state != THREAD_IS_STOPPED;
}

bool tasks_reap(struct process *p)
{
    for (struct task **link = &p->ended; *link;) {
        struct task *t = *link;
        if (task_runs(t) ||
            memory_thread_end(rt_cap("memory"), p->memory, t->id) == MEMORY_ERROR_AGAIN) {
            link = &t->next;
            continue;
        }
        TX_SET(*link, t->next);
        task_free(p, t);
    }
    if (!p->ended)
        park_wake(&p->waiters);
    return !p->ended;
}

void tasks_free(struct process *p)
{
    struct task *lists[2] = { p->tasks, p->ended };
    for (unsigned i = 0; i < 2; i++)
        for (struct task *t = lists[i], *next; t; t = next) {
            next = t->next;
            signals_drop(p, &t->pending, UINT64_MAX);
            (void)futex_leave(t);
            task_free(p, t);
        }
    TX_SET(p->tasks, 0);
    TX_SET(p->ended, 0);
}
