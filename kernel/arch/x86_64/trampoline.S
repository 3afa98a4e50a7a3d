/* SPDX-License-Identifier: MIT */
/*
 * How another core gets from real mode to ap_start(core) (smp.c).
 *
 * The blob from trampoline_start to trampoline_end is copied to a page below 1 MiB, its
 * parameters filled in; the core starts there in real mode, cs:ip = page:0. It never writes
 * to the page, which its page tables map read-only and executable. It goes straight from
 * real mode to long mode (paging and protection enabled by one write to CR0).
 *
 * Each core finds its provisional number by its APIC identifier, reports in smp_arrived and
 * waits, without a stack, for its final number in smp_assigned: number + 1, or SMP_LEAVE.
 */
#include <layout.h>

#define SMP_LEAVE 0xff
#define HERE(label) ((label) - trampoline_start)

    .section .rodata
    .balign 16
    .global trampoline_start
trampoline_start:
    .code16
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    mov $0x20, %eax                  /* CR4.PAE */
    mov %eax, %cr4
    mov HERE(trampoline_cr3), %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx            /* EFER */
    mov HERE(trampoline_efer), %eax
    xor %edx, %edx
    wrmsr
    lgdtl HERE(trampoline_gdt_pointer)
    mov $0x80010033, %eax            /* PG WP NE ET MP PE; caches on */
    mov %eax, %cr0
    ljmpl *HERE(trampoline_jump)

    .code64
    .global trampoline_long
trampoline_long:
    mov $SEL_KDATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov $1, %eax
    cpuid
    shr $24, %ebx                    /* APIC identifier */
    lea trampoline_cores(%rip), %rdi
    movzbl (%rdi,%rbx), %edi
    mov trampoline_entry(%rip), %rax
    jmp *%rax

    .balign 16
    .global trampoline_gdt, trampoline_gdt_pointer, trampoline_jump, trampoline_cr3
    .global trampoline_efer, trampoline_cores, trampoline_entry
trampoline_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
trampoline_gdt_pointer:
    .word 23
    .long 0                          /* filled in: linear address of the GDT */
    .balign 4
trampoline_jump:
    .long 0                          /* filled in: linear address of trampoline_long */
    .word SEL_KCODE
    .balign 8
trampoline_cr3:
    .long 0
trampoline_efer:
    .long 0
trampoline_entry:
    .quad ap_entry
trampoline_cores:                    /* by APIC identifier; SMP_LEAVE: not ours */
    .fill 256, 1, SMP_LEAVE
    .global trampoline_end
trampoline_end:

    .text
    .code64
/* edi: provisional number. */
ap_entry:
    mov smp_pml4(%rip), %rax
    mov %rax, %cr3
    cmp $MAX_CPUS, %edi
    jae 3f
    movb $1, smp_arrived(%rdi)
1:  movzbl smp_assigned(%rdi), %eax
    test %eax, %eax
    jnz 2f
    pause
    jmp 1b
2:  cmp $SMP_LEAVE, %eax
    je 3f
    lea -1(%rax), %edi
    mov %edi, %eax
    shl $16, %rax                    /* CPU_STRIDE */
    mov $CPU_BASE + CPU_STACK_TOP, %rsp
    add %rax, %rsp
    xor %ebp, %ebp
    call ap_start
3:  cli
    hlt
    jmp 3b
