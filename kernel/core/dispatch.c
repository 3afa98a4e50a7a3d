/* SPDX-License-Identifier: MIT */
/* The dispatch table, from abi/operations.tbl. The only function pointers of the kernel. */
#include <kernel.h>
#include <abi/operations.h>

typedef struct result (*op_function)(void);
extern const op_function op_table[OP_LIMIT];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Woverride-init"
const op_function op_table[OP_LIMIT] = { [0 ... OP_LIMIT - 1] = op_none, OP_TABLE };
#pragma GCC diagnostic pop
