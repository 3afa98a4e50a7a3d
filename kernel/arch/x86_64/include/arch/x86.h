/* SPDX-License-Identifier: MIT */
/* x86_64 instructions behind names: the only inline assembly of the kernel.
 * Intel SDM volume 2. */
#pragma once
#include <types.h>

/* read_cr0(), write_cr0() and so on. */
#define CONTROL_REGISTER(name)                                                               \
    static ALWAYS_INLINE u64 read_##name(void)                                               \
    {                                                                                        \
        u64 v;                                                                               \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(v));                                   \
        return v;                                                                            \
    }                                                                                        \
    static ALWAYS_INLINE void write_##name(u64 v)                                            \
    {                                                                                        \
        __asm__ volatile("mov %0, %%" #name ::"r"(v) : "memory");                            \
    }
CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)
/* inb(), outb() and so on. */
#define PORT_ACCESS(size, type)                                                              \
    static ALWAYS_INLINE type in##size(u16 port)                                             \
    {                                                                                        \
        type v;                                                                              \
        __asm__ volatile("in" #size " %1, %0" : "=a"(v) : "Nd"(port));                       \
        return v;                                                                            \
    }                                                                                        \
    static ALWAYS_INLINE void out##size(u16 port, type v)                                    \
    {                                                                                        \
        __asm__ volatile("out" #size " %0, %1" ::"a"(v), "Nd"(port));                        \
    }
PORT_ACCESS(b, u8)
PORT_ACCESS(w, u16)
PORT_ACCESS(l, u32)
static inline u64 rdmsr(u32 msr)
{
    u32 lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (u64)hi << 32 | lo;
}
static inline void wrmsr(u32 msr, u64 v)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}
static ALWAYS_INLINE u64 rdtsc(void)
{
    u32 lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (u64)hi << 32 | lo;
}
static ALWAYS_INLINE u32 rdtsc_low(void)
{
    u32 lo;
    __asm__ volatile("rdtsc" : "=a"(lo)::"rdx");
    return lo;
}
static inline void cpuid(u32 leaf, u32 sub, u32 r[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "a"(leaf), "c"(sub));
}
static ALWAYS_INLINE void invlpg(u64 va)
{
    __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}
struct invpcid_descriptor { u64 pcid, va; };
static inline void invpcid(u64 type, u64 pcid, u64 va)
{
    struct invpcid_descriptor d = { pcid, va };
    __asm__ volatile("invpcid %0, %1" ::"m"(d), "r"(type) : "memory");
}
static inline void cpu_relax(void)
{
    __asm__ volatile("pause");
}
static inline void fill_words(void *to, u64 value, u64 words)
{
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(value) : "memory");
}
static inline void zero_page(void *page)
{
    fill_words(page, 0, 512);
}
static inline void copy_words(void *to, const void *from, u64 words)
{
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
}
static inline void copy_bytes(void *to, const void *from, u64 bytes)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
}
/* One writer at a time of a byte or counter: no locked instruction. Stores are not moved before
 * earlier accesses here (volume 3, 8.2.2), so they release what the writer did before. */
static ALWAYS_INLINE void increment_release(u32 *counter)
{
    __asm__ volatile("incl %0" : "+m"(*counter)::"memory");
}
static ALWAYS_INLINE void low_byte_release(u16 *word, u8 value)
{
    __asm__ volatile("movb %1, %0" : "+m"(*word) : "qi"(value) : "memory");
}
static ALWAYS_INLINE void high_byte_release(u16 *word, u8 value)
{
    __asm__ volatile("movb %1, 1+%0" : "+m"(*word) : "qi"(value) : "memory");
}
static ALWAYS_INLINE u32 mmio_read32(u64 va)
{
    return *(volatile u32 *)va;
}
static ALWAYS_INLINE void mmio_write32(u64 va, u32 v)
{
    *(volatile u32 *)va = v;
}
struct table_pointer { u16 limit; u64 base; } __attribute__((packed));
static inline void load_gdt(u64 base, u32 bytes)
{
    struct table_pointer p = { (u16)(bytes - 1), base };
    __asm__ volatile("lgdt %0" ::"m"(p));
}
static inline void load_idt(u64 base, u32 bytes)
{
    struct table_pointer p = { (u16)(bytes - 1), base };
    __asm__ volatile("lidt %0" ::"m"(p));
}
static inline void load_tss(u16 selector)
{
    __asm__ volatile("ltr %0" ::"r"(selector));
}
/* FS and GS become null, which clears their bases too on some processors. */
static inline void load_segments(u64 code, u32 data)
{
    __asm__ volatile("push %0; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:\n\t"
                     "mov %1, %%ds; mov %1, %%es; mov %1, %%ss\n\t"
                     "xor %%eax, %%eax; mov %%eax, %%fs; mov %%eax, %%gs"
                     ::"r"(code), "r"(data) : "rax", "memory");
}
static inline void write_xcr0(u64 v)
{
    __asm__ volatile("xsetbv" ::"c"(0), "a"((u32)v), "d"((u32)(v >> 32)));
}
static inline void fpu_reset(void)
{
    u32 mxcsr = 0x1f80;
    __asm__ volatile("fninit; ldmxcsr %0" ::"m"(mxcsr));
}
static inline void write_debug_control(u64 v)
{
    __asm__ volatile("mov %0, %%dr7" ::"r"(v));
}
static inline void cpu_halt(void)
{
    __asm__ volatile("cli; hlt");
}
/* (high << 64 | low) / divisor; high must be below divisor. */
static inline u64 divide_128(u64 high, u64 low, u64 divisor)
{
    u64 quotient, rest;
    __asm__("divq %4" : "=a"(quotient), "=d"(rest) : "a"(low), "d"(high), "r"(divisor));
    return quotient;
}
