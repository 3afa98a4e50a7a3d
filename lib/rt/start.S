/* SPDX-License-Identifier: MIT */
/* Start of a component's main thread: rsp is the top of a stack whose rt_self is set up. */
    .section .text.start, "ax", @progbits
    .globl _start
_start:
    xor %ebp, %ebp
    call component_start
    ud2
    .section .note.GNU-stack, "", @progbits
