/* SPDX-License-Identifier: MIT */
/* Ports and device memory as ranges that are carved out of larger ones. Ports are read and
 * written by operations; device memory is mapped (space_map_io). */
#include <arch/x86.h>
#include <kernel.h>

struct result op_io_create(u64 parent, u64 region, u64 where, u64 slot, u64 first, u64 count)
{
    i64 error;
    void *object;
    LOCKED;
    struct io *p = cap_here(parent, PT_IO, RIGHT_MANAGE, &error);
    struct region *r = p ? cap_here(region, PT_REGION, RIGHT_USE, &error) : 0;
    if (!r || (error = slot_ready(current_space(), slot)) ||
        (error = small_place(r, where, PT_IO, &object)))
        return fail(error);
    if (!count || first > p->count || p->count - first < count)
        return fail(-E_RANGE);
    small_commit(object, PT_IO);
    struct io *i = object;
    i->kind = p->kind;
    i->first = p->first + first;
    i->count = count;
    slot_fill(current_space(), slot, i, PT_IO, RIGHT_ALL, i->gen);
    return ok(0);
}

/* The absolute port of an access, checked. */
static i64 port_of(u64 io, u64 port, u64 width, u16 *absolute)
{
    i64 error;
    const struct io *i = cap_here(io, PT_IO, RIGHT_USE, &error);
    if (!i)
        return error;
    if (i->kind != IO_PORTS || (width != 1 && width != 2 && width != 4))
        return -E_ARG;
    if (port > i->count || i->count - port < width)
        return -E_RANGE;
    *absolute = (u16)(i->first + port);
    return 0;
}

struct result op_io_in(u64 io, u64 port, u64 width)
{
    u16 p;
    i64 error = port_of(io, port, width, &p);
    if (error)
        return fail(error);
    return ok(width == 1 ? inb(p) : width == 2 ? inw(p) : inl(p));
}

struct result op_io_out(u64 io, u64 port, u64 width, u64 data)
{
    u16 p;
    i64 error = port_of(io, port, width, &p);
    if (error)
        return fail(error);
    if (width == 1)
        outb(p, (u8)data);
    else if (width == 2)
        outw(p, (u16)data);
    else
        outl(p, (u32)data);
    return ok(0);
}
