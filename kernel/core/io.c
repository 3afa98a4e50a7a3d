/* SPDX-License-Identifier: MIT */
/* Ports and device memory as ranges that are carved out of larger ones. Ports are read and
 * written by operations; device memory is mapped (space_map_io). */
#include <arch/x86.h>
#include <kernel.h>

struct result op_io_create(struct io *p, struct region *r, u64 where, u64 slot, u64 first,
                           u64 count)
{
    void *object;
    REQUIRE(small_place(r, where, PT_IO, &object));
    REFUSE_IF(!count || first > p->count || p->count - first < count, E_RANGE);
    small_commit(object, PT_IO);
    struct io *i = object;
    i->kind = p->kind;
    i->first = p->first + first;
    i->count = count;
    return slot_give(slot, i, PT_IO);
}

/* The absolute port of an access, checked. */
static i64 port_of(const struct io *i, u64 port, u64 width, u16 *absolute)
{
    if (i->kind != IO_PORTS || (width != 1 && width != 2 && width != 4))
        return -E_ARG;
    if (port > i->count || i->count - port < width)
        return -E_RANGE;
    *absolute = (u16)(i->first + port);
    return 0;
}

struct result op_io_in(struct io *io, u64 port, u64 width)
{
    u16 p;
    i64 error = port_of(io, port, width, &p);
    if (error)
        return fail(error);
    return ok(width == 1 ? inb(p) : width == 2 ? inw(p) : inl(p));
}

struct result op_io_out(struct io *io, u64 port, u64 width, u64 data)
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
