// SPDX-License-Identifier: MIT
/*
 * Stands in for the runtime's rt/serve.h in host tests; see rt/call.h beside it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <rt/call.h>

/* Copy between the server and the block that the caller granted for reading or for writing. */
/* 0, or a negative status if a part of it was not granted or cannot be accessed. */
int64_t rt_copy_from_client(uint64_t offset, void *to, size_t bytes);
int64_t rt_copy_to_client(uint64_t offset, const void *from, size_t bytes);
/* The slot where capability `index` of this request arrived, or 0 if it did not. */
uint32_t rt_received_cap(unsigned index);
/* Passes the capability in `slot` as number `index` of the reply; slot 0: none. */
void rt_reply_cap(unsigned index, uint32_t slot);
