/* SPDX-License-Identifier: MIT */
/* The call path in C: what kernel/arch/x86_64/entry.S does between a syscall instruction and the
 * next user instruction, or a call of C. Works on the kernel's own structures. */
#pragma once
#include <cpu.h>

enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15, REGISTERS };

enum outcome { USER = 1, CALL_SLOW, RETURN_SLOW, FAULT_ANSWER, OPERATION };

struct machine {
    u64 r[REGISTERS]; /* as the user had them; then as the user has them again */
    u64 cr3;          /* 0: not loaded */
    u64 rip;          /* USER */
    u64 flags;        /* USER */
    u64 arguments[2]; /* what C is called with: FAULT_ANSWER */
};

enum outcome twin_syscall(struct cpu *cpu, struct machine *m);
