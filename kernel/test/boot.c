/* SPDX-License-Identifier: MIT */
/* Quick tests that the boot matrix runs on every machine. */
#include "test.h"

static volatile uint64_t cores_seen;

static void note_core(uint64_t core)
{
    __atomic_fetch_or(&cores_seen, 1ull << core, __ATOMIC_SEQ_CST);
    pith_thread_exit();
}

TEST("boot.info-page")
{
    CHECK(BOOTINFO->magic == BOOTINFO_MAGIC && BOOTINFO->version == BOOTINFO_VERSION);
    CHECK(BOOTINFO->size == sizeof(struct pith_bootinfo));
    CHECK(BOOTINFO->cores >= 1 && BOOTINFO->cores <= 64);
    CHECK(BOOTINFO->free_count > 64 && BOOTINFO->range_count > 0);
}

TEST("boot.capabilities")
{
    static const uint8_t types[] = {0, P_REGION, P_SPACE, P_TIME, P_IO, P_IO, P_CONTROL, P_THREAD};
    for (uint32_t i = 1; i < BOOT_FREE_SLOT; i++)
        CHECK_EQUAL(MUST(pith_cap_identify(i)), types[i] << 8 | RIGHT_ALL);
}

TEST("boot.page-zero-is-not-mapped")
{
    CHECK_EQUAL(MUST(pith_space_query(SPACE_SELF, 0)), 0);
}

TEST("boot.own-text-is-not-writable")
{
    uint64_t q = MUST(pith_space_query(SPACE_SELF, (uint64_t)note_core));
    CHECK(!(q & MAP_WRITE));
    q = MUST(pith_space_query(SPACE_SELF, (uint64_t)&cores_seen));
    CHECK(q & MAP_WRITE && (!(q & MAP_EXEC) || !(BOOTINFO->features & FEATURE_NX)));
}

TEST("boot.one-call")
{
    uint64_t reply = 0;
    struct server s = make_server(make_space(), 3, echo_entry, 1, 7);
    CHECK_EQUAL(call(s.gate, 1, 2, 3, &reply), 0);
    CHECK_EQUAL(reply, 13);
}

TEST("boot.clock-advances")
{
    uint64_t before = guest_now_ns();
    uint32_t n = make_notification();
    EXPECT(pith_notify_wait(n, before + 2000000), -E_TIME);
    CHECK(guest_now_ns() >= before + 2000000);
}

TEST("boot.thread-on-each-core")
{
    cores_seen = 0;
    for (unsigned c = 0; c < BOOTINFO->cores; c++) {
        uint32_t t = make_thread(SPACE_SELF, note_core, c, c, PRIORITY + 1);
        wait_stopped(t);
        CHECK(cores_seen >> c & 1);
    }
}

TEST("boot.features-are-told")
{
    static const char *const names[] = { "pcid", "fsgsbase", "xsave", "nx", "smap", "x2apic" };
    guest_puts("features:");
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (BOOTINFO->features >> i & 1)
            guest_printf(" %s", names[i]);
    guest_puts("\n");
    CHECK(!(BOOTINFO->features >> (sizeof names / sizeof names[0])));
}
