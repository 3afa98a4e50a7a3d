/* SPDX-License-Identifier: MIT */
/* Vector and debug registers of the running thread. Intel SDM volume 1, 13; volume 3, 17. */
#pragma once
#include <arch/platform.h>
#include <types.h>

static inline void fpu_save(u8 *area)
{
    u32 lo = (u32)features.xcr0, hi = (u32)(features.xcr0 >> 32);
    if (features.xsaveopt)
        __asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"(lo), "d"(hi) : "memory");
    else if (features.xsave)
        __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(lo), "d"(hi) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static inline void fpu_load(const u8 *area)
{
    u32 lo = (u32)features.xcr0, hi = (u32)(features.xcr0 >> 32);
    if (features.xsave)
        __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(lo), "d"(hi) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

/* From one thread's vector registers, FS and GS base to another's, where
 * features.quick_switch says that the processor has the instructions for it. */
struct fpu_area { u8 bytes[64]; }; /* and more: features.xsave_size */
static ALWAYS_INLINE void state_switch(u8 *from, u64 *from_fs, u64 *from_gs, const u8 *to,
                                       u64 to_fs, u64 to_gs)
{
    __asm__ volatile("rdfsbase %0; rdgsbase %1" : "=r"(*from_fs), "=r"(*from_gs));
    __asm__ volatile("wrfsbase %0; wrgsbase %1" ::"r"(to_fs), "r"(to_gs));
    /* all that xcr0 has */
    __asm__ volatile("xsaveopt64 %0; xrstor64 %1"
                     : "+m"(*(struct fpu_area *)from)
                     : "m"(*(const struct fpu_area *)to), "a"(-1), "d"(-1)
                     : "memory");
}

/* A fresh area: control words as after finit, everything else in its initial state. */
static inline void fpu_init(u8 *area)
{
    *(u16 *)area = 0x37f;          /* x87 control word */
    *(u32 *)(area + 24) = 0x1f80;  /* MXCSR */
}

static inline void debug_registers_clear(void)
{
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x400ul));
}

static inline void debug_registers_load(const u64 d[6])
{
    __asm__ volatile("mov %0, %%dr0" ::"r"(d[0]));
    __asm__ volatile("mov %0, %%dr1" ::"r"(d[1]));
    __asm__ volatile("mov %0, %%dr2" ::"r"(d[2]));
    __asm__ volatile("mov %0, %%dr3" ::"r"(d[3]));
    __asm__ volatile("mov %0, %%dr7" ::"r"(d[5]));
}
