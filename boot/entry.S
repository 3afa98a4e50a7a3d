/* SPDX-License-Identifier: MIT */
/*
 * Entry from the boot loader: PVH (QEMU -kernel) or Multiboot2 (GRUB).
 *
 * Both arrive in 32-bit protected mode with paging off and interrupts off:
 *   PVH         ebx = physical address of the start info (Xen public/arch-x86/hvm/start_info.h)
 *   Multiboot2  eax = 0x36d76289, ebx = boot information (Multiboot2 spec, 3.3)
 * This enters long mode with the first 4 GiB mapped one to one and the kernel, where the
 * loader put it, also at KERNEL_BASE, and calls glue_main(eax, ebx). A processor without long
 * mode gets one line on COM1.
 *
 * Does not come back: glue_leave jumps to the kernel.
 */
#define MB2_MAGIC 0xe85250d6

    .section .boot.multiboot2, "a"
    .balign 8
header:
    .long MB2_MAGIC, 0, header_end - header, -(MB2_MAGIC + header_end - header)
    .word 6, 0, 8, 0                 /* modules page aligned */
    .word 0, 0, 8, 0
header_end:

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18                   /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long glue_entry

/* Present and writable tables, 2 MiB pages. Slot 510 of the one PDPT, reached through slot
 * 511 of the PML4, is KERNEL_BASE. */
    .data
    .balign 4096
    .global glue_pml4
glue_pml4:
    .quad glue_pdpt + 3
    .fill 510, 8, 0
    .quad glue_pdpt + 3
glue_pdpt:
    .quad glue_pds + 3, glue_pds + 0x1003, glue_pds + 0x2003, glue_pds + 0x3003
    .fill 506, 8, 0
    .quad glue_pds + 3, 0
glue_pds:
    .set page, 0x83
    .rept 4 * 512
    .quad page
    .set page, page + 0x200000
    .endr

    .bss
    .balign 16
    .skip 16384
stack_top:

    .section .rodata
    .balign 8
gdt:
    .quad 0, 0x00af9b000000ffff
gdt_pointer:
    .word . - gdt - 1
    .long gdt
no_pae:
    .asciz "pith: needs a processor with pae\n"
no_long_mode:
    .asciz "pith: needs a processor with long mode (64 bits)\n"
serial_setup:                        /* port, value: 115200 baud, 8N1 */
    .word 0x3f9, 0, 0x3fb, 0x80, 0x3f8, 1, 0x3f9, 0, 0x3fb, 3, 0x3fa, 7
serial_setup_end:

    .text
    .code32
    .global glue_entry
glue_entry:
    cli
    cld
    mov $stack_top, %esp
    mov %eax, %edi
    mov %ebx, %esi
    mov $1, %eax
    cpuid
    mov $no_pae, %ebp
    bt $6, %edx
    jnc fail32
    mov $0x80000000, %eax
    cpuid
    mov $no_long_mode, %ebp
    cmp $0x80000001, %eax
    jb fail32
    mov $0x80000001, %eax
    cpuid
    bt $29, %edx
    jnc fail32

    mov $0x20, %eax                  /* PAE, and nothing that firmware left */
    mov %eax, %cr4
    mov $glue_pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx            /* EFER.LME */
    rdmsr
    or $0x100, %eax
    wrmsr
    mov $0x80010033, %eax            /* PG WP NE ET MP PE */
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $0x08, $long_mode

/* ebp: message. */
fail32:
    mov $serial_setup, %esi
1:  mov (%esi), %dx
    mov 2(%esi), %al
    out %al, %dx
    add $4, %esi
    cmp $serial_setup_end, %esi
    jb 1b
2:  mov $100000, %ecx
    mov $0x3fd, %dx
3:  in %dx, %al
    test $0x20, %al
    loopz 3b
    mov $0x3f8, %dx
    mov (%ebp), %al
    out %al, %dx
    inc %ebp
    cmpb $0, (%ebp)
    jne 2b
    mov $2, %eax
    mov $0x501, %dx
    out %eax, %dx
5:  hlt
    jmp 5b

    .code64
long_mode:                           /* data segments stay the loader's: flat, not reloaded */
    mov $stack_top, %esp
    mov %edi, %edi
    mov %esi, %esi
    xor %ebp, %ebp
    call glue_main

/* glue_leave(handoff, pml4): kernel_entry loads the final table and its own stack. */
    .global glue_leave
glue_leave:
    jmp kernel_entry

/* Exceptions: stub n at glue_vectors + 16 * n. */
    .balign 16
    .global glue_vectors
glue_vectors:
    .set vector, 0
    .rept 32
    .balign 16
    .if !((0x60227d00 >> vector) & 1) /* vectors with an error code: SDM 3, table 6-1 */
    push $0
    .endif
    push $vector
    jmp exception
    .set vector, vector + 1
    .endr
exception:
    pop %rdi
    pop %rsi
    pop %rdx
    mov %cr2, %rcx
    and $-16, %rsp
    call glue_exception
