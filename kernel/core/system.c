/* SPDX-License-Identifier: MIT */
/* Figures about the kernel, and reading and writing a space's memory for debuggers. */
#include <arch/platform.h>
#include <arch/pte.h>
#include <arch/x86.h>
#include <kernel.h>

struct result op_system_info(struct control *control, u64 what)
{
    (void)control;
    switch (what) {
    case 0:
        return ok(cpu_count);
    case 4:
        return ok(clock_scale.tsc_hz);
    default:
        return fail(-E_RANGE);
    }
}

static struct result space_copy_bytes(const struct space *s, u64 va, u64 buffer, u64 length,
                                      bool write)
{
    struct walk w;
    u64 done = 0;
    length = min_u64(length, PAGE_SIZE);
    for (u32 i = 0; i < 4 && done < length; i++) {
        struct user_run theirs = user_address(s, va + done, USER_READ);
        struct user_run ours =
            user_address(current_space(), buffer + done, write ? USER_READ : USER_WRITE);
        if (!theirs.at || !ours.at)
            break;
        if (write && (!space_leaf(s, va + done, &w) ||
                      (!(*w.pte & PTE_WRITE) && !mapped_once(pte_frame(*w.pte)))))
            break;
        u64 run = min_u64(length - done, min_u64(ours.bytes, theirs.bytes));
        copy_bytes(write ? theirs.at : ours.at, write ? ours.at : theirs.at, run);
        if (write)
            __atomic_fetch_or(w.pte, PTE_DIRTY | PTE_ACCESSED, __ATOMIC_RELAXED);
        done += run;
    }
    return done || !length ? ok(done) : fail(-E_MEMORY);
}

struct result op_space_read(struct space *space, u64 va, u64 buffer, u64 length)
{
    return space_copy_bytes(space, va, buffer, length, false);
}

struct result op_space_write(struct space *space, u64 va, u64 buffer, u64 length)
{
    return space_copy_bytes(space, va, buffer, length, true);
}

struct result op_kernel_check(struct control *control)
{
    (void)control;
#ifdef PITH_DEBUG
    const char *what = 0;
    if (!kernel_check(&what)) {
        console_printf("[kernel] broken invariant: %s\n", what);
        return fail(-E_STATE);
    }
#endif
    return ok(0);
}
