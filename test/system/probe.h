/* SPDX-License-Identifier: MIT */
/*
 * A small program in a space of the memory server's, for tests and measurements: it touches,
 * fills or adds up memory and says how long each touch took. Its code is in probe.c, copied
 * into the space.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define PROBE_CODE 0x10000000ull
#define PROBE_JOB 0x20000000ull /* the page of the job; the stack is the rest of it */
#define PROBE_DATA 0x40000000ull

enum probe_what { PROBE_READ = 1, PROBE_WRITE, PROBE_SLEEP };
/* READ adds up the words at address, address + stride, …; WRITE stores value, value + 1, … */
struct probe_job {
    uint64_t what, address, count, stride, value;
    uint64_t done, sum, least, most, total; /* ticks of one access */
};
struct probe { uint32_t id, space, gate, thread_id, thread; };

/* The first is a new space, the second a clone. A memory error or 0. */
int64_t probe_make(struct probe *p);
int64_t probe_clone(const struct probe *from, struct probe *p);
int64_t probe_start(struct probe *p, const struct probe_job *job);
bool probe_wait(struct probe *p, struct probe_job *job); /* false: it faulted on the way */
/* Both, and the thread's end. */
bool probe_run(struct probe *p, struct probe_job *job);
int64_t probe_end(struct probe *p);
uint32_t memory_gate(void);
