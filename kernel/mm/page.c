/* SPDX-License-Identifier: MIT */
/*
 * Pages and regions: who owns which page, and turning pages into objects and back.
 *
 * Invariants: page.owner names a region whose range covers the page; region.owned counts
 * the pages that name it and region.children the regions whose parent it is, so a region's
 * slot is never reused while something refers to it. A page changes from a kernel type to
 * free only after quiescence, zeroed, because another core may still be reading it.
 *
 * Not here: mappings (map.c), what an object's end means (its own file).
 */
#include <arch/x86.h>
#include <kernel.h>

#define REGION_DEPTH_MAX 32u
#define GROW_BATCH 64u
#define UNMAP_STEP 32u

u64 page_count;

u32 region_frame(const struct region *region, u64 index)
{
    if (index >= region->count)
        return 0;
    u32 pfn = region->first + (u32)index;
    return page_of(pfn)->owner == small_ref(region) ? pfn : 0;
}

/* The frame of index in region, owned by it or by a region inside it; 0 if neither. */
static u32 frame_within(const struct region *region, u64 index)
{
    if (index >= region->count)
        return 0;
    u32 pfn = region->first + (u32)index, ref = page_of(pfn)->owner, mine = small_ref(region);
    for (u32 i = 0; i <= REGION_DEPTH_MAX && ref; i++) {
        if (ref == mine)
            return pfn;
        ref = region_at(ref)->parent;
    }
    return 0;
}

i64 page_place(struct region *region, u64 index, u32 *pfn)
{
    *pfn = region_frame(region, index);
    if (!*pfn || *page_type_of(*pfn) != PT_FREE)
        return -E_OWNER;
    return quiesce_passed(page_of(*pfn)->stamp) ? 0 : -E_AGAIN;
}

void page_commit(u32 pfn, u8 type)
{
    struct page *p = page_of(pfn);
    if (p->dirty != FREE_ZERO)
        zero_page(frame_address(pfn));
    p->maps = p->big_maps = p->parent = p->link = 0;
    p->used = 0;
    p->level = p->dirty = 0;
    *page_type_of(pfn) = type;
}

static bool small_type(u8 type)
{
    return type >= PT_REGION && type < PT_COUNT;
}

i64 small_place(struct region *region, u64 where, u8 type, void **object)
{
    u64 index = where >> 8, slot = where & 255u;
    if (slot >= SMALLS_PER_PAGE)
        return -E_RANGE;
    u32 pfn = region_frame(region, index);
    if (!pfn)
        return -E_OWNER;
    u8 now = *page_type_of(pfn);
    u64 *o = (u64 *)((u64)frame_address(pfn) + slot * SMALL_SIZE);
    *object = o;
    if (now == PT_FREE)
        return quiesce_passed(page_of(pfn)->stamp) ? 0 : -E_AGAIN;
    if (now != type)
        return -E_OWNER;
    if (o[0])
        return -E_BUSY;
    if (type == PT_REGION && (((struct region *)o)->owned || ((struct region *)o)->children))
        return -E_BUSY;
    return quiesce_passed(o[1]) ? 0 : -E_AGAIN;
}

void small_commit(void *object, u8 type)
{
    u32 pfn = frame_of(object);
    if (*page_type_of(pfn) == PT_FREE)
        page_commit(pfn, type);
    u64 *o = object;
    for (u32 i = 0; i < SMALL_SIZE / 8; i++)
        o[i] = 0;
    o[0] = generation_new();
    page_of(pfn)->used++;
}

static void region_drop(struct region *r);

static void small_end(void *object, u8 type)
{
    u64 *o = object;
    if (type == PT_INTERRUPT)
        interrupt_release(object);
    o[0] = 0;
    o[1] = epoch_stamp();
    if (type == PT_NOTIFICATION)
        notification_reset(object);
    if (type == PT_TIME)
        changes++;
    if (type == PT_REGION)
        region_drop(object);
    page_of(frame_of(object))->stamp = epoch_stamp();
    page_of(frame_of(object))->used--;
}

/* A destroyed region lets go of its parent once it has no page and no child left. */
static void region_drop(struct region *r)
{
    for (u32 i = 0; i < REGION_DEPTH_MAX; i++) {
        if (r->gen || r->owned || r->children || !r->parent)
            return;
        struct region *up = region_at(r->parent);
        r->parent = 0;
        r->stamp = epoch_stamp();
        up->children--;
        r = up;
    }
}

static void page_owner_set(u32 pfn, struct region *to)
{
    struct region *from = region_at(page_of(pfn)->owner);
    if (from == to)
        return;
    page_of(pfn)->owner = small_ref(to);
    to->owned++;
    from->owned--;
    region_drop(from);
}

/* Ends every object on a page of small ones. */
static i64 smalls_take(u32 pfn, u8 type)
{
    for (u32 i = 0; i < SMALLS_PER_PAGE; i++) {
        u64 *o = (u64 *)((u64)frame_address(pfn) + i * SMALL_SIZE);
        if (o[0])
            small_end(o, type);
    }
    for (u32 i = 0; i < SMALLS_PER_PAGE; i++) {
        const struct region *r = (void *)((u64)frame_address(pfn) + i * SMALL_SIZE);
        if (type == PT_REGION && (r->owned || r->children))
            return -E_BUSY;
    }
    return 0;
}

/* Empties a page of slots, at most 64 a step. */
i64 caps_clear(struct slot *s)
{
    u32 cleared = 0;
    for (u32 i = 0; i < SLOTS_PER_PAGE; i++)
        if (s[i].w0 != CAP_NIL) {
            if (cleared++ == 64)
                return -E_AGAIN;
            slot_clear(&s[i]);
        }
    return 0;
}

i64 caps_take(u32 pfn)
{
    struct page *p = page_of(pfn);
    if (p->parent) {
        if (caps_clear(frame_address(pfn)))
            return -E_AGAIN;
        struct space *space = frame_address(p->parent);
        space->capdir[p->big_maps] = empty_caps;
        p->parent = 0;
        p->stamp = epoch_stamp();
    }
    return 0;
}

static i64 frame_take(u32 pfn)
{
    struct page *p = page_of(pfn);
    if (p->used)
        return -E_BUSY; /* pinned by a thread */
    for (u32 i = 0; i < UNMAP_STEP && p->maps; i++)
        mapping_remove(p->maps, 1);
    if (p->maps || frame_big_unmap(pfn))
        return -E_AGAIN;
    p->dirty = 0;
    block_split(pfn);
    *page_type_of(pfn) = PT_FREE;
    return 0;
}

/* One step of ending whatever the page is; 0 when it can become free. */
static i64 page_end(u32 pfn, u8 type)
{
    switch (type) {
    case PT_TABLE:
        return table_take(pfn);
    case PT_CAPS:
        return caps_take(pfn);
    case PT_GATE:
        return gates_take(pfn);
    case PT_SPACE:
        return space_take(frame_address(pfn));
    case PT_THREAD:
        return thread_take(frame_address(pfn));
    case PT_SERVICE:
        return service_take(frame_address(pfn));
    case PT_POOL:
        return pool_take(frame_address(pfn));
    case PT_STACKS:
        return stacks_take(pfn);
    case PT_SHADOW:
    case PT_PML4:
        return -E_BUSY; /* goes with the page before it */
    default:
        return small_type(type) ? smalls_take(pfn, type) : -E_OWNER;
    }
}

static void page_free(u32 pfn, struct region *owner)
{
    struct page *p = page_of(pfn);
    zero_page(frame_address(pfn));
    p->maps = p->big_maps = p->parent = p->link = 0;
    p->used = 0;
    p->level = 0;
    p->dirty = FREE_ZERO;
    *page_type_of(pfn) = PT_FREE;
    if (owner)
        page_owner_set(pfn, owner);
}

struct result op_page_take(struct region *r, u64 index)
{
    i64 error;
    u32 pfn = frame_within(r, index);
    if (!pfn)
        return fail(index < r->count ? -E_OWNER : -E_RANGE);
    u8 type = *page_type_of(pfn);
    if (type == PT_FRAME) {
        error = frame_take(pfn);
        if (error)
            return fail(error);
    } else if (type != PT_FREE) {
        error = page_end(pfn, type);
        if (error)
            return fail(error);
        if (!quiesce_passed(page_of(pfn)->stamp))
            return fail(-E_AGAIN);
        if (type == PT_TABLE || type == PT_SPACE) /* its second page stays with its owner */
            page_free(pfn + 1, 0);
        page_free(pfn, r);
        return ok(0);
    }
    page_owner_set(pfn, r);
    return ok(0);
}

struct result op_object_destroy(struct region *r, u64 where)
{
    u32 pfn = frame_within(r, where >> 8);
    REFUSE_IF(!pfn, E_OWNER);
    u8 type = *page_type_of(pfn);
    u64 slot = where & 255u;
    if (type == PT_GATE && slot < GATES_PER_PAGE) {
        struct gate *g = (struct gate *)frame_address(pfn) + slot;
        if (!g->gen)
            return fail(-E_STATE);
        gate_end(g);
        return ok(0);
    }
    REFUSE_IF(!small_type(type) || slot >= SMALLS_PER_PAGE, E_OWNER);
    u64 *o = (u64 *)((u64)frame_address(pfn) + slot * SMALL_SIZE);
    REFUSE_IF(!o[0], E_STATE);
    small_end(o, type);
    return ok(0);
}

struct result op_region_create(struct region *p, u64 where, u64 slot, u64 first)
{
    void *object;
    REFUSE_IF(p->depth == REGION_DEPTH_MAX, E_LIMIT);
    REFUSE_IF(first > p->count, E_RANGE);
    REQUIRE(small_place(p, where, PT_REGION, &object));
    small_commit(object, PT_REGION);
    struct region *r = object;
    r->first = p->first + (u32)first;
    r->parent = small_ref(p);
    r->depth = p->depth + 1;
    p->children++;
    return slot_give(slot, r, PT_REGION);
}

struct result op_region_grow(struct region *r, struct region *p, u64 count)
{
    REFUSE_IF(!count || count > GROW_BATCH || r->parent != small_ref(p), E_ARG);
    u64 start = (u64)r->first + r->count - p->first;
    REFUSE_IF(start + count > p->count, E_RANGE);
    for (u32 i = 0; i < count; i++) {
        u32 pfn = region_frame(p, start + i);
        if (!pfn || *page_type_of(pfn) != PT_FREE)
            return fail(-E_OWNER);
    }
    for (u32 i = 0; i < count; i++)
        page_owner_set(p->first + (u32)(start + i), r);
    r->count += (u32)count;
    return ok(count);
}

struct result op_region_info(struct region *r)
{
    return ok((u64)r->first << 32 | r->count);
}

struct result op_page_info(struct region *r, u64 index)
{
    REFUSE_IF(index >= r->count, E_RANGE);
    u32 pfn = r->first + (u32)index;
    const struct page *p = page_of(pfn);
    u64 frame = *page_type_of(pfn) == PT_FRAME;
    return ok(*page_type_of(pfn) | (u64)(frame && p->dirty == 1) << 8 |
              (u64)(frame && (p->maps || p->big_maps)) << 9 |
              (u64)(p->owner == small_ref(r)) << 10);
}

struct result op_page_unmap(struct region *r, u64 index)
{
    u32 pfn = region_frame(r, index);
    REFUSE_IF(!pfn || *page_type_of(pfn) != PT_FRAME, E_OWNER);
    struct page *p = page_of(pfn);
    for (u32 i = 0; i < UNMAP_STEP && p->maps; i++)
        mapping_remove(p->maps, 1);
    REFUSE_IF(p->maps || frame_big_unmap(pfn), E_AGAIN);
    u64 dirty = p->dirty;
    p->dirty = 0;
    return ok(dirty == 1);
}
