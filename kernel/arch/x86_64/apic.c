/* SPDX-License-Identifier: MIT */
/*
 * Local APICs: interrupts between cores, and each core's one-shot timer.
 *
 * x2APIC mode (MSRs) where CPUID offers it, else registers at MMIO_BASE; physical
 * destinations always. The timer is armed by TSC deadline where there is one, else by count
 * at divide-by-1. Intel SDM volume 3, chapter 10.
 *
 * Identifiers are at most 254 (the glue leaves others out), so that MSI and IO-APICs can
 * address every core.
 */
#include <arch/apic.h>
#include <arch/platform.h>
#include <arch/x86.h>

#define MSR_APIC_BASE 0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
#define BASE_X2APIC 0x400u
#define BASE_ENABLED 0x800u

#define COMMAND_BUSY 0x1000u
#define SPURIOUS_ENABLE 0x100u
#define DIVIDE_BY_1 0xbu

/* Longest interval handed to the hardware: it fires early, and is armed again. */
#define INTERVAL_MAX_NS (1ull << 40)

static u32 apic_ids[MAX_CPUS];

u32 apic_read(u32 reg)
{
    return features.x2apic ? (u32)rdmsr(0x800 + reg / 16) : mmio_read32(MMIO_BASE + reg);
}

void apic_write(u32 reg, u32 value)
{
    if (features.x2apic)
        wrmsr(0x800 + reg / 16, value);
    else
        mmio_write32(MMIO_BASE + reg, value);
}

void apic_id_set(u32 core, u32 id)
{
    apic_ids[core] = id;
}

u32 apic_id_of(u32 core)
{
    return apic_ids[core];
}

void lapic_init(u32 core)
{
    u64 base = rdmsr(MSR_APIC_BASE) | BASE_ENABLED;

    wrmsr(MSR_APIC_BASE, base); /* off to x2APIC in one step is not allowed */
    if (features.x2apic)
        wrmsr(MSR_APIC_BASE, base | BASE_X2APIC);
    apic_ids[core] = features.x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
    apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VEC_SPURIOUS);
    apic_write(APIC_PRIORITY, 0);
    u32 lvt_max = apic_read(APIC_VERSION) >> 16 & 0xff;
    apic_write(APIC_LVT_LINT0, LVT_MASKED);
    apic_write(APIC_LVT_LINT1, LVT_MASKED);
    apic_write(APIC_LVT_ERROR, LVT_MASKED | VEC_SPURIOUS);
    if (lvt_max >= 4)
        apic_write(APIC_LVT_COUNTERS, LVT_MASKED);
    if (lvt_max >= 5)
        apic_write(APIC_LVT_THERMAL, LVT_MASKED);
    if (lvt_max >= 6)
        apic_write(APIC_LVT_CMCI, LVT_MASKED);
    apic_write(APIC_ERROR, 0);
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_COUNT, 0);
    apic_write(APIC_LVT_TIMER, (features.tsc_deadline ? LVT_DEADLINE : 0) | VEC_TIMER);
    /* the write above must be seen before the first deadline (10.5.4.1) */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void apic_command(u32 id, u32 command)
{
    if (features.x2apic) {
        /* MSR writes here do not wait for earlier stores to be visible */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        wrmsr(0x800 + APIC_COMMAND / 16, (u64)id << 32 | command);
        return;
    }
    for (u32 i = 0; i < 10000 && apic_read(APIC_COMMAND) & COMMAND_BUSY; i++)
        cpu_relax();
    apic_write(APIC_COMMAND_HIGH, id << 24);
    apic_write(APIC_COMMAND, command);
}

void ipi_send(u32 core, u8 vector)
{
    apic_command(apic_ids[core], APIC_COMMAND_FIXED | vector);
}

/* One by one: a core that was left out at boot has no IDT and must not get one. */
void ipi_panic_all(void)
{
    u32 self = features.x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;

    for (u32 core = 0; core < smp_cores; core++) {
        if (apic_ids[core] != self)
            apic_command(apic_ids[core], APIC_COMMAND_NMI);
    }
}

void timer_arm(u64 deadline_ns)
{
    if (deadline_ns == UINT64_MAX) {
        if (features.tsc_deadline)
            wrmsr(MSR_TSC_DEADLINE, 0);
        else
            apic_write(APIC_COUNT, 0);
        return;
    }
    u64 now = clock_ns();
    u64 interval = deadline_ns > now ? min_u64(deadline_ns - now, INTERVAL_MAX_NS) : 0;
    if (features.tsc_deadline)
        wrmsr(MSR_TSC_DEADLINE, rdtsc() + clock_tsc_ticks(interval));
    else
        apic_write(APIC_COUNT, (u32)min_u64(clock_lapic_ticks(interval), UINT32_MAX));
}

void msi_message(u32 core, u8 vector, u64 *address, u32 *data)
{
    *address = 0xfee00000 | (u64)apic_ids[core] << 12;
    *data = vector;
}
