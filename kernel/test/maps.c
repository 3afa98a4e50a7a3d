/* SPDX-License-Identifier: MIT */
/* Spaces and mappings: map, unmap, protect, copy, prune, large pages, reverse maps. */
#include "test.h"

#define RW (MAP_READ | MAP_WRITE)
#define FAR 0x2000000000ull /* needs tables of its own */

static volatile uint8_t *bytes_at(uint64_t va)
{
    return (volatile uint8_t *)va;
}

TEST("maps.a-mapped-page-holds-what-is-written")
{
    uint64_t va = area(8192), p = map(SPACE_SELF, va, 2);
    *bytes_at(va + 4096) = 7;
    MUST(pith_space_map(SPACE_SELF, va + 0x10000, BOOT_REGION, p + 1, 1 | MAP_READ));
    CHECK_EQUAL(*bytes_at(va + 0x10000), 7);
    area(0x20000);
}
TEST("maps.query-says-how-it-is-mapped")
{
    uint64_t va = area(8192), p = page();
    CHECK_EQUAL(MUST(pith_space_query(SPACE_SELF, va)), 0);
    MUST(pith_space_map(SPACE_SELF, va, BOOT_REGION, p, 1 | RW));
    uint64_t no_nx = BOOTINFO->features & FEATURE_NX ? 0 : MAP_EXEC;
    CHECK_EQUAL(MUST(pith_space_query(SPACE_SELF, va)), RW | no_nx);
    *bytes_at(va) = 1;
    CHECK_EQUAL(MUST(pith_space_query(SPACE_SELF, va)), RW | no_nx | QUERY_ACCESSED | QUERY_DIRTY);
    MUST(pith_space_map(
        SPACE_SELF, va + 4096, BOOT_REGION, p, 1 | MAP_READ | MAP_EXEC | MAP_UNCACHED));
    CHECK_EQUAL(MUST(pith_space_query(SPACE_SELF, va + 4096)), MAP_READ | MAP_EXEC | MAP_UNCACHED);
}
TEST("maps.a-run-of-64")
{
    fixture();
    CHECK_EQUAL(MUST(pith_space_map(fx.space, 0x70000000, BOOT_REGION, pages(64), 64 | RW)), 64);
    CHECK(MUST(pith_space_query(fx.space, 0x70000000 + 63 * 4096)) != 0);
}
TEST("maps.a-run-across-tables")
{
    uint32_t s = make_bare_space();
    give_tables(s, 4);
    uint64_t p = pages(8);
    CHECK_EQUAL(
        MUST(pith_space_map(s, 0x3ffffc000, BOOT_REGION, p, 8 | RW)), 4); /* out of tables */
    give_tables(s, 6);
    CHECK_EQUAL(MUST(pith_space_map(s, 0x400000000, BOOT_REGION, p + 4, 4 | RW)), 4);
    CHECK_EQUAL(MUST(pith_space_copy(s, s, 0x3ffffc000, 0x4ffffe000, 2 | MAP_READ)), 3);
}
TEST("maps.a-run-stops-at-the-first-failure")
{
    uint64_t va = area(4 * 4096), p = pages(4);
    MUST(pith_space_map(SPACE_SELF, va + 2 * 4096, BOOT_REGION, p, 1 | RW));
    CHECK_EQUAL(MUST(pith_space_map(SPACE_SELF, va, BOOT_REGION, p, 4 | RW)), 2);
}
ANSWER("maps.map-answers-e-cap", pith_space_map(fx.gate, FAR, BOOT_REGION, fx.page, 1 | RW), -E_CAP)
ANSWER("maps.map-answers-e-cap-for-the-region",
       pith_space_map(fx.space, FAR, fx.gate, fx.page, 1 | RW), -E_CAP)
ANSWER("maps.map-answers-e-right",
       pith_space_map(weak(fx.space, RIGHT_MANAGE), FAR, BOOT_REGION, fx.page, 1 | RW), -E_RIGHT)
ANSWER("maps.map-answers-e-right-for-the-region",
       pith_space_map(fx.space, FAR, weak(fx.region, RIGHT_MANAGE), 0, 1 | RW), -E_RIGHT)
ANSWER("maps.map-answers-e-arg-for-no-pages",
       pith_space_map(fx.space, FAR, BOOT_REGION, fx.page, RW), -E_ARG)
ANSWER("maps.map-answers-e-arg-for-65-pages",
       pith_space_map(fx.space, FAR, BOOT_REGION, fx.page, 65 | RW), -E_ARG)
ANSWER("maps.map-answers-e-arg-without-read",
       pith_space_map(fx.space, FAR, BOOT_REGION, fx.page, 1 | MAP_WRITE), -E_ARG)
ANSWER("maps.map-answers-e-arg-for-write-and-execute",
       pith_space_map(fx.space, FAR, BOOT_REGION, fx.page, 1 | RW | MAP_EXEC), -E_ARG)
ANSWER("maps.map-answers-e-arg-for-unknown-flags",
       pith_space_map(fx.space, FAR, BOOT_REGION, fx.page, 1 | RW | 1ull << 40), -E_ARG)
ANSWER("maps.map-answers-e-arg-off-a-page",
       pith_space_map(fx.space, FAR + 1, BOOT_REGION, fx.page, 1 | RW), -E_ARG)
ANSWER("maps.map-answers-e-arg-off-a-large-page",
       pith_space_map(fx.space, FAR + 4096, BOOT_REGION, fx.page, 1 | RW | MAP_2M), -E_ARG)
ANSWER("maps.map-answers-e-range-for-the-last-page",
       pith_space_map(fx.space, 0x7ffffffff000, BOOT_REGION, fx.page, 1 | RW), -E_RANGE)
ANSWER("maps.map-answers-e-range-across-the-end",
       pith_space_map(fx.space, 0x7fffffffe000, BOOT_REGION, fx.page, 2 | RW), -E_RANGE)
ANSWER("maps.map-answers-e-range-for-the-kernel",
       pith_space_map(fx.space, 0xffff800000000000, BOOT_REGION, fx.page, 1 | RW), -E_RANGE)
ANSWER("maps.map-answers-e-range-for-wrapping-addresses",
       pith_space_map(fx.space, 0xfffffffffffff000, BOOT_REGION, fx.page, 2 | RW), -E_RANGE)
ANSWER("maps.map-answers-e-owner-for-an-object",
       pith_space_map(fx.space, FAR, BOOT_REGION, fx.thread_page, 1 | RW), -E_OWNER)
ANSWER("maps.map-answers-e-owner-for-a-strangers-page",
       pith_space_map(fx.space, FAR, BOOT_REGION, region_base, 1 | RW), -E_OWNER)
ANSWER("maps.map-answers-e-owner-past-the-region",
       pith_space_map(fx.space, FAR, fx.region, 8, 1 | RW), -E_OWNER)
ANSWER("maps.map-answers-e-owner-for-kernel-pages",
       pith_space_map(fx.space, FAR, BOOT_REGION, 0, 1 | RW), -E_OWNER)
ANSWER("maps.map-answers-e-busy",
       (pith_space_map(SPACE_SELF, fx.bad, BOOT_REGION, fx.page, 1 | RW),
        pith_space_map(SPACE_SELF, fx.bad, BOOT_REGION, fx.page, 1 | RW)), -E_BUSY)
TEST("maps.map-answers-e-tables")
{
    uint32_t s = make_bare_space();
    EXPECT(pith_space_map(s, FAR, BOOT_REGION, page(), 1 | RW), -E_TABLES);
    give_tables(s, 3);
    EXPECT(pith_space_map(s, FAR, BOOT_REGION, last_page(), 1 | RW), -E_OWNER);
}
TEST("maps.map-answers-e-again-until-the-page-is-quiet")
{
    if (BOOTINFO->cores == 1)
        test_skip("needs several cores");
    uint64_t va = area(4096), p = page(), seen = 0;
    for (unsigned i = 0; i < 50; i++) {
        struct pith_result r;
        while ((r = pith_space_map(SPACE_SELF, va, BOOT_REGION, p, 1 | RW)).status == -E_AGAIN)
            seen++;
        CHECK_EQUAL(r.status, 0);
        MUST(pith_page_take(BOOT_REGION, p));
    }
    CHECK(seen > 0);
}
ANSWER("maps.donate-answers-e-cap", pith_space_donate(fx.gate, BOOT_REGION, fx.page), -E_CAP)
ANSWER("maps.donate-answers-e-right",
       pith_space_donate(weak(fx.space, RIGHT_MANAGE), BOOT_REGION, fx.page), -E_RIGHT)
ANSWER("maps.donate-answers-e-owner", pith_space_donate(fx.space, BOOT_REGION, fx.thread_page),
    -E_OWNER)
ANSWER("maps.donate-answers-e-arg-for-an-odd-page",
       (pages(2), pith_space_donate(fx.space, BOOT_REGION, fx.odd + 2)), -E_ARG)
TEST("maps.donate-counts-the-pool")
{
    uint32_t s = make_bare_space();
    uint64_t a = pages(2), b = pages(2);
    CHECK_EQUAL(MUST(pith_space_donate(s, BOOT_REGION, a)), 1);
    CHECK_EQUAL(MUST(pith_space_donate(s, BOOT_REGION, b)), 2);
    MUST(pith_page_take(BOOT_REGION, a));
    CHECK_EQUAL(MUST(pith_space_donate(s, BOOT_REGION, a)), 2);
}
TEST("maps.unmap-says-what-was-written")
{
    uint64_t va = area(4 * 4096);
    map(SPACE_SELF, va, 4);
    *bytes_at(va + 4096) = 1;
    *bytes_at(va + 3 * 4096) = 1;
    CHECK_EQUAL(MUST(pith_space_unmap(SPACE_SELF, va, 4)), 10);
    CHECK_EQUAL(MUST(pith_space_query(SPACE_SELF, va)), 0);
}
TEST("maps.unmap-passes-over-holes")
{
    uint64_t va = area(64 * 4096);
    map(SPACE_SELF, va + 5 * 4096, 1);
    CHECK_EQUAL(MUST(pith_space_unmap(SPACE_SELF, va, 64)), 0);
    CHECK_EQUAL(MUST(pith_space_query(SPACE_SELF, va + 5 * 4096)), 0);
}
ANSWER("maps.unmap-answers-e-cap", pith_space_unmap(fx.gate, FAR, 1), -E_CAP)
ANSWER(
    "maps.unmap-answers-e-right", pith_space_unmap(weak(fx.space, RIGHT_MANAGE), FAR, 1), -E_RIGHT)
ANSWER("maps.unmap-answers-e-arg-for-0", pith_space_unmap(fx.space, FAR, 0), -E_ARG)
ANSWER("maps.unmap-answers-e-arg-for-65", pith_space_unmap(fx.space, FAR, 65), -E_ARG)
ANSWER("maps.unmap-answers-e-arg-off-a-page", pith_space_unmap(fx.space, FAR + 8, 1), -E_ARG)
ANSWER("maps.unmap-answers-e-range", pith_space_unmap(fx.space, 0x7fffffffe000, 2), -E_RANGE)
TEST("maps.protect-takes-write")
{
    uint64_t va = area(2 * 4096);
    map(SPACE_SELF, va, 2);
    *bytes_at(va) = 1;
    CHECK_EQUAL(MUST(pith_space_protect(SPACE_SELF, va, 2 | MAP_READ)), 1);
    CHECK(!(MUST(pith_space_query(SPACE_SELF, va)) & MAP_WRITE));
    CHECK(!(MUST(pith_space_query(SPACE_SELF, va + 4096)) & MAP_WRITE));
}
TEST("maps.protect-never-gives-rights")
{
    uint64_t va = area(4096), p = page();
    MUST(pith_space_map(SPACE_SELF, va, BOOT_REGION, p, 1 | MAP_READ));
    MUST(pith_space_protect(SPACE_SELF, va, 1 | RW));
    CHECK(!(MUST(pith_space_query(SPACE_SELF, va)) & MAP_WRITE));
    if (BOOTINFO->features & FEATURE_NX) {
        MUST(pith_space_protect(SPACE_SELF, va, 1 | MAP_READ | MAP_EXEC));
        CHECK(!(MUST(pith_space_query(SPACE_SELF, va)) & MAP_EXEC));
    }
}
TEST("maps.protect-with-large-steps-meets-the-right-pages")
{
    uint64_t va = area(6 << 20) + (2 << 20) - 1;
    va &= ~((2ull << 20) - 1);
    map(SPACE_SELF, va, 2);
    map(SPACE_SELF, va + (2 << 20), 1);
    MUST(pith_space_protect(SPACE_SELF, va, 2 | MAP_READ | MAP_2M));
    CHECK(!(MUST(pith_space_query(SPACE_SELF, va)) & MAP_WRITE));
    CHECK(MUST(pith_space_query(SPACE_SELF, va + 4096)) & MAP_WRITE);
    CHECK(!(MUST(pith_space_query(SPACE_SELF, va + (2 << 20))) & MAP_WRITE));
}
ANSWER("maps.protect-answers-e-cap", pith_space_protect(fx.gate, FAR, 1 | MAP_READ), -E_CAP)
ANSWER("maps.protect-answers-e-right",
       pith_space_protect(weak(fx.space, RIGHT_MANAGE), FAR, 1 | MAP_READ), -E_RIGHT)
ANSWER("maps.protect-answers-e-arg", pith_space_protect(fx.space, FAR, 65 | MAP_READ), -E_ARG)
ANSWER("maps.protect-answers-e-range", pith_space_protect(fx.space, 1ull << 47, 1 | MAP_READ),
    -E_RANGE)
TEST("maps.copy-shares-frames")
{
    fixture();
    *bytes_at(fx.buffer) = 42;
    CHECK_EQUAL(MUST(pith_space_copy(SPACE_SELF, SPACE_SELF, fx.buffer, fx.bad, 1 | RW)), 1);
    CHECK_EQUAL(*bytes_at(fx.bad), 42);
    *bytes_at(fx.bad) = 43;
    CHECK_EQUAL(*bytes_at(fx.buffer), 43);
}
TEST("maps.copy-gives-at-most-the-rights-of-the-source")
{
    fixture();
    uint64_t va = area(8192);
    MUST(pith_space_copy(SPACE_SELF, SPACE_SELF, fx.buffer, va, 1 | MAP_READ));
    MUST(pith_space_copy(SPACE_SELF, SPACE_SELF, va, va + 4096, 1 | RW));
    CHECK(!(MUST(pith_space_query(SPACE_SELF, va + 4096)) & MAP_WRITE));
}
TEST("maps.copy-demotes-the-source")
{
    fixture();
    MUST(pith_space_copy(fx.space, SPACE_SELF, fx.buffer, fx.buffer, 1 | MAP_READ | MAP_DEMOTE));
    CHECK(!(MUST(pith_space_query(SPACE_SELF, fx.buffer)) & MAP_WRITE));
    CHECK(!(MUST(pith_space_query(fx.space, fx.buffer)) & MAP_WRITE));
}
TEST("maps.copy-passes-over-holes")
{
    uint64_t from = area(64 * 4096), to = area(64 * 4096);
    map(SPACE_SELF, from + 3 * 4096, 1);
    map(SPACE_SELF, from + 63 * 4096, 1);
    CHECK_EQUAL(MUST(pith_space_copy(SPACE_SELF, SPACE_SELF, from, to, 64 | RW)), 8 | 1ull << 63);
    CHECK_EQUAL(MUST(pith_space_query(SPACE_SELF, to)), 0);
    CHECK(MUST(pith_space_query(SPACE_SELF, to + 3 * 4096)) != 0);
}
ANSWER(
    "maps.copy-answers-e-cap", pith_space_copy(fx.gate, SPACE_SELF, fx.buffer, FAR, 1 | RW), -E_CAP)
ANSWER("maps.copy-answers-e-cap-for-the-source",
       pith_space_copy(SPACE_SELF, fx.gate, fx.buffer, FAR, 1 | RW), -E_CAP)
ANSWER("maps.copy-answers-e-right",
       pith_space_copy(weak(fx.space, RIGHT_MANAGE), SPACE_SELF, fx.buffer, FAR, 1 | RW), -E_RIGHT)
ANSWER("maps.copy-answers-e-right-for-the-source",
       pith_space_copy(SPACE_SELF, weak(fx.space, RIGHT_MANAGE), fx.buffer, FAR, 1 | RW), -E_RIGHT)
ANSWER("maps.copy-answers-e-arg-for-large-pages",
       pith_space_copy(fx.space, SPACE_SELF, 0, FAR, 1 | RW | MAP_2M), -E_ARG)
ANSWER("maps.copy-answers-e-arg-off-a-page",
       pith_space_copy(fx.space, SPACE_SELF, fx.buffer + 1, FAR, 1 | RW), -E_ARG)
ANSWER("maps.copy-answers-e-range",
       pith_space_copy(fx.space, SPACE_SELF, fx.buffer, 1ull << 47, 1 | RW), -E_RANGE)
ANSWER("maps.copy-answers-e-busy",
    pith_space_copy(SPACE_SELF, SPACE_SELF, fx.buffer, (uint64_t)&fx & ~4095ull, 1 | RW), -E_BUSY)
TEST("maps.copy-answers-e-tables")
{
    uint32_t s = make_bare_space();
    fixture();
    EXPECT(pith_space_copy(s, SPACE_SELF, fx.buffer, FAR, 1 | RW), -E_TABLES);
}
ANSWER("maps.query-answers-e-cap", pith_space_query(fx.gate, 0), -E_CAP)
ANSWER("maps.query-answers-e-range", pith_space_query(fx.space, 0x7ffffffff000), -E_RANGE)
TEST("maps.prune-gives-tables-back")
{
    uint32_t s = make_bare_space();
    uint64_t p = page();
    give_tables(s, 3);
    MUST(pith_space_map(s, FAR, BOOT_REGION, p, 1 | RW));
    EXPECT(pith_space_prune(s, FAR), -E_STATE); /* in use */
    MUST(pith_space_unmap(s, FAR, 1));
    CHECK_EQUAL(MUST(pith_space_prune(s, FAR)), 3);
    EXPECT(pith_space_prune(s, FAR), -E_STATE); /* nothing there */
    EXPECT(pith_space_map(s, FAR * 2, BOOT_REGION, p, 1 | RW), 0);
}
TEST("maps.prune-keeps-shared-levels")
{
    uint32_t s = make_bare_space();
    uint64_t p = pages(2);
    give_tables(s, 4);
    MUST(pith_space_map(s, FAR, BOOT_REGION, p, 1 | RW));
    MUST(pith_space_map(s, FAR + (2 << 20), BOOT_REGION, p + 1, 1 | RW));
    MUST(pith_space_unmap(s, FAR, 1));
    CHECK_EQUAL(MUST(pith_space_prune(s, FAR)), 1);
    CHECK(MUST(pith_space_query(s, FAR + (2 << 20))) != 0);
}
ANSWER("maps.prune-answers-e-cap", pith_space_prune(fx.gate, FAR), -E_CAP)
ANSWER("maps.prune-answers-e-right", pith_space_prune(weak(fx.space, RIGHT_MANAGE), FAR), -E_RIGHT)
ANSWER("maps.prune-answers-e-range", pith_space_prune(fx.space, 1ull << 47), -E_RANGE)
ANSWER("maps.prune-answers-e-state", pith_space_prune(fx.space, FAR), -E_STATE)
TEST("maps.taking-a-table-unmaps-what-it-maps")
{
    uint32_t s = make_bare_space();
    uint64_t p = pages(64);
    give_tables(s, 3);
    uint64_t leaf = last_page(); /* the pool is a queue: the last table holds the pages */
    MUST(pith_space_map(s, FAR, BOOT_REGION, p, 64 | RW));
    CHECK_EQUAL(pith_page_take(BOOT_REGION, leaf).status, -E_AGAIN); /* 32 a step */
    MUST(pith_page_take(BOOT_REGION, leaf));
    CHECK_EQUAL(MUST(pith_space_query(s, FAR)), 0);
    CHECK_EQUAL(MUST(pith_page_info(BOOT_REGION, p)) & 0x2ff, P_FRAME);
}
TEST("maps.taking-an-upper-table-cuts-off-those-below")
{
    uint32_t s = make_bare_space();
    uint64_t p = page(), first = pages(6);
    for (unsigned i = 0; i < 3; i++)
        MUST(pith_space_donate(s, BOOT_REGION, first + 2 * i));
    MUST(pith_space_map(s, FAR, BOOT_REGION, p, 1 | RW));
    MUST(pith_page_take(BOOT_REGION, first));
    CHECK_EQUAL(MUST(pith_space_query(s, FAR)), 0);
    CHECK_EQUAL(MUST(pith_page_unmap(BOOT_REGION, p)), 0); /* its mapping is still listed */
    MUST(pith_page_take(BOOT_REGION, first + 4));
    MUST(pith_page_take(BOOT_REGION, first + 2));
}
TEST("maps.reverse-map-unmaps-everywhere")
{
    uint64_t va = area(4096), p = map(SPACE_SELF, va, 1);
    uint32_t s = make_space();
    MUST(pith_space_map(s, 0x70000000, BOOT_REGION, p, 1 | MAP_READ));
    CHECK_EQUAL(MUST(pith_page_info(BOOT_REGION, p)), P_FRAME | 1 << 9 | 1 << 10);
    *bytes_at(va) = 1;
    CHECK_EQUAL(MUST(pith_page_unmap(BOOT_REGION, p)), 1);
    CHECK_EQUAL(MUST(pith_space_query(SPACE_SELF, va)), 0);
    CHECK_EQUAL(MUST(pith_space_query(s, 0x70000000)), 0);
    CHECK_EQUAL(MUST(pith_page_unmap(BOOT_REGION, p)), 0);
    CHECK_EQUAL(MUST(pith_page_info(BOOT_REGION, p)), P_FRAME | 1 << 10);
}
TEST("maps.page-info-remembers-dirt-of-removed-mappings")
{
    uint64_t va = area(4096), p = map(SPACE_SELF, va, 1);
    *bytes_at(va) = 1;
    MUST(pith_space_unmap(SPACE_SELF, va, 1));
    CHECK_EQUAL(MUST(pith_page_info(BOOT_REGION, p)), P_FRAME | 1 << 8 | 1 << 10);
    CHECK_EQUAL(MUST(pith_page_unmap(BOOT_REGION, p)), 1);
    CHECK_EQUAL(MUST(pith_page_info(BOOT_REGION, p)), P_FRAME | 1 << 10);
}
ANSWER("maps.page-unmap-answers-e-cap", pith_page_unmap(fx.gate, 0), -E_CAP)
ANSWER(
    "maps.page-unmap-answers-e-right", pith_page_unmap(weak(fx.region, RIGHT_GRANT), 0), -E_RIGHT)
ANSWER("maps.page-unmap-answers-e-owner", pith_page_unmap(fx.region, 0), -E_OWNER)
TEST("maps.page-unmap-answers-e-again-after-32")
{
    uint64_t va = area(40 * 4096), p = page();
    for (unsigned i = 0; i < 40; i++)
        MUST(pith_space_map(SPACE_SELF, va + i * 4096, BOOT_REGION, p, 1 | MAP_READ));
    CHECK_EQUAL(pith_page_unmap(BOOT_REGION, p).status, -E_AGAIN);
    CHECK_EQUAL(pith_page_unmap(BOOT_REGION, p).status, 0);
}

/* ---- large pages ---------------------------------------------------------------------- */

static uint64_t large_block(void)
{
    uint64_t p = pages_aligned(512, 512);
    MUST(pith_page_large(BOOT_REGION, p));
    return p;
}

TEST("maps.two-megabytes")
{
    uint64_t p = large_block(), va = FAR;
    uint32_t s = make_space();
    MUST(pith_space_map(s, va, BOOT_REGION, p, 1 | RW | MAP_2M));
    CHECK(MUST(pith_space_query(s, va + 0x123000)) & MAP_2M);
    CHECK_EQUAL(MUST(pith_space_unmap(s, va, 1)), 0);
    CHECK_EQUAL(MUST(pith_space_query(s, va)), 0);
}
TEST("maps.two-megabytes-and-small-pages-are-the-same-memory")
{
    uint64_t p = large_block(), va = FAR, small = area(4096);
    MUST(pith_space_map(SPACE_SELF, va, BOOT_REGION, p, 1 | RW | MAP_2M));
    MUST(pith_space_map(SPACE_SELF, small, BOOT_REGION, p + 300, 1 | RW));
    *bytes_at(va + 300 * 4096 + 5) = 9;
    CHECK_EQUAL(*bytes_at(small + 5), 9);
    MUST(pith_space_unmap(SPACE_SELF, va, 1));
    MUST(pith_space_prune(SPACE_SELF, va));
}
TEST("maps.unmapping-from-inside-a-large-page-answers-e-state")
{
    uint64_t p = large_block();
    uint32_t s = make_space();
    MUST(pith_space_map(s, FAR, BOOT_REGION, p, 1 | RW | MAP_2M));
    EXPECT(pith_space_unmap(s, FAR + 4096, 1), -E_STATE);
}
TEST("maps.a-small-page-inside-a-large-one-answers-e-busy")
{
    uint64_t p = large_block();
    uint32_t s = make_space();
    MUST(pith_space_map(s, FAR, BOOT_REGION, p, 1 | RW | MAP_2M));
    EXPECT(pith_space_map(s, FAR + 4096, BOOT_REGION, p, 1 | RW), -E_BUSY);
}
TEST("maps.taking-a-page-removes-the-large-mapping-over-it")
{
    uint64_t p = large_block();
    uint32_t s = make_space();
    MUST(pith_space_map(s, FAR, BOOT_REGION, p, 1 | RW | MAP_2M));
    MUST(pith_page_take(BOOT_REGION, p + 77));
    CHECK_EQUAL(MUST(pith_space_query(s, FAR)), 0);
    EXPECT(pith_space_map(s, FAR, BOOT_REGION, p, 1 | RW | MAP_2M), -E_STATE);
}
TEST("maps.page-unmap-of-any-page-removes-the-large-mapping-and-says-dirty")
{
    uint64_t p = large_block();
    MUST(pith_space_map(SPACE_SELF, FAR, BOOT_REGION, p, 1 | RW | MAP_2M));
    *bytes_at(FAR + 8192) = 1;
    CHECK_EQUAL(MUST(pith_page_unmap(BOOT_REGION, p + 100)), 1);
    CHECK_EQUAL(MUST(pith_page_unmap(BOOT_REGION, p + 101)), 1);
    CHECK_EQUAL(MUST(pith_page_unmap(BOOT_REGION, p)), 1);
    CHECK_EQUAL(MUST(pith_space_query(SPACE_SELF, FAR)), 0);
    MUST(pith_space_prune(SPACE_SELF, FAR));
}
TEST("maps.map-2m-answers-e-state-before-page-large")
{
    uint64_t p = pages_aligned(512, 512);
    uint32_t s = make_space();
    EXPECT(pith_space_map(s, FAR, BOOT_REGION, p, 1 | RW | MAP_2M), -E_STATE);
}
TEST("maps.map-2m-never-maps-a-page-table")
{
    /* A table on an aligned page has a level too; it must not pass for a large page. */
    uint64_t p = pages_aligned(512, 512);
    uint32_t s = make_bare_space();
    MUST(pith_space_donate(s, BOOT_REGION, p));
    give_tables(s, 4);
    MUST(pith_space_map(s, 0x1000, BOOT_REGION, p + 4, 1 | RW));
    EXPECT(pith_space_map(s, FAR, BOOT_REGION, p, 1 | RW | MAP_2M), -E_STATE);
}
TEST("maps.freeing-a-frame-leaves-a-table-at-the-block-alone")
{
    uint64_t p = pages_aligned(512, 512), q = page();
    uint32_t s = make_bare_space();
    MUST(pith_space_donate(s, BOOT_REGION, p));
    give_tables(s, 2);
    MUST(pith_space_map(s, 0x1000, BOOT_REGION, p + 8, 1 | RW));
    MUST(pith_space_map(s, 0x2000, BOOT_REGION, q, 1 | RW));
    MUST(pith_page_take(BOOT_REGION, p + 8));
    CHECK(MUST(pith_space_query(s, 0x2000)) != 0);
    MUST(pith_page_take(BOOT_REGION, p));
    CHECK_EQUAL(MUST(pith_space_query(s, 0x2000)), 0);
}
TEST("maps.freeing-a-frame-leaves-slots-at-the-block-alone")
{
    /* A page of slots keeps its directory where a frame keeps its large mappings. */
    uint64_t p = pages_aligned(512, 512);
    uint32_t s = make_space(), n = make_notification();
    MUST(pith_cap_page(s, BOOT_REGION, p, 7));
    MUST(pith_cap_copy(n, s, 7 * 256, RIGHT_ALL));
    MUST(pith_space_map(s, FAR, BOOT_REGION, p + 8, 1 | RW));
    MUST(pith_page_unmap(BOOT_REGION, p + 8));
    MUST(pith_page_take(BOOT_REGION, p + 8));
    EXPECT(pith_cap_copy(n, s, 7 * 256, RIGHT_ALL), -E_BUSY);
}
ANSWER("maps.page-large-answers-e-cap", pith_page_large(fx.gate, 0), -E_CAP)
ANSWER(
    "maps.page-large-answers-e-right", pith_page_large(weak(fx.region, RIGHT_GRANT), 0), -E_RIGHT)
ANSWER("maps.page-large-answers-e-range", pith_page_large(fx.region, 0), -E_RANGE)
TEST("maps.page-large-answers-e-owner")
{
    uint64_t p = pages_aligned(512, 512);
    MUST(pith_notification_create(BOOT_REGION, WHERE(p + 5, 0), slot()));
    EXPECT(pith_page_large(BOOT_REGION, p), -E_OWNER);
    EXPECT(pith_page_large(BOOT_REGION, p + 1), -E_RANGE);
}
TEST("maps.one-gigabyte")
{
    uint64_t p = (BOOTINFO->free_first + 0x3ffff) & ~0x3ffffull;
    if (p + 0x40000 > BOOTINFO->free_first + BOOTINFO->free_count)
        test_skip("needs a free gigabyte");
    uint32_t s = make_space();
    for (uint64_t i = 0; i < 0x40000; i += 512)
        MUST(pith_page_large(BOOT_REGION, p + i));
    MUST(pith_space_map(s, FAR, BOOT_REGION, p, 1 | RW | MAP_1G));
    CHECK(MUST(pith_space_query(s, FAR + 0x12345000)) & MAP_1G);
    MUST(pith_page_unmap(BOOT_REGION, p + 0x20001));
    CHECK_EQUAL(MUST(pith_space_query(s, FAR)), 0);
    for (uint64_t i = 0; i < 0x40000; i++)
        MUST(pith_page_take(BOOT_REGION, p + i));
}
TEST("maps.one-gigabyte-answers-e-state-without-ready-blocks")
{
    uint64_t p = (BOOTINFO->free_first + 0x3ffff) & ~0x3ffffull;
    if (p + 0x40000 > BOOTINFO->page_count)
        test_skip("needs a gigabyte");
    uint32_t s = make_space();
    EXPECT(pith_space_map(s, FAR, BOOT_REGION, p, 1 | RW | MAP_1G), -E_STATE);
}

/* ---- spaces, and memory through a space -------------------------------------------------- */

ANSWER("spaces.create-answers-e-cap", pith_space_create(fx.gate, 0, fx.empty), -E_CAP)
ANSWER("spaces.create-answers-e-right",
    pith_space_create(weak(fx.region, RIGHT_GRANT), 0, fx.empty), -E_RIGHT)
ANSWER("spaces.create-answers-e-owner", pith_space_create(BOOT_REGION, fx.thread_page, fx.empty),
    -E_OWNER)
ANSWER("spaces.create-answers-e-busy", pith_space_create(fx.region, 0, fx.gate), -E_BUSY)
ANSWER("spaces.create-answers-e-cap-for-slot-0", pith_space_create(fx.region, 0, 0), -E_CAP)
ANSWER("spaces.create-answers-e-range-for-an-odd-page", pith_space_create(fx.region, 1, fx.empty),
    -E_RANGE)
ANSWER("spaces.handler-answers-e-cap", pith_space_handler(fx.gate, 0), -E_CAP)
ANSWER("spaces.handler-answers-e-cap-for-the-gate", pith_space_handler(fx.space, fx.time), -E_CAP)
ANSWER("spaces.handler-answers-e-right", pith_space_handler(weak(fx.space, RIGHT_USE), 0), -E_RIGHT)
ANSWER("spaces.handler-answers-e-right-for-the-gate",
       pith_space_handler(fx.space, weak(fx.gate, RIGHT_MANAGE)), -E_RIGHT)
ANSWER("spaces.owner-answers-e-cap", pith_space_owner(fx.gate, fx.notification, 1), -E_CAP)
ANSWER("spaces.owner-answers-e-cap-for-the-notification", pith_space_owner(fx.space, fx.gate, 1),
    -E_CAP)
ANSWER("spaces.owner-answers-e-right",
       pith_space_owner(weak(fx.space, RIGHT_USE), fx.notification, 1), -E_RIGHT)
ANSWER("spaces.owner-answers-e-right-for-the-notification",
       pith_space_owner(fx.space, weak(fx.notification, RIGHT_WAIT), 1), -E_RIGHT)
ANSWER("spaces.kill-answers-e-cap", pith_space_kill(fx.gate), -E_CAP)
ANSWER("spaces.kill-of-slot-0-answers-e-cap", pith_space_kill(0), -E_CAP)
ANSWER("spaces.kill-answers-e-right", pith_space_kill(weak(fx.space, RIGHT_USE)), -E_RIGHT)
ANSWER("spaces.kill-twice-is-fine", (pith_space_kill(fx.space), pith_space_kill(fx.space)), 0)
ANSWER("spaces.fault-answers-e-cap", pith_space_fault(fx.gate, fx.buffer), -E_CAP)
ANSWER("spaces.fault-answers-e-right", pith_space_fault(weak(fx.space, RIGHT_USE), fx.buffer),
    -E_RIGHT)
ANSWER("spaces.fault-answers-e-memory", pith_space_fault(fx.space, fx.bad), -E_MEMORY)
ANSWER("spaces.fault-counts-0-before-any", pith_space_fault(fx.space, fx.buffer), 0)
TEST("spaces.read-and-write")
{
    fixture();
    uint64_t p = page();
    MUST(pith_space_map(fx.space, FAR, BOOT_REGION, p, 1 | RW));
    *(volatile uint64_t *)fx.buffer = 0x1234;
    CHECK_EQUAL(MUST(pith_space_write(fx.space, FAR + 100, fx.buffer, 8)), 8);
    CHECK(MUST(pith_space_query(fx.space, FAR)) & QUERY_DIRTY);
    CHECK_EQUAL(MUST(pith_space_read(fx.space, FAR + 100, fx.buffer + 16, 8)), 8);
    CHECK_EQUAL(*(volatile uint64_t *)(fx.buffer + 16), 0x1234);
}
TEST("spaces.write-reaches-private-text")
{
    fixture();
    uint64_t p = page();
    MUST(pith_space_map(fx.space, FAR, BOOT_REGION, p, 1 | MAP_READ | MAP_EXEC));
    CHECK_EQUAL(MUST(pith_space_write(fx.space, FAR, fx.buffer, 8)), 8);
}
TEST("spaces.write-spares-shared-text")
{
    fixture();
    EXPECT(pith_space_write(fx.space, (uint64_t)bytes_at, fx.buffer, 8), -E_MEMORY);
}
TEST("spaces.write-spares-text-under-a-large-mapping")
{
    fixture();
    uint64_t p = large_block();
    MUST(pith_space_map(fx.space, FAR, BOOT_REGION, p + 3, 1 | MAP_READ | MAP_EXEC));
    MUST(pith_space_map(SPACE_SELF, FAR, BOOT_REGION, p, 1 | MAP_READ | MAP_2M));
    EXPECT(pith_space_write(fx.space, FAR, fx.buffer, 8), -E_MEMORY);
    MUST(pith_space_unmap(SPACE_SELF, FAR, 1));
    MUST(pith_space_prune(SPACE_SELF, FAR));
}
TEST("spaces.read-stops-at-a-missing-page")
{
    fixture();
    uint64_t p = page();
    MUST(pith_space_map(fx.space, FAR, BOOT_REGION, p, 1 | RW));
    CHECK_EQUAL(MUST(pith_space_read(fx.space, FAR + 4000, fx.buffer, 200)), 96);
}
ANSWER("spaces.read-answers-e-cap", pith_space_read(fx.gate, fx.buffer, fx.buffer, 8), -E_CAP)
ANSWER("spaces.read-answers-e-right",
       pith_space_read(weak(fx.space, RIGHT_ALL & ~RIGHT_DEBUG), fx.buffer, fx.buffer, 8), -E_RIGHT)
ANSWER("spaces.read-answers-e-memory", pith_space_read(fx.space, fx.bad, fx.buffer, 8), -E_MEMORY)
ANSWER("spaces.read-answers-e-memory-for-the-buffer",
       pith_space_read(fx.space, (uint64_t)&fx, fx.bad, 8), -E_MEMORY)
ANSWER("spaces.write-answers-e-cap", pith_space_write(fx.gate, fx.buffer, fx.buffer, 8), -E_CAP)
ANSWER("spaces.write-answers-e-right",
    pith_space_write(weak(fx.space, RIGHT_ALL & ~RIGHT_DEBUG), fx.buffer, fx.buffer, 8), -E_RIGHT)
ANSWER("spaces.write-answers-e-memory", pith_space_write(fx.space, fx.bad, fx.buffer, 8), -E_MEMORY)
TEST("spaces.a-dead-space-makes-nothing")
{
    fixture();
    MUST(pith_space_kill(fx.space));
    EXPECT(pith_thread_create(BOOT_REGION, fx.page, fx.empty, fx.space), -E_STATE);
    EXPECT(pith_pool_create(fx.service, BOOT_REGION, fx.page, fx.empty, fx.space, 0), -E_STATE);
}
TEST("spaces.a-page-of-slots-moves-to-the-next-incarnation")
{
    fixture();
    uint32_t next = make_bare_space();
    MUST(pith_cap_copy(fx.notification, fx.space, 9, RIGHT_ALL));
    EXPECT(pith_cap_page_move(fx.space, next, 0), -E_STATE); /* not dead */
    MUST(pith_space_kill(fx.space));
    EXPECT(pith_cap_page_move(fx.space, next, 256), -E_RANGE);
    EXPECT(pith_cap_page_move(fx.space, next, 4), -E_RANGE);
    EXPECT(pith_cap_page_move(fx.space, fx.space, 0), -E_STATE);
    EXPECT(pith_cap_page_move(weak(fx.space, RIGHT_USE), next, 0), -E_RIGHT);
    EXPECT(pith_cap_page_move(fx.gate, next, 0), -E_CAP);
    MUST(pith_cap_page_move(fx.space, next, 0));
    EXPECT(pith_cap_copy(fx.notification, next, 9, RIGHT_ALL), -E_BUSY);
    EXPECT(pith_cap_copy(fx.notification, fx.space, 9, RIGHT_ALL), -E_CAP);
    uint32_t third = make_space();
    MUST(pith_space_kill(next));
    EXPECT(pith_cap_page_move(next, third, 0), -E_BUSY);
}
TEST("spaces.capabilities-are-copied-in-bulk")
{
    fixture();
    uint32_t next = make_space();
    MUST(pith_cap_copy(fx.notification, fx.space, 9, RIGHT_ALL));
    MUST(pith_cap_copy(fx.gate, fx.space, 11, RIGHT_ALL));
    MUST(pith_cap_copy(fx.gate, fx.space, 12, RIGHT_USE)); /* may not be passed on */
    CHECK_EQUAL(MUST(pith_caps_copy(fx.space, next, 8, 64)), 2);
    CHECK_EQUAL(MUST(pith_caps_copy(fx.space, next, 8, 64)), 0); /* there already */
    EXPECT(pith_cap_copy(fx.gate, next, 12, RIGHT_USE), 0);
    MUST(pith_cap_delete(next, 9));
    MUST(pith_cap_copy(fx.gate, next, 9, RIGHT_USE));
    EXPECT(pith_caps_copy(fx.space, next, 8, 64), -E_BUSY);
    EXPECT(pith_caps_copy(fx.space, next, 8, 65), -E_RANGE);
    EXPECT(pith_caps_copy(fx.space, next, 65536, 1), -E_RANGE);
    EXPECT(pith_caps_copy(fx.gate, next, 8, 1), -E_CAP);
    EXPECT(pith_caps_copy(weak(fx.space, RIGHT_USE), next, 8, 1), -E_RIGHT);
}
TEST("spaces.a-renewed-space-is-used-again")
{
    fixture();
    uint32_t s = make_space();
    MUST(pith_cap_copy(fx.notification, s, 9, RIGHT_ALL));
    MUST(pith_space_map(s, FAR, BOOT_REGION, fx.page, 1 | RW));
    EXPECT(pith_space_renew(s, 0), -E_STATE); /* not dead */
    MUST(pith_space_kill(s));
    MUST(pith_space_renew(s, 0));
    CHECK(MUST(pith_space_query(s, FAR)) != 0);
    MUST(pith_cap_copy(fx.gate, s, 9, RIGHT_ALL)); /* the slot is empty */
    uint32_t t = make_stopped(s);
    EXPECT(pith_space_renew(s, 0), -E_STATE);
    MUST(pith_space_kill(s));
    EXPECT(pith_space_renew(s, 0), -E_BUSY); /* it has a thread */
    stop(t);
    MUST(pith_page_take(BOOT_REGION, last_page()));
    MUST(pith_space_renew(s, 0));
}
TEST("spaces.a-space-with-a-pool-is-not-renewed")
{
    fixture();
    MUST(pith_space_kill(fx.space));
    EXPECT(pith_space_renew(fx.space, 0), -E_BUSY);
}
ANSWER("spaces.renew-answers-e-cap", pith_space_renew(fx.gate, 0), -E_CAP)
ANSWER("spaces.renew-answers-e-right", pith_space_renew(weak(fx.space, RIGHT_USE), 0), -E_RIGHT)
ANSWER("spaces.renew-answers-e-range", pith_space_renew(fx.space, 256), -E_RANGE)
TEST("maps.a-sparse-run-is-unmapped-and-copied")
{
    uint32_t s = make_space(), to = make_space();
    uint64_t p = pages(4);
    for (unsigned i = 0; i < 4; i++) /* two before a table's end, two behind it */
        MUST(pith_space_map(s, FAR + (480 + 16 * i) * 4096, BOOT_REGION, p + i, 1 | RW));
    uint64_t bits = 1 | 1ull << 16 | 1ull << 32 | 1ull << 48;
    CHECK_EQUAL(MUST(pith_space_copy(to, s, FAR + 480 * 4096, FAR + 480 * 4096,
                                     64 | MAP_READ | MAP_DEMOTE)), bits);
    CHECK_EQUAL(MUST(pith_space_query(s, FAR + 528 * 4096)) & MAP_WRITE, 0);
    CHECK_EQUAL(MUST(pith_space_unmap(to, FAR + 480 * 4096, 64)), 0);
    for (unsigned i = 0; i < 64; i++)
        CHECK_EQUAL(MUST(pith_space_query(to, FAR + (480 + i) * 4096)), 0);
    CHECK(MUST(pith_space_query(s, FAR + 528 * 4096)) != 0);
}
