/* SPDX-License-Identifier: MIT */
/*
 * Pages for the life of the system, taken before the first program runs, from the end of
 * the run the glue chose. There is no other allocator in the kernel and no way back.
 */
#include <arch/platform.h>
#include <arch/x86.h>

u64 boot_alloc(struct handoff *h, u64 pages)
{
    u64 base = h->kernel_end;

    if (pages > (h->kernel_limit - base) / PAGE_SIZE) {
        console_puts("pith: too little memory for the kernel's own structures\n");
        debug_exit(2);
        halt_forever();
    }
    h->kernel_end += pages * PAGE_SIZE;
    for (u64 p = base; p < h->kernel_end; p += PAGE_SIZE)
        zero_page((void *)(DM_BASE + p));
    return base;
}
