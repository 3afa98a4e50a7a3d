/* SPDX-License-Identifier: MIT */
/*
 * Boot: from the glue's handoff to the first program, on all cores.
 *
 * Page types are set from the memory map; the machine region owns every page; the first
 * program gets capabilities to all there is (abi/contract.h, BOOT_*). After boot nothing is
 * allocated by the kernel any more.
 */
#include <arch/platform.h>
#include <arch/pte.h>
#include <arch/x86.h>
#include <kernel.h>

#define ROOT_PRIORITY 32u
#define ROOT_TABLE_PAIRS 16u

u64 kernel_pml4;
static struct thread *root_thread;

extern void core_start(void);
struct thread *core_loop(void);
void kernel_main(struct handoff *h);

static u64 core_entry(u32 core, void (*label)(void))
{
    extern char entry_text_start[];
    return CPU_BASE + (u64)core * CPU_STRIDE + ((u64)label - (u64)entry_text_start);
}

static void NORETURN core_run(u32 core)
{
    __asm__ volatile("jmp *%0" ::"r"(core_entry(core, core_start)));
    __builtin_unreachable();
}

/* First C code on a core's own stack. */
struct thread *core_loop(void)
{
    lapic_init(cpu_self()->core);
    return schedule(cpu_self());
}

void ap_main(u32 core)
{
    struct cpu *cpu = cpu_of(core);
    cpu->online = 1;
    __atomic_store_n(&cpu->seen, __atomic_load_n(&epoch, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
    while (!__atomic_load_n(&root_thread, __ATOMIC_ACQUIRE))
        cpu_relax();
    core_run(core);
}

static void cpu_setup(u32 core, struct handoff *h)
{
    cpu_area_create(core, h);
    struct cpu *cpu = cpu_of(core);
    cpu->core = core;
    cpu->core8 = core * 8ull;
    cpu->frame = &nil_frame;
    cpu->armed_ns = UINT64_MAX;
    cpu->attention = ATTENTION_TIMER | (features.quick_switch ? 0 : ATTENTION_PROCESSOR);
    cpu->seen = 1;
    cpu->wheel = (struct wheel *)(DM_BASE + boot_alloc(h, 1));
    cpu->trace = (struct trace_entry *)(DM_BASE + boot_alloc(h, 1));
}

static void pages_type(u64 base, u64 length, u8 type)
{
    u64 end = min_u64((base + length) >> PAGE_SHIFT, page_count);
    for (u64 pfn = base >> PAGE_SHIFT; pfn < end; pfn++)
        *page_type_of((u32)pfn) = type;
}

static void pages_init(const struct handoff *h)
{
    for (u32 i = 0; i < h->range_count; i++)
        if (h->ranges[i].type == MEM_USABLE) {
            u64 base = (h->ranges[i].base + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
            u64 end = (h->ranges[i].base + h->ranges[i].length) & ~(PAGE_SIZE - 1);
            if (end > base)
                pages_type(base, end - base, PT_FREE);
        }
    pages_type(h->kernel_start, h->kernel_limit - h->kernel_start, PT_KERNEL);
    pages_type(0, PAGE_SIZE, PT_KERNEL);
    pages_type(h->trampoline, PAGE_SIZE, PT_KERNEL);
}

/* Memory for the first objects: kernel pages, of which no region is the owner. */
static void *boot_object(struct handoff *h, u64 pages, u8 type)
{
    u64 at = boot_alloc(h, pages);
    pages_type(at, PAGE_SIZE, type);
    return (void *)(DM_BASE + at);
}

static void *boot_small(struct handoff *h, u8 type)
{
    u64 *o = boot_object(h, 1, type);
    o[0] = generation_new();
    return o;
}

static void root_tables(struct space *s, struct handoff *h)
{
    for (u32 i = 0; i < ROOT_TABLE_PAIRS; i++) {
        u64 at = boot_alloc(h, 1);
        if (at >> PAGE_SHIFT & 1)
            at = boot_alloc(h, 1);
        (void)boot_alloc(h, 1);
        space_give_table(s, (u32)(at >> PAGE_SHIFT));
    }
}

static void root_map(struct space *s, u64 va, u64 phys, u64 pages, u64 flags)
{
    for (u64 i = 0; i < pages; i++)
        if (!space_map_boot(s, va + i * PAGE_SIZE, (u32)(phys >> PAGE_SHIFT) + (u32)i, flags))
            panic("boot: the first program is too large to map");
}

static void bootinfo_fill(struct pith_bootinfo *b, const struct handoff *h)
{
    b->magic = BOOTINFO_MAGIC;
    b->version = BOOTINFO_VERSION;
    b->size = sizeof *b;
    b->cores = cpu_count;
    b->page_count = page_count;
    b->rsdp = h->rsdp;
    b->tsc_hz = h->tsc_hz;
    b->clock_mult = clock_scale.mult;
    b->clock_shift = clock_scale.shift;
    b->clock_base = clock_scale.base_tsc;
    b->features = (features.pcid ? FEATURE_PCID : 0) | (features.fsgsbase ? FEATURE_FSGSBASE : 0) |
                  (features.xsave ? FEATURE_XSAVE : 0) | (features.nx ? FEATURE_NX : 0) |
                  (features.smap ? FEATURE_SMAP : 0) | (features.x2apic ? FEATURE_X2APIC : 0);
    for (u32 i = 0; i < h->module_count; i++) {
        b->modules[i].base = h->modules[i].base;
        b->modules[i].length = h->modules[i].length;
        for (u32 c = 0; c < sizeof b->modules[i].name - 1; c++)
            b->modules[i].name[c] = h->modules[i].name[c];
    }
    b->module_count = h->module_count;
    for (u32 i = 0; i < sizeof b->command_line - 1 && h->cmdline[i]; i++)
        b->command_line[i] = h->cmdline[i];
    u32 n = 0;
    for (u32 i = 0; i < h->range_count && n < ARRAY_LEN(b->ranges); i++)
        b->ranges[n++] = (struct pith_boot_range){ h->ranges[i].base >> PAGE_SHIFT,
                                                   h->ranges[i].length >> PAGE_SHIFT,
                                                   h->ranges[i].type };
    b->range_count = n;
}

/* The longest run of free pages, past all modules' pages. */
static void bootinfo_free(struct pith_bootinfo *b)
{
    u64 start = 0;
    for (u64 pfn = 0; pfn <= page_count; pfn++) {
        bool free = pfn < page_count && *page_type_of((u32)pfn) == PT_FREE;
        for (u32 i = 0; free && i < b->module_count; i++)
            free = pfn < b->modules[i].base >> PAGE_SHIFT ||
                   pfn >= (b->modules[i].base + b->modules[i].length + PAGE_SIZE - 1) >> PAGE_SHIFT;
        if (free)
            continue;
        if (pfn - start > b->free_count) {
            b->free_first = start;
            b->free_count = pfn - start;
        }
        start = pfn + 1;
    }
}

static void root_create(struct handoff *h)
{
    struct region *machine = boot_small(h, PT_REGION);
    machine->count = (u32)page_count;
    u64 at = boot_alloc(h, 1);
    if (at >> PAGE_SHIFT & 1)
        at = boot_alloc(h, 1);
    (void)boot_alloc(h, 1);
    struct space *s = (struct space *)(DM_BASE + at);
    pages_type(at, PAGE_SIZE, PT_SPACE);
    pages_type(at + PAGE_SIZE, PAGE_SIZE, PT_PML4);
    space_init(s, kernel_pml4);
    struct slot *slots = boot_object(h, 1, PT_CAPS);
    for (u32 i = 0; i < SLOTS_PER_PAGE; i++)
        slots[i].w0 = CAP_NIL;
    page_of(frame_of(slots))->parent = frame_of(s);
    s->capdir[0] = slots;
    root_tables(s, h);

    struct time *time = boot_small(h, PT_TIME);
    time->cores = cpu_count == 64 ? UINT64_MAX : (1ull << cpu_count) - 1;
    time->priority_max = PRIORITIES - 1;
    struct io *ports = boot_small(h, PT_IO), *memory = boot_small(h, PT_IO);
    ports->kind = IO_PORTS;
    ports->count = 0x10000;
    memory->kind = IO_MEMORY;
    memory->count = 1ull << 40;
    struct control *control = boot_small(h, PT_CONTROL);
    struct thread *t = boot_object(h, 1, PT_THREAD);
    thread_init(t, s);
    void *info = boot_object(h, 2, PT_FRAME);
    pages_type((u64)info - DM_BASE, 2 * PAGE_SIZE, PT_FRAME);
    _Static_assert(sizeof(struct pith_bootinfo) <= 2 * PAGE_SIZE, "two pages");

    slot_fill(s, BOOT_REGION, machine, PT_REGION, RIGHT_ALL, machine->gen);
    slot_fill(s, BOOT_SPACE, s, PT_SPACE, RIGHT_ALL, s->gen);
    slot_fill(s, BOOT_TIME, time, PT_TIME, RIGHT_ALL, time->gen);
    slot_fill(s, BOOT_PORTS, ports, PT_IO, RIGHT_ALL, ports->gen);
    slot_fill(s, BOOT_MEMORY, memory, PT_IO, RIGHT_ALL, memory->gen);
    slot_fill(s, BOOT_CONTROL, control, PT_CONTROL, RIGHT_ALL, control->gen);
    slot_fill(s, BOOT_THREAD, t, PT_THREAD, RIGHT_ALL, t->gen);

    for (u32 i = 0; i < h->segment_count; i++) {
        const struct handoff_segment *g = &h->segments[i];
        pages_type(g->phys, g->pages * PAGE_SIZE, PT_FRAME);
        root_map(s, g->vaddr, g->phys, g->pages,
                 (g->writable ? PTE_WRITE : 0) | (g->executable || !features.nx ? 0 : PTE_NX));
    }
    root_map(s, BOOTINFO_ADDRESS, (u64)info - DM_BASE, 2, features.nx ? PTE_NX : 0);

    /* What boot_alloc has left goes to the machine region. */
    pages_type(h->kernel_end, h->kernel_limit - h->kernel_end, PT_FREE);
    for (u32 pfn = 1; pfn < page_count; pfn++) {
        u8 type = *page_type_of(pfn);
        if (type == PT_FREE || (type == PT_FRAME && pfn != frame_of(info))) {
            page_of(pfn)->owner = small_ref(machine);
            machine->owned++;
        }
    }
    bootinfo_fill(info, h);
    bootinfo_free(info);

    t->base.rip = h->root_entry;
    t->core = 0;
    t->priority = ROOT_PRIORITY;
    thread_bind(t, time);
    thread_ready(t);
    __atomic_store_n(&root_thread, t, __ATOMIC_RELEASE);
}

void kernel_main(struct handoff *h)
{
    features_init();
    map_init();
    console_init();
    page_count = h->page_count;
    kernel_pml4 = h->pml4;
    nil_frame.cr3 = kernel_pml4;
    empty_caps = (struct slot *)(DM_BASE + boot_alloc(h, 1));
    for (u32 i = 0; i < SLOTS_PER_PAGE; i++)
        empty_caps[i].w0 = CAP_NIL;
    for (u32 i = 0; i < h->cpu_count; i++)
        cpu_setup(i, h);
    cpu_init(0);
    cpu_of(0)->online = 1;
    lapic_init(0);
    ioapic_init(h);
    clock_init(h);
    schedule_init();
    trace_on = trace_loud = h->trace;
    if (!features.meltdown_safe)
        console_puts("[kernel] this processor may leak memory to user programs (Meltdown)\n");
    pages_init(h);
    cpu_count = smp_start(h);
    root_create(h);
    core_run(0);
}
