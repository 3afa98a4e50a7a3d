/* SPDX-License-Identifier: MIT */
/* The functions the compiler may call in freestanding code. */
#include <arch/x86.h>
#include <kernel.h>

void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

void *memcpy(void *to, const void *from, size_t bytes)
{
    copy_words(to, from, bytes / 8);
    copy_bytes((u8 *)to + (bytes & ~7ul), (const u8 *)from + (bytes & ~7ul), bytes & 7);
    return to;
}

void *memset(void *to, int value, size_t bytes)
{
    void *d = to;
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(bytes) : "a"(value) : "memory");
    return to;
}
