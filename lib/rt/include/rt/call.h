/* SPDX-License-Identifier: MIT */
/*
 * Calls through gates, as generated client stubs make them. Repeating after the server's
 * restart and waiting after RPC_PARK happen in here.
 *
 * Every native thread and every server stack is a block of RT_STACK_SIZE bytes, aligned to
 * its size, with a struct rt_self at its low end: there is no thread-local storage through
 * FS, which in a server is its caller's. The Linux layer supplies its own rt_self().
 */
#pragma once
#include <rt/rpc.h>
#include <rt/self.h>
#include <stddef.h>
#include <stdint.h>

struct msg { uint64_t w[6]; };

struct xfer {
    const void *in;          /* granted for reading, in_len bytes */
    size_t in_len;
    void *out;               /* granted for writing */
    size_t out_len;
    uint32_t caps_in[4];     /* slots to pass; each needs the grant right */
    uint32_t n_caps_in;
    uint32_t n_caps_out;     /* in: capabilities expected back; they arrive in recv_slot… */
    uint32_t recv_slot;      /* out: first slot (n_caps_out of them, empty before) */
};

/* Neither grants nor capabilities; of caps_in only the first n_caps_in are ever read. */
static inline void xfer_clear(struct xfer *x)
{
    x->in = x->out = 0;
    x->in_len = x->out_len = 0;
    x->n_caps_in = x->n_caps_out = x->recv_slot = 0;
}

/* Status: 0 and the reply in m, or a kernel error (-E_…, never E_RESTART or E_AGAIN).
 * A request that made its server die RT_DEATHS_MAX times answers -E_RESTART after all. */
int64_t rt_call(uint32_t gate, struct msg *m);
int64_t rt_call_x(uint32_t gate, struct msg *m, struct xfer *x);
/* For operations that may park: asks once without, then with the thread's notification,
 * on which it waits. -E_INTR when an event ended the wait. */
int64_t rt_call_parks(uint32_t gate, struct msg *m, struct xfer *x);
/* How rt_call_parks waits. A program with locks of its own may have one that lets them go. */
struct pith_result;
struct pith_result rt_park_wait(uint32_t notification, uint64_t deadline_ns);
/* A new sequence for a mutating request: this thread's lane and its next number. */
uint64_t rt_sequence(uint32_t gate);

/* Deaths by a kill count as well, since a client cannot tell them from those of a request that is
 * poison: enough for a server that is killed as often as it starts. */
#define RT_DEATHS_MAX 64
