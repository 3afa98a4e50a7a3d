/* SPDX-License-Identifier: MIT */
/*
 * Entry and exit, and the call path.
 *
 * This text is mapped once per core, at the start of the core's area, with the core's
 * struct cpu two pages behind it: CPU(x) reaches it relative to rip, so there is no
 * swapgs and FS and GS stay the user's. Because of the alias, nothing here may call or
 * jump to other kernel text by a relative address.
 *
 * Interrupts are off in the kernel, except in idle. A system call enters with the user's
 * stack pointer; nothing faults before it is replaced (the addresses used are kernel
 * structures), and #DB, NMI, #DF and #MC have stacks of their own.
 *
 * test/twin/twin.c says in C what call and return do here; that test compares the two.
 */
#include <layout.h>
#include <offsets.h>
#include <abi/op_limit.h>

/* Registers to or from a set: from the one at an offset on, in the order of struct saved. */
.macro save set, first, registers:vararg
    .set at, \first
    .irp r, \registers
    mov %\r, at(\set)
    .set at, at + 8
    .endr
.endm
.macro load set, first, registers:vararg
    .set at, \first
    .irp r, \registers
    mov at(\set), %\r
    .set at, at + 8
    .endr
.endm
.macro zero registers:vararg
    .irp r, \registers
    xor %\r, %\r
    .endr
.endm

    .section .entry.text, "ax", @progbits
    .balign 4096
entry_base:
#define CPU(field) (entry_base + CPU_DATA + (field))(%rip)
#define STACK_TOP (entry_base + CPU_STACK_TOP)(%rip)

    .globl syscall_entry
syscall_entry:
    mov %rsp, CPU(CPU_URSP)
    mov CPU(CPU_FRAME), %rsp            /* rsp = the current frame */
    cmp FRAME_NATIVE(%rsp), %rcx
    jb foreign
    mov %rcx, FRAME_RIP(%rsp)
    mov %r11, FRAME_FLAGS(%rsp)
    test %eax, %eax
    js operation

/* call: eax = slot. Scratch: rbx rbp rcx r11, and rax once it is sure to succeed. */
    mov FRAME_SPACE(%rsp), %rcx
    movzbl %ah, %ebx
    movzbl %al, %ebp
    mov SPACE_CAPDIR(%rcx,%rbx,8), %rcx
    shl $4, %ebp
    mov (%rcx,%rbp), %rbx               /* w0 before w1: see struct slot */
    mov 8(%rcx,%rbp), %rcx
    mov %rbx, %rbp
    sar $28, %rbp
    cmpb $PAGE_TYPE_GATE, (%rbp)
    jne call_odd
    test $CALL_RIGHT, %bl
    jz call_odd
    sar $16, %rbx                       /* rbx = gate */
    cmp (%rbx), %rcx
    jne call_odd
    mov GATE_SERVICE(%rbx), %rcx
    movzbl FRAME_LEVEL(%rsp), %ebp
    cmp SERVICE_LEVEL(%rcx), %rbp
    jbe call_odd
    mov SERVICE_POOL(%rcx), %rcx
    mov CPU(CPU_CORE8), %rbp
    mov POOL_FREE(%rcx,%rbp), %r11      /* r11 = stack */
    test %r11, %r11
    jz call_odd
    mov FRAME_NEXT(%r11), %rax
    mov %rax, POOL_FREE(%rcx,%rbp)
    mov CPU(CPU_URSP), %rax
    mov %rax, FRAME_RSP(%rsp)
    mov %rsp, FRAME_PREV(%r11)
    mov %rbx, FRAME_GATE(%r11)
    movb $0, FRAME_GRANTED(%r11)
    mov %r11, CPU(CPU_FRAME)
    mov FRAME_CR3(%r11), %rcx
    mov %rcx, %cr3
    mov GATE_BADGE(%rbx), %rax
    mov FRAME_TOP(%r11), %rsp
    mov FRAME_ENTRY(%r11), %rcx
    mov $0x202, %r11d
    xor %ebx, %ebx
    xor %ebp, %ebp
    sysretq

call_odd:                               /* eax still holds the slot */
    mov CPU(CPU_URSP), %rcx
    mov %rcx, FRAME_RSP(%rsp)
    mov $call_slow, %r11
    jmp with_all_registers

operation:
    add %eax, %eax
    jz return
    lea STACK_TOP, %rsp
    cmp $(2 * OP_LIMIT), %eax
    jae operation_bad
    mov %r10, %rcx
    call *op_table(,%rax,4)
    cmpl $0, CPU(CPU_RESCHED)
    jne operation_switch
operation_exit:
    mov CPU(CPU_FRAME), %rdi
    mov FRAME_RIP(%rdi), %rcx
    mov FRAME_FLAGS(%rdi), %r11
    mov CPU(CPU_URSP), %rsp             /* in the frame only once the thread is switched */
    zero edi, esi, r8d, r9d, r10d
    sysretq
operation_bad:
    xor %eax, %eax                      /* operation 0 of the table: E_OP */
    call *op_table
    jmp operation_exit

/* rax, rdx hold the operation's result; callee-saved registers the user's. */
operation_switch:
    cmpl $RESCHED_LOADED, CPU(CPU_RESCHED)
    je schedule_entry
    ja operation_resume
    mov CPU(CPU_THREAD), %rdi
    mov CPU(CPU_FRAME), %rcx
    mov CPU(CPU_URSP), %rsi
    mov THREAD_REGS(%rdi), %rdi
    mov %rsi, FRAME_RSP(%rcx)
    save %rdi, REGS_RAX, rax, rbx
    mov %rdx, REGS_RDX(%rdi)
    mov %rbp, REGS_RBP(%rdi)
    save %rdi, REGS_R12, r12, r13, r14, r15
    movq $REGS_RESULT, REGS_KIND(%rdi)
    .globl schedule_entry
schedule_entry:
    lea STACK_TOP, %rsp
    lea CPU(0), %rdi
    mov $schedule, %rax
    call *%rax
    jmp resume
operation_resume:
    movl $0, CPU(CPU_RESCHED)
    mov CPU(CPU_THREAD), %rax
/* rax = thread to resume, with everything but its registers loaded. */
resume:
    mov THREAD_REGS(%rax), %rax
    mov CPU(CPU_FRAME), %rcx
    cmpl $REGS_ALL, REGS_KIND(%rax)
    je resume_all
    mov FRAME_FLAGS(%rcx), %r11
    mov FRAME_RSP(%rcx), %rsp
    mov FRAME_RIP(%rcx), %rcx
    mov REGS_RDX(%rax), %rdx
    ja resume_call
    mov REGS_RBX(%rax), %rbx
    mov REGS_RBP(%rax), %rbp
    load %rax, REGS_R12, r12, r13, r14, r15
    mov REGS_RAX(%rax), %rax
    zero edi, esi, r8d, r9d, r10d
    sysretq
resume_call:
    load %rax, REGS_RSI, rsi, rdi
    load %rax, REGS_R8, r8, r9, r10
    mov REGS_RAX(%rax), %rax
    zero ebx, ebp, r12d, r13d, r14d, r15d
    sysretq
resume_all:
    lea STACK_TOP, %rsp
    pushq $SEL_UDATA
    pushq FRAME_RSP(%rcx)
    pushq FRAME_FLAGS(%rcx)
    pushq $SEL_UCODE
    pushq FRAME_RIP(%rcx)
    load %rax, REGS_RBX, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    mov REGS_RAX(%rax), %rax
    iretq

return:                                 /* eax = 0 */
    mov FRAME_PREV(%rsp), %rbx          /* a base frame's is &nil_frame */
    mov FRAME_SPACE(%rbx), %rcx
    cmpb $0, SPACE_DEAD(%rcx)
    jne return_odd
    mov FRAME_HEAD(%rsp), %rcx
    mov (%rcx), %r11
    mov %r11, FRAME_NEXT(%rsp)
    mov %rsp, (%rcx)
    movq $0, FRAME_GATE(%rsp)
    mov %rbx, CPU(CPU_FRAME)
    mov FRAME_CR3(%rbx), %rcx
    mov %rcx, %cr3
    mov FRAME_RIP(%rbx), %rcx
    mov FRAME_FLAGS(%rbx), %r11
    mov FRAME_RSP(%rbx), %rsp
    xor %ebx, %ebx
    sysretq
return_odd:
    cmpb $0, FRAME_FAULT(%rbx)
    jne return_fault
    mov CPU(CPU_URSP), %rcx
    mov %rcx, FRAME_RSP(%rsp)
    mov $return_slow, %r11

/* Saves every register that an odd case may have to give back, then calls r11, which
 * answers with the thread to resume. rcx, r11, rbx, rbp are lost already. */
with_all_registers:
    mov CPU(CPU_THREAD), %rcx
    mov THREAD_REGS(%rcx), %rcx
    mov %rax, REGS_RAX(%rcx)
    save %rcx, REGS_RDX, rdx, rsi, rdi
    save %rcx, REGS_R8, r8, r9, r10
    save %rcx, REGS_R12, r12, r13, r14, r15
    .irp at, REGS_RBX, REGS_RBP, REGS_RCX, REGS_R11
    movq $0, \at(%rcx)
    .endr
    movq $REGS_ALL, REGS_KIND(%rcx)
    lea STACK_TOP, %rsp
    call *%r11
    jmp resume

return_fault:                           /* rdi = a fault handler's answer */
    lea STACK_TOP, %rsp
    lea CPU(0), %rsi
    mov $fault_answer, %rax
    call *%rax
    jmp resume

/* A system call outside the native range, at depth 0: to the thread's upcall entry, with
 * the site and flags in its data page. Everything but rcx and r11 stays. */
foreign:
    mov (THREAD_UPCALL_DATA-THREAD_BASE)(%rsp), %rsp
    mov %rcx, (%rsp)
    mov %r11, 8(%rsp)
    mov CPU(CPU_FRAME), %rsp
    mov (THREAD_UPCALL_ENTRY-THREAD_BASE)(%rsp), %rcx
    mov CPU(CPU_URSP), %rsp
    mov $0x202, %r11d
    sysretq

/* First instruction of a core that has nothing yet: see main.c. */
    .globl core_start
core_start:
    lea STACK_TOP, %rsp
    xor %ebp, %ebp
    mov $core_loop, %rax
    call *%rax
    jmp resume

/* Exceptions, whose stubs are 16 bytes apart, and interrupts, with 8 bytes: see idt_fill(). An
 * interrupt pushes one byte, which is sign-extended. */
    .balign 16
    .globl vector_stubs
vector_stubs:
    .set vector, 0
    .rept 32
    .balign 16
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || \
        vector == 29 || vector == 30
    .else
    pushq $0
    .endif
    pushq $vector
    jmp vector_common
    .set vector, vector + 1
    .endr
    .balign 16
    .rept 224
    .balign 8
    .if vector < 128
    pushq $vector
    .else
    pushq $(vector - 256)
    .endif
    jmp interrupt_common
    .set vector, vector + 1
    .endr

    .balign 16
interrupt_common:
    push (%rsp)
    andq $0xff, (%rsp)
vector_common:                          /* vector error rip cs flags rsp ss */
    cld
    testb $3, 24(%rsp)
    jz vector_kernel
    push %rax
    mov CPU(CPU_THREAD), %rax
    mov THREAD_REGS(%rax), %rax
    save %rax, REGS_RBX, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    pop REGS_RAX(%rax)
    movq $REGS_ALL, REGS_KIND(%rax)
    pop %rdi
    pop %rsi
    mov CPU(CPU_FRAME), %rcx
    pop FRAME_RIP(%rcx)
    pop %rdx
    pop FRAME_FLAGS(%rcx)
    pop FRAME_RSP(%rcx)
    lea STACK_TOP, %rsp                 /* from an IST stack too */
    lea CPU(0), %rdx
    mov $trap_entry, %rax
    call *%rax
    jmp resume

/* In the kernel: an interrupt in idle, an NMI, or our bug. */
vector_kernel:
    cld
    .irp r, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, rbx, rbp, r12, r13, r14, r15
    push %\r
    .endr
    mov %rsp, %rdi
    mov $trap_kernel, %rax
    call *%rax
    .irp r, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
    pop %\r
    .endr
    add $16, %rsp
    iretq

/* An operation the usual way: under the lock, its capabilities looked up. eax = 2 * number. */
    .text
    .globl operation_locked
operation_locked:
    .irp r, r9, r8, rcx, rdx, rsi, rdi
    push %\r
    .endr
    mov %eax, %edi
    shr %edi
    mov %rsp, %rsi
    call operation_decode
    mov %rdx, %r11
    .irp r, rdi, rsi, rdx, rcx, r8, r9
    pop %\r
    .endr
    test %rax, %rax
    jnz 1f
    call *%r11
2:  movb $0, kernel_lock                /* as lock_release() */
    ret
1:  xor %edx, %edx
    jmp 2b

    .section .note.GNU-stack, "", @progbits
