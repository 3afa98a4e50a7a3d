/* SPDX-License-Identifier: MIT */
/* Page-table entries. Intel SDM volume 3, 4.5. */
#pragma once
#include <types.h>

#define PTE_PRESENT 0x1ull
#define PTE_WRITE 0x2ull
#define PTE_USER 0x4ull
#define PTE_PWT 0x8ull
#define PTE_PCD 0x10ull
#define PTE_ACCESSED 0x20ull
#define PTE_DIRTY 0x40ull
#define PTE_LARGE 0x80ull /* in levels 2 and 3 */
#define PTE_GLOBAL 0x100ull
#define PTE_IO 0x200ull   /* ours: device memory, on no reverse-map list */
#define LARGE_SIZE 0x200000ul /* of a page whose entry is PTE_LARGE, at level 2 */
#define PTE_NX 0x8000000000000000ull
#define USER_READ PTE_PRESENT /* what an entry must have for the kernel's accesses */
#define USER_WRITE (PTE_PRESENT | PTE_WRITE | PTE_DIRTY)
#define PTE_FRAME 0x000ffffffffff000ull

static ALWAYS_INLINE u32 pte_frame(u64 pte)
{
    return (u32)((pte & PTE_FRAME) >> 12);
}
