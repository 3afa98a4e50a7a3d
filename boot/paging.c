// SPDX-License-Identifier: MIT
/*
 * The kernel's run of memory and its address space (layout.h).
 *
 * The run, in order: kernel image (copied here from where the loader put it), handoff,
 * page_type[], pages[], page tables; from kernel_end to kernel_limit the kernel's own boot
 * allocations. One size, computed before anything is placed, bounds all of it.
 *
 * The template has no user half. Nothing in it is writable and executable: the direct map
 * covers usable memory only, never executable, and read-only over the kernel's text and
 * rodata. Tables for the processors' areas and for MMIO exist up to the last level.
 */
#include "glue.h"
#include <arch/pte.h>

#define NX (features.nx ? PTE_NX : 0)
#define READ (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_GLOBAL)
#define SIZE_2M 0x200000ull
#define BIG_ARRAY (8 * MIB) /* from here on pages[] is worth 2 MiB mappings */

enum { POOL_PER_CORE = 64 << 10, POOL_FIXED = 320 << 10 };

static u64 next_free; /* in the run */

static u64 take(u64 bytes, u64 alignment)
{
    u64 address = (next_free + alignment - 1) & ~(alignment - 1);

    next_free = address + PAGE_UP(bytes);
    return address;
}

static u64 pages_bytes(void)
{
    return handoff.page_count * 32;
}

/* Upper bound of the page tables' pages: fixed ones, a table per GiB and per 2 MiB mapped
 * with small pages, two tables at the edges of each range. */
static u64 tables_bound(void)
{
    u64 arrays = pages_bytes() + handoff.page_count;
    u64 image = (u64)(kernel_load_end - kernel_load);
    u64 small = (arrays + 2 * image) / SIZE_2M, big = arrays / GIB;

    return (24 + 2 * handoff.range_count + handoff.page_count * PAGE_SIZE / GIB + small + big) *
           PAGE_SIZE;
}

void paging_place(void)
{
    u64 image = (u64)(kernel_load_end - kernel_load);
    u64 bytes = image + PAGE_UP(sizeof(handoff)) + tables_bound() + PAGE_UP(handoff.page_count) +
                PAGE_UP(pages_bytes()) + POOL_FIXED + handoff.cpu_count * POOL_PER_CORE;

    if (pages_bytes() >= BIG_ARRAY)
        bytes += SIZE_2M;
    handoff.trampoline = memory_take(PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 0xa0000);
    handoff.kernel_start = memory_take(bytes, PAGE_SIZE, MIB, IDENTITY_END);
    if (!handoff.kernel_start)
        glue_fail(
            "too little memory: the kernel needs %lu KiB in one piece below 4 GiB", bytes / 1024);
    handoff.kernel_limit = handoff.kernel_start + bytes;
    next_free = handoff.kernel_start;
    memcpy(at(take(image, PAGE_SIZE)), kernel_load, image);
}

static u64 *table_below(u64 *entry)
{
    if (!(*entry & PTE_PRESENT)) {
        u64 table = take(PAGE_SIZE, PAGE_SIZE);
        memset(at(table), 0, PAGE_SIZE);
        *entry = table | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
    }
    return at(*entry & PTE_FRAME);
}

/* The entry for va at a level (1: 4 KiB, 2: 2 MiB, 3: 1 GiB), tables above it made. */
static u64 *entry_for(u64 va, u32 level)
{
    u64 *table = at(handoff.pml4);

    for (u32 l = 4; l > level; l--)
        table = table_below(&table[va >> (3 + 9 * l) & 511]);
    return &table[va >> (3 + 9 * level) & 511];
}

static bool fits(u64 va, u64 pa, u64 bytes, u64 size)
{
    return !((va | pa) & (size - 1)) && bytes >= size;
}

static void map(u64 va, u64 pa, u64 bytes, u64 flags)
{
    while (bytes) {
        u32 level = 1 + fits(va, pa, bytes, SIZE_2M);
        level += features.page1g && fits(va, pa, bytes, GIB);
        u64 size = 1ull << (3 + 9 * level);
        *entry_for(va, level) = pa | flags | (level > 1 ? PTE_LARGE : 0);
        va += size;
        pa += size;
        bytes -= size;
    }
}

/* The direct map of [base, end), read-only where [low, high) overlaps it. */
static void map_direct(u64 base, u64 end, u64 low, u64 high)
{
    if (high <= base || low >= end)
        low = high = end;
    low = low > base ? low : base;
    high = min_u64(high, end);
    map(DM_BASE + base, base, low - base, READ | PTE_WRITE | NX);
    map(DM_BASE + low, low, high - low, READ | NX);
    map(DM_BASE + high, high, end - high, READ | PTE_WRITE | NX);
}

static void map_image(void)
{
    u64 va = KERNEL_BASE + (u64)kernel_load, pa = handoff.kernel_start;
    u64 rodata = (u64)(kernel_load_rodata - kernel_load);
    u64 data = (u64)(kernel_load_data - kernel_load), end = (u64)(kernel_load_end - kernel_load);

    map(va, pa, rodata, READ);
    map(va + rodata, pa + rodata, data - rodata, READ | NX);
    map(va + data, pa + data, end - data, READ | PTE_WRITE | NX);
    for (u32 i = 0; i < handoff.range_count; i++) {
        const struct handoff_range *r = &handoff.ranges[i];
        if (r->type == MEM_USABLE)
            map_direct(r->base, r->base + r->length, pa, pa + data);
    }
}

static void map_devices(void)
{
    u64 flags = READ | PTE_WRITE | PTE_PWT | PTE_PCD | NX;

    handoff.lapic_base = rdmsr(0x1b) & PTE_FRAME; /* IA32_APIC_BASE */
    map(MMIO_BASE, handoff.lapic_base, PAGE_SIZE, flags);
    for (u32 i = 0; i < handoff.ioapic_count; i++)
        map(MMIO_BASE + PAGE_SIZE * (i + 1), PAGE_DOWN(handoff.ioapics[i].base), PAGE_SIZE, flags);
    for (u64 va = CPU_BASE; va < CPU_BASE + MAX_CPUS * CPU_STRIDE; va += SIZE_2M)
        entry_for(va, 1);
}

struct handoff *paging_build(void)
{
    if (features.nx)
        wrmsr(0xc0000080, rdmsr(0xc0000080) | 1 << 11); /* EFER.NXE */
    u64 copy = take(sizeof(handoff), PAGE_SIZE);
    u64 types = take(handoff.page_count, PAGE_SIZE);
    u64 pages = take(pages_bytes(), pages_bytes() >= BIG_ARRAY ? SIZE_2M : PAGE_SIZE);
    memset(at(types), 0, PAGE_UP(handoff.page_count));
    memset(at(pages), 0, PAGE_UP(pages_bytes()));

    handoff.pml4 = take(PAGE_SIZE, PAGE_SIZE);
    memset(at(handoff.pml4), 0, PAGE_SIZE);
    map_image();
    map(PTYPE_BASE, types, PAGE_UP(handoff.page_count), READ | PTE_WRITE | NX);
    map(PAGES_BASE, pages, PAGE_UP(pages_bytes()), READ | PTE_WRITE | NX);
    map_devices();
    memcpy(&glue_pml4[256], (u64 *)at(handoff.pml4) + 256, PAGE_SIZE / 2);

    handoff.kernel_end = next_free;
    if (next_free + 256 * 1024 + handoff.cpu_count * POOL_PER_CORE > handoff.kernel_limit)
        glue_fail("the kernel's run is too small");
    memcpy(at(copy), &handoff, sizeof(handoff));
    write_cr3((u64)glue_pml4);
    return (struct handoff *)(DM_BASE + copy);
}
