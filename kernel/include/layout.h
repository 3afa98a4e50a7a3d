/* SPDX-License-Identifier: MIT */
/*
 * The kernel's virtual address space (x86_64, four levels). Used by C, assembly
 * and the linker script; keep it free of C syntax outside the #ifndef.
 *
 *   PML4 slot   address              what
 *   0..255      0                    user; the last user page stays unmapped
 *   256..       DM_BASE              direct map of RAM, RW NX (kernel text R)
 *   510         PAGES_BASE           struct page descriptors, one per page of RAM
 *   511         PTYPE_BASE           page types, one byte per page of RAM
 *   511         KERNEL_BASE          kernel image (text RX, rodata R, data RW)
 *   511         CPU_BASE             one 64 KiB area per core, see CPU_*
 *   511         MMIO_BASE            local APIC, then the IO-APICs
 *
 * The bases of PAGES and PTYPE are chosen so that an arithmetic right shift of a
 * direct-map address gives the descriptor's address (>> 7, descriptors are 32
 * bytes) or the type byte's address (>> 12) without adding a constant.
 */
#pragma once

#define DM_BASE 0xffff800000000000
#define PAGES_BASE 0xffffff0000000000
#define PTYPE_BASE 0xfffffff800000000
#define KERNEL_BASE 0xffffffff80000000
#define CPU_BASE 0xffffffffc0000000
#define MMIO_BASE 0xffffffffe0000000

/* RAM above this is left alone: reverse-map links are 32-bit (page << 9 | entry). */
#define MAX_RAM_PAGES 0x800000
#define MAX_CPUS 64
#define MAX_IOAPICS 8

/* User addresses: the last page below the hole is never mapped, so that the address
 * behind a syscall instruction is always canonical. */
#define USER_TOP 0x00007ffffffff000

/* A core's area: offsets from CPU_BASE + core * CPU_STRIDE. Odd guards stay unmapped. */
#define CPU_STRIDE 0x10000
#define CPU_TEXT 0x0000      /* alias of the entry text, two pages, RX */
#define CPU_DATA 0x2000      /* struct cpu, one page, RW */
#define CPU_STACK 0x4000     /* kernel stack, two pages; guard page 0x3000 below */
#define CPU_STACK_TOP 0x6000
#define CPU_TABLES 0x6000    /* TSS at +0, GDT at +0x100; one page */
#define CPU_IDT 0x7000       /* 256 gates, one page, read-only once filled */
#define CPU_IST_DB 0xa000    /* tops of the IST stacks (one page each below) */
#define CPU_IST_NMI 0xc000
#define CPU_IST_DF 0xe000
#define CPU_IST_MC 0x10000

/* Segment selectors; sysret wants user data = base + 8, user code = base + 16. */
#define SEL_KCODE 0x08
#define SEL_KDATA 0x10
#define SEL_UDATA 0x1b
#define SEL_UCODE 0x23
#define SEL_TSS 0x28

/* Interrupt vectors. */
#define VEC_DEVICE_FIRST 0x20
#define VEC_DEVICE_LAST 0xef
#define VEC_KICK 0xf0        /* inter-processor: look at your requests, pass quiescence */
#define VEC_TIMER 0xf1
#define VEC_SPURIOUS 0xff
