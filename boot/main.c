// SPDX-License-Identifier: MIT
/*
 * The glue from long mode to kernel_main: the order of everything.
 *
 * What the loader left in memory (its information block, ACPI tables in usable memory) is
 * read before anything is written outside the glue's own image; from paging_place() on,
 * free memory is written.
 */
#include "glue.h"

struct handoff handoff;

static u64 idt[32][2];

bool bytes_equal(const void *a, const void *b, size_t bytes)
{
    const u8 *x = a, *y = b;

    for (size_t i = 0; i < bytes; i++) {
        if (x[i] != y[i])
            return false;
    }
    return true;
}

void glue_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    console_puts("pith: ");
    console_vprintf(format, &arguments);
    console_puts("\n");
    va_end(arguments);
    debug_exit(2);
    halt_forever();
}

void glue_exception(u64 vector, u64 error, u64 rip, u64 cr2)
{
    glue_fail("exception %lu in the boot glue, error 0x%lx, at 0x%lx, address 0x%lx", vector, error,
        rip, cr2);
}

/* Interrupt gates to glue_vectors (SDM 3, 6.14.1). */
static void exceptions_catch(void)
{
    for (u64 i = 0; i < ARRAY_LEN(idt); i++) {
        u64 stub = (u64)glue_vectors + 16 * i;
        idt[i][0] = (stub & 0xffff) | SEL_KCODE << 16 | 0x8e00ull << 32 | (stub >> 16) << 48;
    }
    load_idt((u64)idt, sizeof(idt));
}

/* CPUID features without which the kernel cannot run (SDM 2, CPUID). */
static void processor_check(void)
{
    static const char *const basic[32] = {
        [0] = "fpu",
        [4] = "tsc",
        [5] = "msr",
        [8] = "cx8",
        [9] = "apic",
        [15] = "cmov",
        [24] = "fxsr",
        [25] = "sse",
        [26] = "sse2",
    };
    u32 r[4];

    cpuid(1, 0, r);
    for (u32 i = 0; i < ARRAY_LEN(basic); i++) {
        if (basic[i] && !(r[3] >> i & 1))
            glue_fail("needs a processor with %s", basic[i]);
    }
    handoff.apic_ids[0] = r[1] >> 24;
    handoff.cpu_count = 1;
    cpuid(0x80000001, 0, r);
    if (!(r[3] >> 11 & 1))
        glue_fail("needs a processor with syscall");
    features_init();
}

void glue_main(u64 magic, u64 info)
{
    console_init();
    exceptions_catch();
    processor_check();
    handoff.magic = HANDOFF_MAGIC;
    info_parse((u32)magic, info);
    cmdline_parse();
    memory_finish();
    acpi_parse();
    paging_place();
    image_load();
    struct handoff *h = paging_build();
    calibrate(h);
    glue_leave(h, h->pml4);
}
