/* SPDX-License-Identifier: MIT */
/*
 * What is ready, and waiting for it: what poll, select and epoll share. Streams and terminals are
 * asked through protocol ready, first whether they are, then with our notification, so that
 * any of them wakes us; what the layer keeps itself wakes all threads that wait here.
 */
#include "layer.h"
#include "sockets.h"
#include <proto/ready.h>

static uint32_t stream_ready(const struct file *f, uint32_t wanted, struct look *look)
{
    struct msg m = { .w = { READY_OP_READY | (look->watch ? RPC_PARKS : 0),
                            wanted & (READY_EVENTS_IN | READY_EVENTS_OUT) } };
    struct xfer x = { .n_caps_in = look->watch, .caps_in = { rt_self()->notification } };
    int64_t status = look->watch ? rt_call_x(f->slot, &m, &x) : rt_call(f->slot, &m);
    if (status || (uint32_t)m.w[0] == RPC_PARK)
        return 0;
    if (m.w[0])
        return POLLIN | POLLOUT;
    look->changes = (uint32_t)(m.w[1] >> 32);
    return (uint32_t)m.w[1] & 0xffff;
}

static uint32_t timer_ready(const struct file *f, struct look *look)
{
    uint64_t at = timer_next(f);
    look->changes = (uint32_t)(at >> 10);
    if (at <= now_ns())
        return POLLIN;
    if (at < look->deadline)
        look->deadline = at;
    return 0;
}

uint32_t file_ready(struct file *f, uint32_t wanted, struct look *look)
{
    uint32_t found = POLLIN | POLLOUT;
    if (f->kind == FILE_PIPE && !look->watch && ring_idle(f))
        return 0; /* most of what is asked about */
    look->changes = 0;
    switch (f->kind) {
    case FILE_STREAM:
    case FILE_TERMINAL:
        found = stream_ready(f,
            (wanted & POLLRDNORM ? POLLIN : 0) | (wanted & POLLWRNORM ? POLLOUT : 0) | wanted,
            look);
        break;
    case FILE_PIPE:
        found = ring_ready(f, look);
        break;
    case FILE_SOCKET:
        found = socket_ready(f, look);
        break;
    case FILE_EVENT:
        if (f->shared) {
            found = ring_ready(f, look);
            break;
        }
        found = (f->value ? POLLIN : 0) | (f->value < UINT64_MAX - 1 ? POLLOUT : 0);
        look->changes = (uint32_t)f->position;
        break;
    case FILE_TIMER:
        found = timer_ready(f, look);
        break;
    case FILE_SIGNAL:
        found = signals_pend(f->value) ? POLLIN : 0;
        break;
    case FILE_EPOLL:
        found = epoll_ready(f, look);
        break;
    default:
        break;
    }
    found |= (found & POLLIN ? POLLRDNORM : 0) | (found & POLLOUT ? POLLWRNORM : 0);
    return found & (wanted | POLLERR | POLLHUP);
}

void pollers_wake(void)
{
    for (struct block *b = block_each(0); b; b = block_each(b))
        if (b->polling)
            pith_notify_raise(b->self.notification, 1);
}

static struct pith_result polling_wait(uint64_t deadline)
{
    struct block *b = block_self();
    b->polling = true;
    struct pith_result r = layer_wait(deadline);
    b->polling = false;
    return r;
}

int64_t ready_wait(int64_t (*pass)(void *, struct look *), void *context, uint64_t deadline)
{
    struct look look = {.deadline = DEADLINE_NEVER};
    int64_t n = pass(context, &look);
    while (!n && deadline != DEADLINE_POLL) {
        look = (struct look){.watch = true, .deadline = deadline};
        n = pass(context, &look);
        if (n)
            break;
        struct pith_result r = polling_wait(look.deadline);
        if (r.status == -E_INTR)
            return -ERESTART_NO_HANDLER;
        look = (struct look){.deadline = DEADLINE_NEVER};
        n = pass(context, &look);
        if (!n && r.status && now_ns() >= deadline)
            break;
    }
    return n;
}

int64_t local_wait(struct file *f)
{
    if (f->flags & O_NONBLOCK)
        return -EAGAIN;
    struct look look = {.watch = true, .deadline = DEADLINE_NEVER};
    (void)file_ready(f, POLLIN | POLLOUT, &look);
    return polling_wait(look.deadline).status == -E_INTR ? -ERESTART : 0;
}
