/* SPDX-License-Identifier: MIT */
/* The end, when it is our fault: cause, registers, backtrace, last trace events. The host
 * (tools/symbolise) gives the addresses names. Leaves QEMU with status 5. */
#include <arch/platform.h>
#include <arch/x86.h>
#include <kernel.h>
#include <stdarg.h>

#define BACKTRACE_MAX 24u
#define EXIT_PANIC 2u

bool panic_stopping;

/* Whether a call ends before address: e8 with 4 bytes, or ff with 1, 2, 5 or 6. */
static bool behind_call(u64 address)
{
    extern const u8 text_start[], text_end[];
    const u8 *p = (const u8 *)address;
    return p >= text_start + 8 && p < text_end &&
           (p[-5] == 0xe8 || p[-2] == 0xff || p[-3] == 0xff || p[-6] == 0xff || p[-7] == 0xff);
}

/* Without frame pointers: what looks like a return address, from sp to the end of the stack.
 * Some may be left from earlier calls. */
static void backtrace(u64 rip, u64 sp)
{
    u64 area = sp & ~(u64)(CPU_STRIDE - 1), end = (sp | (PAGE_SIZE - 1)) + 1;
    if (rip)
        console_printf("bt %lx\n", rip);
    if (sp < CPU_BASE || sp >= MMIO_BASE || sp & 7 || sp - area < CPU_STACK)
        return;
    if (sp - area < CPU_STACK_TOP)
        end = area + CPU_STACK_TOP;
    for (u32 found = 0; sp < end && found < BACKTRACE_MAX; sp += 8)
        if (behind_call(*(const u64 *)sp)) {
            console_printf("bt %lx\n", *(const u64 *)sp - 1);
            found++;
        }
}

static void NORETURN finish(u64 rip, u64 sp)
{
    const struct cpu *cpu = cpu_self();
    console_printf("core %u thread %u\n", cpu->core, cpu->thread ? cpu->thread->id : 0);
    backtrace(rip, sp);
    trace_write(EVENT_PANIC, 0, 0);
    trace_dump();
    debug_exit(EXIT_PANIC);
    halt_forever();
}

static void stop_others(void)
{
    if (__atomic_exchange_n(&panic_stopping, true, __ATOMIC_ACQ_REL))
        halt_forever(); /* another core is already at it */
    ipi_panic_all();
}

void panic(const char *format, ...)
{
    va_list a;
    stop_others();
    console_puts("\nPANIC: ");
    va_start(a, format);
    console_vprintf(format, &a);
    va_end(a);
    console_puts("\n");
    finish(0, (u64)&a & ~7ull);
}

void panic_regs(u64 vector, u64 error, u64 rip, u64 rsp, u64 rbp, const u64 *regs, u32 count)
{
    stop_others();
    console_printf("\nPANIC: exception %lu in the kernel, error %lx, address %lx\n", vector, error,
                   read_cr2());
    console_printf("rip %lx rsp %lx rbp %lx\n", rip, rsp, rbp);
    static const char *const names[] = { "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10",
                                         "r9", "r8", "rdi", "rsi", "rdx", "rcx", "rax" };
    for (u32 i = 0; i < count; i++)
        console_printf("%s %lx%s", names[i], regs[i], i % 5 == 4 ? "\n" : " ");
    finish(rip, rsp);
}
