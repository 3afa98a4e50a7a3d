/* SPDX-License-Identifier: MIT */
/* Signals between processes, stops, and faults that nobody resolved. */
#include "process.h"
#include <rt/string.h>

#define SIGKILL 9u
#define SIGSTOP 19u
#define SIGCONT 18u
#define SIGCHLD 17u
#define BIT(signal) (1ull << ((signal)-1))
#define STOPS (BIT(19) | BIT(20) | BIT(21) | BIT(22))
#define LAYER LAYER_BASE_ADDRESS

static void parent_tell(struct process *p)
{
    if (!p->parent)
        return;
    park_wake(&p->parent->waiters);
    signal_post(p->parent, SIGCHLD, p->pid);
}

void signal_stop(struct process *p, uint32_t signal)
{
    if (p->state != PROCESS_STATE_RUNNING)
        return;
    TX_SET(p->state, PROCESS_STATE_STOPPED);
    TX_SET(p->code, 0x7fu | signal << 8);
    TX_SET(p->stop_told, false);
    TX_SET(p->stop_wanted, true);
    pith_notify_raise(SLOT_MAIN, BIT_WORK); /* the main thread stops it: it may be calling us */
    parent_tell(p);
}

void signal_continue(struct process *p)
{
    TX_SET(p->pending, p->pending & ~STOPS);
    if (p->state != PROCESS_STATE_STOPPED)
        return;
    TX_SET(p->state, PROCESS_STATE_RUNNING);
    TX_SET(p->stop_wanted, false);
    TX_SET(p->code, 0xffffu); /* what wait says of it */
    for (unsigned i = 0; i < 1000 && pith_thread_resume(p->thread).status == -E_STATE; i++)
        pith_thread_stop(p->thread);
    parent_tell(p);
}

void signal_post(struct process *p, uint32_t signal, uint32_t sender)
{
    if (p->state == PROCESS_STATE_ZOMBIE || !p->state)
        return;
    if (signal == SIGKILL) {
        process_exit_with(p, SIGKILL);
        return;
    }
    if (signal == SIGSTOP) {
        signal_stop(p, signal);
        return;
    }
    if (signal == SIGCONT)
        signal_continue(p);
    if (p->ignored & BIT(signal))
        return;
    if (BIT(signal) & STOPS)
        TX_SET(p->pending, p->pending & ~BIT(SIGCONT));
    TX_SET(p->pending, p->pending | BIT(signal));
    TX_SET(p->sender, sender);
    pith_thread_interrupt(p->thread);
}

/* A thread that stopped for a fault. In the layer's copying code it goes on where that says
 * that it failed; in the program, at the layer's entry for faults; elsewhere it is the end. */
void faults_look(struct process *p)
{
    struct pith_fault f;
    struct pith_regs r;
    if (p->state == PROCESS_STATE_ZOMBIE || !p->state ||
        pith_space_fault(p->space, (uint64_t)&f).status || f.sequence == p->fault_seen)
        return;
    TX_SET(p->fault_seen, f.sequence);
    if (pith_thread_regs_read(p->thread, (uint64_t)&r).status)
        return; /* not stopped: another's fault, or gone on */
    /* An event may have moved the stopped thread to its event entry: the record decides. */
    uint64_t rip = f.regs[15];
    if (rip >= LAYER + LAYER_COPY_FIRST && rip < LAYER + LAYER_COPY_FAILED) {
        r.rip = LAYER + LAYER_COPY_FAILED;
    } else if (rip < LAYER) {
        tx_save(&p->fault, sizeof p->fault);
        p->fault = f;
        r.rip = LAYER + LAYER_ENTRY_FAULT;
        r.rdi = p->block;
    } else {
        rt_log("process %u (%s) died in its layer: vector %lu at %lx, address %lx", p->pid, p->name,
               f.vector, rip, f.address);
        process_exit_with(p, 11 | 0x80);
        return;
    }
    if (!pith_thread_regs_write(p->thread, (uint64_t)&r).status)
        pith_thread_resume(p->thread);
}

void timer_look(struct process *p, uint64_t *next_ns)
{
    uint64_t now = rt_now_ns();
    if (!p->timer_ns || p->state == PROCESS_STATE_ZOMBIE || !p->state)
        return;
    if (now >= p->timer_ns) {
        TX_SET(p->timer_ns, p->timer_interval_ns ? now + p->timer_interval_ns : 0);
        signal_post(p, 14, 0);
    }
    if (p->timer_ns && p->timer_ns < *next_ns)
        *next_ns = p->timer_ns;
}
