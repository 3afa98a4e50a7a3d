// SPDX-License-Identifier: MIT
/*
 * A runtime in one process: calls go straight to loopback.serve, and granted memory is the caller's
 * own, with its limits enforced. The badge is the gate's number plus 1000.
 */
#include "loopback.h"

#include <string.h>

#include <rt/rpc.h>
#include <server/server.h>

struct loopback loopback;

int64_t rt_call_x(uint32_t gate, struct msg *m, struct xfer *x)
{
    loopback.request = *m;
    loopback.transfer = *x;
    loopback.calls++;
    memset(loopback.reply_caps, 0, sizeof(loopback.reply_caps));
    if (loopback.kernel_status)
        return loopback.kernel_status;
    loopback.serve(gate + 1000, m);
    if (x->n_caps_out)
        x->recv_slot = LOOPBACK_RECEIVE_SLOT;
    return 0;
}

int64_t rt_call(uint32_t gate, struct msg *m)
{
    struct xfer none = {0};

    return rt_call_x(gate, m, &none);
}

int64_t rt_call_parks(uint32_t gate, struct msg *m, struct xfer *x)
{
    const struct msg request = *m;
    struct xfer with_notification = *x;
    int64_t status = rt_call_x(gate, m, x);

    with_notification.caps_in[with_notification.n_caps_in++] = LOOPBACK_NOTIFICATION;
    while (!status && m->w[0] == RPC_PARK) {
        *m = request;
        m->w[0] |= RPC_PARKS;
        status = rt_call_x(gate, m, &with_notification);
    }
    return status;
}

uint64_t rt_sequence(uint32_t gate)
{
    (void)gate;
    return rpc_sequence(3, (uint32_t)++loopback.sequence);
}

static bool is_inside(uint64_t offset, uint64_t bytes, size_t limit)
{
    bool inside = offset <= limit && bytes <= limit - offset;

    if (!inside)
        loopback.wrote_outside = true;
    return inside;
}

bool rt_copy_from_client(uint64_t offset, void *to, uint64_t bytes)
{
    if (!is_inside(offset, bytes, loopback.transfer.in_len))
        return false;
    if (bytes)
        memcpy(to, (const char *)loopback.transfer.in + offset, bytes);
    return true;
}

bool rt_copy_to_client(uint64_t offset, const void *from, uint64_t bytes)
{
    if (!is_inside(offset, bytes, loopback.transfer.out_len))
        return false;
    if (bytes)
        memcpy((char *)loopback.transfer.out + offset, from, bytes);
    return true;
}

uint32_t rt_received_cap(unsigned index)
{
    return index < loopback.transfer.n_caps_in ? loopback.transfer.caps_in[index] : 0;
}

void rt_reply_cap(unsigned index, uint32_t slot)
{
    loopback.reply_caps[index] = slot;
}
