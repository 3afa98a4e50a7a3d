/* SPDX-License-Identifier: MIT */
/*
 * futex between processes: queues of threads by place in shared memory. A thread is in one queue
 * at most (futex_place). It looks at the word after it has queued, so a wake is not missed.
 */
#include "process.h"
#include <rt/string.h>

static struct task **queue_of(uint64_t place)
{
    return &processes->futexes[(place >> 2) % FUTEX_QUEUES];
}

bool futex_leave(struct task *t)
{
    if (!t->futex_place)
        return false;
    struct task **link = queue_of(t->futex_place);
    while (*link != t)
        link = &(*link)->futex_next;
    TX_SET(*link, t->futex_next);
    TX_SET(t->futex_place, 0);
    return true;
}

static struct task *task_of(uint64_t badge, uint32_t thread)
{
    struct process *p = process_find(badge);
    return p ? task_find(p, thread) : 0;
}

uint32_t process_serve_futex_queue(struct process_server *server, uint64_t badge, uint64_t sequence,
                                   uint32_t thread, uint64_t place, uint32_t bits)
{
    uint32_t done = 1;
    (void)server;
    tx_begin();
    struct task *t = task_of(badge, thread);
    if (t && place && !capsule_reply_find(badge, sequence, &done, sizeof done)) {
        (void)futex_leave(t);
        struct task **link = queue_of(place);
        while (*link)
            link = &(*link)->futex_next;
        TX_SET(t->futex_next, 0);
        TX_SET(t->futex_place, place);
        TX_SET(t->futex_bits, bits);
        TX_SET(*link, t);
        capsule_reply_store(badge, sequence, &done, sizeof done);
    }
    tx_commit();
    return 0;
}

uint32_t process_serve_futex_leave(struct process_server *server, uint64_t badge, uint64_t sequence,
                                   uint32_t thread, bool *queued)
{
    (void)server;
    tx_begin();
    if (!capsule_reply_find(badge, sequence, queued, sizeof *queued)) {
        struct task *t = task_of(badge, thread);
        *queued = t && futex_leave(t);
        capsule_reply_store(badge, sequence, queued, sizeof *queued);
    }
    tx_commit();
    return 0;
}

uint32_t process_serve_futex_wake(struct process_server *server, uint64_t badge, uint64_t sequence,
                                  uint64_t place, uint32_t count, uint32_t bits, uint32_t *woken)
{
    (void)server;
    tx_begin();
    if (!capsule_reply_find(badge, sequence, woken, sizeof *woken)) {
        for (struct task *t = *queue_of(place), *next; t && *woken < count; t = next) {
            next = t->futex_next;
            if (t->futex_place != place || !(t->futex_bits & bits))
                continue;
            (void)futex_leave(t);
            pith_notify_raise(t->notification, 1);
            ++*woken;
        }
        capsule_reply_store(badge, sequence, woken, sizeof *woken);
    }
    tx_commit();
    return 0;
}
