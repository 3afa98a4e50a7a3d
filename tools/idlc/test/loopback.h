// SPDX-License-Identifier: MIT
/*
 * The loopback runtime's controls: what a test can set and look at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rt/call.h>

struct loopback {
    /* Serves a request: a dispatcher with its server, or a hostile server. */
    void (*serve)(uint64_t badge, struct msg *m);
    int64_t kernel_status; /* not 0: every call ends so */
    uint64_t sequence;
    /* The last call. */
    struct msg request;
    struct xfer transfer;
    unsigned calls;
    bool wrote_outside; /* a copy was refused */
    uint32_t reply_caps[4];
};

enum { LOOPBACK_NOTIFICATION = 77, LOOPBACK_RECEIVE_SLOT = 200 };

extern struct loopback loopback;
