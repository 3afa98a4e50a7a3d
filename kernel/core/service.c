/* SPDX-License-Identifier: MIT */
/*
 * Services, pools of server stacks, and gates.
 *
 * What calls use is service.pool: the bound pool while the service is open, else
 * &empty_pool, whose free lists stay nil; so pause and open are one store that the call
 * path reads. Gates of a service fill pages of their own (page.parent names the service);
 * such a page goes before the service does, so a live gate's service pointer is good.
 * All stacks of a pool and core are on one page.
 */
#include <kernel.h>

#define POOLS_PER_SPACE 32u
#define WAKE_STEP 32u

struct pool empty_pool;

struct result op_service_create(struct region *r, u64 index, u64 slot, u64 level, u64 limit_ns)
{
    u32 pfn;
    REQUIRE(page_place(r, index, &pfn));
    REFUSE_IF(level >= USER_LEVEL, E_RANGE);
    page_commit(pfn, PT_SERVICE);
    struct service *s = frame_address(pfn);
    s->gen = generation_new();
    s->pool = &empty_pool;
    s->level = level;
    s->limit_ns = limit_ns ? limit_ns : UINT64_MAX;
    page_of(pfn)->used = 1;
    return slot_give(slot, s, PT_SERVICE);
}

struct result op_service_owner(struct service *s, struct notification *n, u64 bits)
{
    s->owner = n;
    s->owner_gen = n->gen;
    s->owner_bits = bits;
    return ok(0);
}

static void service_close(struct service *s, u8 state)
{
    __atomic_store_n(&s->pool, &empty_pool, __ATOMIC_RELEASE);
    s->state = state;
    if (s->bound) /* another core's call may take a stack yet: see stacks_take() */
        page_of(frame_of(s->bound))->stamp = epoch_stamp();
}

/* Ends the queueing of up to WAKE_STEP threads of one kind; true when none is left. */
static bool queue_wake(struct thread **heads)
{
    u32 woken = 0;
    for (u32 core = 0; core < cpu_count; core++)
        while (heads[core]) {
            if (woken++ == WAKE_STEP)
                return false;
            struct thread *t = heads[core];
            thread_dequeue(t);
            t->wake_status = 0;
            t->wake_value = 0;
            thread_post(t, REQUEST_WAKE);
        }
    return true;
}

bool service_wake(struct service *s)
{
    return queue_wake(s->waiters) && queue_wake(s->faulted);
}

struct result op_service_pause(struct service *s)
{
    service_close(s, s->state == SERVICE_DEAD ? SERVICE_DEAD : SERVICE_PAUSED);
    return ok(s->incarnation);
}

struct result op_service_bind(struct service *s, struct pool *p)
{
    REFUSE_IF(s->state == SERVICE_OPEN || p->service != s || p->space->dead, E_STATE);
    s->bound = p;
    s->state = SERVICE_PAUSED;
    return ok(++s->incarnation);
}

struct result op_service_open(struct service *s)
{
    REFUSE_IF(s->state == SERVICE_DEAD || !s->bound || s->bound->space->dead, E_STATE);
    s->state = SERVICE_OPEN;
    __atomic_store_n(&s->pool, s->bound, __ATOMIC_RELEASE);
    return (struct result){ service_wake(s) ? 0 : -E_AGAIN, s->incarnation };
}

struct result op_service_dead(struct service *s)
{
    service_close(s, SERVICE_DEAD);
    return (struct result){ service_wake(s) ? 0 : -E_AGAIN, s->incarnation };
}

struct result op_service_info(struct service *s)
{
    return ok(s->incarnation << 8 | s->state);
}

i64 service_take(struct service *s)
{
    service_close(s, SERVICE_DEAD);
    if (!service_wake(s))
        return -E_AGAIN;
    if (s->gate_pages || s->pools)
        return -E_BUSY;
    if (s->gen) {
        s->gen = 0;
        page_of(frame_of(s))->stamp = epoch_stamp();
    }
    return 0;
}

/* ---- pools ---------------------------------------------------------------------- */

struct result op_pool_create(struct service *s, struct region *r, u64 index, u64 slot,
                             struct space *sp, u64 entry)
{
    u32 pfn;
    REQUIRE(page_place(r, index, &pfn));
    REFUSE_IF(entry >= USER_TOP, E_ARG);
    REFUSE_IF(sp->dead || sp->pool_count == POOLS_PER_SPACE, E_STATE);
    page_commit(pfn, PT_POOL);
    struct pool *p = frame_address(pfn);
    p->gen = generation_new();
    p->service = s;
    p->space = sp;
    p->entry = entry;
    p->pools_next = sp->pools;
    if (sp->pools)
        ((struct pool *)frame_address(sp->pools))->pools_prev = pfn;
    sp->pools = pfn;
    sp->pool_count++;
    s->pools++;
    page_of(pfn)->used = 1;
    return slot_give(slot, p, PT_POOL);
}

i64 pool_take(struct pool *p)
{
    if (p->service->bound == p) {
        if (p->service->state == SERVICE_OPEN)
            return -E_BUSY;
        p->service->bound = 0;
    }
    for (u32 i = 0; i < MAX_CPUS; i++)
        if (p->stacks[i])
            return -E_BUSY;
    if (p->gen) {
        p->gen = 0;
        p->service->pools--;
        if (p->pools_prev)
            ((struct pool *)frame_address(p->pools_prev))->pools_next = p->pools_next;
        else
            p->space->pools = p->pools_next;
        if (p->pools_next)
            ((struct pool *)frame_address(p->pools_next))->pools_prev = p->pools_prev;
        p->space->pool_count--;
        page_of(frame_of(p))->stamp = epoch_stamp();
    }
    return 0;
}

/* The space died: nothing enters it any more, and the threads that wait in it for their
 * fault to be dealt with leave it. False: more of them, repeat. */
bool space_close_services(struct space *space)
{
    bool woken = true;
    u32 pfn = space->pools;
    for (u32 i = 0; i < POOLS_PER_SPACE && pfn; i++) {
        struct pool *p = frame_address(pfn);
        if (p->service->bound == p && p->service->state == SERVICE_OPEN)
            service_close(p->service, SERVICE_PAUSED);
        woken &= queue_wake(p->service->faulted);
        pfn = p->pools_next;
    }
    return woken;
}

struct result op_stacks_add(struct pool *p, struct region *r, u64 index, u64 core, u64 top,
                            u64 shape)
{
    u32 pfn;
    u64 stride = shape & 0xffffffff, count = shape >> 32, receive = core >> 16;
    core &= 0xffff;
    REQUIRE(page_place(r, index, &pfn));
    REFUSE_IF(core >= cpu_count || !count || count > STACKS_PER_PAGE ||
              receive + count * TRANSFER_CAPS > CAP_PAGES * SLOTS_PER_PAGE, E_RANGE);
    if (top > USER_TOP || top & 15 || stride & 15 || top + stride * (count - 1) > USER_TOP)
        return fail(-E_ARG);
    REFUSE_IF(p->stacks[core], E_BUSY);
    page_commit(pfn, PT_STACKS);
    struct frame *f = frame_address(pfn), *list = 0;
    for (u32 i = 0; i < count; i++) {
        f[i].kind = FRAME_STACK;
        f[i].level = (u8)p->service->level;
        f[i].core = (u8)core;
        f[i].space = p->space;
        f[i].cr3 = p->space->cr3;
        f[i].head = &p->free[core];
        f[i].top = top + stride * i;
        f[i].entry = p->entry;
        f[i].pool = p;
        f[i].recv_slot = (u32)(receive + i * TRANSFER_CAPS);
        f[i].recv_count = receive ? TRANSFER_CAPS : 0;
        f[i].next = list;
        list = &f[i];
    }
    page_of(pfn)->parent = frame_of(p);
    page_of(pfn)->used = (u16)count;
    p->stacks[core] = pfn;
    if (core == cpu_self()->core)
        p->free[core] = list;
    else
        p->incoming[core] = list;
    return ok(count);
}

/* An activation in a dead space that waits: its thread finds out, and drops it. */
static void stack_eject(const struct frame *f)
{
    struct thread *t = thread_of(f);
    if (t->top == f && (t->state == THREAD_WAITING || t->state == THREAD_QUEUED))
        thread_post(t, REQUEST_UNWIND);
}

i64 stacks_take(u32 pfn)
{
    struct page *page = page_of(pfn);
    if (!page->parent)
        return 0;
    struct pool *p = frame_address(page->parent);
    struct frame *f = frame_address(pfn);
    if (p->service->bound == p && !p->space->dead)
        return -E_BUSY;
    if (!quiesce_passed(page_of(page->parent)->stamp))
        return -E_AGAIN; /* a call may have taken a stack just before the pool closed */
    bool used = false;
    for (u32 i = 0; i < page->used; i++)
        if (f[i].gate) {
            used = true;
            if (p->space->dead)
                stack_eject(&f[i]);
        }
    if (used)
        return -E_AGAIN;
    p->free[f[0].core] = p->incoming[f[0].core] = 0;
    p->stacks[f[0].core] = 0;
    page->parent = 0;
    page->stamp = epoch_stamp();
    return 0;
}

/* ---- gates -------------------------------------------------------------------------- */

struct result op_gate_create(struct service *s, struct region *r, u64 where, u64 slot, u64 badge)
{
    i64 error;
    u64 place = where & 255u;
    u32 pfn = region_frame(r, where >> 8);
    if (!pfn || place >= GATES_PER_PAGE)
        return fail(pfn ? -E_RANGE : -E_OWNER);
    struct gate *g = (struct gate *)frame_address(pfn) + place;
    if (*page_type_of(pfn) == PT_FREE) {
        if ((error = page_place(r, where >> 8, &pfn)))
            return fail(error);
        page_commit(pfn, PT_GATE);
        page_of(pfn)->parent = frame_of(s);
        s->gate_pages++;
    } else if (*page_type_of(pfn) != PT_GATE || page_of(pfn)->parent != frame_of(s)) {
        return fail(-E_OWNER);
    } else if (g->gen) {
        return fail(-E_BUSY);
    } else if (!quiesce_passed(g->count)) {
        return fail(-E_AGAIN);
    }
    g->service = s;
    g->badge = badge;
    g->count = 0;
    __atomic_store_n(&g->gen, generation_new(), __ATOMIC_RELEASE);
    page_of(pfn)->used++;
    return slot_give(slot, g, PT_GATE);
}

void gate_end(struct gate *g)
{
    __atomic_store_n(&g->gen, 0, __ATOMIC_RELEASE);
    g->count = epoch_stamp();
    page_of(frame_of(g))->stamp = epoch_stamp();
    page_of(frame_of(g))->used--;
}

/* Gates of a page that may have had their last close: a bit for each pair, in maps (first
 * 64 gates) and big_maps; the page is on its service's closed list while a bit is set. */
static void gate_closed_mark(struct gate *g)
{
    struct page *p = page_of(frame_of(g));
    u32 place = (u32)(((u64)g & (PAGE_SIZE - 1)) / sizeof *g);
    if (!p->maps && !p->big_maps) {
        p->link = g->service->closed;
        g->service->closed = frame_of(g);
    }
    if (place < 64)
        p->maps |= 1u << (place / 2);
    else
        p->big_maps |= 1u << (place / 2 - 32);
}

void gate_release(struct gate *g)
{
    struct service *s = g->service;
    if (--g->count > 1)
        return;
    gate_closed_mark(g);
    notification_tell(s->owner, s->owner_gen, s->owner_bits & 0xffffffff);
}

struct result op_service_closed(struct service *s)
{
    REFUSE_IF(!s->closed, E_STATE);
    struct page *p = page_of(s->closed);
    u32 *word = p->maps ? &p->maps : &p->big_maps;
    u32 pair = (u32)__builtin_ctz(*word), place = pair * 2 + (p->maps ? 0 : 64);
    struct gate *g = (struct gate *)frame_address(s->closed) + place;
    /* Of two closed gates, the other comes with the next call: dirty is 1 + their pair. */
    bool first = g[0].gen && g[0].count <= 1 && p->dirty != 1 + pair + (p->maps ? 0 : 32);
    bool second = g[1].gen && g[1].count <= 1;
    p->dirty = first && second ? (u8)(1 + pair + (p->maps ? 0 : 32)) : 0;
    if (!p->dirty) {
        *word &= ~(1u << pair);
        if (!p->maps && !p->big_maps) {
            s->closed = p->link;
            p->link = 0;
        }
    }
    REFUSE_IF(!first && !second, E_AGAIN);
    return ok(first ? g[0].badge : g[1].badge);
}

i64 gates_take(u32 pfn)
{
    struct page *p = page_of(pfn);
    struct gate *g = frame_address(pfn);
    if (!p->parent)
        return 0;
    struct service *s = frame_address(p->parent);
    for (u32 i = 0; i < GATES_PER_PAGE; i++)
        if (g[i].gen)
            gate_end(&g[i]);
    if (p->maps || p->big_maps) {
        /* Off the closed list: from its head only, the server reads on meanwhile. */
        if (s->closed != pfn)
            return -E_BUSY;
        s->closed = p->link;
        p->maps = p->big_maps = 0;
    }
    s->gate_pages--;
    p->parent = 0;
    p->stamp = epoch_stamp();
    return 0;
}

struct result op_gate_info(struct gate *g)
{
    return ok(g->count);
}

struct result op_gate_badge(struct gate *g, struct service *s)
{
    return g->service == s ? ok(g->badge) : fail(-E_STATE);
}

struct result op_gate_drained(struct gate *g, u64 core)
{
    REFUSE_IF(core >= cpu_count, E_RANGE);
    const struct pool *p = g->service->bound;
    if (!p || !p->stacks[core])
        return ok(0);
    const struct frame *f = frame_address(p->stacks[core]);
    for (u32 i = 0; i < page_of(p->stacks[core])->used; i++)
        if (__atomic_load_n(&f[i].gate, __ATOMIC_ACQUIRE) == g)
            return fail(-E_BUSY);
    return ok(0);
}
