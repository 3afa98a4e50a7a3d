/* SPDX-License-Identifier: MIT */
/* What belongs to one thread or server stack. See rt/call.h. */
#pragma once
#include <stdint.h>

#define RT_STACK_SIZE 32768u
#define RT_SELF_MAGIC 0x666c6573u

struct rt_self {
    uint32_t magic;
    uint32_t notification;   /* slot of the thread's own; in servers 0: they may not wait */
    uint32_t recv_slot;      /* four slots for what replies bring */
    uint16_t lane;
    uint16_t reply_cap_count;
    uint32_t number;         /* of the last mutating request in the lane */
    uint32_t reply_caps[4];
    uint32_t call_caps;      /* server: capabilities that came with the current call */
    uint64_t deadline_ns;    /* of waits in rt_call_parks; UINT64_MAX: none */
};

#ifndef RT_SELF_CUSTOM
static inline struct rt_self *rt_self(void)
{
    uint64_t sp;
    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct rt_self *)((sp - 1) & ~(uint64_t)(RT_STACK_SIZE - 1));
}
#else
struct rt_self *rt_self(void);
#endif
