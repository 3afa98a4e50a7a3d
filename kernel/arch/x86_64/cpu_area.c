/* SPDX-License-Identifier: MIT */
/*
 * A core's area (layout.h): alias of the entry text, per-core data, stacks, TSS, GDT, IDT.
 *
 * Invariants: each page is mapped once here and is otherwise reachable only through the
 * direct map; the text alias is not writable, nothing else is executable; the IDT is
 * read-only; pages between the stacks are not mapped. The page tables of the window exist
 * already (the glue made them).
 *
 * Tables: Intel SDM volume 3, 3.4.5 (segments), 6.14.1 (gates), 8.7 (TSS).
 */
#include <arch/platform.h>
#include <arch/pte.h>
#include <arch/x86.h>

#define AREA(core) (CPU_BASE + (u64)(core)*CPU_STRIDE)
#define TSS_WORDS 26u
#define GDT_OFFSET 0x100u
#define GATE_INTERRUPT 0x8eull
#define GATE_USER 0xeeull /* the same, for int3 and into from user mode */
#define TEXT_PAGES 2u

extern u8 text_start[], entry_text_start[], entry_text_end[], vector_stubs[];

static u64 *leaf(const struct handoff *h, u64 va)
{
    const u64 *table = (const u64 *)(DM_BASE + h->pml4);

    for (u32 shift = 39; shift > 12; shift -= 9)
        table = (const u64 *)(DM_BASE + (table[va >> shift & 511] & PTE_FRAME));
    return (u64 *)&table[va >> 12 & 511];
}

static void map(const struct handoff *h, u64 va, u64 physical, u64 flags)
{
    *leaf(h, va) = physical | PTE_PRESENT | PTE_GLOBAL | PTE_ACCESSED | PTE_DIRTY | flags;
}

/* Maps a fresh page at va; returns its direct-map address. */
static u64 map_fresh(struct handoff *h, u64 va, u64 flags)
{
    u64 physical = boot_alloc(h, 1);

    map(h, va, physical, flags | (features.nx ? PTE_NX : 0));
    return DM_BASE + physical;
}

static void tss_set(u32 *tss, u32 word, u64 value)
{
    tss[word] = (u32)value;
    tss[word + 1] = (u32)(value >> 32);
}

static void tables_fill(u64 page, u64 area)
{
    u32 *tss = (u32 *)page;
    u64 *gdt = (u64 *)(page + GDT_OFFSET);
    u64 base = area + CPU_TABLES;

    tss_set(tss, 1, area + CPU_STACK_TOP); /* rsp0 */
    tss_set(tss, 9, area + CPU_IST_DB);
    tss_set(tss, 11, area + CPU_IST_NMI);
    tss_set(tss, 13, area + CPU_IST_DF);
    tss_set(tss, 15, area + CPU_IST_MC);
    tss[25] = TSS_WORDS * 4 << 16; /* I/O bitmap beyond the limit: none */

    gdt[SEL_KCODE / 8] = 0x00af9b000000ffff;
    gdt[SEL_KDATA / 8] = 0x00cf93000000ffff;
    gdt[SEL_UDATA / 8] = 0x00cff3000000ffff;
    gdt[SEL_UCODE / 8] = 0x00affb000000ffff;
    gdt[SEL_TSS / 8] =
        (TSS_WORDS * 4 - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[SEL_TSS / 8 + 1] = base >> 32;
}

static void idt_fill(u64 page, u64 area)
{
    static const u8 stacks[19] = {[1] = 1, [2] = 2, [8] = 3, [18] = 4}; /* IST */
    u64 stubs = area + CPU_TEXT + (u64)(vector_stubs - entry_text_start);
    u64 *idt = (u64 *)page;

    for (u64 v = 0; v < 256; v++) {
        u64 stub = stubs + (v < 32 ? 16 * v : 512 + 8 * (v - 32)); /* entry.S */
        u64 ist = v < sizeof(stacks) ? stacks[v] : 0;
        u64 type = v == 3 || v == 4 ? GATE_USER : GATE_INTERRUPT;
        idt[2 * v] = (stub & 0xffff) | SEL_KCODE << 16 | ist << 32 | type << 40 |
                     (stub >> 16 & 0xffff) << 48;
        idt[2 * v + 1] = stub >> 32;
    }
}

void cpu_area_create(u32 core, struct handoff *h)
{
    u64 area = AREA(core);
    u64 text = h->kernel_start + (u64)(entry_text_start - text_start);

    if (*leaf(h, area + CPU_DATA) & PTE_PRESENT)
        return; /* made before */
    for (u64 i = 0; i < TEXT_PAGES && i * PAGE_SIZE < (u64)(entry_text_end - entry_text_start); i++)
        map(h, area + CPU_TEXT + i * PAGE_SIZE, text + i * PAGE_SIZE, 0);
    map_fresh(h, area + CPU_DATA, PTE_WRITE);
    map_fresh(h, area + CPU_STACK, PTE_WRITE);
    map_fresh(h, area + CPU_STACK + PAGE_SIZE, PTE_WRITE);
    tables_fill(map_fresh(h, area + CPU_TABLES, PTE_WRITE), area);
    idt_fill(map_fresh(h, area + CPU_IDT, 0), area);
    map_fresh(h, area + CPU_IST_DB - PAGE_SIZE, PTE_WRITE);
    map_fresh(h, area + CPU_IST_NMI - PAGE_SIZE, PTE_WRITE);
    map_fresh(h, area + CPU_IST_DF - PAGE_SIZE, PTE_WRITE);
    map_fresh(h, area + CPU_IST_MC - PAGE_SIZE, PTE_WRITE);
}
