/* SPDX-License-Identifier: MIT */
/*
 * What in-guest programs that run as the system's first share: memory, slots, spaces,
 * services and threads made straight from the boot capabilities, and output.
 *
 * Everything fails hard (guest_fail) when the kernel refuses what should work; tests of
 * errors call the stubs themselves. One thread may use this at a time.
 */
#pragma once
#include <abi/stubs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOTINFO ((const struct pith_bootinfo *)BOOTINFO_ADDRESS)

void guest_putc(char c);
void guest_puts(const char *s);
/* %s %d %u %x %lu %ld %lx %c */
void guest_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void guest_exit(unsigned value) __attribute__((noreturn)); /* 0 passed, 1 failed */
void guest_fail(const char *what, int64_t status) __attribute__((noreturn));
/* The word behind "key=" in the command line, or nil. */
const char *guest_option(const char *key, size_t *length);

uint64_t guest_page(void);         /* index of a free page of BOOT_REGION */
uint64_t guest_pages(uint64_t n);  /* a run of n free pages, the first even */
void guest_page_free(uint64_t index); /* after page_take; reused by guest_page */
uint64_t guest_where(unsigned kind);  /* a place for a small object; one page per kind */
uint32_t guest_slot(void);
void guest_slot_free(uint32_t slot);  /* after cap_delete */

/* Repeats an operation while it answers E_AGAIN. */
#define GUEST_RETRY(call)                                                                    \
    ({                                                                                       \
        struct pith_result guest_r;                                                          \
        do                                                                                   \
            guest_r = (call);                                                                \
        while (guest_r.status == -E_AGAIN);                                                  \
        guest_r;                                                                             \
    })
/* The same, and it must succeed; the value. */
#define GUEST_MUST(call)                                                                     \
    ({                                                                                       \
        struct pith_result guest_m = GUEST_RETRY(call);                                      \
        if (guest_m.status)                                                                  \
            guest_fail(#call, guest_m.status);                                               \
        guest_m.value;                                                                       \
    })

/* A space with tables and one page of slots, in which this program is mapped (text and
 * data shared). Capability slot in this space. */
uint32_t guest_space(void);
void guest_tables(uint32_t space, unsigned pairs);
/* Maps n fresh pages at va, readable and writable; returns the first page's index. */
uint64_t guest_map(uint32_t space, uint64_t va, unsigned n);
/* A stack of 4 pages in a space (mapped at the same address here too); its top. */
uint64_t guest_stack(uint32_t space);

struct guest_service { uint32_t service, pool, gate, space; uint64_t pool_page, stack_page; };
/* An open service of a level in a space with count stacks on every core; entered at entry
 * with a gate of badge. */
struct guest_service guest_service(uint32_t space, unsigned level, void *entry, unsigned count,
                                   uint64_t badge);
uint32_t guest_gate(uint32_t service, uint64_t badge);
uint32_t guest_notification(void);
/* A thread in a space running function(argument) on a stack of its own; it must end with
 * pith_thread_exit(). Not started when core is negative. */
uint32_t guest_thread(uint32_t space, void (*function)(uint64_t), uint64_t argument, int core,
                      unsigned priority);
void guest_thread_wait(uint32_t thread); /* until it has stopped */
/* Gives a space a capability in the same slot number. */
void guest_give(uint32_t space, uint32_t slot);

/* Calls: slot, three words; answers the status, with the reply's words. */
struct words { uint64_t w[6]; };
int64_t guest_call(uint32_t gate, uint64_t a, uint64_t b, uint64_t c, uint64_t *reply);
int64_t guest_call6(uint32_t gate, struct words *w);
/* Entry points for services written as C functions: uint64_t handler(a, b, c, d, badge).
 * The name to give to guest_service is NAME_entry. */
#define GUEST_ENTRY(handler)                                                                 \
    void handler##_entry(void);                                                              \
    __asm__(".text\n.globl " #handler "_entry\n" #handler "_entry:\n"                        \
            "mov %r10, %rcx\nmov %rax, %r8\ncall " #handler "\n"                             \
            "mov %rax, %rdi\nmov $0x80000000, %eax\nsyscall\nud2\n")
static inline uint64_t guest_tsc(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}
static inline uint64_t guest_now_ns(void)
{
    unsigned __int128 p = guest_tsc() - BOOTINFO->clock_base;
    return (uint64_t)(p * BOOTINFO->clock_mult >> BOOTINFO->clock_shift);
}
