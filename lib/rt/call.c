/* SPDX-License-Identifier: MIT */
/* Calls with repeating and waiting: see rt/call.h. */
#include <abi/stubs.h>
#include <rt/call.h>
#include <rt/string.h>

/* The bare call: words in and out through registers. What the caller has below its stack pointer
 * is stepped over. */
static inline __attribute__((always_inline)) int64_t call_words(uint32_t gate, struct msg *m)
{
    uint64_t status = gate, a = m->w[0], b = m->w[1], c = m->w[2];
    register uint64_t d __asm__("r10") = m->w[3];
    register uint64_t e __asm__("r8") = m->w[4];
    register uint64_t f __asm__("r9") = m->w[5];
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpush %%rbp\n\tpush %%rbx\n\tsyscall\n\t"
                     "pop %%rbx\n\tpop %%rbp\n\tlea 128(%%rsp), %%rsp"
                     : "+a"(status), "+D"(a), "+S"(b), "+d"(c), "+r"(d), "+r"(e), "+r"(f)
                     : "b"(m)
                     : "rcx", "r11", "r12", "r13", "r14", "r15", "memory");
    if (status)
        return (int64_t)status;
    m->w[0] = a;
    m->w[1] = b;
    m->w[2] = c;
    m->w[3] = d;
    m->w[4] = e;
    m->w[5] = f;
    return 0;
}

/* The same through op_call_x, with grants and capabilities. */
__attribute__((noinline, optimize("omit-frame-pointer"))) static int64_t
call_transfer(const struct pith_transfer *t, struct msg *m)
{
    uint64_t status = OP_CODE(OP_CALL_X), a = (uint64_t)t, b, c;
    register uint64_t d __asm__("r10");
    register uint64_t e __asm__("r8");
    register uint64_t f __asm__("r9");
    __asm__ volatile("push %%rbp\n\tpush %%rbx\n\tsyscall\n\tpop %%rbx\n\tpop %%rbp"
                     : "+a"(status), "+D"(a), "=S"(b), "=d"(c), "=r"(d), "=r"(e), "=r"(f)
                     : "b"(m)
                     : "rcx", "r11", "r12", "r13", "r14", "r15", "memory");
    if (status)
        return (int64_t)status;
    m->w[0] = a;
    m->w[1] = b;
    m->w[2] = c;
    m->w[3] = d;
    m->w[4] = e;
    m->w[5] = f;
    return 0;
}

__attribute__((noinline, optimize("omit-frame-pointer"))) static int64_t
call_again(uint32_t gate, struct msg *m, int64_t status)
{
    for (unsigned deaths = 1; status == -E_RESTART || status == -E_AGAIN;) {
        if (status == -E_RESTART && deaths++ == RT_DEATHS_MAX)
            return status;
        status = call_words(gate, m);
    }
    return status;
}

__attribute__((optimize("omit-frame-pointer"))) int64_t rt_call(uint32_t gate, struct msg *m)
{
    int64_t status = call_words(gate, m);
    return status ? call_again(gate, m, status) : 0;
}

static inline void grant_set(
    struct pith_transfer *t, unsigned i, const void *address, size_t length, uint64_t direction)
{
    t->grants[i].address = length ? (uint64_t)address : 0;
    t->grants[i].length = length;
    t->grants[i].direction = direction;
}

/* Lays out the call; of its capabilities only those that are passed are set. */
static inline void transfer_make(
    struct pith_transfer *t, uint32_t gate, const struct msg *m, const struct xfer *x)
{
#pragma GCC unroll 6
    for (unsigned i = 0; i < 6; i++)
        t->words[i] = m->w[i];
    grant_set(t, 0, x->in, x->in_len, GRANT_READ);
    grant_set(t, 1, x->out, x->out_len, GRANT_WRITE);
    t->gate = gate;
    t->cap_count = x->n_caps_in;
    for (unsigned i = 0; i < x->n_caps_in && i < 4; i++)
        t->caps[i] = x->caps_in[i];
}

static inline int64_t transfer_do(const struct pith_transfer *t, struct msg *m, struct xfer *x)
{
    if (x->n_caps_out) {
        x->recv_slot = rt_self()->recv_slot;
        pith_receive(x->recv_slot, 4);
    }
    int64_t status = call_transfer(t, m);
    for (unsigned deaths = 1; __builtin_expect(status != 0, 0);) {
        if (status == -E_RESTART ? deaths++ == RT_DEATHS_MAX : status != -E_AGAIN)
            return status;
        status = call_transfer(t, m);
    }
    return 0;
}

int64_t rt_call_x(uint32_t gate, struct msg *m, struct xfer *x)
{
    struct pith_transfer t;
    transfer_make(&t, gate, m, x);
    return transfer_do(&t, m, x);
}

/* Asks again, now saying where it would wait. */
static __attribute__((noinline)) int64_t call_parked(
    struct pith_transfer *t, struct msg *m, struct xfer *x)
{
    struct rt_self *self = rt_self();
    if (!self->notification || t->cap_count >= 4)
        return -E_INTR; /* this thread may not wait */
    t->caps[t->cap_count++] = self->notification;
    t->words[0] |= RPC_PARKS;
    for (;;) {
        int64_t status = transfer_do(t, m, x);
        if (status || (uint32_t)m->w[0] != RPC_PARK)
            return status;
        struct pith_result r = rt_park_wait(self->notification, self->deadline_ns);
        if (r.status)
            return r.status;
    }
}

int64_t rt_call_parks(uint32_t gate, struct msg *m, struct xfer *x)
{
    struct pith_transfer t;
    transfer_make(&t, gate, m, x);
    bool plain = !(x->in_len | x->out_len | x->n_caps_in | x->n_caps_out);
    int64_t status = plain ? rt_call(gate, m) : transfer_do(&t, m, x);
    if (status || (uint32_t)m->w[0] != RPC_PARK)
        return status;
    return call_parked(&t, m, x);
}

__attribute__((weak)) struct pith_result rt_park_wait(uint32_t notification, uint64_t deadline_ns)
{
    return pith_notify_wait(notification, deadline_ns);
}

uint64_t rt_sequence(uint32_t gate)
{
    struct rt_self *self = rt_self();
    (void)gate;
    if (!++self->number)
        self->number = 1;
    return rpc_sequence(self->lane, self->number);
}
