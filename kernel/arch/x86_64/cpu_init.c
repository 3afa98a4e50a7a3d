/* SPDX-License-Identifier: MIT */
/*
 * Brings the calling core into the state the kernel runs in: control registers, MSRs,
 * descriptor tables. Every bit not named here is off. Sets nothing that CPUID does not offer.
 *
 * Control registers: Intel SDM volume 3, 2.5. MSRs: volume 4.
 */
#include <arch/platform.h>
#include <arch/x86.h>

#define CR0_BITS 0x80050033u /* PG AM WP NE ET MP PE */
#define CR4_DE (1u << 3)
#define CR4_PAE (1u << 5)
#define CR4_MCE (1u << 6)
#define CR4_PGE (1u << 7)
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_UMIP (1u << 11)
#define CR4_FSGSBASE (1u << 16)
#define CR4_PCIDE (1u << 17)
#define CR4_OSXSAVE (1u << 18)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)
#define CR4_PKE (1u << 22)

#define MSR_SYSENTER_CS 0x174u
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_CSTAR 0xc0000083u
#define MSR_SFMASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define EFER_SCE 0x1u
#define EFER_LME 0x100u
#define EFER_NXE 0x800u
/* Cleared on system calls: TF IF DF IOPL NT RF AC ID and the status flags. */
#define SYSCALL_MASK 0x257fd5u

#define TABLES(core) (CPU_BASE + (u64)(core)*CPU_STRIDE + CPU_TABLES)

extern u8 syscall_entry[], entry_text_start[];

static u64 cr4_bits(void)
{
    u64 cr4 = CR4_DE | CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    cr4 |= features.mce ? CR4_MCE : 0;
    cr4 |= features.pge ? CR4_PGE : 0;
    cr4 |= features.umip ? CR4_UMIP : 0;
    cr4 |= features.fsgsbase ? CR4_FSGSBASE : 0;
    cr4 |= features.pcid ? CR4_PCIDE : 0;
    cr4 |= features.xsave ? CR4_OSXSAVE : 0;
    cr4 |= features.smep ? CR4_SMEP : 0;
    cr4 |= features.smap ? CR4_SMAP : 0;
    cr4 |= features.pku ? CR4_PKE : 0;
    return cr4;
}

static void syscall_init(u32 core)
{
    u64 alias = CPU_BASE + (u64)core * CPU_STRIDE + CPU_TEXT;

    wrmsr(MSR_EFER, EFER_LME | EFER_SCE | (features.nx ? EFER_NXE : 0));
    /* sysret takes its base from SEL_UDATA - 8; the privilege bits are 3 already */
    wrmsr(MSR_STAR, (u64)(SEL_UDATA - 8) << 48 | (u64)SEL_KCODE << 32);
    wrmsr(MSR_LSTAR, alias + (u64)(syscall_entry - entry_text_start));
    wrmsr(MSR_CSTAR, 0);
    wrmsr(MSR_SFMASK, SYSCALL_MASK);
    wrmsr(MSR_SYSENTER_CS, 0); /* sysenter faults */
}

void cpu_init(u32 core)
{
    write_cr0(CR0_BITS);
    write_cr4(cr4_bits());
    load_gdt(TABLES(core) + 0x100, SEL_TSS + 16);
    load_idt(TABLES(core) - CPU_TABLES + CPU_IDT, 256 * 16);
    load_segments(SEL_KCODE, SEL_KDATA);
    load_tss(SEL_TSS);
    wrmsr(MSR_FS_BASE, 0);
    wrmsr(MSR_GS_BASE, 0);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
    syscall_init(core);
    if (features.xsave)
        write_xcr0(features.xcr0);
    fpu_reset();
    write_debug_control(0x400);
}
