/* SPDX-License-Identifier: MIT */
/*
 * Page tables and reverse mappings.
 *
 * A table is an even page; the odd page behind it holds a link (prev, next) for each
 * entry. Every leaf entry that maps RAM is on the doubly linked list that its frame's
 * descriptor heads (maps, or big_maps for 2 MiB and 1 GiB leaves), linked by references
 * table << 9 | entry. Device memory (PTE_IO) is on no list.
 *
 * Invariants: page.used of a table counts its present entries; page.parent names the
 * entry that points to it (0: none, it is in a pool or cut off). Every mapping's flush on
 * this core is done here; other cores flush before quiescence passes.
 */
#include <arch/platform.h>
#include <arch/pte.h>
#include <arch/x86.h>
#include <kernel.h>

struct link { u32 prev, next; };

static ALWAYS_INLINE struct link *link_of(u64 *pte)
{
    return (struct link *)(pte + 512);
}

static ALWAYS_INLINE struct link *link_at(u32 ref)
{
    return link_of(pte_at(ref));
}

static u32 *list_head(u64 pte, u8 level)
{
    u32 pfn = pte_frame(pte);
    if (level == 1)
        return &page_of(pfn)->maps;
    return &page_of(pfn + (level == 3))->big_maps;
}

static void list_insert(u32 *head, u32 ref)
{
    *link_at(ref) = (struct link){ 0, *head };
    if (*head)
        link_at(*head)->prev = ref;
    *head = ref;
}

static void list_remove(u32 *head, u32 ref)
{
    struct link l = *link_at(ref);
    if (l.prev)
        link_at(l.prev)->next = l.next;
    else
        *head = l.next;
    if (l.next)
        link_at(l.next)->prev = l.prev;
}

/* ---- flushing this core ------------------------------------------------------- */

void flush_page(const struct space *space, u64 va)
{
    if (cpu_self()->frame->cr3 == space->cr3)
        invlpg(va);
    else if (features.pcid && space->pcid)
        invpcid(0, space->pcid, va);
}

static void flush_space(const struct space *space)
{
    if (features.pcid)
        invpcid(space->pcid ? 1 : 3, space->pcid, 0);
    else
        write_cr3(read_cr3());
}

/* The space and address that an entry translates, if its tables hang in a space. */
static struct space *entry_space(u32 ref, u8 level, u64 *va)
{
    u64 a = 0;
    for (u32 l = level; l <= 4; l++) {
        a |= (u64)(ref & 511u) << (12 + 9 * (l - 1));
        const struct page *table = page_of(ref >> 9);
        if (l == 4) {
            *va = a;
            return frame_address(table->parent);
        }
        ref = table->parent;
        if (!ref)
            return 0;
    }
    return 0;
}

/* ---- entries -------------------------------------------------------------------- */

/* Fills the empty lowest entry pte, which maps page. */
static ALWAYS_INLINE void leaf_link(u64 *pte, struct page *page, u64 entry)
{
    u32 ref = pte_ref(pte), next = page->maps;
    *pte = entry;
    *link_of(pte) = (struct link){ 0, next };
    page->maps = ref;
    page_at((void *)((u64)pte & ~(PAGE_SIZE - 1)))->used++;
    if (next)
        link_at(next)->prev = ref;
}

static void leaf_set(u32 ref, u8 level, u64 pte)
{
    *pte_at(ref) = pte;
    page_of(ref >> 9)->used++;
    if (!(pte & PTE_IO))
        list_insert(list_head(pte, level), ref);
}

/* Empties a lowest entry. Without a flush, as the next. */
static ALWAYS_INLINE u64 small_clear(u64 *pte)
{
    u64 old = __atomic_exchange_n(pte, 0, __ATOMIC_RELAXED);
    page_at((void *)((u64)pte & ~(PAGE_SIZE - 1)))->used--;
    if (unlikely(old & PTE_IO))
        return old;
    struct page *p = page_of(pte_frame(old));
    struct link l = *link_of(pte);
    *(l.prev ? &link_at(l.prev)->next : &p->maps) = l.next;
    if (l.next)
        link_at(l.next)->prev = l.prev;
    p->stamp = epoch_stamp();
    if (old & PTE_DIRTY)
        p->dirty = 1;
    return old;
}

static u64 leaf_clear(u32 ref, u8 level)
{
    if (level == 1)
        return small_clear(pte_at(ref));
    u64 old = __atomic_exchange_n(pte_at(ref), 0, __ATOMIC_RELAXED);
    page_of(ref >> 9)->used--;
    list_remove(list_head(old, level), ref);
    struct page *p = page_of(pte_frame(old));
    p->stamp = epoch_stamp();
    if (old & PTE_DIRTY)
        for (u32 i = 0; i < 512; i++)
            p[i].dirty = 1;
    return old;
}

u64 mapping_remove(u32 ref, u8 level)
{
    u64 va, old = leaf_clear(ref, level);
    const struct space *space = entry_space(ref, level, &va);
    if (space)
        flush_page(space, va);
    return old;
}

/* A large mapping that covers pfn, if there is one. Only a frame's big_maps is a list. */
static u32 big_mapping(u32 pfn, u8 *level)
{
    u32 head = pfn & ~511u;
    *level = 2;
    if (*page_type_of(head) == PT_FRAME && page_of(head)->big_maps)
        return page_of(head)->big_maps;
    head = (pfn & ~0x3ffffu) + 1;
    *level = 3;
    return head < page_count && *page_type_of(head) == PT_FRAME ? page_of(head)->big_maps : 0;
}

bool frame_big_unmap(u32 pfn)
{
    u8 level;
    u32 ref = big_mapping(pfn, &level);
    if (ref && mapping_remove(ref, level) & PTE_DIRTY)
        page_of(pfn)->dirty = 1;
    return ref != 0;
}

/* The block is marked by page_large(): all its pages are frames. */
static bool block_large(u32 head)
{
    return *page_type_of(head) == PT_FRAME && page_of(head)->level;
}

void block_split(u32 pfn)
{
    u32 head = pfn & ~511u;
    if (!block_large(head))
        return;
    for (u32 i = 0; i < 512; i++) /* large mappings were stamped in their first page only */
        page_of(head + i)->stamp = epoch_stamp();
    page_of(head)->level = 0;
}

/* ---- tables ----------------------------------------------------------------------- */

static void pool_put(struct space *space, u32 pfn)
{
    struct page *p = page_of(pfn);
    p->level = 0;
    p->parent = frame_of(space);
    p->link = 0;
    p->maps = space->tables_tail;
    if (space->tables_tail)
        page_of(space->tables_tail)->link = pfn;
    else
        space->tables = pfn;
    space->tables_tail = pfn;
    space->table_count++;
}

static void pool_remove(struct space *space, u32 pfn)
{
    struct page *p = page_of(pfn);
    if (p->maps)
        page_of(p->maps)->link = p->link;
    else
        space->tables = p->link;
    if (p->link)
        page_of(p->link)->maps = p->maps;
    else
        space->tables_tail = p->maps;
    space->table_count--;
    p->link = p->maps = p->parent = 0;
}

/* Hangs a table from the space's pool into the empty entry pte of a table of level + 1. */
static i64 table_hang(struct space *space, u64 *pte, u8 level)
{
    u32 pfn = space->tables, ref = pte_ref(pte);
    if (!pfn)
        return -E_TABLES;
    if (!quiesce_passed(page_of(pfn)->stamp))
        return -E_AGAIN;
    pool_remove(space, pfn);
    page_of(pfn)->level = level;
    page_of(pfn)->parent = ref;
    *pte = (u64)pfn << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE | PTE_USER;
    page_of(ref >> 9)->used++;
    return 0;
}

/* The entry for va in the table of level (1..3), making tables on the way if create. */
static i64 walk_to(struct space *space, u64 va, u8 level, bool create, u32 *out)
{
    u32 ref = space->pml4 << 9 | (u32)(va >> 39 & 511u);
    for (u8 l = 3; l >= level; l--) {
        u64 *pte = pte_at(ref);
        if (!*pte) {
            i64 error = create ? table_hang(space, pte, l) : -E_STATE;
            if (error)
                return error;
        } else if (*pte & PTE_LARGE) {
            return -E_BUSY;
        }
        ref = pte_frame(*pte) << 9 | (u32)(va >> (12 + 9 * (l - 1)) & 511u);
    }
    *out = ref;
    return 0;
}

bool space_leaf(const struct space *space, u64 va, struct walk *walk)
{
    u32 ref = space->pml4 << 9 | (u32)(va >> 39 & 511u);
    if (va >= USER_TOP)
        return false;
    for (u8 l = 3; l >= 1; l--) {
        u64 pte = *pte_at(ref);
        if (!(pte & PTE_PRESENT))
            return false;
        ref = pte_frame(pte) << 9 | (u32)(va >> (12 + 9 * (l - 1)) & 511u);
        u64 leaf = *pte_at(ref);
        if (leaf & PTE_PRESENT && (l == 1 || leaf & PTE_LARGE)) {
            *walk = (struct walk){ pte_at(ref), ref, l };
            return true;
        }
    }
    return false;
}

/* Empties entry ref of a table of level, which has something. */
static void entry_end(u32 ref, u8 level)
{
    u64 va, pte = *pte_at(ref);
    if (level == 1 || pte & PTE_LARGE) {
        mapping_remove(ref, level);
        return;
    }
    const struct space *space = entry_space(ref, level, &va);
    *pte_at(ref) = 0;
    page_of(ref >> 9)->used--;
    page_of(pte_frame(pte))->parent = 0;
    page_of(pte_frame(pte))->stamp = epoch_stamp();
    if (space)
        flush_space(space);
}

i64 table_take(u32 pfn)
{
    struct page *p = page_of(pfn);
    const u64 *table = frame_address(pfn);
    if (!p->level) {
        if (p->parent)
            pool_remove(frame_address(p->parent), pfn);
        p->parent = 0;
        return 0;
    }
    u32 removed = 0;
    for (u32 i = 0; i < 512 && p->used; i++) {
        if (!table[i])
            continue;
        if (removed++ == 32)
            return -E_AGAIN;
        entry_end(pfn << 9 | i, p->level);
    }
    if (p->parent)
        entry_end(p->parent, p->level + 1);
    return 0;
}

void space_give_table(struct space *space, u32 pfn)
{
    page_commit(pfn, PT_TABLE);
    *page_type_of(pfn + 1) = PT_SHADOW;
    page_of(pfn)->stamp = 0;
    pool_put(space, pfn);
}

bool space_map_boot(struct space *space, u64 va, u32 pfn, u64 flags)
{
    u32 ref;
    if (walk_to(space, va, 1, true, &ref) || *pte_at(ref))
        return false;
    leaf_set(ref, 1, (u64)pfn << PAGE_SHIFT | PTE_PRESENT | PTE_USER | flags);
    return true;
}

bool mapped_once(u32 pfn)
{
    u8 level;
    u32 ref = page_of(pfn)->maps;
    return ref && !link_at(ref)->next && !big_mapping(pfn, &level);
}

struct result op_space_donate(struct space *s, struct region *r, u64 index)
{
    u32 pfn, shadow;
    REQUIRE(page_place(r, index, &pfn));
    REQUIRE(page_place(r, index + 1, &shadow));
    REFUSE_IF(pfn & 1, E_ARG);
    space_give_table(s, pfn);
    return ok(s->table_count);
}

struct result op_space_prune(struct space *s, u64 va)
{
    REFUSE_IF(va >= USER_TOP, E_RANGE);
    u64 freed = 0;
    for (u8 level = 1; level <= 3; level++) {
        u32 ref;
        if (walk_to(s, va, level, false, &ref))
            continue;
        u32 pfn = ref >> 9;
        struct page *p = page_of(pfn);
        if (p->used)
            break;
        *pte_at(p->parent) = 0;
        page_of(p->parent >> 9)->used--;
        p->stamp = epoch_stamp();
        pool_put(s, pfn);
        freed++;
    }
    REFUSE_IF(!freed, E_STATE);
    flush_space(s);
    return ok(freed);
}

/* ---- operations on runs ------------------------------------------------------------- */

struct run { u64 va, step; u32 count; u8 level; u64 pte; };

/* An entry's bits by MAP_READ, MAP_WRITE and MAP_EXEC; 0 where they do not go together. */
#define RIGHTS(flags) ((flags) >> 16 & 7u)
static u64 rights_pte[8] = {
    [RIGHTS(MAP_READ)] = PTE_PRESENT | PTE_USER | PTE_NX,
    [RIGHTS(MAP_READ | MAP_WRITE)] = PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_NX,
    [RIGHTS(MAP_READ | MAP_EXEC)] = PTE_PRESENT | PTE_USER,
};

void map_init(void)
{
    for (u32 i = 0; i < ARRAY_LEN(rights_pte); i++)
        rights_pte[i] &= features.nx ? ~0ull : ~PTE_NX;
}

/* Decodes flags and va of a run of pages. */
static i64 run_decode(u64 va, u64 flags, struct run *run)
{
    run->count = flags & 0xffff;
    run->level = flags & MAP_1G ? 3 : flags & MAP_2M ? 2 : 1;
    run->step = PAGE_SIZE << (9 * (run->level - 1));
    run->va = va;
    run->pte = rights_pte[RIGHTS(flags)];
    if (flags >= MAP_DEMOTE * 2 || !run->pte || run->count - 1 >= MAP_BATCH ||
        va & (run->step - 1) || (flags & MAP_1G && !features.page1g))
        return -E_ARG;
    if (va > USER_TOP - run->count * run->step)
        return -E_RANGE;
    run->pte |= (flags & MAP_UNCACHED ? PTE_PCD | PTE_PWT : 0) | (run->level > 1 ? PTE_LARGE : 0);
    return 0;
}

/* A 2 MiB block is ready when page_large() has marked its first page, 1 GiB when all 512
 * blocks are. page_take clears the mark. */
static i64 large_ready(const struct region *r, u64 index, u32 pfn, u8 level)
{
    u64 pages = 1ul << (9 * (level - 1));
    if (pfn & (pages - 1) || index + pages > r->count)
        return -E_RANGE;
    for (u64 i = 0; i < pages; i += 512)
        if (region_frame(r, index + i) == 0 || !block_large(pfn + (u32)i))
            return -E_STATE;
    return 0;
}

struct result op_page_large(struct region *r, u64 index)
{
    u32 pfn = r->first + (u32)index, owner = small_ref(r);
    REFUSE_IF(index >= r->count || r->count - index < 512 || pfn & 511u, E_RANGE);
    u64 stamp = 0;
    u8 *type = page_type_of(pfn);
    const struct page *page = page_of(pfn);
    for (u32 i = 0; i < 512; i++, page++) {
        if (page->owner != owner)
            return fail(-E_OWNER);
        if (type[i] == PT_FREE)
            stamp = page->stamp > stamp ? page->stamp : stamp;
        else if (type[i] != PT_FRAME)
            return fail(-E_OWNER);
    }
    REFUSE_IF(!quiesce_passed(stamp), E_AGAIN);
    fill_words(type, PT_FRAME * 0x0101010101010101ull, 512 / 8);
    page_of(pfn)->level = 2;
    return ok(0);
}

/* Whether a page of owner may be mapped as a frame. */
static i64 frame_ready(const struct page *page, u32 owner)
{
    u8 type = page_type(page);
    if (page->owner != owner || (type != PT_FRAME && type != PT_FREE))
        return -E_OWNER;
    return type == PT_FRAME || quiesce_passed(page->stamp) ? 0 : -E_AGAIN;
}

static i64 large_map(struct space *s, const struct region *r, u64 index, u64 va,
                     const struct run *run)
{
    u32 ref, pfn = r->first + (u32)index;
    i64 error = large_ready(r, index, pfn, run->level);
    if (error || (error = walk_to(s, va, run->level, true, &ref)))
        return error;
    if (*pte_at(ref))
        return -E_BUSY;
    leaf_set(ref, run->level, (u64)pfn << PAGE_SHIFT | run->pte);
    return 0;
}

/* The table of the lowest level for va, if it is there; else what is in its place: a large page's
 * entry, or 0 (also for 1 GiB). */
static ALWAYS_INLINE bool table_or_large(const struct space *space, u64 va, u64 **out, u64 *large)
{
    *large = 0;
    const u64 *table = (const u64 *)((u64)space + PAGE_SIZE); /* the page behind the object */
#pragma GCC unroll 3
    for (u32 shift = 39; shift > 12; shift -= 9) {
        u64 pte = table[va >> shift & 511u];
        if (unlikely((pte - PTE_PRESENT) & (PTE_PRESENT | (shift < 39 ? PTE_LARGE : 0)))) {
            *large = shift == 21 ? pte : 0;
            return false; /* nothing there, or a large page */
        }
        table = (const u64 *)(DM_BASE + (pte & ~(PAGE_SIZE - 1))); /* has no more above */
    }
    *out = (u64 *)(u64)table;
    return true;
}

static ALWAYS_INLINE bool table_find(const struct space *space, u64 va, u64 **out)
{
    u64 large;
    return table_or_large(space, va, out, &large);
}

/* Maps a page that is a frame of owner by an entry that is empty; else false. */
static ALWAYS_INLINE bool frame_map(struct page *page, u32 owner, u64 *pte, u64 entry)
{
    if (unlikely(page->owner != owner) || unlikely(page_type(page) != PT_FRAME) ||
        unlikely(*pte))
        return false;
    leaf_link(pte, page, entry);
    return true;
}

/* The usual page: small, in a table that is there. */
static ALWAYS_INLINE bool page_map_usual(const struct space *s, u64 va, const struct region *r,
                                         u64 index, u64 flags)
{
    u64 bits, *table;
    if (unlikely((flags - 1) & ~(u64)(MAP_READ | MAP_WRITE | MAP_EXEC)) ||
        unlikely(!(bits = rights_pte[flags >> 16])) || unlikely(va & (PAGE_SIZE - 1)) ||
        unlikely(va >> 39 >= USER_TOP >> 39) || unlikely(index >= r->count) ||
        unlikely(!table_find(s, va, &table)))
        return false;
    u32 pfn = r->first + (u32)index;
    return frame_map(page_of(pfn), small_ref(r), table + (va >> PAGE_SHIFT & 511u),
                     (u64)pfn << PAGE_SHIFT | bits);
}

/* Maps pages from index on by the entries from ref on, which are in one table: as many as
 * can be, at most count (not 0). Free pages become frames. */
static u64 frames_map(const struct region *r, u64 index, u32 ref, u64 count, u64 bits, i64 *error)
{
    u32 pfn = r->first + (u32)index, owner = small_ref(r);
    u64 *pte = pte_at(ref), entry = (u64)pfn << PAGE_SHIFT | bits;
    struct page *page = page_of(pfn);
    const struct page *const first = page, *const end = page + count;
    do {
        if (likely(frame_map(page, owner, pte, entry)))
            continue;
        *error = frame_ready(page, owner);
        if (!*error && *pte)
            *error = -E_BUSY;
        if (*error)
            break;
        *page_type_of(pte_frame(entry)) = PT_FRAME;
        page->dirty = 0;
        (void)frame_map(page, owner, pte, entry);
    } while (pte++, entry += PAGE_SIZE, ++page != end);
    return (u64)(page - first);
}

static struct result small_run_map(struct space *s, const struct region *r, u64 index,
                                   const struct run *run)
{
    u32 ref;
    u64 done = 0, count = index < r->count ? min_u64(run->count, r->count - index) : 0;
    i64 error = count ? frame_ready(page_of(r->first + (u32)index), small_ref(r)) : -E_OWNER;
    while (done < count && !error) { /* a part in each table */
        error = walk_to(s, run->va + done * PAGE_SIZE, 1, true, &ref);
        if (!error)
            done += frames_map(r, index + done, ref, min_u64(count - done, 512 - (ref & 511u)),
                               run->pte, &error);
    }
    return done ? ok(done) : fail(error);
}

/* Large pages: of 1 GiB one a call, because 512 blocks are looked at. */
static struct result large_run_map(struct space *s, const struct region *r, u64 index,
                                   const struct run *run)
{
    u64 done = 0, count = run->level == 3 ? 1 : run->count;
    i64 error = 0;
    for (; done < count && !error; done += !error)
        error = large_map(s, r, index + (done * run->step >> PAGE_SHIFT),
                          run->va + done * run->step, run);
    return done ? ok(done) : fail(error);
}

/* Any run. Releases the lock. */
static NOINLINE struct result run_map(struct space *s, u64 va, const struct region *r, u64 index,
                                      u64 flags)
{
    struct run run;
    struct result x = fail(run_decode(va, flags, &run));
    if (!x.status)
        x = run.level == 1 ? small_run_map(s, r, index, &run) : large_run_map(s, r, index, &run);
    lock_release();
    return x;
}

struct result op_space_map(u64 space, u64 va, u64 region, u64 index, u64 flags)
{
    i64 error = 0;
    lock_take();
    struct space *s = current_space();
    const struct region *r = cap_object(s, region, PT_REGION, RIGHT_USE, &error);
    if (space != SPACE_SELF && r)
        s = cap_object(s, space, PT_SPACE, RIGHT_USE, &error);
    if (likely(!error) && unlikely(!page_map_usual(s, va, r, index, flags)))
        return run_map(s, va, r, index, flags);
    lock_release();
    return error ? fail(error) : ok(1);
}

struct result op_space_map_io(struct space *s, u64 va, struct io *o, u64 offset, u64 flags)
{
    i64 error;
    struct run run;
    u32 ref = 0, done;
    REQUIRE(run_decode(va, flags, &run));
    REFUSE_IF(run.level > 1 || o->kind != IO_MEMORY, E_ARG);
    REFUSE_IF(offset > o->count || o->count - offset < run.count, E_RANGE);
    for (done = 0; done < run.count; done++) {
        u64 frame = o->first + offset + done;
        bool ram = frame < page_count && *page_type_of((u32)frame) != PT_NONE;
        if (ram) {
            error = -E_RANGE;
            break;
        }
        if (!done || !(++ref & 511u)) {
            error = walk_to(s, run.va + done * run.step, 1, true, &ref);
            if (error)
                break;
        }
        if (*pte_at(ref)) {
            error = -E_BUSY;
            break;
        }
        leaf_set(ref, 1, frame << PAGE_SHIFT | run.pte | PTE_PCD | PTE_PWT | PTE_IO);
    }
    return done ? ok(done) : fail(error);
}

/* The first of the entries for up to *count pages from va on that one lowest table has, and how
 * many those are; nil where there is none, or a large page. */
static NOINLINE u64 *run_part(const struct space *s, u64 va, u64 *count)
{
    u64 *table, first = va >> PAGE_SHIFT & 511u;
    *count = min_u64(*count, 512 - first);
    return table_find(s, va, &table) ? table + first : 0;
}

/* Whether this core may have cached what the space maps. */
static ALWAYS_INLINE bool space_cached(const struct space *s)
{
    return cpu_self()->frame->cr3 == s->cr3 || (features.pcid && s->pcid);
}

struct result op_space_unmap(struct space *s, u64 va, u64 count)
{
    struct walk w;
    u64 dirty = 0, part;
    bool cached = space_cached(s);
    REFUSE_IF(!count || count > MAP_BATCH || va & (PAGE_SIZE - 1), E_ARG);
    REFUSE_IF(va >= USER_TOP || va + count * PAGE_SIZE > USER_TOP, E_RANGE);
    for (u64 i = 0; i < count;) {
        part = count - i;
        u64 at = va + i * PAGE_SIZE, *pte = run_part(s, at, &part);
        if (pte) {
            for (const u64 *end = pte + part; pte < end; pte++, i++) {
                if (!*pte)
                    continue;
                dirty |= (u64)((small_clear(pte) & PTE_DIRTY) != 0) << i;
                if (cached)
                    flush_page(s, va + i * PAGE_SIZE);
            }
        } else if (space_leaf(s, at, &w)) {
            REFUSE_IF(at & ((PAGE_SIZE << (9 * (w.level - 1))) - 1), E_STATE);
            dirty |= (u64)((leaf_clear(w.ref, w.level) & PTE_DIRTY) != 0) << i++;
            flush_page(s, at);
        } else {
            i += part;
        }
    }
    return ok(dirty);
}

/* Takes from an entry the rights that pte lacks; whether it had been written to. */
static ALWAYS_INLINE u64 entry_restrict(const struct space *s, u64 *entry, u64 pte, u64 va)
{
    u64 old = *entry, write = old & ~pte & PTE_WRITE, nx = ~old & pte & PTE_NX;
    if (write)
        __atomic_fetch_and(entry, ~(u64)PTE_WRITE, __ATOMIC_RELAXED);
    if (nx)
        __atomic_fetch_or(entry, PTE_NX, __ATOMIC_RELAXED);
    if (write | nx)
        flush_page(s, va);
    return (old & PTE_DIRTY) != 0;
}

struct result op_space_protect(struct space *s, u64 va, u64 flags)
{
    struct run run;
    struct walk w;
    u64 dirty = 0, part;
    REQUIRE(run_decode(va, flags, &run));
    for (u64 i = 0; i < run.count;) {
        part = run.level == 1 ? run.count - i : 1;
        u64 at = run.va + i * run.step, *pte = run.level == 1 ? run_part(s, at, &part) : 0;
        if (pte) {
            for (const u64 *end = pte + part; pte < end; pte++, i++)
                if (*pte)
                    dirty |= entry_restrict(s, pte, run.pte, run.va + i * PAGE_SIZE) << i;
        } else if (space_leaf(s, at, &w)) {
            dirty |= entry_restrict(s, w.pte, run.pte, at) << i++;
        } else {
            i += part;
        }
    }
    return ok(dirty);
}

struct result op_space_copy(struct space *t, struct space *f, u64 from_va, u64 to_va, u64 flags)
{
    i64 error = 0;
    u32 ref = 0;
    u64 copied = 0, part;
    struct run run, source;
    REQUIRE(run_decode(to_va, flags, &run));
    REQUIRE(run_decode(from_va, flags, &source));
    REFUSE_IF(run.level > 1, E_ARG);
    u64 keep = ~(u64)(PTE_ACCESSED | PTE_DIRTY) & (run.pte | ~(u64)PTE_WRITE);
    for (u64 i = 0; i < run.count && !error;) {
        part = run.count - i;
        u64 *from = run_part(f, source.va + i * PAGE_SIZE, &part), *to;
        for (; from && part && (!*from || *from & PTE_IO); from++, i++)
            part--; /* for holes no table is needed */
        if (!from || !part || (error = walk_to(t, run.va + i * PAGE_SIZE, 1, true, &ref))) {
            i += part;
            continue;
        }
        to = pte_at(ref);
        part = min_u64(part, 512 - (ref & 511u));
        for (const u64 *end = from + part; from < end; from++, to++, i++) {
            u64 old = *from;
            if (!old || unlikely(old & PTE_IO))
                continue;
            if (unlikely(*to)) {
                error = -E_BUSY;
                break;
            }
            leaf_link(to, page_of(pte_frame(old)), (old & keep) | (run.pte & PTE_NX));
            if (flags & MAP_DEMOTE)
                (void)entry_restrict(f, from, 0, source.va + i * PAGE_SIZE);
            copied |= 1ul << i;
        }
    }
    return copied ? ok(copied) : fail(error);
}

struct result op_space_query(struct space *s, u64 va)
{
    struct walk w;
    REFUSE_IF(va >= USER_TOP, E_RANGE);
    if (!space_leaf(s, va, &w))
        return ok(0);
    u64 p = *w.pte;
    /* Without NX everything can be executed; what could not be asked for is not told. */
    bool exec = features.nx ? !(p & PTE_NX) : !(p & PTE_WRITE);
    return ok(MAP_READ | (p & PTE_WRITE ? MAP_WRITE : 0) | (exec ? MAP_EXEC : 0) |
              (w.level == 2 ? MAP_2M : 0) | (w.level == 3 ? MAP_1G : 0) |
              (p & PTE_PCD ? MAP_UNCACHED : 0) | (p & PTE_ACCESSED ? QUERY_ACCESSED : 0) |
              (p & PTE_DIRTY ? QUERY_DIRTY : 0));
}

/* ---- user memory ---------------------------------------------------------------------- */

static bool entry_mark_written(u64 *entry, u64 *old)
{
    return __atomic_compare_exchange_n(entry, old, *old | PTE_DIRTY | PTE_ACCESSED, false,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Answers for a page that is not small, not mapped so, or not written yet. */
static NOINLINE struct user_run user_address_any(const struct space *space, u64 va, u64 access)
{
    struct walk w;
    u64 need = access & ~PTE_DIRTY;
    if (!space_leaf(space, va, &w))
        return (struct user_run){0, 0};
    u64 size = PAGE_SIZE << (9 * (w.level - 1)), old = __atomic_load_n(w.pte, __ATOMIC_RELAXED);
    for (u32 tries = 4; tries && (old & (need | PTE_IO)) == need; tries--)
        if (!(access & ~old) || entry_mark_written(w.pte, &old)) {
            u64 offset = va & (size - 1);
            return (struct user_run){
                (u8 *)DM_BASE + (old & PTE_FRAME & ~(size - 1)) + offset, size - offset};
        }
    return (struct user_run){0, 0};
}

/* What is looked at without the lock may go away meanwhile: an entry is changed only as it was, and
 * tables and frames are not reused before this core has left the kernel. */
struct user_run user_address(const struct space *space, u64 va, u64 access)
{
    u64 *table, large = 0, offset = va & (PAGE_SIZE - 1);
    if (likely(va < USER_TOP) && likely(table_or_large(space, va, &table, &large))) {
        u64 pte = __atomic_load_n(table + (va >> PAGE_SHIFT & 511u), __ATOMIC_RELAXED);
        if (likely((pte & (access | PTE_IO)) == access))
            return (struct user_run){
                (u8 *)DM_BASE + (pte & PTE_FRAME) + offset, PAGE_SIZE - offset};
    } else if ((large & access) == access) {
        offset = va & (LARGE_SIZE - 1);
        return (struct user_run){
            (u8 *)DM_BASE + (large & PTE_FRAME & ~(LARGE_SIZE - 1)) + offset, LARGE_SIZE - offset};
    }
    return user_address_any(space, va, access);
}

/* The one routine that touches user memory for the kernel's own structures. */
static bool user_copy(u64 va, void *kernel, u64 bytes, u64 access)
{
    const struct space *space = current_space();
    for (u32 i = 0; i < 3 && bytes; i++) {
        struct user_run user = user_address(space, va, access);
        if (!user.at)
            return false;
        u64 run = min_u64(user.bytes, bytes);
        bool write = access & PTE_WRITE;
        copy_bytes(write ? user.at : kernel, write ? kernel : user.at, run);
        va += run;
        kernel = (u8 *)kernel + run;
        bytes -= run;
    }
    return !bytes;
}

bool user_read(void *to, u64 va, u64 bytes)
{
    return user_copy(va, to, bytes, USER_READ);
}

bool user_write(u64 va, const void *from, u64 bytes)
{
    return user_copy(va, (void *)(u64)from, bytes, USER_WRITE);
}
