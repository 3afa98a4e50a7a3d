/* SPDX-License-Identifier: MIT */
/* The first thread's block, and the layout that the assembly relies on. */
#include "layer.h"

__attribute__((section(".blocks,\"aw\",@nobits#"), used)) struct block first_block;

_Static_assert(sizeof(struct block) == BLOCK_SIZE, "size");
_Static_assert(offsetof(struct block, regs.rax) == BLOCK_RAX, "offset");
_Static_assert(offsetof(struct block, regs.rsp) == BLOCK_RSP, "offset");
_Static_assert(offsetof(struct block, regs.r15) == BLOCK_R15, "offset");
_Static_assert(offsetof(struct block, event.pending) == BLOCK_PENDING, "offset");
_Static_assert(offsetof(struct block, fpu) == BLOCK_FPU, "offset");
_Static_assert(LAYER_BASE_ADDRESS == MEMORY_LAYER_BASE, "the protocol's");

struct block *block_self(void)
{
    uint64_t sp;
    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct block *)((sp - 1) & ~(uint64_t)(BLOCK_SIZE - 1));
}

struct rt_self *rt_self(void)
{
    return &block_self()->self;
}

uint64_t block_index(const struct block *b)
{
    return ((uint64_t)b - LAYER_BLOCKS) >> BLOCK_SHIFT;
}

/* The two pages that the kernel writes to must be there and our own, and of the stack what
 * small replies of servers land on; larger buffers see to it themselves (own_ready). */
void block_touch(struct block *b)
{
    user_touch_write((uint64_t)b);
    user_touch_write((uint64_t)b + PAGE);
    own_ready((uint8_t *)b + BLOCK_SIZE - 2 * PAGE, 2 * PAGE);
}

void own_ready(void *buffer, size_t bytes)
{
    uint64_t end = (uint64_t)buffer + bytes;
    for (uint64_t at = (uint64_t)buffer; at < end; at = (at & ~(PAGE - 1)) + PAGE)
        user_touch_write(at);
}

/* Tells the kernel about this thread's pages; anew after they moved (a fork). */
void block_register(struct block *b)
{
    uint64_t i = block_index(b);
    pith_thread_upcall((uint64_t)upcall_stubs + i * 8, (uint64_t)b, LAYER_NATIVE);
    pith_thread_events((uint64_t)event_stubs + i * 16, (uint64_t)&b->event, (uint64_t)exit_first,
                       (uint64_t)exit_last);
}
