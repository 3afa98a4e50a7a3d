/* SPDX-License-Identifier: MIT */
/*
 * Spaces: creation, death, capability-table pages, fault handler and owner.
 *
 * Invariant: a space object's page goes only when no thread and no pool refers to it; its
 * tables and capability pages are cut off first, and each is freed by page_take of its own.
 */
#include <arch/platform.h>
#include <arch/pte.h>
#include <arch/x86.h>
#include <kernel.h>

struct space trap_space ALIGNED(4096) = { .dead = 1 };
struct slot *empty_caps;

/* PCIDs 1..4095, handed out round robin; 0 means shared: flushed on every switch. */
static u64 pcid_used[64];
static u32 pcid_next = 1;

static u32 pcid_take(void)
{
    if (!features.pcid)
        return 0;
    for (u32 tries = 0; tries < 64; tries++) {
        u32 word = (pcid_next / 64 + tries) % 64;
        u64 free = ~pcid_used[word] & (word ? ~0ull : ~1ull);
        if (free) {
            u32 id = word * 64 + (u32)__builtin_ctzll(free);
            pcid_used[word] |= 1ull << (id % 64);
            pcid_next = id;
            return id;
        }
    }
    return 0;
}

/* A number is given back after quiescence, when no core has entries under it. */
static void pcid_give(u32 id)
{
    if (id)
        pcid_used[id / 64] &= ~(1ull << (id % 64));
}

void space_init(struct space *s, u64 template)
{
    u32 pfn = frame_of(s);
    s->gen = generation_new();
    s->pml4 = pfn + 1;
    s->pcid = pcid_take();
    s->cr3 = (u64)s->pml4 << PAGE_SHIFT | s->pcid | (s->pcid ? 1ull << 63 : 0);
    for (u32 i = 0; i < CAP_PAGES; i++)
        s->capdir[i] = empty_caps;
    page_of(pfn)->used = 1;
    page_of(s->pml4)->parent = pfn;
    page_of(s->pml4)->level = 4;
    const u64 *from = (const u64 *)(DM_BASE + template) + 256;
    copy_words((u64 *)frame_address(s->pml4) + 256, from, 256);
}

struct result op_space_create(struct region *r, u64 index, u64 slot)
{
    u32 pfn, second;
    REQUIRE(page_place(r, index, &pfn));
    REQUIRE(page_place(r, index + 1, &second));
    REFUSE_IF(pfn & 1, E_RANGE);
    page_commit(pfn, PT_SPACE);
    page_commit(second, PT_PML4);
    struct space *s = frame_address(pfn);
    space_init(s, kernel_pml4);
    return slot_give(slot, s, PT_SPACE);
}

struct result op_cap_page(struct space *s, struct region *r, u64 index, u64 directory)
{
    u32 pfn;
    REFUSE_IF(directory >= CAP_PAGES, E_RANGE);
    REFUSE_IF(s->capdir[directory] != empty_caps, E_BUSY);
    REQUIRE(page_place(r, index, &pfn));
    page_commit(pfn, PT_CAPS);
    struct slot *slots = frame_address(pfn);
    for (u32 i = 0; i < SLOTS_PER_PAGE; i++)
        slots[i].w0 = CAP_NIL;
    page_of(pfn)->parent = frame_of(s);
    page_of(pfn)->big_maps = (u32)directory;
    __atomic_store_n(&s->capdir[directory], slots, __ATOMIC_RELEASE);
    return ok(0);
}

struct result op_cap_page_move(struct space *f, struct space *t, u64 directory)
{
    REFUSE_IF(directory >= CAP_PAGES, E_RANGE);
    REFUSE_IF(!f->dead || f == t, E_STATE);
    REFUSE_IF(f->capdir[directory] == empty_caps, E_RANGE);
    REFUSE_IF(t->capdir[directory] != empty_caps, E_BUSY);
    struct slot *slots = f->capdir[directory];
    __atomic_store_n(&f->capdir[directory], empty_caps, __ATOMIC_RELEASE);
    page_of(frame_of(slots))->parent = frame_of(t);
    __atomic_store_n(&t->capdir[directory], slots, __ATOMIC_RELEASE);
    return ok(0);
}

struct result op_space_handler(struct space *s, struct gate *g)
{
    s->handler = g;
    s->handler_gen = g ? g->gen : 0;
    return ok(0);
}

struct result op_space_owner(struct space *s, struct notification *n, u64 bits)
{
    s->owner = n;
    s->owner_gen = n->gen;
    s->owner_bits = bits;
    return ok(0);
}

/* Marks it dead; false when threads that queue at its services are left to wake. */
static bool space_end(struct space *s)
{
    s->dead = 1;
    bool woken = space_close_services(s);
    trace(EVENT_SPACE_KILLED, frame_of(s), 0);
    /* Cores that run its code now find out by an interrupt. */
    for (u32 i = 0; i < cpu_count; i++)
        if (cpu_of(i) != cpu_self())
            ipi_send(i, VEC_KICK);
    cpu_self()->resched = 1;
    return woken;
}

struct result op_space_kill(struct space *s)
{
    return fail(space_end(s) ? 0 : -E_AGAIN);
}

/* What was mapped stays; that is for its owner to unmap. Of its faults nothing is left to be seen. */
struct result op_space_renew(struct space *s, u64 directory)
{
    i64 error;
    REFUSE_IF(directory >= CAP_PAGES, E_RANGE);
    REFUSE_IF(!s->dead, E_STATE);
    REFUSE_IF(s->threads || s->pools, E_BUSY);
    if (s->capdir[directory] != empty_caps && (error = caps_clear(s->capdir[directory])))
        return fail(error);
    s->handler = 0;
    s->owner = 0;
    s->fault_seq = 0;
    s->fault = (struct fault_record){ 0 };
    s->dead = 0;
    return ok(0);
}

struct result op_space_fault(struct space *s, u64 buffer)
{
    struct pith_fault f = { s->fault_seq, s->fault.vector, s->fault.error, s->fault.address,
                            s->fault.thread_id, s->fault.depth, { 0 } };
    copy_words(f.regs, &s->fault.regs, ARRAY_LEN(f.regs));
    return user_write(buffer, &f, sizeof f) ? ok(s->fault_seq) : fail(-E_MEMORY);
}

i64 space_take(struct space *s)
{
    u32 pfn = frame_of(s);
    if (!s->dead && !space_end(s))
        return -E_AGAIN;
    if (s->threads || s->pools)
        return -E_BUSY;
    if (s == current_space())
        return -E_BUSY;
    if (s->gen) {
        s->gen = 0;
        page_of(pfn)->stamp = epoch_stamp();
        if (features.pcid)
            invpcid(s->pcid ? 1 : 3, s->pcid, 0);
    }
    /* Pool pages and capability pages are freed on their own, but must not point here. */
    for (u32 i = 0; i < 32 && s->tables; i++)
        table_take(s->tables);
    if (s->tables)
        return -E_AGAIN;
    for (u32 i = 0; i < CAP_PAGES; i++)
        if (s->capdir[i] != empty_caps && s->capdir[i]) {
            u32 caps = frame_of(s->capdir[i]);
            if (caps_take(caps))
                return -E_AGAIN;
            return -E_AGAIN;
        }
    u64 *top = frame_address(s->pml4);
    for (u32 i = 0; i < 256; i++)
        if (top[i]) {
            page_of(pte_frame(top[i]))->parent = 0;
            page_of(pte_frame(top[i]))->stamp = epoch_stamp();
            top[i] = 0;
            page_of(s->pml4)->used--;
        }
    if (!quiesce_passed(page_of(pfn)->stamp))
        return -E_AGAIN;
    pcid_give(s->pcid);
    s->pcid = 0;
    return 0;
}
