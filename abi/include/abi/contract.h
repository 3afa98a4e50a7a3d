/* SPDX-License-Identifier: MIT */
/*
 * The kernel/user contract that is not a table: rights, flags, structures in user
 * memory, and what registers hold. Operations, errors and events are in abi's tables.
 *
 * System call: rax = slot number (0..65535) calls the gate in that slot, with
 *   w0..w5 in rdi rsi rdx r10 r8 r9. The server starts at its entry with rax = badge and
 *   the words in the same registers; it answers with rax = OP_CODE(0). The caller gets
 *   rax = status (0 or -E_...), on 0 the six words, else rdx = value.
 *   rbx = the number of capabilities that came along (0 for a plain call).
 * rax = OP_CODE(n) is operation n of operations.tbl: arguments in rdi rsi rdx r10 r8 r9,
 *   status back in rax, value in rdx.
 * Both clobber rcx, r11 and every argument register; calls clobber every register but rsp.
 */
#pragma once
#include <stdint.h>

#define OP_CODE(n) (0x80000000u | (n))

/* Rights: bits 0..7 of a capability. */
#define RIGHT_GRANT 1     /* may be passed in a call or return */
#define RIGHT_USE 2       /* call, raise, map, start with */
#define RIGHT_MANAGE 4    /* change, stop, bind */
#define RIGHT_WAIT 8      /* wait on a notification */
#define RIGHT_DEBUG 16    /* registers and memory */
#define RIGHT_INTERRUPT 32 /* send events to a thread */
#define RIGHT_ALL 0xff

/* Slot 0 stands for the caller's own space where an operation names a space. */
#define SPACE_SELF 0

/* where = page index in the region << 8 | slot in the page. */
#define WHERE(index, slot) ((uint64_t)(index) << 8 | (slot))

/* Mapping: count in bits 0..15, flags above. W and X together are refused. */
#define MAP_READ 0x10000
#define MAP_WRITE 0x20000
#define MAP_EXEC 0x40000
#define MAP_2M 0x80000        /* count in 2 MiB pages */
#define MAP_1G 0x100000
#define MAP_UNCACHED 0x200000
#define MAP_DEMOTE 0x400000   /* space_copy: take write from the source mappings too */
#define MAP_BATCH 64          /* most pages of one operation */

/* space_query's value: MAP_* as mapped, plus */
#define QUERY_ACCESSED 1
#define QUERY_DIRTY 2

/* Answers of a fault handler, in w0. */
#define FAULT_RESUME 0
#define FAULT_WAIT 1          /* wait on the thread's own notification, then repeat */
#define FAULT_UNWIND 2        /* give up: the thread stops as faulted, or its frame ends */
#define FAULT_EVENT 3         /* the thread learns of it at its event entry; else as UNWIND */

/* Deadlines: absolute nanoseconds; */
#define DEADLINE_POLL 0
#define DEADLINE_NEVER UINT64_MAX

#define NS_PER_S 1000000000ull

/* thread_start: where = core | priority << 8. */
#define GRANT_READ 1          /* the server may read the buffer */
#define GRANT_WRITE 2

/* op_call_x and op_return_x read this. Slots in caps are the sender's. */
struct pith_transfer {
    uint64_t words[6];
    struct { uint64_t address, length, direction; } grants[2];
    uint32_t gate, cap_count;
    uint32_t caps[4];
};

/* Registers as thread_regs_* and space_fault move them. */
struct pith_regs {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rsp, flags, fs_base, gs_base;
};
struct pith_fault {
    uint64_t sequence, vector, error, address, thread_id, depth;
    uint64_t regs[18];        /* in the order of pith_regs, without the bases */
};
struct pith_thread_info {
    uint64_t state, core, priority, depth, run_ns, id, incarnation, pad;
};
struct pith_debug { uint64_t dr[4], dr6, dr7, single_step; };
struct pith_trace_entry { uint64_t tsc; uint32_t event, thread; uint64_t a, b; };

/* A thread's upcall data page: what a foreign system call leaves there. */
struct pith_upcall { uint64_t rip, flags; };
/* A thread's event frame: what op_event_done restores. pending is set when an event came
 * while the thread was in its native range or events were masked. fault is 1 when the event is
 * a fault that its handler answered with FAULT_EVENT: then regs are those of the fault. */
struct pith_event { struct pith_regs regs; uint64_t pending, fault, vector, error, address; };

/* The first program's boot information, mapped read-only at BOOTINFO_ADDRESS. */
#define BOOTINFO_ADDRESS 0x100000ull
#define BOOTINFO_MAGIC 0x5069746842303031ull
#define BOOTINFO_VERSION 1
struct pith_boot_range { uint64_t first, count, type; };      /* frames; type as in E820 */
struct pith_boot_module { uint64_t base, length; char name[48]; };
struct pith_bootinfo {
    uint64_t magic;
    uint32_t version, size;
    uint32_t cores, range_count, module_count, features;
    uint64_t page_count;         /* frames the machine region covers, from 0 */
    uint64_t free_first, free_count; /* one run of free frames to start with */
    uint64_t rsdp, tsc_hz;
    uint64_t clock_mult, clock_base, clock_shift;
    uint64_t epoch_ns;
    struct pith_boot_module modules[16];
    char command_line[1024];
    struct pith_boot_range ranges[64];
};
/* Feature bits in bootinfo. */
#define FEATURE_PCID 1
#define FEATURE_FSGSBASE 2
#define FEATURE_XSAVE 4
#define FEATURE_NX 8
#define FEATURE_SMAP 16
#define FEATURE_X2APIC 32
/* The first program's capabilities. */
#define BOOT_REGION 1
#define BOOT_SPACE 2
#define BOOT_TIME 3
#define BOOT_PORTS 4
#define BOOT_MEMORY 5
#define BOOT_CONTROL 6
#define BOOT_THREAD 7
#define BOOT_FREE_SLOT 8
