/* SPDX-License-Identifier: MIT */
/*
 * The fuzzer's controlling thread. Command line: seed=N, and seconds=N or ops=N.
 *
 * A world is two regions: the core, in which its space, threads and two servers are built,
 * and the play region, which random operations work on. Now and then an operation meets
 * the core, or a space that the world lives in: then the world ends early. Each ends with
 * every page of both regions taken back, whatever it has become, and the kernel's
 * invariants are checked on the way and at the end.
 */
#include "fuzz.h"

#define CORE_PAGES 420u
#define WORLD_OPS 60000u
#define CHECK_OPS 4000u
#define TAKE_PASSES 200000u
#define IMAGE_BASE 0x200000ull
#define LOOK_NS 2000000ull
#define STUCK_LOOKS 15u
#define OPS_DEFAULT 150000u
#define MUST GUEST_MUST

extern char program_end[];
void root_main(void);

static uint64_t core_first, play_first, core_next, shared_page;
static uint32_t core_region, play_region, nap_slot, world_space, server_spaces[2];
static uint32_t services[2], pools[2], gates[2], threads[THREADS_MAX], world_time;
static uint64_t seed, total, worlds, restarts;
static unsigned thread_count, cores;

/* ---- building -------------------------------------------------------------------------- */

static uint64_t core_page(void)
{
    if (core_next == CORE_PAGES)
        guest_fail("the core region is too small", 0);
    return core_next++;
}

static uint64_t core_pair(void)
{
    core_next = (core_next + 1) & ~1ull;
    core_next += 2;
    if (core_next > CORE_PAGES)
        guest_fail("the core region is too small", 0);
    return core_next - 2;
}

static uint64_t core_where(void)
{
    return WHERE(core_page(), 0);
}

/* A slot of the controller's, emptied at the end of the world. */
static uint32_t slots[64], slot_count;
static uint32_t own_slot(void)
{
    uint32_t s = guest_slot();
    slots[slot_count++] = s;
    return s;
}

static uint32_t region_make(uint64_t first, uint32_t count)
{
    uint32_t s = own_slot();
    uint64_t at = guest_where(1);
    MUST(pith_region_create(BOOT_REGION, at, s, first));
    for (uint32_t i = 0; i < count; i += 64)
        MUST(pith_region_grow(s, BOOT_REGION, count - i < 64 ? count - i : 64));
    return s;
}

/* Text and constants, never what is written. */
static void text_share(uint32_t space)
{
    for (uint64_t va = IMAGE_BASE; va < (uint64_t)program_end; va += 4096) {
        uint64_t q = MUST(pith_space_query(SPACE_SELF, va));
        if (q && !(q & MAP_WRITE))
            MUST(pith_space_copy(space, SPACE_SELF, va, va, 1 | MAP_READ | (q & MAP_EXEC)));
    }
    MUST(pith_space_copy(space, SPACE_SELF, BOOTINFO_ADDRESS, BOOTINFO_ADDRESS, 2 | MAP_READ));
}

static uint32_t space_make(void)
{
    uint32_t s = own_slot();
    uint64_t at = core_pair(), caps = core_page();
    MUST(pith_space_create(core_region, at, s));
    for (unsigned i = 0; i < 16; i++) {
        uint64_t table = core_pair();
        MUST(pith_space_donate(s, core_region, table));
    }
    MUST(pith_cap_page(s, core_region, caps, 0));
    text_share(s);
    return s;
}

static void frames_map(uint32_t space, uint64_t va, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t p = core_page();
        MUST(pith_space_map(space, va + i * 4096ull, core_region, p, 1 | MAP_READ | MAP_WRITE));
    }
}

static void server_make(unsigned i)
{
    uint64_t at = core_page(), pool_at = core_page(), stacks_at;
    server_spaces[i] = space_make();
    services[i] = own_slot();
    pools[i] = own_slot();
    gates[i] = own_slot();
    MUST(pith_service_create(core_region, at, services[i], i ? 3 : 6, 5000000));
    MUST(pith_pool_create(services[i], core_region, pool_at, pools[i], server_spaces[i],
                          (uint64_t)serve_entry));
    for (unsigned core = 0; core < cores; core++) {
        uint64_t base = SERVER_VA + core * SERVER_STACKS * 0x1000ull;
        frames_map(server_spaces[i], base, SERVER_STACKS);
        stacks_at = core_page();
        MUST(pith_stacks_add(pools[i], core_region, stacks_at, core, base + 0x1000,
                             (uint64_t)SERVER_STACKS << 32 | 0x1000));
    }
    MUST(pith_service_bind(services[i], pools[i]));
    MUST(pith_service_open(services[i]));
    at = core_where();
    MUST(pith_gate_create(services[i], core_region, at, gates[i], 77 + i));
}

static void give(uint32_t from, uint32_t to, uint64_t rights, uint8_t kind)
{
    MUST(pith_cap_copy(from, world_space, to, rights));
    WORLD->kinds[to] = kind;
}

static void capabilities_give(void)
{
    uint32_t s;
    give(play_region, W_PLAY, RIGHT_ALL, K_REGION);
    give(core_region, W_CORE, RIGHT_ALL, K_NONE);
    give(world_space, W_SPACE, RIGHT_ALL, K_SPACE);
    give(world_time, W_TIME, RIGHT_ALL, K_TIME);
    give(BOOT_CONTROL, W_CONTROL, RIGHT_ALL, K_CONTROL);
    s = own_slot();
    uint64_t at = core_where();
    MUST(pith_io_create(BOOT_PORTS, core_region, at, s, 0x80, 1));
    give(s, W_PORTS, RIGHT_ALL, K_IO);
    s = own_slot();
    at = core_where();
    MUST(pith_io_create(BOOT_MEMORY, core_region, at, s, 0xfed00, 1));
    give(s, W_MEMORY, RIGHT_ALL, K_IO);
    for (unsigned i = 0; i < 2; i++) {
        give(services[i], W_SERVICES + i, RIGHT_ALL, K_SERVICE);
        give(pools[i], W_POOLS + i, RIGHT_ALL, K_POOL);
        give(gates[i], W_GATES + i, RIGHT_ALL, K_GATE);
        give(server_spaces[i], W_SPACES + i, RIGHT_ALL, K_SPACE);
    }
    for (unsigned i = 0; i < 4; i++) {
        s = own_slot();
        at = core_where();
        MUST(pith_notification_create(core_region, at, s));
        give(s, W_NOTIFICATIONS + i, RIGHT_ALL, K_NOTIFICATION);
        if (i < 2)
            MUST(pith_cap_copy(s, server_spaces[i], V_NOTIFICATION, RIGHT_ALL));
    }
    MUST(pith_cap_copy(gates[1], server_spaces[0], V_GATE, RIGHT_ALL));
    for (unsigned i = 0; i < 2; i++)
        MUST(pith_cap_copy(play_region, server_spaces[i], V_REGION, RIGHT_ALL));
}

static uint64_t thread_seed(unsigned i)
{
    struct random r = { seed + 1 };
    for (unsigned n = 0; n < 4; n++)
        random_next(&r);
    r.state ^= (worlds << 32) + restarts * 977 + 1;
    for (unsigned n = 0; n < 4 + i; n++)
        random_next(&r);
    return random_next(&r) / THREADS_MAX * THREADS_MAX + i;
}

static int64_t thread_start(unsigned i)
{
    uint64_t top = STACK_VA + i * 0x5000ull + 0x4000;
    return pith_thread_start(threads[i], world_time, i % cores | (10 + i) << 8,
                             (uint64_t)fuzz_thread, top - 8, thread_seed(i)).status;
}

static void world_build(void)
{
    core_next = slot_count = 0;
    core_region = region_make(core_first, CORE_PAGES);
    play_region = region_make(play_first, PLAY_PAGES);
    uint64_t at = core_where();
    for (unsigned i = 0; i < 512; i++)
        ((uint64_t *)WORLD_VA)[i] = 0;
    cores = BOOTINFO->cores < 4 ? BOOTINFO->cores : 4;
    WORLD->cores = (uint8_t)cores;
    world_time = own_slot();
    MUST(pith_time_create(BOOT_TIME, core_region, at, world_time,
                          (1ull << BOOTINFO->cores) - 1, 24));
    world_space = space_make();
    MUST(pith_space_map(world_space, WORLD_VA, BOOT_REGION, shared_page, 1 | MAP_READ | MAP_WRITE));
    frames_map(world_space, BUFFER_VA, THREADS_MAX);
    frames_map(world_space, SERVER_VA, 8);
    for (unsigned i = 0; i < 2; i++)
        server_make(i);
    capabilities_give();
    for (unsigned i = 0; i < thread_count; i++) {
        at = core_page();
        threads[i] = own_slot();
        frames_map(world_space, STACK_VA + i * 0x5000ull, 4);
        MUST(pith_thread_create(core_region, at, threads[i], world_space));
        give(threads[i], W_THREADS + i, RIGHT_ALL, K_THREAD);
    }
    /* Those that run already may have ended the next one's time or space: world_run() sees. */
    for (unsigned i = 0; i < thread_count; i++)
        (void)thread_start(i);
}

/* ---- the end of a world ------------------------------------------------------------------- */

static uint64_t run_take(uint64_t first, uint64_t count, uint64_t *bad, int64_t *why)
{
    uint64_t left = 0;
    for (uint64_t p = first; p < first + count; p++) {
        if (pith_page_info(BOOT_REGION, p).value == (2 | 1 << 10))
            continue;
        int64_t status = pith_page_take(BOOT_REGION, p).status;
        if (status) {
            left++;
            *bad = p;
            *why = status;
        }
    }
    return left;
}

static void nap(uint64_t ns)
{
    pith_notify_wait(nap_slot, guest_now_ns() + ns);
}

static void check(void)
{
    if (!pith_kernel_check(BOOT_CONTROL).status)
        return;
    guest_printf("FAIL fuzz: broken invariant, seed %lu, %lu operations, world %lu\n", seed, total,
                 worlds);
    guest_exit(1);
}

static void world_end(void)
{
    uint64_t left = 1, bad = 0;
    int64_t why = 0;
    /* The threads first: their work would go on until their space is gone. */
    (void)pith_space_kill(world_space);
    for (uint32_t i = 0; i < slot_count; i++)
        MUST(pith_cap_delete(SPACE_SELF, slots[i]));
    for (unsigned pass = 0; pass < TAKE_PASSES && left; pass++) {
        left = run_take(core_first, CORE_PAGES, &bad, &why) +
               run_take(play_first, PLAY_PAGES, &bad, &why);
        if (left)
            nap(50000);
        if (left && pass % 2000 == 1999)
            guest_printf("world %lu: %lu pages left after %u passes, type %lu answers %ld\n",
                         worlds, left, pass, pith_page_info(BOOT_REGION, bad).value & 0xff, why);
    }
    if (left) {
        guest_printf("FAIL fuzz: page %lu of type %lu does not come back (%ld), seed %lu\n", bad,
                     pith_page_info(BOOT_REGION, bad).value & 0xff, why, seed);
        guest_exit(1);
    }
    check();
    for (uint32_t i = 0; i < slot_count; i++)
        guest_slot_free(slots[i]);
}

/* ---- watching -------------------------------------------------------------------------------- */

static uint64_t world_ops(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < THREADS_MAX; i++)
        sum += WORLD->ops[i];
    return sum;
}

/* Helps thread i on: false when it is stuck. */
static bool thread_look(unsigned i, uint64_t *seen, unsigned *still)
{
    static struct pith_thread_info info;
    if (pith_thread_info(threads[i], (uint64_t)&info).status)
        return false;
    if (info.state == 0) {
        *still = 0;
        if (thread_start(i))
            return false; /* its time or its space is gone */
        restarts++;
        return true;
    }
    if (WORLD->ops[i] != *seen) {
        *seen = WORLD->ops[i];
        *still = 0;
        return true;
    }
    if (++*still < STUCK_LOOKS)
        return true;
    (void)pith_thread_unwind(threads[i], services[0]);
    (void)pith_thread_unwind(threads[i], services[1]);
    (void)pith_thread_stop(threads[i]);
    return *still < 3 * STUCK_LOOKS;
}

static uint64_t world_run(uint64_t budget)
{
    uint64_t seen[THREADS_MAX] = { 0 }, checked = 0, ops = 0, looks = 0;
    unsigned still[THREADS_MAX] = { 0 };
    while (ops < budget && looks++ < 5000) {
        unsigned alive = 0;
        nap(LOOK_NS);
        for (unsigned i = 0; i < thread_count; i++)
            alive += thread_look(i, &seen[i], &still[i]);
        ops = world_ops();
        if (ops - checked > CHECK_OPS) {
            checked = ops;
            check();
        }
        if (alive * 2 <= thread_count)
            break;
        if (looks % 500 == 0)
            guest_printf("world %lu: %lu operations\n", worlds, ops);
    }
    return ops;
}

static uint64_t option(const char *key, uint64_t otherwise)
{
    size_t length = 0;
    uint64_t v = 0;
    const char *text = guest_option(key, &length);
    for (size_t i = 0; text && i < length && text[i] >= '0' && text[i] <= '9'; i++)
        v = v * 10 + (uint64_t)(text[i] - '0');
    return text ? v : otherwise;
}

void root_main(void)
{
    seed = option("seed", 1);
    uint64_t seconds = option("seconds", 0);
    uint64_t target = option("ops", seconds ? UINT64_MAX : OPS_DEFAULT);
    uint64_t end = seconds ? guest_now_ns() + seconds * NS_PER_S : UINT64_MAX;
    uint64_t told = guest_now_ns(), ok = 0, refused = 0;
    nap_slot = guest_notification();
    guest_tables(SPACE_SELF, 4);
    shared_page = guest_page(); /* of no world's region: a world could take it away */
    MUST(pith_space_map(SPACE_SELF, WORLD_VA, BOOT_REGION, shared_page, 1 | MAP_READ | MAP_WRITE));
    core_first = guest_pages(CORE_PAGES);
    play_first = guest_pages(PLAY_PAGES + 512);
    play_first = (play_first + 511) / 512 * 512; /* one aligned block for large pages */
    thread_count = BOOTINFO->cores < 2 ? 4 : THREADS_MAX;
    guest_printf(
        "TEST fuzz\nseed %lu, %u threads, %u cores\n", seed, thread_count, BOOTINFO->cores);
    while (total < target && guest_now_ns() < end) {
        world_build();
        uint64_t left = target - total;
        total += world_run(left < WORLD_OPS ? left : WORLD_OPS);
        ok += WORLD->ok;
        refused += WORLD->refused;
        worlds++;
        world_end();
        if (guest_now_ns() - told > 5 * NS_PER_S) {
            told = guest_now_ns();
            guest_printf("%lu operations (%lu done, %lu refused), %lu worlds, %lu restarts\n",
                total, ok, refused, worlds, restarts);
        }
    }
    guest_printf("%lu operations (%lu done, %lu refused), %lu worlds, %lu restarts\n", total, ok,
                 refused, worlds, restarts);
    guest_puts("PASS fuzz\nDONE\n");
    guest_exit(0);
}
