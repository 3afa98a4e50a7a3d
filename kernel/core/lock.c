/* SPDX-License-Identifier: MIT */
/*
 * The kernel lock's slow way. A waiter first takes the lock whenever it is free, in no order:
 * where cores are threads of a host that has fewer, the next in a strict line is often one that
 * does not run just now, and everybody would wait for it. One that has looked in vain for long
 * gets in line; the first of the line claims the lock, and then nobody else can take it.
 *
 * So a wait is bounded: LOOKS_MOST looks, then at most one holder for each core in line.
 */
#include <kernel.h>

#define LOOKS_MOST 0x4000u

struct kernel_lock kernel_lock;

void lock_wait(void)
{
    for (u32 looks = 0; looks < LOOKS_MOST; looks++) {
        if (!__atomic_load_n(&kernel_lock.word, __ATOMIC_RELAXED) && lock_change(0, LOCK_TAKEN))
            return;
        cpu_relax();
    }
    u32 mine = __atomic_fetch_add(&kernel_lock.next, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&kernel_lock.serving, __ATOMIC_ACQUIRE) != mine)
        cpu_relax();
    high_byte_release(&kernel_lock.word, 1); /* the holder writes the low byte only */
    while (!lock_change(LOCK_CLAIMED, LOCK_TAKEN))
        cpu_relax();
    increment_release(&kernel_lock.serving); /* only the first of the line writes it */
}
