/* SPDX-License-Identifier: MIT */
/*
 * The vDSO: an ELF image of one page at LAYER_BASE that programs find through AT_SYSINFO_EHDR
 * (Linux's Documentation/ABI/stable/vdso; System V ABI, chapters 4 and 5). Its functions are in
 * vdso.c, which is linked into the same page. Addresses in it count from its start.
 */
#include "block.h"

#define AT(label) (label - vdso_start)

    .section .vdso.head, "ax", @progbits
    .globl vdso_start
vdso_start:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
    .short 3, 62                        /* ET_DYN, EM_X86_64 */
    .long 1
    .quad 0, AT(headers), AT(sections)   /* entry, program headers, sections */
    .long 0
    .short 64, 56, 2, 64, 4, 3          /* the dynamic strings name the sections, too */
headers:
    .long 1, 5                          /* PT_LOAD, R X */
    .quad 0, 0, 0, 4096, 4096, 4096
    .long 2, 4                          /* PT_DYNAMIC, R */
    .quad AT(dynamic), AT(dynamic), AT(dynamic), dynamic_end - dynamic, dynamic_end - dynamic, 8
dynamic:
    .quad 4, AT(hash), 5, AT(strings), 6, AT(symbols), 10, strings_end - strings, 11, 24
    .quad 14, name_library - strings    /* SONAME */
    .quad 0x6ffffff0, AT(versions), 0x6ffffffc, AT(definitions), 0x6ffffffd, 2
    .quad 0, 0
dynamic_end:

.macro symbol name, function
    .long \name - strings
    .byte 0x12, 0                       /* GLOBAL FUNC */
    .short 1                            /* section text */
    .quad AT(\function), 16
.endm

/*
 * Programs of the C libraries that look functions up by sections instead of PT_DYNAMIC (dietlibc)
 * want the symbols, strings that are allocated, and the section of a function's symbol.
 */
.macro section name, type, flags, start, size, link, entry
    .long \name - strings, \type
    .quad \flags, \start, \start, \size
    .long \link, 1
    .quad 8, \entry
.endm
sections:
    .zero 64
    section name_text, 1, 6, 0, 4096, 0, 0
    section name_symbols, 11, 2, AT(symbols), (symbols_end - symbols), 3, 24
    section name_strings, 3, 2, AT(strings), (strings_end - strings), 0, 0
symbols:
    .quad 0, 0, 0
    symbol name_clock_gettime, vdso_clock_gettime
    symbol name_gettimeofday, vdso_gettimeofday
    symbol name_time, vdso_time
    symbol name_getcpu, vdso_getcpu
    symbol name_clock_getres, vdso_clock_getres
symbols_end:
hash:                                   /* one bucket, all in one chain */
    .long 1, 6, 1, 0, 2, 3, 4, 5, 0
versions:
    .short 0, 2, 2, 2, 2, 2
    .balign 8
definitions:                            /* Elf64_Verdef: the library, then LINUX_2.6 */
    .short 1, 1, 1, 1
    .long 0x0deebfa1, 20, 28
    .long name_library - strings, 0
    .short 1, 0, 2, 1
    .long 0x03ae75f6, 20, 0
    .long name_version - strings, 0
strings:
    .byte 0
name_library: .asciz "linux-vdso.so.1"
name_version: .asciz "LINUX_2.6"
name_clock_gettime: .asciz "__vdso_clock_gettime"
name_gettimeofday: .asciz "__vdso_gettimeofday"
name_time: .asciz "__vdso_time"
name_getcpu: .asciz "__vdso_getcpu"
name_clock_getres: .asciz "__vdso_clock_getres"
name_text: .asciz ".text"
name_symbols: .asciz ".dynsym"
name_strings: .asciz ".dynstr"
strings_end:
    .balign 16

    .section .note.GNU-stack, "", @progbits
