/* SPDX-License-Identifier: MIT */
/* A small program in a space of the memory server's: see probe.h. */
#include "probe.h"
#include <proto/memory_client.h>
#include <rt/component.h>
#include <rt/string.h>

#define CODE_BYTES 512u
#define FIRST_SLOT 300u
#define RW (MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE)

uint32_t memory_gate(void)
{
    return rt_cap("memory");
}

static inline uint64_t ticks(void)
{
    uint32_t lo, hi;
    __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

/* Runs in the space, from a copy: no calls, no constants in memory. */
__attribute__((noinline, aligned(64),
    optimize("no-jump-tables", "no-tree-loop-distribute-patterns"))) static void
probe_code(volatile struct probe_job *j)
{
    uint64_t least = UINT64_MAX, most = 0, total = 0, sum = 0;
    for (uint64_t i = 0; i < j->count; i++) {
        volatile uint64_t *at = (volatile uint64_t *)(j->address + i * j->stride);
        uint64_t value = j->value + i, begin = ticks();
        if (j->what == PROBE_WRITE)
            *at = value;
        else
            sum += *at;
        uint64_t took = ticks() - begin;
        least = took < least ? took : least;
        most = took > most ? took : most;
        total += took;
    }
    j->sum = sum;
    j->least = least;
    j->most = most;
    j->total = total;
    j->done = 1;
    while (j->what == PROBE_SLEEP)
        pith_thread_yield();
    for (;;)
        pith_thread_exit();
}

static uint32_t keep(uint32_t received)
{
    static uint32_t next;
    uint32_t slot = FIRST_SLOT + next++ % 150;
    struct pith_result r;
    pith_cap_delete(SPACE_SELF, slot);
    do
        r = pith_cap_copy(received, SPACE_SELF, slot, RIGHT_ALL);
    while (r.status == -E_AGAIN);
    pith_cap_delete(SPACE_SELF, received);
    return r.status ? 0 : slot;
}

int64_t probe_clone(const struct probe *from, struct probe *p)
{
    uint32_t space = 0, gate = 0;
    memset(p, 0, sizeof *p);
    int64_t status = memory_clone(memory_gate(), from->id, &p->id, &space, &gate);
    if (status) {
        p->id = 0;
        return status;
    }
    p->space = keep(space);
    p->gate = keep(gate);
    return 0;
}

int64_t probe_make(struct probe *p)
{
    uint32_t space = 0, gate = 0;
    uint64_t got;
    memset(p, 0, sizeof *p);
    int64_t status = memory_create(memory_gate(), 0, &p->id, &space, &gate);
    if (status) {
        p->id = 0;
        return status;
    }
    p->space = keep(space);
    p->gate = keep(gate);
    uint16_t flags = MEMORY_MAP_FIXED | MEMORY_MAP_POPULATE;
    status = memory_map(p->gate, PROBE_CODE, 4096, RW, flags, &got);
    if (!status)
        status = memory_map(p->gate, PROBE_JOB, 4096, RW, flags, &got);
    if (!status && pith_space_write(p->space, PROBE_CODE, (uint64_t)probe_code, CODE_BYTES).status)
        status = MEMORY_ERROR_NOMEM; /* no page came */
    if (!status)
        status = memory_protect(
            p->gate, PROBE_CODE, 4096, MEMORY_PROTECTION_READ | MEMORY_PROTECTION_EXEC, 0);
    return status;
}

int64_t probe_start(struct probe *p, const struct probe_job *job)
{
    uint32_t thread = 0, notification = 0;
    uint64_t got;
    /* Present and writable, also after a clone. */
    int64_t status =
        memory_map(p->gate, PROBE_JOB, 4096, RW, MEMORY_MAP_FIXED | MEMORY_MAP_POPULATE, &got);
    if (!status && pith_space_write(p->space, PROBE_JOB, (uint64_t)job, sizeof *job).status)
        status = MEMORY_ERROR_NOMEM;
    if (!status)
        status = memory_thread(memory_gate(), p->id, &p->thread_id, &thread, &notification);
    if (status)
        return status;
    p->thread = keep(thread);
    pith_cap_delete(SPACE_SELF, notification);
    struct pith_result r = pith_thread_start(
        p->thread, SLOT_TIME, 20 << 8, PROBE_CODE, PROBE_JOB + 4096 - 64, PROBE_JOB);
    return r.status;
}

bool probe_wait(struct probe *p, struct probe_job *job)
{
    struct pith_thread_info i = {0};
    do
        rt_wait(rt_now_ns() + 20000);
    while (!pith_thread_info(p->thread, (uint64_t)&i).status && i.state != 0);
    memset(job, 0, sizeof *job);
    return !pith_space_read(p->space, PROBE_JOB, (uint64_t)job, sizeof *job).status && job->done;
}

bool probe_run(struct probe *p, struct probe_job *job)
{
    if (probe_start(p, job))
        return false;
    bool done = probe_wait(p, job);
    while (memory_thread_end(memory_gate(), p->id, p->thread_id) == MEMORY_ERROR_AGAIN)
        pith_thread_yield();
    return done;
}

int64_t probe_end(struct probe *p)
{
    int64_t status = 0;
    if (p->id)
        while ((status = memory_destroy(memory_gate(), p->id)) == MEMORY_ERROR_AGAIN)
            pith_thread_yield();
    p->id = 0;
    return status;
}
