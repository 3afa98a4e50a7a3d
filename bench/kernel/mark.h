/* SPDX-License-Identifier: MIT */
/* Marks that tools/costs sees: no-operations of seven bytes that no compiler emits. */
#pragma once
#define MARK_BEGIN 0x4b420001  /* a sample begins */
#define MARK_END 0x4b420002    /* and ends */
#define MARK_FIGURE 0x4b420003 /* a figure's samples are complete */
#ifdef __ASSEMBLER__
#define MARK(value) nopl value(%rax)
#else
#define MARK(value) __asm__ volatile("nopl %c0(%%rax)" ::"i"(value) : "memory")
#endif
