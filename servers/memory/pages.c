/* SPDX-License-Identifier: MIT */
/*
 * Pages of "ram". Frames grow from the bottom, kernel objects (in pairs) from the top, so
 * that a page once seen as a frame need never become a kernel object. use[] holds a
 * frame's references, or marks; it and the other arrays are rebuilt by each incarnation, in
 * the first pages of ram, as many as its size needs.
 */
#include "memory.h"
#include <rt/string.h>

#define WINDOW_BASE 0x500000000000ull
#define ARRAYS_BASE 0x480000000000ull
#define PAGERS_BASE 0x600000000000ull /* 1 TiB for each file server's region */
#define USE_OBJECT 0x80000000u
#define USE_FREE_OBJECT 0x40000000u

uint32_t ram;
static uint64_t total, frames_top,
    objects_low; /* frames below frames_top, objects from objects_low */
static uint32_t *use, *next_free;
static uint32_t free_frames, free_pairs, free_singles;
static uint64_t unused;
static uint8_t *seen; /* bit: in the window */

static void tables_need(void)
{
    uint64_t pair = rt_volatile_pages(2);
    uint32_t region = pair ? SLOT_VOLATILE : ram;
    if (!pair && frames_top) /* the arrays are there: of ram, lost and found with a restart */
        pair = object_pair_take();
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
    total = (uint32_t)pith_region_info(ram).value;
    if (total > ENTRY_PAGE)
        total = ENTRY_PAGE;
    uint64_t bytes = total * 8 + (total + 7) / 8, own = (bytes + PAGE - 1) / PAGE;
    if (total < own + 64)
        return false;
    for (uint64_t i = 0; i < own;)
        i += self_map(ARRAYS_BASE + i * PAGE, 1 + i, own - i < BATCH ? own - i : BATCH);
    memset((void *)ARRAYS_BASE, 0, own * PAGE);
    use = (uint32_t *)ARRAYS_BASE;
    next_free = use + total;
    seen = (uint8_t *)(next_free + total);
    for (uint64_t i = 0; i <= own; i++)
        use[i] = 1;
    frames_top = own + 1;
    objects_low = total & ~1ull;
    return true;
}
static bool odd_base(void)
{
    return pith_region_info(ram).value >> 32 & 1;
}

void pages_count_use(uint32_t page)
{
    use[page]++;
    if (page >= frames_top)
        frames_top = page + 1;
}

void pages_count_object(uint32_t page)
{
    use[page] = USE_OBJECT;
    uint64_t pair = page & ~1ull;
    if (pair < objects_low)
        objects_low = pair;
}

void pages_ready(void)
{
    if (odd_base())
        rt_panic("ram does not start on an even frame");
    for (uint64_t p = frames_top; p-- > 1;)
        if (!use[p]) {
            next_free[p] = free_frames;
            free_frames = (uint32_t)p;
            unused++;
        }
    for (uint64_t p = objects_low; p < total; p += 2) {
        if (use[p] && use[p + 1])
            continue;
        for (unsigned half = 0; half < 2; half++)
            if (!use[p + half])
                while (pith_page_take(ram, p + half).status == -E_AGAIN)
                    ;
        if (!use[p] && !use[p + 1]) {
            next_free[p] = free_pairs;
            free_pairs = (uint32_t)p;
        } else {
            uint32_t single = (uint32_t)(use[p] ? p + 1 : p);
            next_free[single] = free_singles;
            free_singles = single;
        }
    }
}

static void window_map(uint32_t page)
{
    uint32_t first = page & ~(BATCH - 1), n = BATCH;
    if (first + n > objects_low) {
        first = page;
        n = 1;
    }
    for (uint32_t p = first; p < first + n; p++)
        if (seen[p / 8] >> (p % 8) & 1) {
            first = page;
            n = 1;
            break;
        }
    do {
        uint64_t done = self_map(WINDOW_BASE + first * PAGE, first, n);
        for (uint64_t p = first; p < first + done; p++)
            seen[p / 8] |= (uint8_t)(1u << (p % 8));
        first = page;
        n = 1;
    } while (!(seen[page / 8] >> (page % 8) & 1));
}

void *page_view(uint32_t page)
{
    if (!(seen[page / 8] >> (page % 8) & 1))
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

uint32_t page_take(bool zero)
{
    uint32_t page = free_frames;
    if (page) {
        free_frames = next_free[page];
        unused--;
    } else {
        if (frames_top >= objects_low)
            return 0;
        page = (uint32_t)frames_top++;
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
    if (--use[page])
        return;
    next_free[page] = free_frames;
    free_frames = page;
    unused++;
}

/* The kernel's use of a page that nobody here knows of: it was made in a request that was
 * undone. A table's or space's second page goes with its first. */
void page_reclaim(uint32_t page)
{
    while (pith_page_take(ram, page & ~1u).status == -E_AGAIN)
        ;
    while (pith_page_take(ram, page).status == -E_AGAIN)
        ;
}

uint32_t page_refs(uint32_t page)
{
    return use[page];
}

uint32_t object_pair_take(void)
{
    uint32_t page = free_pairs;
    if (page) {
        free_pairs = next_free[page];
    } else {
        if (objects_low < frames_top + 2)
            return 0;
        objects_low -= 2;
        page = (uint32_t)objects_low;
        /* A request that was undone may have left something there. */
        for (unsigned half = 0; half < 2; half++)
            while (pith_page_take(ram, page + half).status == -E_AGAIN)
                ;
    }
    use[page] = use[page + 1] = USE_OBJECT;
    return page;
}

uint32_t object_take(void)
{
    uint32_t page = free_singles;
    if (page) {
        free_singles = next_free[page];
        use[page] = USE_OBJECT;
        return page;
    }
    page = object_pair_take();
    if (page) {
        use[page + 1] = USE_FREE_OBJECT;
        next_free[page + 1] = free_singles;
        free_singles = page + 1;
    }
    return page;
}

void object_give(uint32_t page)
{
    uint32_t other = page ^ 1;
    use[page] = USE_FREE_OBJECT;
    if (use[other] != USE_FREE_OBJECT) {
        next_free[page] = free_singles;
        free_singles = page;
        return;
    }
    /* Both halves are free: out of the singles, into the pairs. */
    for (uint32_t *link = &free_singles; *link; link = &next_free[*link])
        if (*link == other) {
            *link = next_free[other];
            next_free[page & ~1u] = free_pairs;
            free_pairs = page & ~1u;
            return;
        }
    next_free[page] = free_singles;
    free_singles = page;
}

uint64_t pages_total(void)
{
    return total;
}

uint64_t pages_unused(void)
{
    return unused + (objects_low - frames_top);
}
