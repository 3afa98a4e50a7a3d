// SPDX-License-Identifier: MIT
/*
 * Stands in for the runtime's rt/call.h in host tests: the same interface, implemented by
 * loopback.c, which calls a dispatcher in the same process.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct msg {
    uint64_t w[6];
};

struct xfer {
    const void *in;
    size_t in_len;
    void *out;
    size_t out_len;
    uint32_t caps_in[4];
    uint32_t n_caps_in;
    uint32_t n_caps_out; /* in: expected */
    uint32_t recv_slot;  /* out: where they arrived */
};

static inline void xfer_clear(struct xfer *x)
{
    *x = (struct xfer){0};
}

/* 0, or a negative kernel status; on 0 m holds the reply. */
int64_t rt_call(uint32_t gate, struct msg *m);
int64_t rt_call_x(uint32_t gate, struct msg *m, struct xfer *x);
/*
 * As rt_call_x. On the answer RPC_PARK repeats with RPC_PARKS set in w0 and a notification of the
 * thread behind the other capabilities, and waits for it before each further repetition.
 */
int64_t rt_call_parks(uint32_t gate, struct msg *m, struct xfer *x);
/* The next sequence (48 bits, not 0) of the calling thread's lane at this gate. */
uint64_t rt_sequence(uint32_t gate);
