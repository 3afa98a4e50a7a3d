/* SPDX-License-Identifier: MIT */
/*
 * The kernel's invariants, one predicate each (docs/invariants.md lists them). Debug builds
 * only: op_kernel_check runs all of them over all objects, under the kernel lock.
 *
 * Other cores may be in user mode or on the call path meanwhile, which takes no lock. So
 * what only the call path writes ([call], [own] in object.h) is looked at on the own core,
 * or on threads that do not run; a list of another core's stacks is not walked.
 */
#include <arch/platform.h>
#include <arch/pte.h>
#include <arch/x86.h>
#include <kernel.h>

#define LIST_MAX 2048u
#define STEPS_MAX 0x100000u
#define PINS_MAX 16u

/* The pages of each type that is looked up by others, in ascending order. */
struct page_list { u32 count; u32 pfn[LIST_MAX]; };
static struct page_list regions, spaces, threads, services, pools, stack_pages, gate_pages;
static u16 gate_caps[LIST_MAX][GATES_PER_PAGE];
static u64 leaves, listed, pins, pinned;

#define TRY(predicate, subject)                                                              \
    do {                                                                                     \
        if (!predicate(subject)) {                                                           \
            console_printf("[kernel] %s: %lx\n", #predicate, (u64)(subject));                \
            *what = #predicate;                                                              \
            return false;                                                                    \
        }                                                                                    \
    } while (0)

static u8 page_kind(u32 pfn)
{
    return pfn && pfn < page_count ? *page_type_of(pfn) : (u8)PT_NONE;
}

static bool is_object(const void *object, u8 type)
{
    return object && (u64)object >= DM_BASE && page_kind(frame_of(object)) == type;
}

static u32 list_find(const struct page_list *l, u32 pfn)
{
    u32 low = 0, high = l->count;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (l->pfn[middle] < pfn)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->count && l->pfn[low] == pfn ? low : LIST_MAX;
}

static bool running(const struct thread *t)
{
    return cpu_of(t->core)->thread == t;
}

/* The innermost frame, when nobody may be changing it: else nil. */
static const struct frame *stable_top(const struct thread *t)
{
    if (!running(t))
        return t->top;
    return cpu_of(t->core) == cpu_self() ? cpu_self()->frame : 0;
}

/* ---- pages and regions ------------------------------------------------------------------ */

static bool page_type_known(u32 pfn)
{
    return *page_type_of(pfn) < PT_COUNT;
}

static bool page_owner_covers(u32 pfn)
{
    u32 ref = page_of(pfn)->owner;
    if (!ref)
        return true;
    const struct region *r = region_at(ref);
    return page_kind(ref >> 5) == PT_REGION && pfn >= r->first && pfn - r->first < r->count;
}

static bool page_free_is_bare(u32 pfn)
{
    const struct page *p = page_of(pfn);
    return *page_type_of(pfn) != PT_FREE ||
           (!p->maps && !p->big_maps && !p->parent && !p->link && !p->used && !p->level);
}

static bool page_free_zero_is_zero(u32 pfn)
{
    const u64 *word = frame_address(pfn);
    u64 all = 0;
    for (u32 i = 0; i < 512; i++)
        all |= word[i];
    return *page_type_of(pfn) != PT_FREE || page_of(pfn)->dirty != FREE_ZERO || !all;
}

static bool region_owned_counts(const struct region *r)
{
    u32 owned = 0, ref = small_ref(r);
    for (u32 i = 0; i < r->count; i++)
        owned += page_of(r->first + i)->owner == ref;
    return owned == r->owned;
}

static bool region_parent_covers(const struct region *r)
{
    if (!r->parent)
        return true;
    const struct region *p = region_at(r->parent);
    return page_kind(r->parent >> 5) == PT_REGION && p->children && r->depth == p->depth + 1 &&
           r->first >= p->first && r->first + r->count <= p->first + p->count;
}

static bool region_children_counts(const struct region *r)
{
    u32 children = 0, ref = small_ref(r);
    for (u32 i = 0; i < regions.count; i++)
        for (u32 s = 0; s < SMALLS_PER_PAGE; s++) {
            const struct region *c = region_at(regions.pfn[i] << 5 | s);
            children += c->parent == ref;
        }
    return children == r->children;
}

static bool region_dead_is_released(const struct region *r)
{
    return r->gen || r->owned || r->children || !r->parent;
}

static bool regions_hold(u32 pfn, const char **what)
{
    for (u32 s = 0; s < SMALLS_PER_PAGE; s++) {
        const struct region *r = region_at(pfn << 5 | s);
        if (!r->gen && !r->owned && !r->children)
            continue;
        TRY(region_owned_counts, r);
        TRY(region_parent_covers, r);
        TRY(region_children_counts, r);
        TRY(region_dead_is_released, r);
    }
    return true;
}

static bool small_used_counts(u32 pfn)
{
    u32 used = 0;
    for (u32 s = 0; s < SMALLS_PER_PAGE; s++)
        used += *(const u64 *)((u64)frame_address(pfn) + s * SMALL_SIZE) != 0;
    return !page_of(pfn)->owner || used == page_of(pfn)->used; /* boot's pages count nothing */
}

/* ---- tables and reverse mappings ------------------------------------------------------------ */

struct map_link { u32 prev, next; };

static const struct map_link *map_link_at(u32 ref)
{
    return (const struct map_link *)frame_address((ref >> 9) + 1) + (ref & 511u);
}

/* The entry ref is a leaf of a level for pfn in a table. */
static bool leaf_maps(u32 ref, u8 level, u32 pfn)
{
    u64 pte = *pte_at(ref);
    return page_kind(ref >> 9) == PT_TABLE && page_of(ref >> 9)->level == level &&
           pte & PTE_PRESENT && !(pte & PTE_IO) && (level == 1 || pte & PTE_LARGE) &&
           pte_frame(pte) == pfn;
}

static bool list_holds(u32 head, u8 level, u32 pfn)
{
    u32 prev = 0, steps = 0;
    for (u32 ref = head; ref; prev = ref, ref = map_link_at(ref)->next, steps++) {
        if (steps == STEPS_MAX || !leaf_maps(ref, level, pfn) || map_link_at(ref)->prev != prev)
            return false;
        listed++;
    }
    return true;
}

static bool frame_maps_listed(u32 pfn)
{
    return list_holds(page_of(pfn)->maps, 1, pfn);
}

static bool frame_big_maps_listed(u32 pfn)
{
    u32 head = page_of(pfn)->big_maps;
    if (!head)
        return true;
    if (!(pfn & 511u))
        return page_of(pfn)->level && list_holds(head, 2, pfn);
    return (pfn & 0x3ffffu) == 1 && list_holds(head, 3, pfn - 1);
}

static bool frame_block_is_whole(u32 pfn)
{
    if (!page_of(pfn)->level)
        return true;
    bool whole = !(pfn & 511u);
    for (u32 i = 0; i < 512 && whole; i++)
        whole = page_kind(pfn + i) == PT_FRAME && page_of(pfn + i)->owner == page_of(pfn)->owner;
    return whole;
}

static bool frame_pins_bounded(u32 pfn)
{
    pins += page_of(pfn)->used;
    return page_of(pfn)->used <= PINS_MAX;
}

static bool table_has_shadow(u32 pfn)
{
    return !(pfn & 1) && page_kind(pfn + 1) == PT_SHADOW;
}

static bool table_used_counts(u32 pfn)
{
    const u64 *pte = frame_address(pfn);
    u32 used = 0, limit = *page_type_of(pfn) == PT_PML4 ? 256 : 512;
    for (u32 i = 0; i < limit; i++)
        used += pte[i] != 0;
    return used == page_of(pfn)->used;
}

static bool table_parent_points_back(u32 pfn)
{
    const struct page *p = page_of(pfn);
    if (!p->level)
        return !p->parent || page_kind(p->parent) == PT_SPACE;
    if (!p->parent)
        return true; /* cut off */
    u8 above = page_kind(p->parent >> 9);
    return (above == PT_TABLE || above == PT_PML4) &&
           page_of(p->parent >> 9)->level == p->level + 1 &&
           *pte_at(p->parent) & PTE_PRESENT && pte_frame(*pte_at(p->parent)) == pfn;
}

/* An entry is a table one level down that points back, or a leaf on frames, never both
 * writable and executable. */
static bool table_entry_holds(u32 ref)
{
    u64 pte = *pte_at(ref);
    u8 level = page_of(ref >> 9)->level;
    u32 pfn = pte_frame(pte);
    if (!pte)
        return true;
    if (level > 1 && !(pte & PTE_LARGE))
        return page_kind(pfn) == PT_TABLE && page_of(pfn)->level == level - 1 &&
               page_of(pfn)->parent == ref;
    if (pte & PTE_IO)
        return level == 1;
    leaves++;
    return page_kind(pfn) == PT_FRAME && level < 4 && pte & PTE_USER &&
           !(features.nx && pte & PTE_WRITE && !(pte & PTE_NX));
}

static bool table_entries_hold(u32 pfn)
{
    u32 limit = *page_type_of(pfn) == PT_PML4 ? 256 : 512;
    for (u32 i = 0; i < limit; i++)
        if (!table_entry_holds(pfn << 9 | i))
            return false;
    return true;
}

static bool pml4_belongs_to_space(u32 pfn)
{
    const struct space *s = frame_address(pfn - 1);
    return page_kind(pfn - 1) == PT_SPACE && s->pml4 == pfn && page_of(pfn)->parent == pfn - 1 &&
           page_of(pfn)->level == 4;
}

static bool pml4_kernel_half(u32 pfn)
{
    const u64 *pte = frame_address(pfn), *template = (const u64 *)(DM_BASE + kernel_pml4);
    for (u32 i = 256; i < 512; i++)
        if ((pte[i] | PTE_ACCESSED) != (template[i] | PTE_ACCESSED))
            return false;
    return true;
}

/* ---- spaces and capabilities ----------------------------------------------------------------- */

static bool space_capdir_holds(const struct space *s)
{
    for (u32 i = 0; i < CAP_PAGES; i++) {
        if (s->capdir[i] == empty_caps)
            continue;
        u32 pfn = frame_of(s->capdir[i]);
        if (page_kind(pfn) != PT_CAPS || page_of(pfn)->parent != frame_of(s) ||
            page_of(pfn)->big_maps != i)
            return false;
    }
    return true;
}

static bool space_table_pool_linked(const struct space *s)
{
    u32 count = 0, prev = 0;
    for (u32 pfn = s->tables; pfn; prev = pfn, pfn = page_of(pfn)->link, count++)
        if (count == STEPS_MAX || page_kind(pfn) != PT_TABLE || page_of(pfn)->level ||
            page_of(pfn)->used || page_of(pfn)->parent != frame_of(s) || page_of(pfn)->maps != prev)
            return false;
    return count == s->table_count && s->tables_tail == prev;
}

static bool space_pools_linked(const struct space *s)
{
    u32 count = 0, prev = 0;
    for (u32 pfn = s->pools; pfn && count <= 32; count++) {
        const struct pool *p = frame_address(pfn);
        if (page_kind(pfn) != PT_POOL || p->space != s || !p->gen || p->pools_prev != prev)
            return false;
        prev = pfn;
        pfn = p->pools_next;
    }
    return count == s->pool_count && count <= 32;
}

static bool space_threads_counts(const struct space *s)
{
    u32 count = 0;
    for (u32 i = 0; i < threads.count; i++) {
        const struct thread *t = frame_address(threads.pfn[i]);
        count += t->gen && t->space == s;
    }
    return threads.count == LIST_MAX || count == s->threads;
}

static bool caps_page_belongs_to_space(u32 pfn)
{
    const struct page *p = page_of(pfn);
    const struct space *s = frame_address(p->parent);
    return !p->parent || (page_kind(p->parent) == PT_SPACE && p->big_maps < CAP_PAGES &&
                          frame_of(s->capdir[p->big_maps]) == pfn);
}

/* A full slot names an object type and carries a generation that was given out. Counts
 * the live ones of each gate. */
static bool slot_holds(const struct slot *s)
{
    if (s->w0 == CAP_NIL)
        return true;
    u8 type = (u8)(s->w0 >> 8);
    const void *object = (const void *)((i64)s->w0 >> 16);
    if (type < PT_GATE || type >= PT_COUNT || type == PT_PML4 || type == PT_STACKS ||
        (u64)object < DM_BASE || frame_of(object) >= page_count || !s->w1)
        return false;
    if (type == PT_GATE && object_alive(object, type, s->w1)) {
        u32 i = list_find(&gate_pages, frame_of(object));
        if (i < LIST_MAX)
            gate_caps[i][((u64)object & (PAGE_SIZE - 1)) / sizeof(struct gate)]++;
    }
    return true;
}

static bool caps_slots_hold(u32 pfn)
{
    const struct slot *s = frame_address(pfn);
    for (u32 i = 0; i < SLOTS_PER_PAGE; i++)
        if (!slot_holds(&s[i]))
            return false;
    return true;
}

/* ---- services, pools, gates, stacks ---------------------------------------------------------- */

static bool gate_page_belongs_to_service(u32 pfn)
{
    u32 parent = page_of(pfn)->parent, used = 0;
    const struct gate *g = frame_address(pfn);
    for (u32 i = 0; i < GATES_PER_PAGE; i++) {
        used += g[i].gen != 0;
        if (g[i].gen && frame_of(g[i].service) != parent)
            return false;
    }
    return used == page_of(pfn)->used && (parent ? page_kind(parent) == PT_SERVICE : !used);
}

static bool gate_counts_its_capabilities(u32 pfn)
{
    const struct gate *g = frame_address(pfn);
    u32 page = list_find(&gate_pages, pfn);
    for (u32 i = 0; page < LIST_MAX && i < GATES_PER_PAGE; i++)
        if (g[i].gen && g[i].count != gate_caps[page][i])
            return false;
    return true;
}

static bool service_pool_matches_state(const struct service *s)
{
    if (s->state == SERVICE_OPEN)
        return s->pool == s->bound && s->bound;
    return s->pool == &empty_pool && s->state <= SERVICE_DEAD;
}

static bool service_level_bounded(const struct service *s)
{
    return s->level < USER_LEVEL;
}

static bool service_bound_is_its_pool(const struct service *s)
{
    return !s->bound || (is_object(s->bound, PT_POOL) && s->bound->gen && s->bound->service == s);
}

static bool service_pages_count(const struct service *s)
{
    u32 mine = 0, made = 0;
    for (u32 i = 0; i < gate_pages.count; i++)
        mine += page_of(gate_pages.pfn[i])->parent == frame_of(s);
    for (u32 i = 0; i < pools.count; i++) {
        const struct pool *p = frame_address(pools.pfn[i]);
        made += p->gen && p->service == s;
    }
    return (gate_pages.count == LIST_MAX || mine == s->gate_pages) &&
           (pools.count == LIST_MAX || made == s->pools);
}

static bool service_closed_list_holds(const struct service *s)
{
    u32 count = 0;
    for (u32 pfn = s->closed; pfn; pfn = page_of(pfn)->link, count++)
        if (count == LIST_MAX || page_kind(pfn) != PT_GATE || page_of(pfn)->parent != frame_of(s) ||
            !(page_of(pfn)->maps | page_of(pfn)->big_maps))
            return false;
    return true;
}

static bool queue_holds(const struct service *s, const struct thread *head, u32 core, bool faulted)
{
    const struct thread *t = head;
    for (u32 i = 0; t && i < STEPS_MAX; i++) {
        if (!is_object(t, PT_THREAD) || t->state != THREAD_QUEUED || t->queued_on != s ||
            t->core != core || t->faulted != faulted || t->run_next->run_prev != t)
            return false;
        t = t->run_next;
        if (t == head)
            return true;
    }
    return !t;
}

static bool service_queues_hold(const struct service *s)
{
    for (u32 core = 0; core < MAX_CPUS; core++)
        if (!queue_holds(s, s->waiters[core], core, false) ||
            !queue_holds(s, s->faulted[core], core, true))
            return false;
    return true;
}

static bool pool_belongs(const struct pool *p)
{
    return !p->gen || (is_object(p->service, PT_SERVICE) && is_object(p->space, PT_SPACE) &&
                       p->service->gen && p->space->gen && p->entry < USER_TOP);
}

static bool pool_stack_pages_point_back(const struct pool *p)
{
    for (u32 core = 0; core < MAX_CPUS; core++) {
        u32 pfn = p->stacks[core];
        if (pfn && (core >= cpu_count || page_kind(pfn) != PT_STACKS ||
                    page_of(pfn)->parent != frame_of(p)))
            return false;
        if (!pfn && (p->free[core] || p->incoming[core]))
            return false;
    }
    return true;
}

static bool stack_fields_hold(const struct frame *f)
{
    const struct pool *p = f->pool;
    return (f->kind == FRAME_STACK || f->kind == FRAME_QUARANTINED) && f->core < cpu_count &&
           is_object(p, PT_POOL) && f->head == &p->free[f->core] && f->level == p->service->level &&
           f->cr3 == p->space->cr3 && f->entry == p->entry;
}

/* On the own core: a stack is free and on the list, or in use, or quarantined. */
static bool stack_in_use_holds(const struct frame *f)
{
    if (!f->gate)
        return true;
    return f->kind == FRAME_STACK && f->prev && f->prev->level > f->level &&
           (f->space == f->pool->space || f->space == &trap_space);
}

static bool stacks_all_accounted(u32 pfn)
{
    const struct page *page = page_of(pfn);
    const struct frame *f = frame_address(pfn);
    u32 used = 0, free = 0;
    for (u32 i = 0; i < page->used; i++)
        used += f[i].gate || f[i].kind == FRAME_QUARANTINED;
    for (u32 list = 0; list < 2; list++) {
        const struct frame *s = list ? f->pool->incoming[f->core] : f->pool->free[f->core];
        for (; s && free <= page->used; s = s->next, free++)
            if (frame_of(s) != pfn || s->gate || s->kind != FRAME_STACK)
                return false;
    }
    return used + free == page->used;
}

static bool stacks_hold(u32 pfn, const char **what)
{
    const struct frame *f = frame_address(pfn);
    if (!page_of(pfn)->parent)
        return true;
    for (u32 i = 0; i < page_of(pfn)->used; i++) {
        TRY(stack_fields_hold, &f[i]);
        if (f->core == cpu_self()->core)
            TRY(stack_in_use_holds, &f[i]);
    }
    if (f->core == cpu_self()->core)
        TRY(stacks_all_accounted, pfn);
    return true;
}

static bool empty_pool_is_empty(const struct pool *p)
{
    for (u32 core = 0; core < MAX_CPUS; core++)
        if (p->free[core] || p->incoming[core] || p->stacks[core])
            return false;
    return true;
}

/* ---- threads --------------------------------------------------------------------------------- */

static bool thread_state_known(const struct thread *t)
{
    return t->state <= THREAD_THROTTLED && t->core < cpu_count && t->priority < PRIORITIES &&
           t->base.kind == FRAME_BASE && t->base.level == USER_LEVEL && t->base.prev == &nil_frame;
}

static bool thread_stopped_is_at_depth_0(const struct thread *t)
{
    const struct frame *top = stable_top(t);
    return t->state != THREAD_STOPPED || !top ||
           (top == &t->base && !t->timer_slot && !t->queued_on && !t->waits_on && !t->fault_count);
}

static bool thread_waiting_has_a_way_out(const struct thread *t)
{
    if (t->state == THREAD_QUEUED && !t->queued_on)
        return t->inboxed;
    if (t->state == THREAD_THROTTLED)
        return t->timer_slot;
    if (t->state != THREAD_WAITING)
        return !t->waits_on;
    return t->waits_on ? is_object(t->waits_on, PT_NOTIFICATION) && t->waits_on->waiter == t
                       : (t->requests & REQUEST_WAKE) != 0;
}

static bool thread_links_match_state(const struct thread *t)
{
    bool linked = t->state == THREAD_READY || (t->state == THREAD_QUEUED && t->queued_on);
    return (t->run_next != 0) == linked && (t->run_prev != 0) == linked &&
           (t->queued_on != 0) <= (t->state == THREAD_QUEUED);
}

/* Frames fall strictly in level; fault sets are used in order, one per trapped frame. */
static bool thread_chain_falls(const struct thread *t)
{
    const struct frame *f = stable_top(t);
    u32 faults = 0;
    if (!f)
        return true;
    for (u32 i = 0; f->kind != FRAME_BASE; i++, f = f->prev) {
        if (i == USER_LEVEL || f->kind != FRAME_STACK || !f->gate || f->prev->level <= f->level ||
            f->core != t->core)
            return false;
        faults += f->fault != 0;
    }
    faults += f->fault != 0;
    return f == &t->base && faults == t->fault_count && faults <= FAULT_SETS;
}

/* The frames below the innermost remember where a slow return is due. */
static bool thread_spaces_hold(const struct thread *t)
{
    const struct frame *f = stable_top(t);
    for (; f && f->kind != FRAME_BASE; f = f->prev)
        if (f->space != f->pool->space && f->space != &trap_space)
            return false;
    return !f || f->space == t->space || f->space == &trap_space;
}

/* The registers of each fault being handled stay; those in use are the set above them. */
static bool thread_regs_match_faults(const struct thread *t)
{
    return !stable_top(t) || t->regs == &t->saved[t->fault_count];
}

static bool thread_pins_hold(const struct thread *t)
{
    const u64 at[2] = { t->upcall_data, t->event_frame };
    for (u32 i = 0; i < 2; i++) {
        pinned += at[i] != 0;
        if (at[i] && (page_kind(frame_of((void *)at[i])) != PT_FRAME ||
                      !page_of(frame_of((void *)at[i]))->used))
            return false;
    }
    return !t->upcall_entry == !t->upcall_data && !t->event_entry == !t->event_frame;
}

static bool thread_space_lives(const struct thread *t)
{
    return is_object(t->space, PT_SPACE) && t->space->gen;
}

static bool threads_hold(const struct thread *t, const char **what)
{
    if (!t->gen)
        return true;
    TRY(thread_state_known, t);
    TRY(thread_space_lives, t);
    TRY(thread_stopped_is_at_depth_0, t);
    TRY(thread_waiting_has_a_way_out, t);
    TRY(thread_links_match_state, t);
    TRY(thread_chain_falls, t);
    TRY(thread_spaces_hold, t);
    TRY(thread_regs_match_faults, t);
    TRY(thread_pins_hold, t);
    return true;
}

/* ---- cores ----------------------------------------------------------------------------------- */

static u32 ready_seen, inbox_seen, timers_seen;

static bool run_queue_holds(const struct cpu *cpu, u32 priority)
{
    const struct thread *head = cpu->run[priority], *t = head;
    if ((head != 0) != (cpu->run_bits >> priority & 1))
        return false;
    for (u32 i = 0; t && i < STEPS_MAX; i++) {
        if (!is_object(t, PT_THREAD) || t->state != THREAD_READY || t->priority != priority ||
            t->core != cpu->core || t->run_next->run_prev != t)
            return false;
        ready_seen++;
        t = t->run_next;
        if (t == head)
            return true;
    }
    return !t;
}

static bool cpu_run_queues_hold(const struct cpu *cpu)
{
    for (u32 p = 0; p < PRIORITIES; p++)
        if (!run_queue_holds(cpu, p))
            return false;
    return true;
}

static bool wheel_slot_holds(const struct cpu *cpu, u32 level, u32 digit)
{
    const struct thread *t = cpu->wheel->slots[level][digit], *prev = 0;
    if ((t != 0) != (cpu->wheel_bits[level] >> digit & 1))
        return false;
    for (u32 i = 0; t; prev = t, t = t->timer_next, i++) {
        if (i == STEPS_MAX || !is_object(t, PT_THREAD) || t->core != cpu->core ||
            t->timer_prev != prev || t->timer_slot != 1 + level * WHEEL_SLOTS + digit)
            return false;
        timers_seen++;
    }
    return true;
}

static bool cpu_wheel_holds(const struct cpu *cpu)
{
    for (u32 level = 0; level < WHEEL_LEVELS; level++)
        for (u32 digit = 0; digit < WHEEL_SLOTS; digit++)
            if (!wheel_slot_holds(cpu, level, digit))
                return false;
    return true;
}

static bool cpu_inbox_holds(const struct cpu *cpu)
{
    u32 count = 0;
    for (const struct thread *t = cpu->inbox; t; t = t->inbox_next, count++)
        if (count == STEPS_MAX || !is_object(t, PT_THREAD) || !t->inboxed || t->core != cpu->core)
            return false;
    inbox_seen += count;
    return true;
}

static bool cpu_vectors_hold(const struct cpu *cpu)
{
    for (u32 v = 0; v < 256; v++) {
        const struct interrupt *i = cpu->vectors[v];
        if (i && (!is_object(i, PT_INTERRUPT) || !i->gen || i->vector != v || i->core != cpu->core))
            return false;
    }
    return true;
}

/* Every ready, inboxed and timed thread was met on a core's list. */
static bool threads_all_met(u32 unused)
{
    u32 ready = 0, inboxed = 0, timed = 0;
    (void)unused;
    for (u32 i = 0; i < threads.count; i++) {
        const struct thread *t = frame_address(threads.pfn[i]);
        ready += t->state == THREAD_READY;
        inboxed += t->inboxed;
        timed += t->timer_slot != 0;
    }
    return threads.count == LIST_MAX ||
           (ready == ready_seen && inboxed == inbox_seen && timed == timers_seen);
}

/* ---- small objects --------------------------------------------------------------------------- */

static bool notification_waiter_waits(const struct notification *n)
{
    return !n->waiter || (n->gen && is_object(n->waiter, PT_THREAD) && !n->word &&
                          n->waiter->state == THREAD_WAITING && n->waiter->waits_on == n);
}

static bool interrupt_has_its_vector(const struct interrupt *i)
{
    return !i->gen || (i->core < cpu_count && cpu_of(i->core)->vectors[i->vector] == i);
}

static bool time_is_bounded(const struct time *t)
{
    return !t->gen || (t->cores && t->priority_max < PRIORITIES && t->budget_ns <= t->period_ns);
}

static bool smalls_hold(u32 pfn, const char **what)
{
    u8 type = *page_type_of(pfn);
    TRY(small_used_counts, pfn);
    for (u32 s = 0; s < SMALLS_PER_PAGE; s++) {
        const void *o = (const void *)((u64)frame_address(pfn) + s * SMALL_SIZE);
        if (type == PT_NOTIFICATION)
            TRY(notification_waiter_waits, (const struct notification *)o);
        if (type == PT_INTERRUPT)
            TRY(interrupt_has_its_vector, (const struct interrupt *)o);
        if (type == PT_TIME)
            TRY(time_is_bounded, (const struct time *)o);
    }
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void list_pages(void)
{
    struct page_list *const lists[PT_COUNT] = {
        [PT_REGION] = &regions, [PT_SPACE] = &spaces, [PT_THREAD] = &threads,
        [PT_SERVICE] = &services, [PT_POOL] = &pools, [PT_STACKS] = &stack_pages,
        [PT_GATE] = &gate_pages,
    };
    for (u32 i = 0; i < PT_COUNT; i++)
        if (lists[i])
            lists[i]->count = 0;
    for (u32 pfn = 1; pfn < page_count; pfn++) {
        struct page_list *l = lists[*page_type_of(pfn)];
        if (l && l->count < LIST_MAX)
            l->pfn[l->count++] = pfn;
    }
    for (u32 i = 0; i < gate_pages.count; i++)
        for (u32 g = 0; g < GATES_PER_PAGE; g++)
            gate_caps[i][g] = 0;
    leaves = listed = pins = pinned = 0;
    ready_seen = inbox_seen = timers_seen = 0;
}

static bool page_holds(u32 pfn, const char **what)
{
    TRY(page_owner_covers, pfn);
    TRY(page_free_is_bare, pfn);
    if (page_of(pfn)->dirty == FREE_ZERO)
        TRY(page_free_zero_is_zero, pfn);
    switch (*page_type_of(pfn)) {
    case PT_FRAME:
        TRY(frame_maps_listed, pfn);
        TRY(frame_big_maps_listed, pfn);
        TRY(frame_block_is_whole, pfn);
        TRY(frame_pins_bounded, pfn);
        return true;
    case PT_TABLE:
        TRY(table_has_shadow, pfn);
        TRY(table_used_counts, pfn);
        TRY(table_parent_points_back, pfn);
        TRY(table_entries_hold, pfn);
        return true;
    case PT_PML4:
        TRY(pml4_belongs_to_space, pfn);
        TRY(pml4_kernel_half, pfn);
        TRY(table_used_counts, pfn);
        TRY(table_entries_hold, pfn);
        return true;
    case PT_CAPS:
        TRY(caps_page_belongs_to_space, pfn);
        TRY(caps_slots_hold, pfn);
        return true;
    case PT_STACKS:
        return stacks_hold(pfn, what);
    case PT_REGION:
        TRY(small_used_counts, pfn);
        return regions_hold(pfn, what);
    default:
        return *page_type_of(pfn) < PT_REGION || smalls_hold(pfn, what);
    }
}

static bool spaces_hold(const struct space *s, const char **what)
{
    if (!s->gen)
        return true;
    TRY(space_capdir_holds, s);
    TRY(space_table_pool_linked, s);
    TRY(space_pools_linked, s);
    TRY(space_threads_counts, s);
    return true;
}

static bool services_hold(const struct service *s, const char **what)
{
    if (!s->gen)
        return true;
    TRY(service_pool_matches_state, s);
    TRY(service_level_bounded, s);
    TRY(service_bound_is_its_pool, s);
    TRY(service_pages_count, s);
    TRY(service_closed_list_holds, s);
    TRY(service_queues_hold, s);
    return true;
}

static bool cpus_hold(const char **what)
{
    for (u32 i = 0; i < cpu_count; i++) {
        const struct cpu *cpu = cpu_of(i);
        TRY(cpu_run_queues_hold, cpu);
        TRY(cpu_wheel_holds, cpu);
        TRY(cpu_inbox_holds, cpu);
        TRY(cpu_vectors_hold, cpu);
    }
    TRY(threads_all_met, 0);
    return true;
}

/* As many leaf entries as list elements, each of which is a leaf: so every one is listed. */
static bool leaves_all_listed(u32 unused)
{
    (void)unused;
    return leaves == listed;
}

static bool pins_all_known(u32 unused)
{
    (void)unused;
    return pins == pinned;
}

bool kernel_check(const char **what)
{
    for (u32 pfn = 1; pfn < page_count; pfn++)
        TRY(page_type_known, pfn);
    list_pages();
    TRY(empty_pool_is_empty, &empty_pool);
    for (u32 pfn = 1; pfn < page_count; pfn++)
        if (!page_holds(pfn, what))
            return false;
    for (u32 i = 0; i < spaces.count; i++)
        if (!spaces_hold(frame_address(spaces.pfn[i]), what))
            return false;
    for (u32 i = 0; i < services.count; i++)
        if (!services_hold(frame_address(services.pfn[i]), what))
            return false;
    for (u32 i = 0; i < pools.count; i++) {
        TRY(pool_belongs, (const struct pool *)frame_address(pools.pfn[i]));
        TRY(pool_stack_pages_point_back, (const struct pool *)frame_address(pools.pfn[i]));
    }
    for (u32 i = 0; i < gate_pages.count; i++) {
        TRY(gate_page_belongs_to_service, gate_pages.pfn[i]);
        TRY(gate_counts_its_capabilities, gate_pages.pfn[i]);
    }
    for (u32 i = 0; i < threads.count; i++)
        if (!threads_hold(frame_address(threads.pfn[i]), what))
            return false;
    if (!cpus_hold(what))
        return false;
    TRY(leaves_all_listed, 0);
    if (threads.count < LIST_MAX)
        TRY(pins_all_known, 0);
    return true;
}
