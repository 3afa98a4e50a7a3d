/* SPDX-License-Identifier: MIT */
/* See spawn/spawn.h. ELF-64 object file format, version 1.2; cpio "newc": four header fields
 * used, all in eight hexadecimal digits. */
#include <rt/call.h>
#include <rt/status.h>
#include <rt/string.h>
#include <spawn/spawn.h>

#define MAIN_STACK (STACKS_BASE + RT_STACK_SIZE)
#define PAGE 4096ull
#define FIRST_TABLES 2u /* pairs; the others are given as mappings need them */

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum;
};
struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

#define RETRY(call)                                                                                \
    ({                                                                                             \
        struct pith_result r_;                                                                     \
        do                                                                                         \
            r_ = (call);                                                                           \
        while (r_.status == -E_AGAIN);                                                             \
        r_;                                                                                        \
    })

static int64_t tables_give(struct spawn *s, uint64_t pairs)
{
    s->next = (s->next + 1) & ~1ull;
    for (; pairs; pairs--, s->next += 2) {
        if (s->next + 2 > s->volatile_pages)
            return -E_LIMIT;
        struct pith_result r = RETRY(pith_space_donate(s->space, s->volatile_region, s->next));
        if (r.status)
            return r.status;
    }
    return 0;
}

static int64_t map_run(struct spawn *s, uint32_t space, uint64_t va, uint32_t region,
    uint64_t first, uint64_t n, uint64_t rights)
{
    for (uint64_t done = 0; done < n;) {
        uint64_t now = n - done < MAP_BATCH ? n - done : MAP_BATCH;
        struct pith_result r =
            pith_space_map(space, va + done * PAGE, region, first + done, now | MAP_READ | rights);
        if (r.status == -E_TABLES && space == s->space)
            r.status = tables_give(s, 1);
        else if (r.status == -E_TABLES)
            r.status = spawn_own_tables() ? 0 : -E_TABLES;
        else if (!r.status)
            done += r.value;
        if (r.status && r.status != -E_AGAIN)
            return r.status;
    }
    return 0;
}

/* n fresh volatile pages, mapped in the new space at va with contents (then zeros). */
static int64_t fill(struct spawn *s, uint64_t va, uint64_t n, const void *from, uint64_t bytes,
    uint64_t lead, uint64_t rights)
{
    for (uint64_t done = 0; done < n;) {
        uint64_t now = n - done < MAP_BATCH ? n - done : MAP_BATCH;
        uint64_t first = s->next;
        if (first + now > s->volatile_pages)
            return -E_LIMIT;
        s->next += now;
        int64_t e = map_run(s, SPACE_SELF, s->window, s->volatile_region, first, now, MAP_WRITE);
        if (e)
            return e;
        memset((void *)s->window, 0, now * PAGE);
        uint64_t start = done ? 0 : lead, room = now * PAGE - start;
        uint64_t skip = done ? done * PAGE - lead : 0;
        if (skip < bytes)
            memcpy((void *)(s->window + start), (const uint8_t *)from + skip,
                bytes - skip < room ? bytes - skip : room);
        RETRY(pith_space_unmap(SPACE_SELF, s->window, now));
        e = map_run(s, s->space, va + done * PAGE, s->volatile_region, first, now, rights);
        if (e)
            return e;
        done += now;
    }
    return 0;
}

/* Blocks of the capsule as one mapping each, where they lie right for it: a server with much
 * memory is back as soon as one with little. Answers how many pages are mapped then. */
static int64_t map_large(struct spawn *s, uint64_t va, uint64_t first, uint64_t n)
{
    struct pith_result at = RETRY(pith_region_info(s->persistent_region));
    uint64_t done = 0;
    if (at.status || ((at.value >> 32) + first) % LARGE_PAGES)
        return at.status;
    while (n - done >= LARGE_PAGES) {
        uint64_t blocks = (n - done) / LARGE_PAGES;
        struct pith_result r =
            pith_space_map(s->space, va + done * PAGE, s->persistent_region, first + done,
                (blocks < MAP_BATCH ? blocks : MAP_BATCH) | MAP_2M | MAP_READ | MAP_WRITE);
        if (r.status == -E_STATE) /* only once: they stay ready */
            r.status = RETRY(pith_page_large(s->persistent_region, first + done)).status;
        else if (r.status == -E_TABLES)
            r.status = tables_give(s, 1);
        else if (!r.status)
            done += r.value * LARGE_PAGES;
        if (r.status && r.status != -E_AGAIN)
            return r.status;
    }
    return (int64_t)done;
}

static int64_t map_capsule(struct spawn *s)
{
    int64_t done = map_large(s, CAPSULE_BASE, RT_CAP_PAGES, s->capsule_pages);
    if (done < 0)
        return done;
    uint64_t n = (uint64_t)done;
    return map_run(s, s->space, CAPSULE_BASE + n * PAGE, s->persistent_region, RT_CAP_PAGES + n,
        s->capsule_pages - n, MAP_WRITE);
}

static uint64_t page_of(const void *address)
{
    return (uint64_t)address / PAGE;
}

/* Its pages in the image are what the program is to see: nobody writes to them, and the image goes
 * on to the last one's end, so that no neighbour's contents are in it. */
static bool shareable(const struct spawn *s, const struct elf_segment *g)
{
    uint64_t last = (g->offset + g->memsz + PAGE - 1) & ~(PAGE - 1);
    return !(g->flags & 2) && g->filesz == g->memsz && last <= s->elf_bytes &&
           ((uint64_t)s->elf + g->offset - g->vaddr) % PAGE == 0 && g->offset >= g->vaddr % PAGE &&
           (uint64_t)s->elf % PAGE == 0;
}

static int64_t load(struct spawn *s, uint64_t *entry)
{
    const struct elf_header *h = s->elf;
    if (s->elf_bytes < sizeof *h || memcmp(h->ident, "\177ELF\2\1\1", 7) || h->type != 2 ||
        h->machine != 62 || h->phentsize != sizeof(struct elf_segment) || h->phnum > 16 ||
        h->phoff > s->elf_bytes || h->phnum * sizeof(struct elf_segment) > s->elf_bytes - h->phoff)
        return -E_ARG;
    const struct elf_segment *g = (const void *)((const uint8_t *)s->elf + h->phoff);
    for (unsigned i = 0; i < h->phnum; i++) {
        if (g[i].type != 1 || !g[i].memsz)
            continue;
        if (g[i].filesz > g[i].memsz || g[i].offset > s->elf_bytes ||
            g[i].filesz > s->elf_bytes - g[i].offset || g[i].vaddr >= STACKS_BASE / 2 ||
            g[i].memsz > STACKS_BASE / 2 || (g[i].flags & 3) == 3)
            return -E_ARG;
        uint64_t base = g[i].vaddr & ~(PAGE - 1), lead = g[i].vaddr - base;
        uint64_t n = (lead + g[i].memsz + PAGE - 1) / PAGE;
        uint64_t rights = g[i].flags & 1 ? MAP_EXEC : g[i].flags & 2 ? MAP_WRITE : 0;
        const uint8_t *from = (const uint8_t *)s->elf + g[i].offset;
        int64_t e = shareable(s, &g[i])
                        ? map_run(s, s->space, base, s->elf_region,
                              s->elf_first + page_of(from) - page_of(s->elf), n, rights)
                        : fill(s, base, n, from, g[i].filesz, lead, rights);
        if (e)
            return e;
    }
    *entry = h->entry;
    return 0;
}

static int64_t caps_bring(struct spawn *s)
{
    for (uint64_t d = 0; d < RT_CAP_PAGES; d++) {
        struct pith_result r = s->old_space
                                   ? RETRY(pith_cap_page_move(s->old_space, s->space, d))
                                   : RETRY(pith_cap_page(s->space, s->persistent_region, d, d));
        if (r.status && !(s->old_space && r.status == -E_RANGE))
            return r.status;
        if (r.status) { /* the old one had not got it yet */
            r = RETRY(pith_cap_page(s->space, s->persistent_region, d, d));
            if (r.status)
                return r.status;
        }
    }
    return 0;
}

uint64_t spawn_persistent(uint64_t capsule_pages, uint64_t object_pages)
{
    return RT_CAP_PAGES + capsule_pages + object_pages + STATUS_PAGES;
}

int64_t spawn_give(struct spawn *s, uint32_t here, uint32_t there)
{
    pith_cap_delete(s->space, there);
    return RETRY(pith_cap_copy(here, s->space, there, RIGHT_ALL)).status;
}

/* The page outlives incarnations; firmware may have left something there before the first. */
static int64_t status_bring(struct spawn *s)
{
    uint64_t page = spawn_persistent(s->capsule_pages, s->object_pages) - STATUS_PAGES;
    if (!s->old_space) {
        int64_t e =
            map_run(s, SPACE_SELF, s->window, s->persistent_region, page, STATUS_PAGES, MAP_WRITE);
        if (e)
            return e;
        memset((void *)s->window, 0, STATUS_PAGES * PAGE);
        RETRY(pith_space_unmap(SPACE_SELF, s->window, STATUS_PAGES));
    }
    return map_run(
        s, s->space, STATUS_ADDRESS, s->persistent_region, page, STATUS_PAGES, MAP_WRITE);
}

int64_t spawn_build(struct spawn *s, const char **what)
{
    int64_t e;
    uint64_t entry = 0;
    s->next = 2;
#define STEP(text, call)                                                                           \
    do {                                                                                           \
        *what = text;                                                                              \
        if ((e = (call)))                                                                          \
            return e;                                                                              \
    } while (0)
    pith_cap_delete(SPACE_SELF, s->space);
    pith_cap_delete(SPACE_SELF, s->thread);
    STEP("space", RETRY(pith_space_create(s->volatile_region, 0, s->space)).status);
    STEP("tables", tables_give(s, FIRST_TABLES));
    STEP("program", load(s, &entry));
    STEP("capability table", caps_bring(s));
    STEP("heap", fill(s, HEAP_BASE, s->heap_pages, 0, 0, 0, MAP_WRITE));
    STEP("capsule", map_capsule(s));
    STEP("status page", status_bring(s));
    STEP("stack", fill(s, MAIN_STACK, RT_STACK_SIZE / PAGE, 0, 0, 0, MAP_WRITE));
    for (unsigned i = 0; i < 4 && s->modules[i].count; i++)
        STEP("module", map_run(s, s->space, s->modules[i].address, s->modules[i].region,
                           s->modules[i].first, s->modules[i].count, 0));
    STEP("thread",
        RETRY(pith_thread_create(s->volatile_region, s->next++, s->thread, s->space)).status);
    struct rt_startup *st = &s->startup;
    st->magic = STARTUP_MAGIC;
    st->capsule_bytes = s->capsule_pages * PAGE;
    st->log_bytes = s->log_pages * PAGE;
    st->heap_bytes = s->heap_pages * PAGE;
    st->objects_first = RT_CAP_PAGES + s->capsule_pages;
    st->objects_count = s->object_pages;
    for (unsigned i = 0; i < sizeof st->name - 1 && s->name[i]; i++)
        st->name[i] = s->name[i];
    uint64_t pages = (sizeof *st + PAGE - 1) / PAGE;
    st->volatile_first = s->next + pages + 4; /* a spare table pair, aligned */
    st->volatile_count =
        st->volatile_first < s->volatile_pages ? s->volatile_pages - st->volatile_first : 0;
    STEP("startup page", fill(s, STARTUP_ADDRESS, pages, st, sizeof *st, 0, 0));
    STEP("capabilities", spawn_give(s, s->space, SLOT_SPACE));
    STEP("capabilities", spawn_give(s, s->persistent_region, SLOT_PERSISTENT));
    STEP("capabilities", spawn_give(s, s->volatile_region, SLOT_VOLATILE));
    STEP("capabilities", spawn_give(s, s->time, SLOT_TIME));
    STEP("capabilities", spawn_give(s, s->main_notification, SLOT_MAIN));
    STEP("capabilities", spawn_give(s, s->thread, SLOT_THREAD));
    s->next = entry;
    return 0;
#undef STEP
}

int64_t spawn_start(struct spawn *s)
{
    return RETRY(pith_thread_start(s->thread, s->time, (uint64_t)s->priority << 8, s->next,
                     MAIN_STACK + RT_STACK_SIZE - 16, 0))
        .status;
}

/* Each pass asks once for each page that may be in use: what one pass ends, quiescence lets a
 * later one free, so all pages wait for the other cores together. */
bool spawn_reclaim(uint32_t region, uint64_t pages, unsigned passes)
{
    uint64_t from = 0, to = pages;
    for (unsigned pass = 0; pass < passes && from < to; pass++) {
        uint64_t first = to, last = from;
        for (uint64_t i = from; i < to; i++)
            if (pith_page_take(region, i).status) {
                first = i < first ? i : first;
                last = i + 1;
            }
        from = first;
        to = last;
    }
    return from >= to;
}

static uint32_t hex8(const char *p)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < 8; i++) {
        char c = p[i];
        v = v << 4 | (uint32_t)(c >= '0' && c <= '9'   ? c - '0'
                                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                       : 0);
    }
    return v;
}

const void *spawn_member(const void *archive, size_t bytes, const char *name, size_t *size)
{
    const char *a = archive;
    for (size_t at = 0; at + 110 <= bytes;) {
        if (memcmp(a + at, "070701", 6))
            return 0;
        uint32_t file = hex8(a + at + 54), length = hex8(a + at + 94);
        size_t data = (at + 110 + length + 3) & ~(size_t)3;
        if (!length || data > bytes || file > bytes - data)
            return 0;
        size_t compared = strlen(name) + 1; /* more zeros may follow */
        if (length >= compared && !memcmp(a + at + 110, name, compared)) {
            *size = file;
            return a + data;
        }
        at = (data + file + 3) & ~(size_t)3;
    }
    return 0;
}
