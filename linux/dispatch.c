/* SPDX-License-Identifier: MIT */
/* From a system call's number to its function, and what follows every call. */
#include "layer.h"

static call_fn *const calls[] = {
#define CALL(number, name) [number] = sys_##name,
#include "calls.def"
#undef CALL
};
static const char *const names[] = {
#define CALL(number, name) [number] = #name,
#include "calls.def"
#undef CALL
};

static int64_t call_unknown(uint64_t number)
{
    static uint64_t told[8];
    if (self.log_unknown && number < 512 && !(told[number / 64] >> (number % 64) & 1)) {
        told[number / 64] |= 1ull << (number % 64);
        layer_print("[linux] %u %s: no system call %lu\n", self.pid, self.command, number);
    }
    return -ENOSYS;
}

void layer_call(struct block *b)
{
    const struct pith_regs *r = &b->regs;
    uint64_t a[6] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };
    uint64_t number = r->rax;
    int64_t result;
    layer_lock();
    b->number = number;
    if (!b->again)
        b->wait_until = 0;
    b->again = false;
    if (number < sizeof calls / sizeof *calls && calls[number])
        result = calls[number](a);
    else
        result = call_unknown(number);
    if (self.log_calls)
        layer_print("[linux] %u %s(%lx, %lx, %lx, %lx) = %ld\n", self.pid,
                    number < sizeof names / sizeof *names && names[number] ? names[number] : "?",
                    a[0], a[1], a[2], a[3], result);
    b->regs.rax = (uint64_t)result;
    files_unhold(b);
    if (result <= -ERESTART && result >= -ERESTART_NO_HANDLER)
        signals_deliver(b, result);
    layer_unlock();
}

void layer_events(struct block *b)
{
    layer_lock();
    b->event.pending = 0;
    signals_deliver(b, 0);
    layer_unlock();
}
