/* SPDX-License-Identifier: MIT */
/* A thread's block in the layer's part: offsets for assembly, checked in block.c.
 *
 *   page 0       the upcall data page: site and registers of the program, struct rt_self
 *   page 1       the event frame
 *   pages 2..15  the layer's stack
 *
 * Block i lies at LAYER_BLOCKS + i * BLOCK_SIZE, and thread i enters through stub i, whose
 * address the kernel leaves in rcx: so the entry code finds the block without a register. */
#pragma once

#define LAYER_BASE_ADDRESS                                                                         \
    0x7f0000000000 /* the vDSO's page: the program's, as the kernel sees it */
#define LAYER_NATIVE 0x7f0000001000       /* from here on system calls are the kernel's */
#define LAYER_BLOCKS 0x7f0000100000
#define BLOCK_SHIFT 16
#define BLOCK_SIZE 0x10000
#define BLOCKS_MAX 2048

#define BLOCK_RIP 0
#define BLOCK_FLAGS 8
#define BLOCK_RAX 16
#define BLOCK_RBX 24
#define BLOCK_RCX 32
#define BLOCK_RDX 40
#define BLOCK_RSI 48
#define BLOCK_RDI 56
#define BLOCK_RBP 64
#define BLOCK_R8 72
#define BLOCK_R9 80
#define BLOCK_R10 88
#define BLOCK_R11 96
#define BLOCK_R12 104
#define BLOCK_R13 112
#define BLOCK_R14 120
#define BLOCK_R15 128
#define BLOCK_RSP 144
#define BLOCK_PENDING (4096 + 160)
#define BLOCK_FPU 1024

/* Where the process server sends threads: fixed places behind LAYER_NATIVE. */
#define LAYER_ENTRY_START 0x00
#define LAYER_ENTRY_CHILD 0x10
#define LAYER_ENTRY_THREAD 0x30
/* Code that touches the program's memory, and where it goes when that faults. */
#define LAYER_COPY_FIRST 0x100
#define LAYER_COPY_FAILED 0x1e0
#define LAYER_COPY_END 0x200
