/* SPDX-License-Identifier: MIT */
/* Sockets: there are none yet, so that no descriptor is one. */
#include "layer.h"

int64_t sys_socket(const uint64_t *a)
{
    (void)a;
    return -EAFNOSUPPORT;
}

int64_t sys_socketpair(const uint64_t *a)
{
    (void)a;
    return -EAFNOSUPPORT;
}

int64_t sys_not_socket(const uint64_t *a)
{
    return file_of((uint32_t)a[0]) ? -ENOTSOCK : -EBADF;
}
