/* SPDX-License-Identifier: MIT */
/*
 * memory: the memory server's protocol from its manager's side, with programs that run in the
 * spaces. Meant to run undisturbed and while the server is killed; undisturbed it also runs
 * with the nth page and the nth block refused, for every n, and looks for lost pages.
 */
#include "probe.h"
#include <proto/memory_client.h>
#include <rt/call.h>
#include <rt/component.h>
#include <rt/fuzz.h>
#include <rt/string.h>

extern const struct rpc_fuzz_protocol memory_fuzz;

#define PAGE 4096ull
#define RW (MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE)
#define FIXED MEMORY_MAP_FIXED

static uint64_t wrong, calls;

#define EXPECT(call, want)                                                                   \
    do {                                                                                     \
        int64_t got_ = (int64_t)(call);                                                      \
        calls++;                                                                             \
        if (got_ != (int64_t)(want) && wrong++ < 10)                                         \
            rt_log("%s: %ld, not %ld (line %u)", #call, got_, (int64_t)(want), __LINE__);    \
    } while (0)

static uint64_t map(struct probe *p, uint64_t address, uint64_t pages, uint16_t flags)
{
    uint64_t got = 0;
    EXPECT(memory_map(p->gate, address, pages * PAGE, RW, flags, &got), 0);
    return got;
}

static bool run(struct probe *p, uint64_t what, uint64_t address, uint64_t pages, uint64_t value,
    struct probe_job *job)
{
    *job = (struct probe_job){
        .what = what, .address = address, .count = pages, .stride = PAGE, .value = value};
    return probe_run(p, job);
}

static uint64_t free_pages(void)
{
    struct memory_totals t = {0};
    EXPECT(memory_totals(memory_gate(), &t), 0);
    return t.free + t.kept;
}

/* ---- what spaces do -------------------------------------------------------------------------- */

static void pages_come_zeroed_and_stay(void)
{
    struct probe p;
    struct probe_job j;
    EXPECT(probe_make(&p), 0);
    EXPECT(map(&p, PROBE_DATA, 700, FIXED), PROBE_DATA);
    EXPECT(run(&p, PROBE_READ, PROBE_DATA, 700, 0, &j), true);
    EXPECT(j.sum, 0);
    EXPECT(run(&p, PROBE_WRITE, PROBE_DATA, 700, 1, &j), true);
    EXPECT(run(&p, PROBE_READ, PROBE_DATA, 700, 0, &j), true);
    EXPECT(j.sum, 700 * 701 / 2);
    EXPECT(memory_discard(p.gate, PROBE_DATA + PAGE, PAGE), 0);
    EXPECT(run(&p, PROBE_READ, PROBE_DATA, 3, 0, &j), true);
    EXPECT(j.sum, 1 + 3);
    EXPECT(memory_unmap(p.gate, PROBE_DATA + 2 * PAGE, PAGE, 0), 0);
    EXPECT(run(&p, PROBE_READ, PROBE_DATA, 3, 0, &j), false);
    EXPECT(memory_protect(p.gate, PROBE_DATA, 2 * PAGE, MEMORY_PROTECTION_READ, 0), 0);
    EXPECT(run(&p, PROBE_READ, PROBE_DATA, 2, 0, &j), true);
    EXPECT(run(&p, PROBE_WRITE, PROBE_DATA, 1, 0, &j), false);
    EXPECT(memory_protect(p.gate, PROBE_DATA, 3 * PAGE, RW, 0), MEMORY_ERROR_NOMEM);
    EXPECT(probe_end(&p), 0);
}

static void a_clone_has_copies(void)
{
    struct probe p, c, g;
    struct probe_job j;
    EXPECT(probe_make(&p), 0);
    map(&p, PROBE_DATA, 300, FIXED);
    map(&p, PROBE_DATA + 1024 * PAGE, 8, FIXED | MEMORY_MAP_SHARED);
    EXPECT(run(&p, PROBE_WRITE, PROBE_DATA, 300, 1, &j), true);
    EXPECT(probe_clone(&p, &c), 0);
    EXPECT(probe_clone(&c, &g), 0);
    EXPECT(run(&c, PROBE_WRITE, PROBE_DATA, 10, 1001, &j), true);
    EXPECT(run(&p, PROBE_WRITE, PROBE_DATA + 290 * PAGE, 10, 0, &j), true);
    EXPECT(run(&p, PROBE_READ, PROBE_DATA, 290, 0, &j), true);
    EXPECT(j.sum, 290 * 291 / 2);
    EXPECT(run(&c, PROBE_READ, PROBE_DATA, 300, 0, &j), true);
    EXPECT(j.sum, 300 * 301 / 2 + 10 * 1000);
    EXPECT(run(&g, PROBE_READ, PROBE_DATA, 300, 0, &j), true);
    EXPECT(j.sum, 300 * 301 / 2);
    EXPECT(run(&g, PROBE_WRITE, PROBE_DATA + 1024 * PAGE, 8, 7, &j), true);
    EXPECT(run(&p, PROBE_READ, PROBE_DATA + 1024 * PAGE, 8, 0, &j), true);
    EXPECT(j.sum, 7 * 8 + 28);
    EXPECT(probe_end(&p), 0);
    EXPECT(run(&c, PROBE_READ, PROBE_DATA, 300, 0, &j), true);
    EXPECT(j.sum, 300 * 301 / 2 + 10 * 1000);
    EXPECT(probe_end(&g), 0);
    EXPECT(probe_end(&c), 0);
}

static void mappings_move(void)
{
    struct probe p;
    struct probe_job j;
    uint64_t got = 0;
    EXPECT(probe_make(&p), 0);
    map(&p, PROBE_DATA, 20, FIXED);
    EXPECT(run(&p, PROBE_WRITE, PROBE_DATA, 20, 1, &j), true);
    EXPECT(memory_remap(p.gate, PROBE_DATA, 20 * PAGE, 600 * PAGE, false, PROBE_DATA + (1 << 30),
               true, &got), 0);
    EXPECT(got, PROBE_DATA + (1 << 30));
    EXPECT(run(&p, PROBE_READ, got, 600, 0, &j), true);
    EXPECT(j.sum, 210);
    EXPECT(run(&p, PROBE_READ, PROBE_DATA, 1, 0, &j), false);
    EXPECT(memory_remap(p.gate, got, 600 * PAGE, 5 * PAGE, false, 0, false, &got), 0);
    EXPECT(run(&p, PROBE_READ, got, 5, 0, &j), true);
    EXPECT(j.sum, 15);
    EXPECT(memory_reset(p.gate), 0);
    EXPECT(run(&p, PROBE_READ, got, 1, 0, &j), false);
    EXPECT(probe_end(&p), 0);
}

static int64_t thread_end(const struct probe *p, uint32_t id)
{
    int64_t status;
    while ((status = memory_thread_end(memory_gate(), p->id, id)) == MEMORY_ERROR_AGAIN)
        pith_thread_yield();
    return status;
}

/* One thread of a space ends while others run. */
static void threads_end_apart(void)
{
    struct probe p;
    struct probe_job j = {.what = PROBE_SLEEP};
    uint32_t ids[8];
    EXPECT(probe_make(&p), 0);
    for (unsigned round = 0; round < 6; round++) {
        for (unsigned i = 0; i < 8; i++) {
            uint32_t thread = 0, notification = 0;
            EXPECT(memory_thread(memory_gate(), p.id, &ids[i], &thread, &notification), 0);
            pith_cap_delete(SPACE_SELF, thread);
            pith_cap_delete(SPACE_SELF, notification);
        }
        EXPECT(probe_start(&p, &j), 0);
        for (unsigned i = 0; i < 8; i++)
            EXPECT(thread_end(&p, ids[i]), 0);
        EXPECT(memory_thread_end(memory_gate(), p.id, ids[3]), MEMORY_ERROR_NOENT);
        struct pith_thread_info info = {0};
        EXPECT(pith_thread_info(p.thread, (uint64_t)&info).status, 0);
        EXPECT(info.state != 0, true); /* it runs on */
        EXPECT(thread_end(&p, p.thread_id), 0);
    }
    EXPECT(probe_start(&p, &j), 0);
    EXPECT(probe_end(&p), 0); /* with a thread in it */
}

static void errors_are_told(void)
{
    struct probe p;
    uint64_t got;
    uint32_t id, a, b, mappings;
    EXPECT(probe_make(&p), 0);
    EXPECT(memory_create(p.gate, 0, &id, &a, &b), MEMORY_ERROR_PERM);
    EXPECT(memory_clone(p.gate, p.id, &id, &a, &b), MEMORY_ERROR_PERM);
    EXPECT(memory_clone(memory_gate(), 4000, &id, &a, &b), MEMORY_ERROR_NOENT);
    EXPECT(memory_destroy(p.gate, p.id), MEMORY_ERROR_PERM);
    EXPECT(memory_destroy(memory_gate(), 4000), MEMORY_ERROR_NOENT);
    EXPECT(memory_thread(memory_gate(), 4000, &id, &a, &b), MEMORY_ERROR_NOENT);
    EXPECT(memory_thread_end(memory_gate(), p.id, 4000), MEMORY_ERROR_NOENT);
    EXPECT(memory_map(p.gate, PROBE_DATA + 1, PAGE, RW, FIXED, &got), MEMORY_ERROR_INVAL);
    EXPECT(memory_map(p.gate, MEMORY_LAYER_BASE, PAGE, RW, FIXED, &got), MEMORY_ERROR_INVAL);
    EXPECT(memory_map(p.gate, PROBE_CODE, PAGE, RW, FIXED | MEMORY_MAP_NO_REPLACE, &got),
        MEMORY_ERROR_EXIST);
    EXPECT(memory_map(p.gate, 0, 1ull << 40, RW, 0, &got), MEMORY_ERROR_NOMEM);
    EXPECT(memory_map(memory_gate(), 0, PAGE, RW, 0, &got), MEMORY_ERROR_PERM);
    EXPECT(memory_unmap(p.gate, PROBE_DATA, 0, 0), MEMORY_ERROR_INVAL);
    EXPECT(memory_protect(p.gate, PROBE_DATA, PAGE, RW, 0), MEMORY_ERROR_NOMEM);
    EXPECT(memory_remap(p.gate, PROBE_DATA, PAGE, PAGE, true, 0, false, &got), MEMORY_ERROR_FAULT);
    EXPECT(memory_withdraw(memory_gate(), 1, 0, 1, &mappings), MEMORY_ERROR_PERM);
    EXPECT(memory_supply(p.gate, 1, 0, 0, 0, 0), MEMORY_ERROR_PERM);
    EXPECT(memory_pager_open(p.gate, p.gate), MEMORY_ERROR_PERM);
    EXPECT(memory_map_file(p.gate, p.gate, 1, PROBE_DATA, PAGE, 0, 1, 0, false), MEMORY_ERROR_PERM);
    EXPECT(memory_quota(memory_gate(), p.id, 10), 0);
    map(&p, PROBE_DATA, 100, FIXED);
    struct probe_job j;
    EXPECT(run(&p, PROBE_WRITE, PROBE_DATA, 100, 1, &j), false); /* its quota is used up */
    EXPECT(probe_end(&p), 0);
}

/* A client that asks for anything at all, through its own gate: it gets stated answers, and the
 * space beside it keeps its memory. */
static void hostile(unsigned requests)
{
    static uint64_t seed = 1;
    static uint8_t in[8192], out[8192];
    struct rpc_fuzz fuzz = {.protocol = &memory_fuzz, .state = seed++};
    struct probe p, h;
    struct probe_job j;
    EXPECT(probe_make(&p), 0);
    EXPECT(probe_make(&h), 0);
    map(&p, PROBE_DATA, 100, FIXED);
    EXPECT(run(&p, PROBE_WRITE, PROBE_DATA, 100, 1, &j), true);
    for (unsigned i = 0; i < requests; i++) {
        struct rpc_fuzz_request request;
        struct msg m;
        rpc_fuzz_make(&fuzz, &request, in, sizeof in);
        memcpy(m.w, request.words, sizeof m.w);
        struct xfer x = {.in = in, .in_len = request.in_bytes, .out = out,
            .out_len = request.out_bytes < sizeof out ? request.out_bytes : sizeof out};
        for (unsigned k = 0; k < request.caps && k < 4; k++)
            x.caps_in[x.n_caps_in++] = k % 2 ? p.gate : rt_cap("memory");
        /* A request that takes as long as a server lives here dies with ten of them (rt/call.h). */
        int64_t status = rt_call_x(h.gate, &m, &x);
        if (status == -E_RESTART)
            continue;
        EXPECT(status, 0);
        EXPECT(rpc_fuzz_is_stated(&request, m.w[0]), true);
    }
    EXPECT(run(&p, PROBE_READ, PROBE_DATA, 100, 0, &j), true);
    EXPECT(j.sum, 5050);
    EXPECT(probe_end(&h), 0);
    EXPECT(probe_end(&p), 0);
}

/* ---- out of memory at every allocation ------------------------------------------------------- */

/* Whatever fails, what was made is ended. */
static bool everything(void)
{
    struct probe p, c = {0};
    struct probe_job j;
    uint64_t got;
    bool good = !probe_make(&p);
    good = good && !memory_map(p.gate, PROBE_DATA, 600 * PAGE, RW, FIXED, &got);
    good = good && run(&p, PROBE_WRITE, PROBE_DATA + 500 * PAGE, 30, 1, &j);
    good = good && !memory_map(p.gate, PROBE_DATA + 1024 * PAGE, 8 * PAGE, RW,
                       FIXED | MEMORY_MAP_SHARED, &got);
    good = good && run(&p, PROBE_WRITE, PROBE_DATA + 1024 * PAGE, 2, 1, &j);
    good = good && !memory_unmap(p.gate, PROBE_DATA + 1026 * PAGE, PAGE, 0);
    good = good && !probe_clone(&p, &c);
    good = good && run(&c, PROBE_WRITE, PROBE_DATA + 505 * PAGE, 10, 100, &j);
    good = good && run(&c, PROBE_READ, PROBE_DATA + 500 * PAGE, 30, 0, &j) &&
           j.sum == 465 + 10 * 100 - 6 * 10 + 0;
    good = good && !memory_remap(c.gate, PROBE_DATA, 600 * PAGE, 700 * PAGE, true, 0, false, &got);
    good = good && !memory_protect(c.gate, PROBE_CODE, PAGE, MEMORY_PROTECTION_READ, 0);
    EXPECT(probe_end(&c), 0);
    EXPECT(probe_end(&p), 0);
    return good;
}

static void starve_sweep(bool blocks)
{
    uint64_t n = 1, pages_left, blocks_left, before = free_pages(), survived = 0;
    for (;; n++) {
        EXPECT(
            memory_starve(memory_gate(), blocks ? 0 : n, blocks ? n : 0, &pages_left, &blocks_left),
            0);
        survived += everything();
        EXPECT(memory_starve(memory_gate(), 0, 0, &pages_left, &blocks_left), 0);
        uint64_t now = free_pages();
        if (now != before && wrong++ < 10)
            rt_log(
                "%s %lu refused: %ld pages are lost", blocks ? "block" : "page", n, before - now);
        before = now;
        if (pages_left || blocks_left || n > 2000)
            break;
    }
    EXPECT(everything(), true);
    rt_log("%s refused at each of %lu, in %lu cases without harm", blocks ? "a block" : "a page",
        n - 1, survived);
}

void component_main(void)
{
    bool chaos = !strstr(STARTUP->arguments, "sweep");
    uint64_t before = 0;
    for (unsigned round = 0; round < (chaos ? 30 : 4); round++) {
        pages_come_zeroed_and_stay();
        a_clone_has_copies();
        mappings_move();
        threads_end_apart();
        errors_are_told();
        hostile(chaos ? 100 : 3000);
        if (!round)
            before = free_pages();
    }
    EXPECT(free_pages(), before);
    if (!chaos) {
        starve_sweep(false);
        starve_sweep(true);
    }
    rt_log("%lu calls, %lu unexpected", calls, wrong);
    rt_log("%s", wrong ? "FAIL memory: unexpected answers" : "PASS memory");
    pith_io_out(rt_cap("debug-exit"), 0, 1, wrong ? 1 : 0);
}
