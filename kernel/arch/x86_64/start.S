/* SPDX-License-Identifier: MIT */
/*
 * From the glue's address space into the kernel's: kernel_entry(handoff, pml4) loads the
 * template, which has no user half, takes the boot stack and calls kernel_main(handoff).
 *
 * Descriptor tables are still the glue's and no longer mapped: nothing may fault until
 * cpu_init(0) has run.
 */
    .section .bss
    .balign 16
    .skip 8192
boot_stack_top:

    .text
    .global kernel_entry
kernel_entry:
    mov %rsi, %cr3
    mov $boot_stack_top, %rsp
    xor %ebp, %ebp
    call kernel_main
    ud2
