/* SPDX-License-Identifier: MIT */
/* Capabilities: what slots hold, copies, deletion, slot pages, generations. */
#include "test.h"

TEST("caps.identify-says-type-and-rights")
{
    uint32_t n = make_notification();
    CHECK_EQUAL(MUST(pith_cap_identify(n)), P_NOTIFICATION << 8 | RIGHT_ALL);
    CHECK_EQUAL(MUST(pith_cap_identify(weak(n, RIGHT_WAIT))), P_NOTIFICATION << 8 | RIGHT_WAIT);
}
TEST("caps.identify-answers-e-cap-for-an-empty-slot")
{
    EXPECT(pith_cap_identify(slot()), -E_CAP);
}
TEST("caps.identify-answers-e-cap-for-slot-0") { EXPECT(pith_cap_identify(0), -E_CAP); }
TEST("caps.identify-answers-e-cap-beyond-the-table")
{
    EXPECT(pith_cap_identify(65536 + BOOT_REGION), -E_CAP);
    EXPECT(pith_cap_identify(UINT64_MAX), -E_CAP);
    EXPECT(pith_cap_identify((1ull << 32) + BOOT_REGION), -E_CAP);
}
TEST("caps.identify-answers-e-cap-without-a-slot-page")
{
    EXPECT(pith_cap_identify(60000), -E_CAP);
}
TEST("caps.a-copy-works-like-the-original")
{
    uint32_t n = make_notification(), c = weak(n, RIGHT_ALL);
    MUST(pith_notify_raise(c, 4));
    CHECK_EQUAL(MUST(pith_notify_wait(n, 0)), 4);
}
TEST("caps.a-copy-never-gains-rights")
{
    uint32_t n = make_notification(), c = weak(weak(n, RIGHT_WAIT | RIGHT_GRANT), RIGHT_ALL);
    CHECK_EQUAL(MUST(pith_cap_identify(c)) & 0xff, RIGHT_WAIT | RIGHT_GRANT);
    EXPECT(pith_notify_raise(c, 1), -E_RIGHT);
}
TEST("caps.copy-into-another-space")
{
    fixture();
    MUST(pith_cap_copy(fx.notification, fx.space, 9, RIGHT_USE));
    EXPECT(pith_cap_copy(fx.notification, fx.space, 9, RIGHT_USE), -E_BUSY);
}
ANSWER("caps.copy-answers-e-cap-for-an-empty-source",
       pith_cap_copy(fx.empty, SPACE_SELF, 500, RIGHT_ALL), -E_CAP)
ANSWER("caps.copy-answers-e-cap-for-a-source-out-of-range",
       pith_cap_copy(1ull << 40, SPACE_SELF, fx.empty, RIGHT_ALL), -E_CAP)
ANSWER("caps.copy-answers-e-cap-for-slot-0",
       pith_cap_copy(fx.notification, SPACE_SELF, 0, RIGHT_ALL), -E_CAP)
ANSWER("caps.copy-answers-e-cap-for-a-slot-out-of-range",
       pith_cap_copy(fx.notification, SPACE_SELF, 65536, RIGHT_ALL), -E_CAP)
ANSWER("caps.copy-answers-e-cap-without-a-slot-page",
       pith_cap_copy(fx.notification, SPACE_SELF, 60000, RIGHT_ALL), -E_CAP)
ANSWER("caps.copy-answers-e-cap-for-a-space-that-is-none",
       pith_cap_copy(fx.notification, fx.time, 9, RIGHT_ALL), -E_CAP)
ANSWER("caps.copy-answers-e-busy-for-a-full-slot",
       pith_cap_copy(fx.notification, SPACE_SELF, fx.gate, RIGHT_ALL), -E_BUSY)
ANSWER("caps.copy-answers-e-right-without-manage",
       pith_cap_copy(fx.notification, weak(fx.space, 0xff & ~RIGHT_MANAGE), 9, RIGHT_ALL), -E_RIGHT)
ANSWER("caps.copy-answers-e-right-without-grant",
       pith_cap_copy(weak(fx.notification, 0xff & ~RIGHT_GRANT), fx.space, 9, RIGHT_ALL), -E_RIGHT)
TEST("caps.copy-within-a-space-needs-no-grant")
{
    uint32_t n = weak(make_notification(), RIGHT_USE);
    MUST(pith_cap_copy(n, SPACE_SELF, slot(), RIGHT_ALL));
}
TEST("caps.copy-answers-e-again-until-a-slot-is-quiet")
{
    if (BOOTINFO->cores == 1)
        test_skip("needs several cores");
    uint32_t n = make_notification(), s = weak(n, RIGHT_ALL);
    uint64_t seen = 0;
    for (unsigned i = 0; i < 100; i++) {
        MUST(pith_cap_delete(SPACE_SELF, s));
        struct pith_result r;
        while ((r = pith_cap_copy(n, SPACE_SELF, s, RIGHT_ALL)).status == -E_AGAIN)
            seen++;
        CHECK_EQUAL(r.status, 0);
    }
    CHECK(seen > 0);
}
TEST("caps.delete-empties-a-slot")
{
    uint32_t n = make_notification();
    MUST(pith_cap_delete(SPACE_SELF, n));
    EXPECT(pith_cap_identify(n), -E_CAP);
    EXPECT(pith_notify_raise(n, 1), -E_CAP);
}
TEST("caps.delete-of-an-empty-slot-does-nothing")
{
    EXPECT(pith_cap_delete(SPACE_SELF, slot()), 0);
}
TEST("caps.delete-in-another-space")
{
    fixture();
    MUST(pith_cap_copy(fx.notification, fx.space, 9, RIGHT_ALL));
    MUST(pith_cap_delete(fx.space, 9));
    EXPECT(pith_cap_copy(fx.notification, fx.space, 9, RIGHT_ALL), 0);
}
ANSWER("caps.delete-answers-e-cap-out-of-range", pith_cap_delete(SPACE_SELF, 65536), -E_CAP)
ANSWER("caps.delete-answers-e-cap-for-another-type", pith_cap_delete(fx.gate, 9), -E_CAP)
ANSWER("caps.delete-answers-e-right-without-manage",
       pith_cap_delete(weak(fx.space, RIGHT_USE), 9), -E_RIGHT)
TEST("caps.page-gives-slots")
{
    fixture();
    EXPECT(pith_cap_copy(fx.notification, fx.space, 3 * 256 + 1, RIGHT_ALL), -E_CAP);
    MUST(pith_cap_page(fx.space, BOOT_REGION, fx.page, 3));
    EXPECT(pith_cap_copy(fx.notification, fx.space, 3 * 256 + 1, RIGHT_ALL), 0);
}
TEST("caps.page-taken-empties-its-slots")
{
    uint64_t p = page();
    uint32_t n = make_notification();
    MUST(pith_cap_page(SPACE_SELF, BOOT_REGION, p, 20));
    for (unsigned i = 0; i < 256; i++)
        MUST(pith_cap_copy(n, SPACE_SELF, 20 * 256 + i, RIGHT_ALL));
    CHECK_EQUAL(pith_page_take(BOOT_REGION, p).status, -E_AGAIN); /* 64 slots a step */
    MUST(pith_page_take(BOOT_REGION, p));
    EXPECT(pith_cap_identify(20 * 256 + 3), -E_CAP);
    EXPECT(pith_cap_copy(n, SPACE_SELF, 20 * 256 + 3, RIGHT_ALL), -E_CAP);
}
ANSWER("caps.page-answers-e-cap", pith_cap_page(fx.gate, BOOT_REGION, fx.page, 3), -E_CAP)
ANSWER(
    "caps.page-answers-e-cap-for-the-region", pith_cap_page(fx.space, fx.gate, fx.page, 3), -E_CAP)
ANSWER("caps.page-answers-e-right-without-manage",
       pith_cap_page(weak(fx.space, RIGHT_USE), BOOT_REGION, fx.page, 3), -E_RIGHT)
ANSWER("caps.page-answers-e-right-for-the-region",
       pith_cap_page(fx.space, weak(fx.region, RIGHT_GRANT), 0, 3), -E_RIGHT)
ANSWER("caps.page-answers-e-owner", pith_cap_page(fx.space, BOOT_REGION, fx.server.pool_page, 3),
    -E_OWNER)
ANSWER("caps.page-answers-e-busy", pith_cap_page(fx.space, BOOT_REGION, fx.page, 0), -E_BUSY)
ANSWER("caps.page-answers-e-range", pith_cap_page(fx.space, BOOT_REGION, fx.page, 256), -E_RANGE)
TEST("caps.a-new-object-is-not-the-old-one")
{
    uint64_t at = where();
    uint32_t a = slot(), b = slot();
    MUST(pith_notification_create(BOOT_REGION, at, a));
    MUST(pith_object_destroy(BOOT_REGION, at));
    EXPECT(pith_cap_identify(a), -E_CAP);
    MUST(pith_notification_create(BOOT_REGION, at, b));
    EXPECT(pith_notify_raise(a, 1), -E_CAP);
    EXPECT(pith_notify_raise(b, 1), 0);
}
TEST("caps.a-dead-capability-cannot-be-copied")
{
    uint64_t at = where();
    uint32_t a = slot();
    MUST(pith_notification_create(BOOT_REGION, at, a));
    MUST(pith_object_destroy(BOOT_REGION, at));
    EXPECT(pith_cap_copy(a, SPACE_SELF, slot(), RIGHT_ALL), -E_CAP);
}
TEST("caps.unknown-operations-answer-e-op")
{
    CHECK_EQUAL(raw_op(OP_LIMIT, 0, 0, 0, 0, 0, 0).status, -E_OP);
    CHECK_EQUAL(raw_op(OP_LIMIT + 1000, 0, 0, 0, 0, 0, 0).status, -E_OP);
    CHECK_EQUAL(raw_op(0x7fffffff, 0, 0, 0, 0, 0, 0).status, -E_OP);
}
TEST("caps.same-knows-an-object-again")
{
    fixture();
    uint32_t copy = weak(fx.gate, RIGHT_USE), other = make_gate(fx.service, 8, 0);
    CHECK_EQUAL(MUST(pith_cap_same(fx.gate, copy)), 1);
    CHECK_EQUAL(MUST(pith_cap_same(fx.gate, other)), 0);
    CHECK_EQUAL(MUST(pith_cap_same(fx.gate, fx.region)), 0);
}
ANSWER("caps.same-answers-e-cap", pith_cap_same(fx.gate, fx.empty), -E_CAP)
ANSWER("caps.same-answers-e-cap-for-the-first", pith_cap_same(0x10000, fx.gate), -E_CAP)
