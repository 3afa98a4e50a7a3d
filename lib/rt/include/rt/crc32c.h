// SPDX-License-Identifier: MIT
/*
 * CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), as iSCSI (RFC 3720) and ext4 use it.
 * It finds accidents, not attacks.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The checksum of `bytes` bytes. `before` is 0 for a start, or the result for what precedes them:
 * crc32c(crc32c(0, a, n), b, m) is the checksum of both. Uses the processor's crc32 instruction
 * (which needs no vector registers) where there is one: one instruction for eight bytes.
 */
uint32_t crc32c(uint32_t before, const void *block, size_t bytes);
/* The same in portable C, about six instructions a byte. For the tests. */
uint32_t crc32c_portable(uint32_t before, const void *block, size_t bytes);
