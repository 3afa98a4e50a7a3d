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

static void backtrace(u64 rip, u64 rbp)
{
    if (rip)
        console_printf("bt %lx\n", rip);
    u64 page = rbp & ~(u64)(CPU_STRIDE - 1);
    for (u32 i = 0; i < BACKTRACE_MAX; i++) {
        /* Kernel stacks are in the core's area; never leave it. */
        if (rbp < CPU_BASE || (rbp & 7) || (rbp & ~(u64)(CPU_STRIDE - 1)) != page ||
            (rbp & (CPU_STRIDE - 1)) < CPU_STACK || (rbp & (PAGE_SIZE - 1)) > PAGE_SIZE - 16)
            return;
        const u64 *f = (const u64 *)rbp;
        console_printf("bt %lx\n", f[1]);
        if (f[0] <= rbp)
            return;
        rbp = f[0];
    }
}

static void NORETURN finish(u64 rip, u64 rbp)
{
    const struct cpu *cpu = cpu_self();
    console_printf("core %u thread %u\n", cpu->core, cpu->thread ? cpu->thread->id : 0);
    backtrace(rip, rbp);
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
    finish(0, (u64)__builtin_frame_address(0));
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
    finish(rip, rbp);
}
