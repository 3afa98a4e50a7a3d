/* SPDX-License-Identifier: MIT */
/*
 * The vDSO's functions. They run as part of the program: on its stack, in the page before
 * LAYER_NATIVE, where a system call is the program's and a fault is its own. They may read the
 * layer's clock figures and nothing else, and call nothing outside this page.
 */
#include "layer.h"

#define VDSO __attribute__((section(".vdso"), used))
#define VDSO_INLINE static inline __attribute__((always_inline))

/* Named by vdso.S. */
int64_t vdso_clock_gettime(int32_t clock, struct linux_timespec *t);
int64_t vdso_clock_getres(int32_t clock, struct linux_timespec *t);
int64_t vdso_gettimeofday(int64_t *t, uint32_t *zone);
int64_t vdso_time(int64_t *t);
int64_t vdso_getcpu(uint32_t *cpu, uint32_t *node);

VDSO_INLINE int64_t system_call(uint64_t number, uint64_t a, uint64_t b)
{
    int64_t result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b)
                     : "rcx", "r11", "memory");
    return result;
}

VDSO_INLINE uint64_t clock_ns(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    unsigned __int128 ticks = ((uint64_t)hi << 32 | lo) - self.clock_base;
    return (uint64_t)(ticks * self.clock_mult >> self.clock_shift);
}

VDSO_INLINE bool clock_simple(int32_t clock, uint64_t *base)
{
    *base = clock == 0 || clock == 5 ? self.realtime_ns : 0;
    return (uint32_t)clock < 8 && (0xf3u >> clock & 1); /* not the CPU-time clocks */
}

VDSO int64_t vdso_clock_gettime(int32_t clock, struct linux_timespec *t)
{
    uint64_t base;
    if (!clock_simple(clock, &base))
        return system_call(228, (uint64_t)clock, (uint64_t)t);
    uint64_t ns = base + clock_ns();
    t->seconds = (int64_t)(ns / NS_PER_S);
    t->nanoseconds = (int64_t)(ns % NS_PER_S);
    return 0;
}

VDSO int64_t vdso_clock_getres(int32_t clock, struct linux_timespec *t)
{
    return system_call(229, (uint64_t)clock, (uint64_t)t);
}

VDSO int64_t vdso_gettimeofday(int64_t *t, uint32_t *zone)
{
    uint64_t ns = self.realtime_ns + clock_ns();
    if (t) {
        t[0] = (int64_t)(ns / NS_PER_S);
        t[1] = (int64_t)(ns % NS_PER_S / 1000);
    }
    if (zone)
        zone[0] = zone[1] = 0;
    return 0;
}

VDSO int64_t vdso_time(int64_t *t)
{
    int64_t seconds = (int64_t)((self.realtime_ns + clock_ns()) / NS_PER_S);
    if (t)
        *t = seconds;
    return seconds;
}

/* All threads of Linux processes run on the first core. */
VDSO int64_t vdso_getcpu(uint32_t *cpu, uint32_t *node)
{
    if (cpu)
        *cpu = 0;
    if (node)
        *node = 0;
    return 0;
}
