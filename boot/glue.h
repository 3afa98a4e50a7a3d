/* SPDX-License-Identifier: MIT */
/*
 * Internals of the boot glue: it runs once, on one processor, interrupts off, memory
 * below 4 GiB mapped one to one. It fills `handoff`, loads the first program, builds the
 * kernel's page tables and leaves. Whatever it dislikes ends in glue_fail(): one line.
 *
 * The order of calls is main.c's; each file says what must have run before.
 * The kernel is mapped at KERNEL_BASE from the beginning, first where the loader put it,
 * after paging_build() at its final place: its console, features_init(), memset and memcpy
 * and, after paging_build(), its APIC functions may be called.
 */
#pragma once
#include <arch/platform.h>
#include <arch/x86.h>
#include <handoff.h>

#define GIB 0x40000000ull
#define MIB 0x100000ull
#define IDENTITY_END (4 * GIB)    /* the glue can read and write below */
#define PAGE_UP(x) (((x) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))
#define PAGE_DOWN(x) ((x) & ~(PAGE_SIZE - 1))

void *memset(void *to, int value, size_t bytes);
void *memcpy(void *to, const void *from, size_t bytes);
bool bytes_equal(const void *a, const void *b, size_t bytes);

extern struct handoff handoff;

/* Physical addresses the linker script gives (kernel.ld). */
extern u8 boot_start[], kernel_load[], kernel_load_rodata[], kernel_load_data[];
extern u8 kernel_load_end[];

static inline void *at(u64 physical)
{
    return (void *)physical;
}

/* One line "pith: …" on the console, then the end. Formats: console.c of the kernel. */
void glue_fail(const char *format, ...) __attribute__((format(printf, 1, 2))) NORETURN;

/* info.c: memory map, modules, command line and RSDP from the loader. */
void info_parse(u32 magic, u64 info);
extern u8 info_rsdp[36];          /* a copy of the RSDP if the loader gave one */
extern u64 info_rsdp_address;     /* where the loader found it, or 0 */

/* cmdline.c: the words the glue knows; checks their values. */
struct options { u64 cpus, mem_mib; };
extern struct options options;
void cmdline_parse(void);

/* memory.c: add everything, finish once; then claim and find. */
void memory_add(u64 base, u64 length, u32 type);
void memory_finish(void);
void memory_claim(u64 base, u64 length);
/* Lowest free run of usable memory in [low, high), claimed; 0 if there is none. */
u64 memory_take(u64 bytes, u64 alignment, u64 low, u64 high);
u64 memory_usable_bytes(void);

/* acpi.c: processors, IO-APICs, overrides; where the timers are (0: absent). */
void acpi_parse(void);
extern u64 acpi_hpet;
extern u32 acpi_pm_timer;

/* calibrate.c: frequencies of the TSC and the local APIC timer, into the handoff. After
 * paging_build(). */
void calibrate(struct handoff *h);

/* paging.c: places the kernel's run; builds the tables in it; returns the handoff's
 * direct-map address. */
void paging_place(void);
struct handoff *paging_build(void);

/* image.c: checks module 0 and loads the first program from it. */
void image_load(void);

/* entry.S */
extern u64 glue_pml4[512];
extern u8 glue_vectors[];
void glue_leave(struct handoff *h, u64 pml4) NORETURN;
void glue_main(u64 magic, u64 info) NORETURN;
void glue_exception(u64 vector, u64 error, u64 rip, u64 cr2) NORETURN;
