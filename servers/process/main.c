/* SPDX-License-Identifier: MIT */
/*
 * process: the process server. Its main thread ends what has exited and sends timers' signals; it
 * does so through a gate of its own, so that it queues and helps like every client and
 * never waits for the lock of a thread it has preempted.
 */
#include "process.h"
#include <proto/file_client.h>
#include <proto/process_client.h>
#include <proto/terminal_client.h>

#define PAUSE_NS 200000u
#define DRAIN_NS (20 * NS_PER_S) /* how long a host may be slow */

void process_entry(void);

static void first_start(void)
{
    struct process *p = process_make(0, 0);
    if (!p) {
        rt_log("cannot make the first process");
        return;
    }
    TX_SET(processes->first, p->pid);
    task_begins(
        p->tasks, LAYER_NATIVE + LAYER_ENTRY_START, LAYER_BLOCKS + BLOCK_SIZE, LAYER_BLOCKS);
    intent_clear();
    tx_commit();
    task_begin(processes->first, processes->first);
}

/* What was typed for a foreground group (^C and its like). */
static void terminal_look(uint32_t own)
{
    for (uint32_t signal = 0, group = 0;;) {
        uint64_t turn = processes->terminal_turn + 1;
        if (terminal_take_signal(rt_cap("tty"), turn, &signal, &group) || !signal ||
            process_terminal_signal(own, turn, group, signal))
            return;
    }
}

/* The first process has ended: the host gets what was written, then the machine goes off. */
static void off(void)
{
    static const char *const streams[] = { "stream", "errors" };
    uint32_t status = processes->off_code;
    rt_self()->deadline_ns = rt_now_ns() + DRAIN_NS;
    for (unsigned i = 0; i < 2; i++)
        if (rt_cap(streams[i]))
            (void)file_sync(rt_cap(streams[i]), false);
    rt_self()->deadline_ns = DEADLINE_NEVER;
    rt_log("init exited with status %u", status); /* ./pith run looks for this line */
    if (strstr(STARTUP->arguments, "poweroff") && rt_cap("debug-exit"))
        pith_io_out(rt_cap("debug-exit"), 0, 1, status ? 64 + (status & 63) : 0);
    processes->off = 0;
}

void component_main(void)
{
    bool busy = true, good = capsule_open(PROCESS_VERSION, sizeof *processes, (void **)&processes);
    uint64_t bits = BIT_FAULT | BIT_TERMINAL;
    if (good) {
        intent_undo();
        tasks_begin();
    }
    if (!rt_service_open("process", process_entry, 1))
        return;
    rt_ready();
    tx_begin();
    if (!processes->uses[PROCESS_INIT]) /* a number that no process gets: we are it */
        number_more(PROCESS_INIT);
    if (!processes->own_gate)
        TX_SET(processes->own_gate, rt_gate_create(rt_cap("process"), 0));
    tx_commit();
    uint32_t own = processes->own_gate;
    if (!processes->first && strstr(STARTUP->arguments, "init="))
        first_start();
    terminal_watch(rt_cap("tty"), SLOT_MAIN);
    for (;;) {
        bool again = false;
        uint64_t next = DEADLINE_NEVER, soon, began = rt_now_ns();
        process_reap(own, bits & BIT_FAULT, &next, &again);
        /* Timers get at most half of the time, however short their intervals are. */
        uint64_t rested = 2 * rt_now_ns() - began;
        next = next < rested ? rested : next;
        busy = again;
        if (processes->off)
            off();
        if (bits & BIT_TERMINAL)
            terminal_look(own);
        soon = busy ? rt_now_ns() + PAUSE_NS : DEADLINE_NEVER;
        bits = rt_wait(next < soon ? next : soon);
    }
}
