/* SPDX-License-Identifier: MIT */
/*
 * The kernel clock: nanoseconds since boot, scaled from the TSC, which is taken to run at
 * one rate and to agree on all cores (CAVEATS).
 *
 * Scale: mult = 10^9 * 2^48 / hz, so that hz from 4 MHz on fits and the scale itself adds no
 * error worth naming. User programs read the same numbers and compute the same.
 */
#include <arch/apic.h>
#include <arch/platform.h>
#include <arch/x86.h>

#define NS_PER_S 1000000000ull
#define CLOCK_SHIFT 48u
#define TICKS_SHIFT 32u

struct clock_scale clock_scale;
static u64 tsc_per_ns, lapic_per_ns; /* shifted by TICKS_SHIFT */

void clock_init(const struct handoff *h)
{
    clock_scale.shift = CLOCK_SHIFT;
    clock_scale.mult =
        divide_128(NS_PER_S >> (64 - CLOCK_SHIFT), NS_PER_S << CLOCK_SHIFT, h->tsc_hz);
    clock_scale.tsc_hz = h->tsc_hz;
    clock_scale.base_tsc = rdtsc();
    tsc_per_ns = divide_128(0, h->tsc_hz << TICKS_SHIFT, NS_PER_S);
    lapic_per_ns = divide_128(0, h->lapic_timer_hz << TICKS_SHIFT, NS_PER_S);
}

u64 clock_ticks_ns(u64 tsc_ticks)
{
    return (u64)((unsigned __int128)tsc_ticks * clock_scale.mult >> CLOCK_SHIFT);
}

u64 clock_ns(void)
{
    return clock_ticks_ns(rdtsc() - clock_scale.base_tsc);
}

static u64 ticks(u64 ns, u64 per_ns)
{
    return (u64)((unsigned __int128)ns * per_ns >> TICKS_SHIFT) + 1;
}

u64 clock_tsc_ticks(u64 ns)
{
    return ticks(ns, tsc_per_ns);
}

u64 clock_lapic_ticks(u64 ns)
{
    return ticks(ns, lapic_per_ns);
}
