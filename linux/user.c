/* SPDX-License-Identifier: MIT */
/* The program's memory, and answers of servers. */
#include "layer.h"
#include <rt/rpc.h>

bool user_range(uint64_t address, uint64_t bytes)
{
    return bytes <= MEMORY_LAYER_BASE && address <= MEMORY_LAYER_BASE - bytes;
}

bool user_read(void *to, uint64_t from, size_t bytes)
{
    return user_range(from, bytes) && !user_copy(to, (const void *)from, bytes);
}

bool user_write(uint64_t to, const void *from, size_t bytes)
{
    return user_range(to, bytes) && !user_copy((void *)to, from, bytes);
}

bool user_zero(uint64_t to, size_t bytes)
{
    static const uint8_t zeros[PAGE];
    while (bytes) {
        size_t now = bytes < sizeof zeros ? bytes : sizeof zeros;
        if (!user_write(to, zeros, now))
            return false;
        to += now;
        bytes -= now;
    }
    return true;
}

size_t user_ready(uint64_t address, size_t bytes, bool write)
{
    uint64_t end = address + bytes;
    if (!bytes || !user_range(address, bytes))
        return 0;
    for (uint64_t at = address; at < end; at = (at & ~(PAGE - 1)) + PAGE)
        if (write ? user_touch_write(at) : user_touch_read(at))
            return at - address;
    return bytes;
}

int64_t user_text(char *to, uint64_t from, size_t size)
{
    uint64_t room = from < MEMORY_LAYER_BASE ? MEMORY_LAYER_BASE - from : 0;
    if (room > size)
        room = size;
    int64_t n = room ? user_text_length(from, room) : -1;
    if (n < 0)
        return -EFAULT;
    if ((uint64_t)n == size)
        return -ENAMETOOLONG;
    if ((uint64_t)n == room || user_copy(to, (const void *)from, (size_t)n))
        return -EFAULT;
    to[n] = 0;
    return n;
}

int64_t errno_of(int64_t status)
{
    if (!status)
        return 0;
    if (status == -E_INTR)
        return -ERESTART;
    if (status == -E_TIME)
        return -EAGAIN;
    if (status == -E_CAP)
        return -EBADF;
    if (status < 0)
        return -EIO;
    if (status == RPC_BAD_BUFFER)
        return -EFAULT;
    if (status == RPC_BAD_OPERATION)
        return -ENOSYS;
    return status <= 4095 ? -status : -EIO;
}
