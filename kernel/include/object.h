/* SPDX-License-Identifier: MIT */
/*
 * Kernel objects: every structure that lives in a typed page.
 *
 * A page's type (page_type[]) says which view of its bytes is valid; an object is
 * named by its direct-map address. Every object starts with its generation; 0 means
 * the slot holds none. Generations come from one 64-bit counter and never repeat, so
 * "page type right and generation equal" proves a capability good.
 *
 * Locking: everything is written under the kernel lock, except what is marked
 *   [call]  written by the call path of the one core that owns it, without a lock
 *   [own]   written only by the core the thread belongs to
 * docs/invariants.md lists the fields the call path reads unlocked.
 */
#pragma once
#include <arch/platform.h>
#include <layout.h>
#include <offsets.h>
#include <types.h>

enum page_type {
    PT_NONE,      /* not RAM, or reserved by firmware */
    PT_KERNEL,    /* kernel image, boot tables; never given out */
    PT_FREE,      /* in a region, has no use yet */
    PT_FRAME,     /* user memory; its mappings are on the reverse-map list */
    PT_TABLE,     /* page table of a space (even page), or in the space's pool */
    PT_SHADOW,    /* reverse-map links of the table in the page before */
    PT_CAPS,      /* 256 capability slots of a space */
    PT_GATE,      /* 128 gates of one service (value used by the call path) */
    PT_SPACE,     /* space object */
    PT_PML4,      /* its top-level table, the page after the space object */
    PT_THREAD,
    PT_SERVICE,
    PT_POOL,
    PT_STACKS,    /* server stacks of one pool and core */
    PT_REGION,    /* the rest: 32 objects of 128 bytes */
    PT_TIME,
    PT_NOTIFICATION,
    PT_INTERRUPT,
    PT_IO,
    PT_CONTROL,
    PT_COUNT
};
_Static_assert(PT_GATE == PAGE_TYPE_GATE, "offsets.h");

/* Page descriptor, 32 bytes (see layout.h for why). */
struct page {
    u32 owner;     /* region reference, 0 for none */
    u32 maps;      /* PTE reference: head of the 4 KiB mappings of this page */
    u32 big_maps;  /* head of large mappings that start here: 2 MiB on an aligned page,
                    * 1 GiB on the page after an aligned one */
    u32 parent;    /* PT_TABLE: PTE reference of the entry that points here, or 0;
                    * object pages: frame number of the object they belong to */
    u64 stamp;     /* retired at this epoch; reuse waits for quiescence */
    u32 link;      /* frame number: next in the list this page is on */
    u16 used;      /* PT_TABLE: entries in use; object pages: live objects */
    u8 level;      /* PT_TABLE: 1 (4 KiB leaves) to 3, 0 when in the pool */
    u8 dirty;      /* PT_FRAME: some removed mapping had been written through;
                    * PT_FREE: FREE_ZERO when its bytes are known to be 0 */
};
#define FREE_ZERO 2u
_Static_assert(sizeof(struct page) == 32, "layout.h");

/* A capability: written w1 first, then w0, and only into a slot that is empty and
 * quiesced; cleared w0 first. So a reader that loads w0, then w1 never mixes two.
 * Empty: w0 = CAP_NIL (names frame 0, whose type matches nothing), w1 = stamp. */
struct slot {
    u64 w0; /* object address << 16 | page type << 8 | rights */
    u64 w1; /* generation */
};
#define CAP_NIL 0x8000000000000000ull
#define SLOTS_PER_PAGE 256u
#define CAP_PAGES 256u

struct regs { /* a thread's general registers, in the order of pith_regs */
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rip, rsp, flags;
};

struct space;
struct thread;
struct service;
struct pool;
struct gate;
struct cpu;

#define FRAME_GRANTS 2
struct grant { u64 address, length, direction; };

/* A call frame. A thread's base frame is part of the thread; every other frame is the
 * descriptor of the server stack the call runs on. While control is inside the next
 * frame, or in the kernel, rip/rsp/flags say where this one continues. */
struct frame {
    u64 rip, rsp, flags;        /* [call] */
    u64 native_lo;              /* system calls from below are foreign; 0 in servers */
    struct space *space;        /* [call] or &trap_space: return here takes the slow path */
    u8 level;                   /* of the service; USER_LEVEL in a base frame */
    u8 kind;                    /* enum frame_kind */
    u8 fault;                   /* 1 + index of the fault register set saved here, or 0 */
    u8 core;                    /* stacks: the core whose pool this is in */
    u8 marked;                  /* has counted time, which its end clears */
    u8 granted;                 /* [call] grants are of this activation's call */
    u8 pad0[2];
    struct frame *prev;         /* [call] caller's frame while in use, else nil */
    struct frame *next;         /* [call] next free stack of the pool */
    struct gate *gate;          /* [call] entered through; nil: free */
    struct frame **head;        /* the pool's free list for this core */
    u64 cr3;                    /* of the space, with PCID and no-flush where there is PCID */
    u64 top;                    /* initial rsp of a server */
    u64 entry;
    struct pool *pool;          /* nil in a base frame */
    u64 ran_ns;                 /* running time in this activation, counted by the tick */
    u32 recv_slot, recv_count;  /* where passed capabilities arrive */
    struct grant grants[FRAME_GRANTS]; /* what this frame's caller lets it touch */
    u64 limit_told;             /* the owner has been told of a passed limit */
    u64 pad1[1];
};
_Static_assert(sizeof(struct frame) == 192, "21 stacks a page");
enum frame_kind { FRAME_BASE = 1, FRAME_STACK, FRAME_QUARANTINED };
#define STACKS_PER_PAGE 21u
#define USER_LEVEL 32u
#define TRANSFER_CAPS 4u /* most capabilities along with a call */

struct gate {
    u64 gen;
    struct service *service;
    u64 badge;
    u64 count; /* capabilities to it; when gen is 0: the stamp */
};
_Static_assert(sizeof(struct gate) == 32, "128 gates a page");
#define GATES_PER_PAGE 128u

/* Server stacks of one incarnation: a space, an entry point, a LIFO list per core. */
struct pool {
    u64 gen;
    struct service *service;
    struct space *space;
    u64 entry;
    u32 pools_next, pools_prev; /* other pools of the space (frame numbers) */
    u32 stacks[MAX_CPUS];       /* frame number of the stack page per core */
    struct frame *free[MAX_CPUS]; /* [call] */
    struct frame *incoming[MAX_CPUS]; /* stacks added by other cores, merged when dry */
};

enum service_state { SERVICE_PAUSED, SERVICE_OPEN, SERVICE_DEAD };
struct service {
    u64 gen;
    struct pool *pool;      /* what calls use: &empty_pool unless open */
    u64 level;
    u64 incarnation;
    struct pool *bound;     /* what opening will use */
    u64 limit_ns;           /* of one activation; UINT64_MAX none */
    struct notification *owner; /* told of last closes and passed limits */
    u64 owner_gen, owner_bits;  /* bits 0..31 no senders, 32..63 limit */
    u8 state;
    struct thread *waiters[MAX_CPUS]; /* threads queued for a stack, per core */
    struct thread *faulted[MAX_CPUS]; /* threads inside whose fault nobody handles */
    u32 gate_pages, pools;  /* how many refer to it */
    u32 closed;             /* gate pages with a last close to look at, by page link */
};

struct notification {
    u64 gen, stamp;
    u64 word;
    struct thread *waiter;
    u64 pad[12];
};

struct region {
    u64 gen;
    u64 stamp;
    u32 first, count;    /* frame numbers covered: [first, first + count) */
    u32 parent;          /* region reference; kept until owned and children are 0 */
    u32 depth;
    u32 owned, children; /* pages, regions whose references name this one */
    u64 pad[11];
};

struct time {
    u64 gen, stamp;
    u64 cores;           /* mask */
    u64 budget_ns, period_ns; /* 0: unlimited */
    i64 left_ns;
    u64 refill_ns;
    struct time *parent;
    u64 parent_gen;
    u64 threads;         /* bound to it */
    u8 priority_max;
    u8 pad8[7];
    u64 pad[5];
};

struct interrupt {
    u64 gen, stamp;
    struct notification *target;
    u64 target_gen, bits;
    u32 gsi;             /* or UINT32_MAX: message signalled */
    u32 core;
    u8 vector;           /* 0: not allocated */
    u8 level_triggered, masked, pending;
    u8 pad8[4];
    u64 window_ns;       /* rate limit of messages: start of the current window */
    u32 in_window, pad32;
    struct line line;    /* where to mask it */
    u64 pad[5];
};

enum io_kind { IO_PORTS = 1, IO_MEMORY };
struct io {
    u64 gen, stamp;
    u64 first, count;    /* ports, or frame numbers of device memory */
    u64 kind;
    u64 pad[11];
};

struct control {         /* rights over the machine: trace, interrupts, power */
    u64 gen, stamp;
    u64 pad[14];
};

#define SMALL_SIZE 128u
#define SMALLS_PER_PAGE 32u
_Static_assert(sizeof(struct notification) == 128, "small object");
_Static_assert(sizeof(struct region) == 128, "small object");
_Static_assert(sizeof(struct time) == 128, "small object");
_Static_assert(sizeof(struct interrupt) == 128, "small object");
_Static_assert(sizeof(struct io) == 128, "small object");
_Static_assert(sizeof(struct control) == 128, "small object");

/* What a fault left behind when nobody could handle it. */
struct fault_record { u64 vector, error, address, thread_id, depth; struct regs regs; };

struct space {
    u64 gen;
    u8 dead;              /* read by the call path's return */
    u8 pad8[3];
    u32 pml4;             /* frame number */
    u64 cr3;
    u32 tables, tables_tail; /* pool of table pages: a FIFO by page link and maps */
    u32 table_count;
    u32 pools;            /* pools bound to it (frame numbers) */
    u32 threads;          /* threads of it */
    u32 pool_count, pcid;
    struct gate *handler; /* fault handler */
    u64 handler_gen;
    struct notification *owner; /* told when a fault finds no handler */
    u64 owner_gen, owner_bits;
    u64 fault_seq;        /* faults recorded */
    struct fault_record fault;
    u64 pad[220];
    struct slot *capdir[CAP_PAGES];
};

enum thread_state {
    THREAD_STOPPED,   /* at depth 0, or never started */
    THREAD_READY,     /* in its core's run queue (running threads stay in it) */
    THREAD_WAITING,   /* on its notification */
    THREAD_QUEUED,    /* for a stack of a service */
    THREAD_THROTTLED, /* its time's budget is used up */
};

/* How a thread waits: for a result, without or with a deadline; or for a fault's answer, and
 * then the instruction is repeated. */
enum wait_kind { WAIT_RESULT, WAIT_DEADLINE, WAIT_FAULT };

/* What others ask of a thread's core; bits in thread.requests. */
enum thread_request {
    REQUEST_WAKE = 1, REQUEST_STOP = 2, REQUEST_EVENT = 4, REQUEST_MOVE = 8,
    REQUEST_UNWIND = 16, REQUEST_SCHEDULE = 32
};

/* Where entry.S saves the registers of a running thread. rip, rsp and flags are in the frame. */
struct saved {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    u64 kind;                   /* which of them are valid: REGS_* in offsets.h */
    u64 vector, error, address; /* of the fault that is being handled */
};
#define FAULT_SETS 4u

#define THREAD_FPU 1344
struct thread {
    u64 gen;
    struct frame *top;          /* [own] innermost frame while not running */
    struct space *space;
    struct time *time;
    u64 time_gen;
    struct thread *run_next, *run_prev;   /* run queue or service queue */
    u8 state, priority, core, pad8a;
    u8 fault_count, stop_wanted, events_masked, event_sticky;
    struct frame base;
    struct saved *regs;         /* [own] &saved[fault_count] */
    u64 fs_base, gs_base;       /* [own] while not running */
    /* waiting */
    struct notification *waits_on;
    u64 deadline_ns;
    struct thread *timer_next, *timer_prev;
    u32 timer_slot;             /* 1 + wheel slot, 0: not queued */
    u32 requests;
    struct thread *inbox_next;
    struct service *queued_on;  /* THREAD_QUEUED: in one of its lists by run links */
    struct notification *own;   /* for the fault answer WAIT */
    u64 own_gen;
    struct frame *helps;        /* runs this stack's holder instead, while that is ready */
    u8 wait_kind;               /* enum wait_kind */
    u8 faulted, pad9[6];        /* queued in service.faulted, not in waiters */
    struct service *unwind;     /* whose activation is to end */
    i64 wake_status;
    u64 wake_value;
    /* foreign system calls and events: frame numbers of pinned pages, 0 none */
    u64 upcall_entry, upcall_data;        /* data: direct-map address */
    u64 event_entry, event_frame;         /* frame: direct-map address */
    u64 exit_lo, exit_hi;                 /* restartable exit range */
    u64 run;                    /* CPU time used, TSC ticks */
    /* Is changes only if nothing has to be looked at before it runs: its time is alive and has
     * no budget, it helps nobody, nothing is to be unwound, no debug registers. */
    u64 plain;
    u64 debug[6];               /* DR0-3, DR6, DR7 */
    u8 single_step, debug_on, requests_start, inboxed;
    u8 new_priority, pad8[3];
    i64 slice;                  /* left of its turn, TSC ticks */
    struct time *new_time;      /* with new_priority, taken over by its core */
    u64 new_time_gen;
    u32 id;
    struct saved saved[FAULT_SETS + 1]; /* [own] below the last: of frames whose fault is handled */
    u8 fpu[] ALIGNED(64);
};
_Static_assert(offsetof(struct thread, fpu) <= THREAD_FPU, "FPU area");

_Static_assert(offsetof(struct frame, rip) == FRAME_RIP, "offsets.h");
_Static_assert(offsetof(struct frame, rsp) == FRAME_RSP, "offsets.h");
_Static_assert(offsetof(struct frame, flags) == FRAME_FLAGS, "offsets.h");
_Static_assert(offsetof(struct frame, native_lo) == FRAME_NATIVE, "offsets.h");
_Static_assert(offsetof(struct frame, space) == FRAME_SPACE, "offsets.h");
_Static_assert(offsetof(struct frame, level) == FRAME_LEVEL, "offsets.h");
_Static_assert(offsetof(struct frame, fault) == FRAME_FAULT, "offsets.h");
_Static_assert(offsetof(struct frame, granted) == FRAME_GRANTED, "offsets.h");
_Static_assert(offsetof(struct frame, prev) == FRAME_PREV, "offsets.h");
_Static_assert(offsetof(struct frame, next) == FRAME_NEXT, "offsets.h");
_Static_assert(offsetof(struct frame, gate) == FRAME_GATE, "offsets.h");
_Static_assert(offsetof(struct frame, head) == FRAME_HEAD, "offsets.h");
_Static_assert(offsetof(struct frame, cr3) == FRAME_CR3, "offsets.h");
_Static_assert(offsetof(struct frame, top) == FRAME_TOP, "offsets.h");
_Static_assert(offsetof(struct frame, entry) == FRAME_ENTRY, "offsets.h");
_Static_assert(offsetof(struct space, dead) == SPACE_DEAD, "offsets.h");
_Static_assert(offsetof(struct space, capdir) == SPACE_CAPDIR, "offsets.h");
_Static_assert(sizeof(struct space) == PAGE_SIZE, "one page");
_Static_assert(offsetof(struct gate, service) == GATE_SERVICE, "offsets.h");
_Static_assert(offsetof(struct gate, badge) == GATE_BADGE, "offsets.h");
_Static_assert(offsetof(struct service, pool) == SERVICE_POOL, "offsets.h");
_Static_assert(offsetof(struct service, level) == SERVICE_LEVEL, "offsets.h");
_Static_assert(offsetof(struct pool, free) == POOL_FREE, "offsets.h");
_Static_assert(offsetof(struct thread, regs) == THREAD_REGS, "offsets.h");
_Static_assert(offsetof(struct thread, base) == THREAD_BASE, "offsets.h");
_Static_assert(offsetof(struct thread, upcall_entry) == THREAD_UPCALL_ENTRY, "offsets.h");
_Static_assert(offsetof(struct thread, upcall_data) == THREAD_UPCALL_DATA, "offsets.h");
_Static_assert(sizeof(struct pool) <= PAGE_SIZE && sizeof(struct service) <= PAGE_SIZE, "one page");
_Static_assert(offsetof(struct saved, r15) == REGS_R15 && offsetof(struct saved, kind) == REGS_KIND,
               "offsets.h");
