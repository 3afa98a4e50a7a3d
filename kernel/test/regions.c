/* SPDX-License-Identifier: MIT */
/* Regions and pages: carving, growing, taking back, and ending small objects. */
#include "test.h"

#define INFO_OWN (1 << 10)

TEST("regions.a-new-region-is-empty")
{
    uint32_t r = slot();
    uint64_t at = where();
    MUST(pith_region_create(BOOT_REGION, at, r, 1000));
    CHECK_EQUAL(MUST(pith_region_info(r)), 1000ull << 32);
}
TEST("regions.growing-moves-pages")
{
    uint32_t r = make_region(70);
    CHECK_EQUAL(MUST(pith_region_info(r)), region_base << 32 | 70);
    CHECK_EQUAL(MUST(pith_page_info(r, 69)), P_FREE | INFO_OWN);
    CHECK_EQUAL(MUST(pith_page_info(BOOT_REGION, region_base)), P_FREE);
}
TEST("regions.the-inner-region-makes-objects")
{
    uint32_t r = make_region(4), n = slot();
    MUST(pith_notification_create(r, WHERE(2, 31), n));
    CHECK_EQUAL(MUST(pith_page_info(r, 2)), P_NOTIFICATION | INFO_OWN);
    EXPECT(pith_notify_raise(n, 1), 0);
}
TEST("regions.the-outer-region-does-not-use-inner-pages")
{
    uint32_t r = make_region(4);
    (void)r;
    EXPECT(pith_notification_create(BOOT_REGION, WHERE(region_base, 0), slot()), -E_OWNER);
    EXPECT(
        pith_space_map(SPACE_SELF, area(4096), BOOT_REGION, region_base, 1 | MAP_READ), -E_OWNER);
}
TEST("regions.take-brings-a-page-back-to-the-outer-region")
{
    uint32_t r = make_region(4);
    MUST(pith_page_take(BOOT_REGION, region_base + 3));
    CHECK_EQUAL(MUST(pith_page_info(BOOT_REGION, region_base + 3)), P_FREE | INFO_OWN);
    EXPECT(pith_page_take(r, 3), -E_OWNER);
    EXPECT(pith_notification_create(r, WHERE(3, 0), slot()), -E_OWNER);
}
TEST("regions.take-ends-an-object-of-the-inner-region")
{
    uint32_t r = make_region(4), n = slot();
    MUST(pith_notification_create(r, WHERE(1, 0), n));
    MUST(pith_page_take(BOOT_REGION, region_base + 1));
    EXPECT(pith_notify_raise(n, 1), -E_CAP);
}
TEST("regions.destroying-the-outer-kills-the-capability-at-once")
{
    uint64_t at = where();
    uint32_t r = slot();
    MUST(pith_region_create(BOOT_REGION, at, r, region_base = pages(2)));
    MUST(pith_region_grow(r, BOOT_REGION, 2));
    MUST(pith_object_destroy(BOOT_REGION, at));
    EXPECT(pith_region_info(r), -E_CAP);
    EXPECT(pith_region_create(BOOT_REGION, at, slot(), region_base), -E_BUSY);
    MUST(pith_page_take(BOOT_REGION, region_base));
    EXPECT(pith_region_create(BOOT_REGION, at, slot(), region_base), -E_BUSY);
    MUST(pith_page_take(BOOT_REGION, region_base + 1));
    EXPECT(pith_region_create(BOOT_REGION, at, 300, region_base), 0);
    MUST(pith_cap_delete(SPACE_SELF, 300));
}
TEST("regions.nest-and-the-outermost-takes-all")
{
    uint32_t outer = make_region(16), inner = slot(), n = slot();
    uint64_t base = region_base;
    MUST(pith_region_create(outer, WHERE(0, 0), inner, 4));
    MUST(pith_region_grow(inner, outer, 4));
    MUST(pith_notification_create(inner, WHERE(1, 5), n));
    EXPECT(pith_region_grow(inner, BOOT_REGION, 1), -E_ARG);
    MUST(pith_page_take(BOOT_REGION, base + 5));
    EXPECT(pith_notify_raise(n, 1), -E_CAP);
    CHECK_EQUAL(MUST(pith_page_info(BOOT_REGION, base + 5)), P_FREE | INFO_OWN);
}
TEST("regions.a-page-of-regions-with-children-is-busy")
{
    uint32_t outer = make_region(16), inner = slot();
    uint64_t base = region_base;
    MUST(pith_region_create(outer, WHERE(0, 0), inner, 4));
    MUST(pith_region_grow(inner, outer, 4));
    EXPECT(pith_page_take(BOOT_REGION, base), -E_BUSY);
    for (unsigned i = 4; i < 8; i++)
        MUST(pith_page_take(BOOT_REGION, base + i));
    EXPECT(pith_page_take(BOOT_REGION, base), 0);
}
TEST("regions.create-answers-e-limit-at-depth-32")
{
    uint32_t up = make_region(40);
    int64_t status = 0;
    unsigned depth = 1;
    for (; depth < 40 && !status; depth++) {
        uint32_t next = slot();
        status = GUEST_RETRY(pith_region_create(up, WHERE(0, 0), next, 1)).status;
        if (!status)
            MUST(pith_region_grow(next, up, 39 - depth));
        up = next;
    }
    CHECK_EQUAL(status, -E_LIMIT);
    CHECK_EQUAL(depth, 33);
}
ANSWER("regions.create-answers-e-cap", pith_region_create(fx.gate, 0, fx.empty, 0), -E_CAP)
ANSWER("regions.create-answers-e-right",
       pith_region_create(weak(fx.region, RIGHT_GRANT), 0, fx.empty, 0), -E_RIGHT)
ANSWER("regions.create-answers-e-owner",
       pith_region_create(BOOT_REGION, WHERE(fx.thread_page, 0), fx.empty, 0), -E_OWNER)
ANSWER("regions.create-answers-e-busy-for-the-slot", pith_region_create(fx.region, 0, fx.gate, 0),
    -E_BUSY)
ANSWER("regions.create-answers-e-range-for-first", pith_region_create(fx.region, 0, fx.empty, 9),
    -E_RANGE)
ANSWER("regions.create-answers-e-range-for-the-place",
       pith_region_create(fx.region, WHERE(0, 32), fx.empty, 1), -E_RANGE)
TEST("regions.create-answers-e-busy-for-the-place")
{
    uint32_t r = make_region(4);
    MUST(pith_region_create(r, WHERE(0, 1), slot(), 1));
    EXPECT(pith_region_create(r, WHERE(0, 1), slot(), 1), -E_BUSY);
}
ANSWER("regions.grow-answers-e-cap", pith_region_grow(fx.gate, BOOT_REGION, 1), -E_CAP)
ANSWER("regions.grow-answers-e-cap-for-the-parent", pith_region_grow(fx.region, fx.gate, 1), -E_CAP)
ANSWER("regions.grow-answers-e-right",
       pith_region_grow(weak(fx.region, RIGHT_GRANT), BOOT_REGION, 1), -E_RIGHT)
ANSWER("regions.grow-answers-e-arg-for-0", pith_region_grow(fx.region, BOOT_REGION, 0), -E_ARG)
ANSWER("regions.grow-answers-e-arg-for-65", pith_region_grow(fx.region, BOOT_REGION, 65), -E_ARG)
ANSWER(
    "regions.grow-answers-e-arg-for-a-stranger", pith_region_grow(fx.region, fx.region, 1), -E_ARG)
TEST("regions.grow-answers-e-owner-for-a-used-page")
{
    uint32_t r = slot();
    uint64_t at = where(), first = pages(4);
    map(SPACE_SELF, area(4096), 1);
    MUST(pith_region_create(BOOT_REGION, at, r, first));
    EXPECT(pith_region_grow(r, BOOT_REGION, 5), -E_OWNER);
    CHECK_EQUAL(MUST(pith_region_info(r)) & 0xffffffff, 0); /* nothing was moved */
}
TEST("regions.grow-answers-e-range-past-the-parent")
{
    uint32_t outer = make_region(4), inner = slot();
    MUST(pith_region_create(outer, WHERE(0, 0), inner, 2));
    EXPECT(pith_region_grow(inner, outer, 3), -E_RANGE);
}
ANSWER("regions.info-answers-e-cap", pith_region_info(fx.gate), -E_CAP)
ANSWER("regions.page-info-answers-e-cap", pith_page_info(fx.gate, 0), -E_CAP)
ANSWER("regions.page-info-answers-e-range", pith_page_info(fx.region, 8), -E_RANGE)
ANSWER("regions.page-info-answers-e-range-for-huge-indexes", pith_page_info(fx.region, 1ull << 33),
    -E_RANGE)
ANSWER("regions.take-answers-e-cap", pith_page_take(fx.gate, 0), -E_CAP)
ANSWER("regions.take-answers-e-right", pith_page_take(weak(fx.region, RIGHT_GRANT), 0), -E_RIGHT)
ANSWER("regions.take-answers-e-range", pith_page_take(fx.region, 8), -E_RANGE)
ANSWER(
    "regions.take-answers-e-owner-for-the-kernels-pages", pith_page_take(BOOT_REGION, 0), -E_OWNER)
TEST("regions.take-answers-e-busy-for-the-second-page-of-a-pair")
{
    uint32_t s = make_bare_space();
    uint64_t first = last_page();
    EXPECT(pith_page_take(BOOT_REGION, first + 1), -E_BUSY);
    give_tables(s, 1);
    EXPECT(pith_page_take(BOOT_REGION, last_page() + 1), -E_BUSY);
}
TEST("regions.take-of-the-own-thread-answers-e-busy")
{
    EXPECT(pith_page_take(BOOT_REGION, pages(2)), 0);
    /* The boot thread's page is in no region; one of ours tries on itself. */
    fixture();
    EXPECT(pith_page_take(BOOT_REGION, fx.thread_page), 0);
}
TEST("regions.take-of-a-space-in-use-answers-e-busy")
{
    uint32_t s = make_bare_space();
    uint64_t first = last_page();
    (void)make_stopped(s);
    EXPECT(pith_page_take(BOOT_REGION, first), -E_BUSY);
    EXPECT(pith_page_take(BOOT_REGION, last_page()), 0);
    EXPECT(pith_page_take(BOOT_REGION, first), 0);
}
TEST("regions.take-of-a-pinned-page-answers-e-busy")
{
    uint64_t va = area(4096), p = map(SPACE_SELF, va, 1);
    MUST(pith_thread_events(0x1000, va, 0, 0));
    EXPECT(pith_page_take(BOOT_REGION, p), -E_BUSY);
    MUST(pith_thread_events(0, 0, 0, 0));
    EXPECT(pith_page_take(BOOT_REGION, p), 0);
}
TEST("regions.take-unmaps-32-mappings-a-step")
{
    uint64_t va = area(40 * 4096), p = page();
    for (unsigned i = 0; i < 40; i++)
        MUST(pith_space_map(SPACE_SELF, va + i * 4096, BOOT_REGION, p, 1 | MAP_READ));
    CHECK_EQUAL(pith_page_take(BOOT_REGION, p).status, -E_AGAIN);
    EXPECT(pith_page_take(BOOT_REGION, p), 0);
    for (unsigned i = 0; i < 40; i++)
        CHECK_EQUAL(MUST(pith_space_query(SPACE_SELF, va + i * 4096)), 0);
}
TEST("regions.destroy-kills-every-capability")
{
    uint64_t at = where();
    uint32_t n = slot();
    MUST(pith_notification_create(BOOT_REGION, at, n));
    uint32_t c = weak(n, RIGHT_ALL);
    MUST(pith_object_destroy(BOOT_REGION, at));
    EXPECT(pith_notify_raise(n, 1), -E_CAP);
    EXPECT(pith_notify_raise(c, 1), -E_CAP);
}
ANSWER("regions.destroy-answers-e-cap", pith_object_destroy(fx.gate, 0), -E_CAP)
ANSWER("regions.destroy-answers-e-right", pith_object_destroy(weak(fx.region, RIGHT_GRANT), 0),
    -E_RIGHT)
ANSWER(
    "regions.destroy-answers-e-owner-for-a-free-page", pith_object_destroy(fx.region, 0), -E_OWNER)
ANSWER("regions.destroy-answers-e-owner-for-a-thread",
       pith_object_destroy(BOOT_REGION, WHERE(fx.thread_page, 0)), -E_OWNER)
ANSWER("regions.destroy-answers-e-state-for-an-empty-place",
       (pith_notification_create(fx.region, WHERE(0, 0), fx.empty),
        pith_object_destroy(fx.region, WHERE(0, 1))), -E_STATE)
ANSWER("regions.destroy-answers-e-state-for-an-empty-gate",
       pith_object_destroy(BOOT_REGION, fx.server.gate_where + 1), -E_STATE)
ANSWER("regions.destroy-answers-e-owner-beyond-the-gates",
       pith_object_destroy(BOOT_REGION, fx.server.gate_where + 128), -E_OWNER)
TEST("regions.destroy-a-gate")
{
    fixture();
    uint64_t reply;
    MUST(pith_object_destroy(BOOT_REGION, fx.server.gate_where));
    CHECK_EQUAL(call(fx.gate, 1, 2, 3, &reply), -E_CAP);
    EXPECT(pith_gate_create(fx.service, BOOT_REGION, fx.server.gate_where, fx.empty, 5), 0);
    CHECK_EQUAL(call(fx.empty, 1, 2, 3, &reply), 0);
    CHECK_EQUAL(reply, 11);
}
TEST("regions.small-objects-fill-a-page")
{
    uint64_t p = page();
    for (unsigned i = 0; i < 32; i++)
        MUST(pith_notification_create(BOOT_REGION, WHERE(p, i), slot()));
    EXPECT(pith_time_create(BOOT_TIME, BOOT_REGION, WHERE(p, 3), slot(), 1, 1), -E_OWNER);
}
TEST("regions.freed-kernel-pages-are-zero")
{
    uint64_t va = area(4096), p = page();
    uint32_t n = slot();
    MUST(pith_notification_create(BOOT_REGION, WHERE(p, 0), n));
    MUST(pith_notify_raise(n, ~0ull));
    MUST(pith_page_take(BOOT_REGION, p));
    MUST(pith_space_map(SPACE_SELF, va, BOOT_REGION, p, 1 | MAP_READ));
    for (unsigned i = 0; i < 512; i++)
        CHECK_EQUAL(((volatile uint64_t *)va)[i], 0);
}
