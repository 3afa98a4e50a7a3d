// SPDX-License-Identifier: MIT
/*
 * The frequencies of the TSC and of the local APIC's timer, measured against the best clock
 * there is: HPET, ACPI PM timer or PIT channel 2.
 *
 * A clock that does not move is passed over. Every wait is bounded. The timer stays masked
 * and ends stopped.
 */
#include "glue.h"
#include <arch/apic.h>

enum { CLOCK_HPET = 1, CLOCK_PM, CLOCK_PIT };
enum { SAMPLES = 8, READS_MAX = 2000000 };

struct clock {
    u32 source, hz, mask;
};
struct sample {
    u64 tsc, spread;
    u32 lapic, clock;
};

/* IA-PC HPET specification 1.0a, 2.3: capabilities, configuration, main counter. */
static u32 hpet_start(void)
{
    if (!acpi_hpet || acpi_hpet >= IDENTITY_END - PAGE_SIZE)
        return 0;
    u32 period_fs = mmio_read32(acpi_hpet + 4);
    if (!period_fs || period_fs > 100000000)
        return 0;
    mmio_write32(acpi_hpet + 0x10, mmio_read32(acpi_hpet + 0x10) | 1);
    return (u32)(1000000000000000ull / period_fs);
}

/* Intel 8254, channel 2, mode 0, counting down from 65535; gate on, speaker off. */
static void pit_start(void)
{
    outb(0x61, (inb(0x61) & 0xfc) | 1);
    outb(0x43, 0xb0);
    outb(0x42, 0xff);
    outb(0x42, 0xff);
}

static u32 clock_read(u32 source)
{
    if (source == CLOCK_HPET)
        return mmio_read32(acpi_hpet + 0xf0);
    if (source == CLOCK_PM)
        return inl((u16)acpi_pm_timer);
    outb(0x43, 0x80); /* latch */
    u32 low = inb(0x42);
    return 0xffff - (low | (u32)inb(0x42) << 8);
}

/* The three counters at one moment: the reading least disturbed of several. */
static struct sample sample(u32 source)
{
    struct sample best = {.spread = ~0ull};

    for (u32 i = 0; i < SAMPLES; i++) {
        struct sample s;
        s.tsc = rdtsc();
        s.clock = clock_read(source);
        s.lapic = apic_read(APIC_CURRENT);
        s.spread = rdtsc() - s.tsc;
        if (s.spread < best.spread)
            best = s;
    }
    return best;
}

/* Measures for a fiftieth of a second. False if the clock does not advance that far. */
static bool measure(struct handoff *h, struct clock clock)
{
    u32 reads = 0, passed;

    if (!clock.hz)
        return false;
    apic_write(APIC_COUNT, 0xffffffff);
    struct sample a = sample(clock.source);
    do
        passed = (clock_read(clock.source) - a.clock) & clock.mask;
    while (passed < clock.hz / 50 && ++reads < READS_MAX);
    if (reads == READS_MAX)
        return false;
    struct sample b = sample(clock.source);
    passed = (b.clock - a.clock) & clock.mask;
    h->tsc_hz = (b.tsc - a.tsc) * clock.hz / passed;
    h->lapic_timer_hz = (u64)(a.lapic - b.lapic) * clock.hz / passed;
    h->clock_source = clock.source;
    return h->tsc_hz && h->lapic_timer_hz;
}

void calibrate(struct handoff *h)
{
    struct clock hpet = {CLOCK_HPET, hpet_start(), 0xffffffff};
    struct clock pm = {CLOCK_PM, acpi_pm_timer ? 3579545 : 0, 0xffffff};
    struct clock pit = {CLOCK_PIT, 1193182, 0xffff};

    lapic_init(0);
    apic_write(APIC_LVT_TIMER, LVT_MASKED); /* counting, whatever the kernel will use */
    if (!measure(h, hpet) && !measure(h, pm)) {
        pit_start();
        if (!measure(h, pit))
            glue_fail("no clock to calibrate against: HPET, PM timer and PIT stand still");
    }
    apic_write(APIC_COUNT, 0);
}
