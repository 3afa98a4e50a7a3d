/* SPDX-License-Identifier: MIT */
/*
 * Starting the other cores (Intel SDM volume 3, 8.4.4: INIT, SIPI, SIPI), all at once.
 *
 * A core that arrives waits in trampoline.S, without a stack, until it gets its number.
 * Numbers go to those that arrived in time, in the handoff's order, without gaps; one that
 * arrives later is parked for good. The page tables it comes through (the template plus the
 * trampoline's page, read-only and executable) are used by nobody else.
 */
#include <arch/apic.h>
#include <arch/platform.h>
#include <arch/pte.h>
#include <arch/x86.h>

#define LEAVE 0xffu
#define RETRY_MS 50u
#define TIMEOUT_MS 5000u
#define EFER_LME 0x100u
#define EFER_NXE 0x800u

extern const u8 trampoline_start[], trampoline_end[], trampoline_long[], trampoline_gdt[];
extern const u8 trampoline_gdt_pointer[], trampoline_jump[], trampoline_cr3[], trampoline_efer[];
extern const u8 trampoline_cores[];
void ap_start(u32 core) NORETURN;

u32 smp_cores = 1;
u64 smp_pml4;              /* read by trampoline.S, as the next two */
u8 smp_arrived[MAX_CPUS];  /* written by the arriving core */
u8 smp_assigned[MAX_CPUS]; /* written by the first core: number + 1 or LEAVE */

static u64 *view(u64 physical)
{
    return (u64 *)(DM_BASE + physical);
}

/* The template plus one page; the tables are pages that stay the kernel's. */
static u64 tables_make(struct handoff *h)
{
    u64 pages = boot_alloc(h, 4), page = h->trampoline;
    u64 table = PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;

    copy_words(view(pages), view(h->pml4), 512);
    view(pages)[0] = (pages + PAGE_SIZE) | table;
    view(pages + PAGE_SIZE)[0] = (pages + 2 * PAGE_SIZE) | table;
    view(pages + 2 * PAGE_SIZE)[0] = (pages + 3 * PAGE_SIZE) | table;
    view(pages + 3 * PAGE_SIZE)[page >> PAGE_SHIFT] = page | PTE_PRESENT | PTE_ACCESSED;
    return pages;
}

/* Stores a parameter into the copy of the blob. */
static void parameter_set(u64 copy, const u8 *label, u32 value)
{
    copy_bytes((void *)(copy + (u64)(label - trampoline_start)), &value, sizeof(value));
}

static void trampoline_prepare(struct handoff *h)
{
    u64 copy = DM_BASE + h->trampoline, page = h->trampoline;
    u8 *cores = (u8 *)(copy + (u64)(trampoline_cores - trampoline_start));

    copy_bytes((void *)copy, trampoline_start, (u64)(trampoline_end - trampoline_start));
    parameter_set(
        copy, trampoline_gdt_pointer + 2, (u32)(page + (u64)(trampoline_gdt - trampoline_start)));
    parameter_set(copy, trampoline_jump, (u32)(page + (u64)(trampoline_long - trampoline_start)));
    parameter_set(copy, trampoline_cr3, (u32)tables_make(h));
    parameter_set(copy, trampoline_efer, EFER_LME | (features.nx ? EFER_NXE : 0));
    for (u32 i = 1; i < h->cpu_count; i++)
        cores[h->apic_ids[i]] = (u8)i;
}

static u32 arrived(const struct handoff *h)
{
    u32 count = 0;

    for (u32 i = 1; i < h->cpu_count; i++)
        count += __atomic_load_n(&smp_arrived[i], __ATOMIC_ACQUIRE);
    return count;
}

/* Waits until all have arrived or the time is over; at boot only. */
static bool arrived_all(const struct handoff *h, u64 timeout_ms)
{
    u64 start = rdtsc();

    while (arrived(h) + 1 < h->cpu_count) {
        if (rdtsc() - start > h->tsc_hz / 1000 * timeout_ms)
            return false;
        cpu_relax();
    }
    return true;
}

static void command_missing(const struct handoff *h, u32 command)
{
    for (u32 i = 1; i < h->cpu_count; i++) {
        if (!__atomic_load_n(&smp_arrived[i], __ATOMIC_ACQUIRE))
            apic_command(h->apic_ids[i], command);
    }
}

/* Gives numbers to those that arrived and lets them go. */
static u32 numbers_assign(struct handoff *h)
{
    u32 count = h->cpu_count;

    smp_cores = 1;
    for (u32 i = 1; i < count; i++) {
        u32 core = smp_cores;
        if (!__atomic_load_n(&smp_arrived[i], __ATOMIC_ACQUIRE)) {
            __atomic_store_n(&smp_assigned[i], LEAVE, __ATOMIC_RELEASE);
            continue;
        }
        h->apic_ids[core] = h->apic_ids[i];
        apic_id_set(core, h->apic_ids[core]);
        cpu_area_create(core, h);
        smp_cores++;
        /* pairs with the wait in trampoline.S: the area is complete */
        __atomic_store_n(&smp_assigned[i], (u8)(core + 1), __ATOMIC_RELEASE);
    }
    h->cpu_count = smp_cores;
    return smp_cores;
}

u32 smp_start(struct handoff *h)
{
    smp_pml4 = h->pml4;
    if (!h->trampoline)
        h->cpu_count = 1;
    if (h->cpu_count == 1)
        return 1;
    trampoline_prepare(h);
    command_missing(h, APIC_COMMAND_INIT);
    arrived_all(h, 10);
    command_missing(h, APIC_COMMAND_STARTUP | (u32)(h->trampoline >> PAGE_SHIFT));
    if (!arrived_all(h, RETRY_MS)) {
        command_missing(h, APIC_COMMAND_STARTUP | (u32)(h->trampoline >> PAGE_SHIFT));
        arrived_all(h, TIMEOUT_MS);
    }
    return numbers_assign(h);
}

void ap_start(u32 core)
{
    cpu_init(core);
    ap_main(core);
}
