/* SPDX-License-Identifier: MIT */
/* The system's first program starts without a stack. */
    .section .text.start, "ax", @progbits
    .globl _start
_start:
    lea root_stack_top(%rip), %rsp
    xor %ebp, %ebp
    call root_main
    ud2

    .section .bss
    .balign 32768
    .globl root_stack
root_stack:
    .skip 32768
root_stack_top:
    .section .note.GNU-stack, "", @progbits
