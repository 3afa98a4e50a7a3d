// SPDX-License-Identifier: MIT
/*
 * Stands in for the runtime's server/server.h in host tests; see rt/call.h beside its folder.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rt/call.h>

/*
 * Copy between the server and the block that the caller granted for reading or for writing; false
 * if a part of it was not granted or cannot be accessed.
 */
bool rt_copy_from_client(uint64_t offset, void *to, uint64_t length);
bool rt_copy_to_client(uint64_t offset, const void *from, uint64_t length);
/* The slot where capability `index` of this request arrived, or 0 if it did not. */
uint32_t rt_received_cap(unsigned index);
/* Passes the capability in `slot` as number `index` of the reply. */
void rt_reply_cap(unsigned index, uint32_t slot);
