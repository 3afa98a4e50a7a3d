/* SPDX-License-Identifier: MIT */
/*
 * Capabilities: slots, copies, deletion, generations; and quiescence.
 *
 * A slot is written only when it is empty and every core has passed an entry since it was
 * emptied, second word first; emptied first word first. So a reader without a lock, which
 * loads the first word and then the second, sees one capability or none (docs/adr/0001).
 * Each gate counts the capabilities to it.
 */
#include <arch/platform.h>
#include <arch/x86.h>
#include <kernel.h>

u64 epoch = 1;
u32 cpu_count = 1;
#define CAPS_BATCH 64u

static u64 generations;

void *cap_here(u64 index, u8 type, u64 rights, i64 *error)
{
    return cap_object(current_space(), index, type, rights, error);
}

u64 generation_new(void)
{
    return ++generations;
}

bool quiesce_passed(u64 stamp)
{
    struct cpu *self = cpu_self();
    bool passed = true;
    if (cpu_count == 1)
        return true;
    if (stamp >= epoch) {
        for (u32 i = 0; i < cpu_count; i++) /* one round at a time: many stamps share it */
            if (cpu_of(i) != self && __atomic_load_n(&cpu_of(i)->seen, __ATOMIC_ACQUIRE) < epoch)
                return false;
        epoch = stamp + 1;
    }
    for (u32 i = 0; i < cpu_count; i++) {
        struct cpu *c = cpu_of(i);
        if (__atomic_load_n(&c->seen, __ATOMIC_ACQUIRE) > stamp)
            continue;
        if (c == self) { /* what another core retired may be cached here */
            quiesce_self(self);
            continue;
        }
        passed = false;
        if (c->kicked != (u32)epoch) {
            c->kicked = (u32)epoch;
            ipi_send(i, VEC_KICK);
        }
    }
    return passed;
}

void quiesce_self(struct cpu *cpu)
{
    u64 now = __atomic_load_n(&epoch, __ATOMIC_ACQUIRE);
    if (cpu->seen == now)
        return;
    if (features.pcid)
        invpcid(3, 0, 0);
    else
        write_cr3(read_cr3());
    __atomic_store_n(&cpu->seen, now, __ATOMIC_RELEASE);
}

i64 slot_ready(struct space *space, u64 index)
{
    if (index == SPACE_SELF || index >= CAP_PAGES * SLOTS_PER_PAGE ||
        space->capdir[index >> 8] == empty_caps)
        return -E_CAP;
    const struct slot *s = slot_at(space, index);
    if (s->w0 != CAP_NIL)
        return -E_BUSY;
    return quiesce_passed(s->w1) ? 0 : -E_AGAIN;
}

void slot_fill(struct space *space, u64 index, const void *object, u8 type, u64 rights, u64 gen)
{
    struct slot *s = slot_at(space, index);
    assert(s->w0 == CAP_NIL);
    if (type == PT_GATE)
        ((struct gate *)(u64)object)->count++;
    __atomic_store_n(&s->w1, gen, __ATOMIC_RELEASE);
    __atomic_store_n(&s->w0, (u64)object << 16 | (u64)type << 8 | rights, __ATOMIC_RELEASE);
}

struct result slot_give(u64 index, const void *object, u8 type)
{
    slot_fill(current_space(), index, object, type, RIGHT_ALL, *(const u64 *)object);
    return ok(0);
}

static void *slot_object(const struct slot *s)
{
    return (void *)((i64)s->w0 >> 16);
}

static u8 slot_type(const struct slot *s)
{
    return (u8)(s->w0 >> 8);
}

/* Whether the object a slot names is still there. */
static bool slot_alive(const struct slot *s)
{
    return s->w0 != CAP_NIL && object_alive(slot_object(s), slot_type(s), s->w1);
}

void slot_clear(struct slot *s)
{
    struct gate *g = slot_type(s) == PT_GATE && slot_alive(s) ? slot_object(s) : 0;
    __atomic_store_n(&s->w0, CAP_NIL, __ATOMIC_RELEASE);
    __atomic_store_n(&s->w1, epoch_stamp(), __ATOMIC_RELEASE);
    if (g)
        gate_release(g);
}

i64 cap_transfer_check(struct space *from, u64 source, struct space *to, u64 slot)
{
    if (source >= CAP_PAGES * SLOTS_PER_PAGE || !slot_alive(slot_at(from, source)))
        return -E_CAP;
    if (from != to && !(slot_at(from, source)->w0 & RIGHT_GRANT))
        return -E_RIGHT;
    return slot_ready(to, slot);
}

i64 cap_transfer(struct space *from, u64 source, struct space *to, u64 slot, u64 rights)
{
    i64 error = cap_transfer_check(from, source, to, slot);
    if (error)
        return error;
    const struct slot *s = slot_at(from, source);
    slot_fill(to, slot, slot_object(s), slot_type(s), s->w0 & 0xff & rights, s->w1);
    return 0;
}

struct result op_none(void)
{
    return fail(-E_OP);
}

struct result op_cap_identify(u64 index)
{
    REFUSE_IF(unlikely(index > 0xffff), E_CAP);
    const struct slot *s = slot_at(current_space(), index);
    u64 w0 = s->w0, w1 = s->w1;
    if (unlikely(*(u8 *)((i64)w0 >> 28) != (u8)(w0 >> 8) || *(u64 *)((i64)w0 >> 16) != w1))
        return fail(-E_CAP);
    return ok(w0 & 0xffff);
}

struct result op_cap_copy(u64 source, struct space *to, u64 slot, u64 rights)
{
    return fail(cap_transfer(current_space(), source, to, slot, rights));
}

struct result op_caps_copy(struct space *f, struct space *t, u64 first, u64 count)
{
    i64 error = 0;
    u64 copied = 0;
    REFUSE_IF(first >= CAP_PAGES * SLOTS_PER_PAGE || count > CAPS_BATCH ||
              first + count > CAP_PAGES * SLOTS_PER_PAGE, E_RANGE);
    for (u64 i = first; i < first + count; i++) {
        const struct slot *s = slot_at(f, i);
        const struct slot *there = slot_at(t, i);
        bool done = there->w0 == s->w0 && there->w1 == s->w1; /* in an earlier step */
        if (s->w0 == CAP_NIL || !(s->w0 & RIGHT_GRANT) || !slot_alive(s) || done)
            continue;
        error = cap_transfer(f, i, t, i, RIGHT_ALL);
        if (error)
            return fail(error);
        copied++;
    }
    return ok(copied);
}

struct result op_cap_same(u64 first, u64 second)
{
    REFUSE_IF(first > 0xffff || second > 0xffff, E_CAP);
    const struct slot *a = slot_at(current_space(), first), *b = slot_at(current_space(), second);
    REFUSE_IF(!slot_alive(a) || !slot_alive(b), E_CAP);
    return ok(a->w0 >> 16 == b->w0 >> 16 && a->w1 == b->w1);
}

struct result op_cap_delete(struct space *s, u64 slot)
{
    REFUSE_IF(slot >= CAP_PAGES * SLOTS_PER_PAGE, E_CAP);
    if (slot_at(s, slot)->w0 != CAP_NIL)
        slot_clear(slot_at(s, slot));
    return ok(0);
}

struct result op_quiesce(u64 stamp)
{
    if (!stamp)
        stamp = epoch_stamp();
    else if (stamp > epoch)
        return (struct result){ -E_AGAIN, epoch_stamp() };
    return (struct result){ quiesce_passed(stamp) ? 0 : -E_AGAIN, stamp };
}
