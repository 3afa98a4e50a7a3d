/* SPDX-License-Identifier: MIT */
/* Numbers that entry.S shares with object.h and cpu.h, where C asserts each of them. */
#pragma once

#define PAGE_TYPE_GATE 7
#define CALL_RIGHT 2 /* RIGHT_USE */

#define FRAME_RIP 0
#define FRAME_RSP 8
#define FRAME_FLAGS 16
#define FRAME_NATIVE 24
#define FRAME_SPACE 32
#define FRAME_LEVEL 40
#define FRAME_FAULT 42
#define FRAME_GRANTED 45
#define FRAME_PREV 48
#define FRAME_NEXT 56
#define FRAME_GATE 64
#define FRAME_HEAD 72
#define FRAME_CR3 80
#define FRAME_TOP 88
#define FRAME_ENTRY 96

#define SPACE_DEAD 8
#define SPACE_CAPDIR 2048

#define GATE_SERVICE 8
#define GATE_BADGE 16
#define SERVICE_POOL 8
#define SERVICE_LEVEL 16
#define POOL_FREE 296

#define THREAD_BASE 64
#define THREAD_REGS 256
#define THREAD_UPCALL_ENTRY 392
#define THREAD_UPCALL_DATA 400

#define REGS_RAX 0
#define REGS_RBX 8
#define REGS_RCX 16
#define REGS_RDX 24
#define REGS_RSI 32
#define REGS_RDI 40
#define REGS_RBP 48
#define REGS_R8 56
#define REGS_R9 64
#define REGS_R10 72
#define REGS_R11 80
#define REGS_R12 88
#define REGS_R13 96
#define REGS_R14 104
#define REGS_R15 112
#define REGS_KIND 120
#define REGS_RESULT 0 /* rax, rdx and the callee-saved ones: after an operation */
#define REGS_ALL 1
#define REGS_CALL 2   /* rax and the six words: at a server's entry */

/* struct cpu, at CPU_DATA of the core's area */
#define CPU_FRAME 0
#define CPU_URSP 8
#define CPU_CORE8 16
#define CPU_THREAD 24
#define CPU_RESCHED 32

/* cpu.resched: an operation asks for schedule(); with registers already in place; or to
 * resume the thread as its structure says, without scheduling. */
#define RESCHED_SAVE 1
#define RESCHED_LOADED 2
#define RESCHED_RESUME 3

/* rax of a system call: bit 31 set selects an operation, 0 of them returns from a call. */
#define OP_RETURN 0
