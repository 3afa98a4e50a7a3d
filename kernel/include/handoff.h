/* SPDX-License-Identifier: MIT */
/*
 * What the boot glue hands to the kernel: plain facts, already checked, in memory
 * that the direct map covers. The kernel reads no firmware table itself.
 */
#pragma once
#include <layout.h>
#include <types.h>

#define HANDOFF_MAGIC 0x50697468424f4f54ull
#define HANDOFF_MAX_RANGES 128
#define HANDOFF_MAX_MODULES 16
#define HANDOFF_MAX_SEGMENTS 16
#define HANDOFF_CMDLINE 2048

enum handoff_memory { MEM_USABLE = 1, MEM_RESERVED = 2, MEM_ACPI = 3, MEM_NVS = 4, MEM_BAD = 5 };

struct handoff_range { u64 base, length; u32 type, pad; };           /* bytes */
struct handoff_module { u64 base, length; char name[48]; };           /* physical bytes */
struct handoff_ioapic { u64 base; u32 gsi_base, id; };
struct handoff_override { u32 gsi; u8 flags, present, pad[2]; };      /* MADT ISA overrides */
/* A loaded segment of the first program: [vaddr, vaddr + pages * 4096) backed by
 * consecutive physical pages from phys. Page aligned. */
struct handoff_segment { u64 vaddr, phys, pages; u32 writable, executable; };

struct handoff {
    u64 magic;
    /* memory */
    u32 range_count, module_count;
    struct handoff_range ranges[HANDOFF_MAX_RANGES];   /* sorted, disjoint */
    struct handoff_module modules[HANDOFF_MAX_MODULES];
    u64 page_count;      /* pages[] and page_type[] cover frames 0..page_count-1 */
    /* Frames the glue took for the kernel (image, page tables, pages[], page_type[],
     * this structure): a single run. The kernel's own boot allocations continue at
     * kernel_end and may go up to kernel_limit (at least 64 KiB per core plus 256 KiB). */
    u64 kernel_start, kernel_end, kernel_limit;  /* physical bytes, page aligned */
    u64 pml4;            /* physical; the kernel template */
    char cmdline[HANDOFF_CMDLINE];
    /* first program */
    u32 segment_count, pad0;
    struct handoff_segment segments[HANDOFF_MAX_SEGMENTS];
    u64 root_entry;
    /* platform */
    u32 cpu_count, ioapic_count;
    u32 apic_ids[MAX_CPUS];              /* [0] is the boot processor */
    struct handoff_ioapic ioapics[MAX_IOAPICS];
    struct handoff_override overrides[16];
    u64 lapic_base, rsdp, trampoline;    /* trampoline: free page below 1 MiB */
    u64 tsc_hz;                          /* calibrated */
    u64 lapic_timer_hz;                  /* at divide by 1 */
    u32 clock_source;                    /* 1 HPET, 2 ACPI PM timer, 3 PIT */
    u32 trace;           /* on the command line */
};
