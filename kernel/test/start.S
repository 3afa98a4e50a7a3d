/* SPDX-License-Identifier: MIT */
/* Start of a program that is the system's first: no stack yet, no arguments. */
    .section .text.start, "ax", @progbits
    .globl _start
_start:
    lea root_stack_top(%rip), %rsp
    xor %ebp, %ebp
    call root_main
    ud2

    .section .bss
    .balign 4096
root_stack:
    .skip 65536
root_stack_top:
    .section .note.GNU-stack, "", @progbits
