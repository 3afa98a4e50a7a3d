/* SPDX-License-Identifier: MIT */
/*
 * The platform seam: processors, interrupt controllers, timer, clock, console.
 * Everything here runs with interrupts off. All functions are bounded.
 */
#pragma once
#include <arch/x86.h>
#include <handoff.h>
#include <stdarg.h>
#include <types.h>

/* What the processor offers; filled by features_init() before anything else runs. */
struct features {
    bool nx, smep, smap, umip, pcid, invpcid, fsgsbase, xsave, xsaveopt, x2apic, page1g;
    bool invariant_tsc, pku, tsc_deadline, mce, pge;
    bool quick_switch;   /* fsgsbase, xsave and xsaveopt: see fpu.h */
    /* pcid means usable: only together with invpcid */
    u64 xcr0;            /* enabled components, 0 without xsave */
    u32 xsave_size;      /* bytes of a thread's FPU area, at most 2752 */
    bool meltdown_safe;  /* RDCL_NO or a vendor known immune */
};
extern struct features features;

/* Reads CPUID. Panics with one clear line when a needed feature is absent. */
void features_init(void);
/* Builds core's area at CPU_BASE from fresh pages; core's GDT, TSS, IDT filled. */
void cpu_area_create(u32 core, struct handoff *h);
/* Loads control registers, MSRs, GDT, TSS, IDT and XCR0 of the calling core. */
void cpu_init(u32 core);

/* Takes pages from the handoff's boot run; panics when it is exhausted. Zeroed.
 * Returns the physical address. Only before boot ends. */
u64 boot_alloc(struct handoff *h, u64 pages);

void lapic_init(u32 core);                  /* each core; software-enables, masks LVTs */
static ALWAYS_INLINE void lapic_eoi(void)
{
    if (features.x2apic)
        wrmsr(0x80b, 0);
    else
        mmio_write32(MMIO_BASE + 0xb0, 0);
}
void ipi_send(u32 core, u8 vector);         /* fixed delivery; never waits for the answer */
void ipi_panic_all(void);                   /* NMI to every other core, to stop them */

/* One-shot timer of this core: interrupt VEC_TIMER at or soon after deadline_ns
 * (absolute, clock_ns() scale); UINT64_MAX disarms. A past deadline fires at once. */
void timer_arm(u64 deadline_ns);

void clock_init(const struct handoff *h);
u64 clock_ns(void);                         /* since boot, monotonic on all cores */
u64 clock_ticks_ns(u64 tsc_ticks);
u64 clock_tsc_ticks(u64 ns);                /* one more, never too few */
struct clock_scale { u64 mult; u32 shift; u32 pad; u64 base_tsc; u64 tsc_hz; };
extern struct clock_scale clock_scale;      /* ns = (tsc - base) * mult >> shift, 128 bit */

/* IO-APIC lines. gsi is checked by ioapic_valid. Routing leaves the line masked. */
void ioapic_init(const struct handoff *h);
bool ioapic_valid(u32 gsi);
struct line { u64 va; u32 reg, word; }; /* where a routed line's register is, and its value */
struct line ioapic_route(u32 gsi, u8 vector, u32 core, bool level, bool low);
#define LINE_MASKED 0x10000u
static ALWAYS_INLINE void line_mask(const struct line *line, bool masked)
{
    struct line l = *line;
    mmio_write32(l.va, l.reg);
    mmio_write32(l.va + 0x10, l.word | (masked ? LINE_MASKED : 0));
}
/* Address and data a device must write for vector on core (MSI). */
void msi_message(u32 core, u8 vector, u64 *address, u32 *data);

/* Starts the other cores; each ends in ap_main(core). Waits a bounded time at boot,
 * returns the number of cores that came up. A core that did not come up is left out. */
u32 smp_start(struct handoff *h);
void ap_main(u32 core) NORETURN;            /* supplied by the kernel core */

void console_init(void);                    /* COM1, 115200, polled */
void console_putc(char c);
void console_puts(const char *s);
void console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void console_vprintf(const char *format, va_list *arguments);
void debug_exit(u32 value);                 /* QEMU isa-debug-exit at 0x501; returns if absent */
void halt_forever(void) NORETURN;
