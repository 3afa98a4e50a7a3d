/* SPDX-License-Identifier: MIT */
/*
 * Per-core state. It stands at a fixed place in the core's area, so entry code reaches
 * it relative to its own alias, and C by rounding the stack pointer down: no GS base.
 */
#pragma once
#include <object.h>

#define PRIORITIES 64u
#define WHEEL_LEVELS 8u
#define WHEEL_SLOTS 64u
#define WHEEL_SHIFT 10u /* a slot of level 0 covers 1024 ns */
struct wheel { struct thread *slots[WHEEL_LEVELS][WHEEL_SLOTS]; };

/* Why schedule() cannot take the quick way. */
enum attention {
    ATTENTION_INBOX = 1,     /* inbox is not empty */
    ATTENTION_TIMER = 2,     /* the timer may be armed for too late; before the first thread */
    ATTENTION_CHARGED = 4,   /* charged is set */
    ATTENTION_DEBUG = 8,     /* the running thread's debug registers are loaded */
    ATTENTION_PROCESSOR = 16 /* the processor lacks features.quick_switch */
};

struct cpu {
    struct frame *frame;     /* [call] innermost frame of the running thread, or &nil_frame;
                              * its space is the one that is loaded */
    u64 ursp;                /* [call] user stack pointer during entry */
    u64 core8;               /* core * 8 */
    struct thread *thread;   /* running; nil when idle */
    u64 resched;             /* RESCHED_*: schedule() has to choose before the return */
    u32 core, pad32;
    u64 seen;                /* epoch this core has passed; written by itself */
    u32 kicked, online;
    struct thread *inbox;    /* threads with requests for this core */
    struct thread *donor;    /* whose turn it is; differs from thread when helping */
    u64 attention;           /* enum attention */
    u32 since, pad;          /* TSC's low half when the running thread was last accounted */
    struct time *charged;    /* the donor's time, when it has a budget */
    u64 armed_ns;            /* when the timer will fire */
    u64 run_bits;            /* priorities with ready threads */
    struct thread *run[PRIORITIES]; /* circular lists */
    u64 wheel_base;          /* ns >> WHEEL_SHIFT up to which the wheel is current */
    u64 wheel_bits[WHEEL_LEVELS];
    struct wheel *wheel;
    struct trace_entry *trace;
    u64 trace_next;
    struct interrupt *vectors[256];
};
_Static_assert(sizeof(struct cpu) <= PAGE_SIZE, "one page");
_Static_assert(offsetof(struct cpu, frame) == CPU_FRAME, "offsets.h");
_Static_assert(offsetof(struct cpu, ursp) == CPU_URSP, "offsets.h");
_Static_assert(offsetof(struct cpu, core8) == CPU_CORE8, "offsets.h");
_Static_assert(offsetof(struct cpu, thread) == CPU_THREAD, "offsets.h");
_Static_assert(offsetof(struct cpu, resched) == CPU_RESCHED, "offsets.h");

static ALWAYS_INLINE struct cpu *cpu_self(void)
{
    u64 sp; /* never at the area's very end: C runs with something pushed */
    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct cpu *)(sp / CPU_STRIDE * CPU_STRIDE + CPU_DATA);
}
static ALWAYS_INLINE struct cpu *cpu_of(u32 core)
{
    return (struct cpu *)(CPU_BASE + (u64)core * CPU_STRIDE + CPU_DATA);
}
