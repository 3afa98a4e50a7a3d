/* SPDX-License-Identifier: MIT */
/*
 * Ways in and out of the layer. See block.h.
 *
 * A foreign system call arrives at the thread's stub with all of the program's registers
 * but rcx (the stub's address) and r11 (free): Linux clobbers these two as well. The way
 * out may be restarted anywhere between exit_first and exit_last by an event; rcx holds the
 * block throughout, and everything else is read from there.
 */
#include "block.h"

    .section .text.head, "ax", @progbits
    .globl layer_head
layer_head:
    jmp enter_start
    .org LAYER_ENTRY_CHILD
    jmp enter_child
    .org LAYER_ENTRY_THREAD
    jmp enter_thread

/* These touch the program's memory. They keep rsp as it was at their entry, so that the
 * memory server can send a fault in here to the code at LAYER_COPY_FAILED. */
    .org LAYER_COPY_FIRST
    .globl user_copy, user_touch_read, user_touch_write, user_text_length, user_exchange
user_copy:                              /* (to, from, bytes) */
    mov %rdx, %rcx
    shr $3, %rcx
    rep movsq
    mov %edx, %ecx
    and $7, %ecx
    rep movsb
    xor %eax, %eax
    ret
user_touch_read:                        /* (address) */
    mov (%rdi), %al
    xor %eax, %eax
    ret
user_touch_write:
    lock orb $0, (%rdi)
    xor %eax, %eax
    ret
user_text_length:                       /* (text, limit): bytes before NUL, or limit */
    mov %rsi, %rcx
    mov %rdi, %rdx
    xor %eax, %eax
    jrcxz 1f
    repne scasb
    jne 1f
    lea -1(%rdi), %rax
    sub %rdx, %rax
    ret
1:  mov %rsi, %rax
    ret
user_exchange:                          /* (word, expected, new): what was there */
    mov %esi, %eax
    lock cmpxchg %edx, (%rdi)
    mov %eax, %eax
    ret
    .org LAYER_COPY_FAILED
    mov $-1, %rax
    ret
    .org LAYER_COPY_END

    .text
    .balign 64
    .globl upcall_stubs
upcall_stubs:
    .rept BLOCKS_MAX
    jmp upcall
    .balign 8
    .endr

    .balign 64
upcall:
    lea upcall_stubs(%rip), %r11
    sub %r11, %rcx
    shl $(BLOCK_SHIFT - 3), %rcx
    movabs $LAYER_BLOCKS, %r11
    add %r11, %rcx
    mov %rax, BLOCK_RAX(%rcx)
    mov %rbx, BLOCK_RBX(%rcx)
    mov %rdx, BLOCK_RDX(%rcx)
    mov %rsi, BLOCK_RSI(%rcx)
    mov %rdi, BLOCK_RDI(%rcx)
    mov %rbp, BLOCK_RBP(%rcx)
    mov %r8, BLOCK_R8(%rcx)
    mov %r9, BLOCK_R9(%rcx)
    mov %r10, BLOCK_R10(%rcx)
    mov %r12, BLOCK_R12(%rcx)
    mov %r13, BLOCK_R13(%rcx)
    mov %r14, BLOCK_R14(%rcx)
    mov %r15, BLOCK_R15(%rcx)
    mov %rsp, BLOCK_RSP(%rcx)
    lea BLOCK_SIZE(%rcx), %rsp
    mov %rcx, %rdi
    mov %rcx, %rbx
    xor %ebp, %ebp
    call layer_call
    mov %rbx, %rcx

    .globl exit_first, exit_last
exit_first:
    cmpb $0, BLOCK_PENDING(%rcx)
    jne exit_events
    lea BLOCK_SIZE(%rcx), %rsp
    pushq BLOCK_FLAGS(%rcx)
    popfq
    mov BLOCK_RAX(%rcx), %rax
    mov BLOCK_RBX(%rcx), %rbx
    mov BLOCK_RDX(%rcx), %rdx
    mov BLOCK_RSI(%rcx), %rsi
    mov BLOCK_RDI(%rcx), %rdi
    mov BLOCK_RBP(%rcx), %rbp
    mov BLOCK_R8(%rcx), %r8
    mov BLOCK_R9(%rcx), %r9
    mov BLOCK_R10(%rcx), %r10
    mov BLOCK_R12(%rcx), %r12
    mov BLOCK_R13(%rcx), %r13
    mov BLOCK_R14(%rcx), %r14
    mov BLOCK_R15(%rcx), %r15
    mov BLOCK_FLAGS(%rcx), %r11
    mov BLOCK_RSP(%rcx), %rsp
    jmp *BLOCK_RIP(%rcx)
exit_last:

exit_events:                            /* an event came while we were in here */
    mov %rcx, %rbx
    mov %rcx, %rdi
    lea BLOCK_SIZE(%rcx), %rsp
    call layer_events
    mov %rbx, %rcx
    jmp exit_first

/* Events while the program runs: all registers are in the event frame. */
    .balign 64
    .globl event_stubs
event_stubs:
    .set i, 0
    .rept BLOCKS_MAX
    mov $i, %ecx
    jmp event
    .balign 16
    .set i, i + 1
    .endr
event:
    cld
    shl $BLOCK_SHIFT, %rcx
    movabs $LAYER_BLOCKS, %rdi
    add %rcx, %rdi
    lea BLOCK_SIZE(%rdi), %rsp
    xor %ebp, %ebp
    call layer_event
    ud2

enter_start:                            /* a first process: the first block is ours */
    movabs $LAYER_BLOCKS, %rdi
    lea BLOCK_SIZE(%rdi), %rsp
    mov %rdi, %rbx
    xor %ebp, %ebp
    call layer_start
    mov %rbx, %rcx
    jmp exit_first

enter_child:                            /* rdi = block, a copy of the parent's */
    lea BLOCK_SIZE(%rdi), %rsp
    mov %rdi, %rbx
    xor %ebp, %ebp
    call layer_child
    fxrstor64 BLOCK_FPU(%rbx)
    mov %rbx, %rcx
    jmp exit_first

enter_thread:                           /* rdi = block, made by the parent */
    lea BLOCK_SIZE(%rdi), %rsp
    mov %rdi, %rbx
    xor %ebp, %ebp
    call layer_thread
    fxrstor64 BLOCK_FPU(%rbx)
    mov %rbx, %rcx
    jmp exit_first

    .section .note.GNU-stack, "", @progbits
