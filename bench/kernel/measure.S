/* SPDX-License-Identifier: MIT */
/* Entry points and sites whose every instruction counts. See kbench.c. */
#include "mark.h"

    .text
/* A server that answers its six words from registers, the first one changed. */
    .globl answer6_entry
answer6_entry:
    inc %rdi
    mov $0x80000000, %eax               /* return */
    syscall
    ud2

/* A foreign system call: copied to a page below the native range and jumped to; the entry
 * goes on in native code. r8 = TSC before the site, low word; MARK_END is at the entry. */
    .globl foreign_site, foreign_site_end, upcall_entry
foreign_site:
    rdtsc
    mov %eax, %r8d
    mov $39, %eax
    MARK(MARK_BEGIN)
    syscall
foreign_site_end:

upcall_entry:
    MARK(MARK_END)
    rdtsc
    sub %r8d, %eax
    jmp *upcall_back(%rip)

/* The same without the system call. */
    .globl no_foreign_site
no_foreign_site:
    rdtsc
    mov %eax, %r8d
    mov $39, %eax
    MARK(MARK_BEGIN)
    MARK(MARK_END)
    rdtsc
    sub %r8d, %eax
    jmp *upcall_back(%rip)

/* uint32_t upcall_measure(site): jumps to a site; answers what it measured. */
    .globl upcall_measure
upcall_measure:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    lea 1f(%rip), %rax
    mov %rax, upcall_back(%rip)
    jmp *%rdi
1:  pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .bss
upcall_back:
    .skip 8
    .section .note.GNU-stack, "", @progbits
