/* SPDX-License-Identifier: MIT */
/*
 * Pages of "ram": frames (what programs and page maps use) and pages for kernel objects, in
 * pairs because tables need two.
 *
 * Frames grow from the bottom and objects from the top, so that the kernel seldom has to
 * turn one into the other; when they have met, free ones of the one kind become the other.
 * use[] holds a frame's references, or marks; it and the other arrays are rebuilt by each
 * incarnation, in the first pages of ram, as many as its size needs (the last pages are tables
 * that show the arrays). Only table_pairs[] is kept: the page tables through which this server
 * sees ram are used again by the next incarnation, which must see page maps before it knows which
 * pages are free.
 */
#include "memory.h"
#include <rt/string.h>

#define WINDOW_BASE 0x500000000000ull
#define ARRAYS_BASE 0x480000000000ull
#define PAGERS_BASE 0x600000000000ull /* 1 TiB for each file server's region */
#define USE_OBJECT 0x80000000u
#define USE_FREE_OBJECT 0x40000000u
#define CONVERT 64u /* pairs of frames that become objects at once */

uint32_t ram;
static uint64_t total, arrays; /* pages 1..arrays hold the arrays */
static uint64_t array_tables, array_tables_max; /* pairs */
static uint64_t frames_top, objects_low; /* frames are below frames_top; between: never used */
static uint32_t *use, *next_free;
static uint32_t free_frames, free_pairs, free_singles;
static uint64_t free_frame_count, free_object_count;
static uint8_t *seen; /* bit: in the window */
static uint32_t *table_pairs, table_next, table_max; /* memory->table_count of them are set */
static bool ready;                                   /* recounting is over */
static uint64_t fail_in; /* tests: how many pages are given before one is refused; 0: all */

static void tables_need(void)
{
    uint64_t pair = 0;
    uint32_t region = ram;
    bool again = true; /* an incarnation before this one used them so */
    if (!table_pairs && array_tables < array_tables_max)
        pair = (total & ~1ull) - 2 * ++array_tables;
    else if (table_pairs && table_next < memory->table_count)
        pair = table_pairs[table_next++];
    else
        again = false;
    if (!again && ready && (pair = object_pair_take()) && table_next < table_max) {
        table_pairs[table_next++] = (uint32_t)pair;
        __atomic_store_n(&memory->table_count, table_next, __ATOMIC_RELEASE);
    }
    if (again) {
        page_reclaim((uint32_t)pair);
        page_reclaim((uint32_t)pair + 1);
    }
    if (!pair) {
        pair = rt_volatile_pages(2);
        region = SLOT_VOLATILE;
    }
    if (!pair)
        rt_panic("no pages left for the window's tables");
    while (pith_space_donate(SPACE_SELF, region, pair).status == -E_AGAIN)
        ;
}

/* Maps a run of ram here; how much of it. */
static uint64_t self_map(uint64_t va, uint64_t first, uint64_t n)
{
    for (;;) {
        struct pith_result r =
            pith_space_map(SPACE_SELF, va, ram, first, n | MAP_READ | MAP_WRITE);
        if (!r.status)
            return r.value;
        if (r.status == -E_TABLES)
            tables_need();
        else if (r.status == -E_OWNER)
            page_reclaim((uint32_t)first);
        else if (r.status != -E_AGAIN)
            rt_panic("cannot see page %lu: %ld", first, r.status);
    }
}

bool pages_open(void)
{
    ram = rt_cap("ram");
    uint64_t info = pith_region_info(ram).value;
    if (info >> 32 & 1)
        rt_panic("ram does not start on an even frame");
    total = (uint32_t)info;
    if (total > ENTRY_PAGE)
        total = ENTRY_PAGE;
    /* A table shows 512 pages of ram or, for file servers' pages, of another region. */
    table_max = (uint32_t)(total / 256 + 64);
    uint64_t bytes = total * 8 + table_max * sizeof *table_pairs + (total + 7) / 8;
    arrays = (bytes + PAGE - 1) / PAGE;
    array_tables_max = arrays / SLOTS + 4;
    if (total < arrays + 2 * array_tables_max + 64)
        return false;
    for (uint64_t i = 0; i < arrays;)
        i += self_map(ARRAYS_BASE + i * PAGE, 1 + i, arrays - i < BATCH ? arrays - i : BATCH);
    next_free = (uint32_t *)ARRAYS_BASE + total;
    uint32_t *pairs = next_free + total;
    seen = (uint8_t *)(pairs + table_max);
    memset(seen, 0, (total + 7) / 8);
    use = (uint32_t *)ARRAYS_BASE;
    if (!memory->objects_low)
        memory->objects_low = (total & ~1ull) - 2 * array_tables_max;
    memset(use, 0, memory->frames_high * sizeof *use);
    memset(use + memory->objects_low, 0, (total - memory->objects_low) * sizeof *use);
    for (uint64_t i = 0; i <= arrays; i++)
        use[i] = 1;
    for (uint64_t i = (total & ~1ull) - 2 * array_tables_max; i < total; i++)
        use[i] = USE_OBJECT;
    frames_top = arrays + 1;
    if (memory->frames_high < frames_top)
        memory->frames_high = frames_top;
    objects_low = memory->objects_low;
    table_pairs = pairs;
    for (uint32_t i = 0; i < memory->table_count; i++) {
        pages_count_object(pairs[i]);
        pages_count_object(pairs[i] + 1);
    }
    return true;
}

/* ---- recounting ---------------------------------------------------------------------------- */

void pages_count_use(uint32_t page)
{
    use[page]++;
}

void pages_count_object(uint32_t page)
{
    use[page] = USE_OBJECT;
}

static void frame_put(uint32_t page)
{
    next_free[page] = free_frames;
    free_frames = page;
    free_frame_count++;
}

static void single_put(uint32_t page)
{
    next_free[page] = free_singles;
    free_singles = page;
    use[page] = USE_FREE_OBJECT;
    free_object_count++;
}

static void pair_put(uint32_t page)
{
    next_free[page] = free_pairs;
    free_pairs = page;
    use[page] = use[page + 1] = USE_FREE_OBJECT;
    free_object_count += 2;
}

static void frames_list(void)
{
    free_frames = 0;
    free_frame_count = 0;
    for (uint64_t p = total & ~1ull; p-- > objects_low;)
        if (!use[p])
            frame_put((uint32_t)p);
    for (uint64_t p = frames_top; p-- > 1;)
        if (!use[p])
            frame_put((uint32_t)p);
}

void pages_ready(void)
{
    frames_top = memory->frames_high;
    for (uint64_t p = objects_low; p < (total & ~1ull); p += 2) {
        for (unsigned half = 0; half < 2; half++)
            if (!use[p + half])
                page_reclaim((uint32_t)(p + half));
        if (!use[p] && !use[p + 1])
            pair_put((uint32_t)p);
        else if (!use[p] || !use[p + 1])
            single_put((uint32_t)(use[p] ? p + 1 : p));
    }
    frames_list();
    ready = true;
}

/* Out of whatever the kernel uses it for, and so out of the window. */
static void page_reset(uint32_t page)
{
    while (pith_page_take(ram, page).status == -E_AGAIN)
        ;
    if (seen)
        seen[page / 8] &= (uint8_t) ~(1u << (page % 8));
}

/* The kernel's use of a page that nobody here knows of: it was made in a request that was
 * undone. A table's or space's second page goes with its first. */
void page_reclaim(uint32_t page)
{
    uint32_t other = page ^ 1;
    if (page & 1 && use && (!use[other] || use[other] == USE_FREE_OBJECT))
        page_reset(other);
    page_reset(page);
}

/* ---- seeing -------------------------------------------------------------------------------- */

static bool is_seen(uint32_t page)
{
    return seen[page / 8] >> (page % 8) & 1;
}

/* A run around the page where all are frames and none is seen yet, else the page alone. */
static void window_map(uint32_t page)
{
    uint32_t first = page & ~(BATCH - 1), n = BATCH;
    for (uint32_t p = first; n > 1 && p < first + BATCH; p++)
        if (p >= objects_low || use[p] >= USE_FREE_OBJECT || is_seen(p))
            n = 1;
    if (n == 1)
        first = page;
    do {
        uint64_t done = self_map(WINDOW_BASE + first * PAGE, first, n);
        for (uint64_t p = first; p < first + done; p++)
            seen[p / 8] |= (uint8_t)(1u << (p % 8));
        first = page;
        n = 1;
    } while (!is_seen(page));
}

void *page_view(uint32_t page)
{
    if (!is_seen(page))
        window_map(page);
    return (void *)(WINDOW_BASE + page * PAGE);
}

const void *pager_view(uint32_t region, uint32_t pager, uint32_t page)
{
    uint64_t va = PAGERS_BASE + ((uint64_t)pager << 40) + page * PAGE;
    while (!pith_space_query(SPACE_SELF, va).value) {
        struct pith_result r = pith_space_map(SPACE_SELF, va, region, page, 1 | MAP_READ);
        if (r.status == -E_TABLES)
            tables_need();
        else if (r.status && r.status != -E_AGAIN)
            return 0;
    }
    return (const void *)va;
}

/* ---- frames -------------------------------------------------------------------------------- */

uint64_t pages_fail_in(uint64_t n)
{
    uint64_t left = fail_in;
    fail_in = n;
    return left;
}

static bool refused(void)
{
    return fail_in && !--fail_in;
}

static bool frames_from_objects(void)
{
    uint32_t pair = free_pairs;
    if (!pair)
        return false;
    free_pairs = next_free[pair];
    free_object_count -= 2;
    use[pair] = use[pair + 1] = 0;
    frame_put(pair);
    frame_put(pair + 1);
    return true;
}

uint32_t page_take(bool zero)
{
    uint32_t page;
    if (refused())
        return 0;
    if (!free_frames && frames_top < objects_low) {
        page = (uint32_t)frames_top;
        use[page] = 0;
        memory->frames_high = ++frames_top;
    } else {
        if (!free_frames && !frames_from_objects())
            return 0;
        page = free_frames;
        free_frames = next_free[page];
        free_frame_count--;
    }
    use[page] = 1;
    if (zero)
        memset(page_view(page), 0, PAGE);
    return page;
}

void page_more(uint32_t page)
{
    use[page]++;
}

void page_less(uint32_t page)
{
    if (!--use[page])
        frame_put(page);
}

uint32_t page_refs(uint32_t page)
{
    return use[page];
}

/* ---- pages for kernel objects ---------------------------------------------------------------- */

/* Free frames, two and two, from the top (above objects_low are some that were objects). The list
 * of free ones is made anew. */
static bool pairs_from_frames(void)
{
    unsigned found = 0;
    for (uint64_t p = total & ~1ull; p > arrays + 2 && found < CONVERT;) {
        p -= 2;
        if (use[p] || use[p + 1] || (p + 1 >= frames_top && p < objects_low))
            continue;
        page_reclaim((uint32_t)p);
        page_reclaim((uint32_t)p + 1);
        pair_put((uint32_t)p);
        found++;
    }
    if (found)
        frames_list();
    return found;
}

uint32_t object_pair_take(void)
{
    if (refused())
        return 0;
    if (!free_pairs && objects_low >= frames_top + 2) {
        objects_low -= 2;
        memory->objects_low = objects_low;
        /* A request that was undone may have left something there. */
        page_reclaim((uint32_t)objects_low);
        page_reclaim((uint32_t)objects_low + 1);
        pair_put((uint32_t)objects_low);
    }
    if (!free_pairs && !pairs_from_frames())
        return 0;
    uint32_t page = free_pairs;
    free_pairs = next_free[page];
    free_object_count -= 2;
    use[page] = use[page + 1] = USE_OBJECT;
    return page;
}

uint32_t object_take(void)
{
    uint32_t page = free_singles;
    if (!page) {
        page = object_pair_take();
        if (page)
            single_put(page + 1);
        return page;
    }
    if (refused())
        return 0;
    free_singles = next_free[page];
    free_object_count--;
    use[page] = USE_OBJECT;
    return page;
}

void object_give(uint32_t page)
{
    uint32_t other = page ^ 1;
    single_put(page);
    if (use[other] != USE_FREE_OBJECT)
        return;
    /* Both halves are free: out of the singles, into the pairs. */
    free_singles = next_free[page];
    for (uint32_t *link = &free_singles; *link; link = &next_free[*link])
        if (*link == other) {
            *link = next_free[other];
            free_object_count -= 2;
            pair_put(page & ~1u);
            return;
        }
    free_singles = page; /* the other one is in a pair: cannot be */
}

uint64_t pages_total(void)
{
    return total;
}

uint64_t pages_unused(void)
{
    return free_frame_count + free_object_count + (objects_low - frames_top);
}

uint64_t pages_reserve(void)
{
    uint64_t part = total / 64;
    return part < 128 ? 128 : part > 2048 ? 2048 : part;
}
