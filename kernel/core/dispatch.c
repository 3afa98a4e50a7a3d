/* SPDX-License-Identifier: MIT */
/*
 * The dispatcher, from abi/operations.tbl. The only function pointers of the kernel.
 *
 * entry.S calls op_table[number] with the caller's arguments. For most that is operation_locked
 * there, which comes here first: the kernel lock is taken, and each argument that the table calls
 * a capability is looked up and replaced by the object. Decoding ends with the first error.
 */
#include <kernel.h>

#define OPERANDS 6u
/* An operand's type is a page type, with one of the flags where slot 0 has a meaning. */
#define OPERAND_SELF 0x40u     /* the own space */
#define OPERAND_OPTIONAL 0x80u /* none */
#define OPERAND_NEW 0xffu      /* an empty slot that may be filled */
#define RIGHT_NONE 0
struct operand { u8 type, right; };
struct operation { op_function function; struct operand operands[OPERANDS]; u32 count; };

#define WORD { 0, 0 }
#define NEW { OPERAND_NEW, 0 }
#define CAP(type, right) { PT_##type, RIGHT_##right }
#define SELF(right) { PT_SPACE | OPERAND_SELF, RIGHT_##right }
#define OPTIONAL(type, right) { PT_##type | OPERAND_OPTIONAL, RIGHT_##right }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Woverride-init"
#define DIRECT(number, name, parameters, ...) [number] = (op_function)op_##name,
#define LOCKED(number, name, parameters, ...) [number] = (op_function)operation_locked,
const op_function op_table[OP_LIMIT] = { [0 ... OP_LIMIT - 1] = op_none, OP_TABLE };
#undef DIRECT
#undef LOCKED
#define DIRECT(number, name, parameters, ...)
#define LOCKED(number, name, parameters, ...) \
    [number] = { (op_function)op_##name, { __VA_ARGS__ },                                    \
                 sizeof((struct operand[]){ __VA_ARGS__ }) / sizeof(struct operand) },
static const struct operation operations[OP_LIMIT] = { OP_TABLE };
#pragma GCC diagnostic pop

static ALWAYS_INLINE i64 operand_decode(struct space *space, const struct operand *o, u64 *argument)
{
    i64 error = 0;
    if (o->type == OPERAND_NEW)
        return slot_ready(space, *argument);
    if (*argument || !(o->type & (OPERAND_SELF | OPERAND_OPTIONAL)))
        *argument = (u64)cap_object(space, *argument, o->type & 0x3f, o->right, &error);
    else if (o->type & OPERAND_SELF)
        *argument = (u64)space;
    return error;
}

struct result operation_decode(u64 number, u64 *arguments)
{
    const struct operation *o = &operations[number];
    lock_take();
    struct space *space = current_space();
    trace(EVENT_OP, number, arguments[0]);
    for (u32 i = 0; i < o->count; i++) /* the rest are plain words */
        if (o->operands[i].type)
            REQUIRE(operand_decode(space, &o->operands[i], &arguments[i]));
    return ok((u64)o->function);
}
