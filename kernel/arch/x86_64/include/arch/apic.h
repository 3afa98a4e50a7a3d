/* SPDX-License-Identifier: MIT */
/* Local APIC access for the platform's own files and the boot glue; the rest of the kernel
 * uses platform.h. Registers: Intel SDM volume 3, 10.4. */
#pragma once
#include <types.h>

#define APIC_ID 0x20u
#define APIC_VERSION 0x30u
#define APIC_PRIORITY 0x80u
#define APIC_EOI 0xb0u
#define APIC_SPURIOUS 0xf0u
#define APIC_ERROR 0x280u
#define APIC_LVT_CMCI 0x2f0u
#define APIC_COMMAND 0x300u
#define APIC_COMMAND_HIGH 0x310u
#define APIC_LVT_TIMER 0x320u
#define APIC_LVT_THERMAL 0x330u
#define APIC_LVT_COUNTERS 0x340u
#define APIC_LVT_LINT0 0x350u
#define APIC_LVT_LINT1 0x360u
#define APIC_LVT_ERROR 0x370u
#define APIC_COUNT 0x380u
#define APIC_CURRENT 0x390u
#define APIC_DIVIDE 0x3e0u
#define LVT_MASKED 0x10000u
#define LVT_DEADLINE 0x40000u

#define APIC_COMMAND_FIXED 0x4000u
#define APIC_COMMAND_NMI 0x4400u
#define APIC_COMMAND_INIT 0x4500u
#define APIC_COMMAND_STARTUP 0x4600u

u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 value);
void apic_command(u32 id, u32 command);     /* to one APIC, physical destination */
void apic_id_set(u32 core, u32 id);
u32 apic_id_of(u32 core);

extern u32 smp_cores;                       /* cores running, numbered 0..smp_cores-1 */

/* Ticks that cover an interval of at most 2^40 ns, rounded up; at least 1. */
u64 clock_lapic_ticks(u64 ns);
