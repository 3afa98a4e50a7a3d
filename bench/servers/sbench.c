/* SPDX-License-Identifier: MIT */
/*
 * sbench: measures servers through their protocols. Under icount one TSC tick is one
 * instruction; a figure is the least of its samples (a timer interrupt can only add).
 * Prints a line for each figure:  FIGURE name value unit key=value…
 */
#include "../../test/system/probe.h"
#include <proto/counter_client.h>
#include <proto/file_client.h>
#include <proto/memory_client.h>
#include <rt/component.h>
#include <rt/string.h>

#define SAMPLES 64u
#define PAGE 4096ull
#define MIB_PAGES 256u
#define RW (MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE)

static bool failed;

static inline uint64_t ticks(void)
{
    uint32_t lo, hi;
    __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

static void must(bool good, const char *what)
{
    if (!good)
        rt_log("FAIL %s", what);
    failed |= !good;
}

static uint64_t nothing; /* ticks of an empty sample */

static void figure(const char *name, uint64_t value, unsigned samples)
{
    rt_log("FIGURE %s %lu instr samples=%u", name, value, samples);
}

/* The least time of SAMPLES repetitions. */
#define LEAST(statement)                                \
    ({                                                  \
        uint64_t least_ = UINT64_MAX;                   \
        for (unsigned i_ = 0; i_ < SAMPLES; i_++) {     \
            uint64_t begin_ = ticks();                  \
            statement;                                  \
            uint64_t took_ = ticks() - begin_;          \
            least_ = took_ < least_ ? took_ : least_;   \
        }                                               \
        least_ - nothing;                               \
    })

static void rpc_measure(void)
{
    const uint32_t counter = rt_cap("counter");
    uint64_t value = 0;
    bool good = true;
    figure("rpc.null", LEAST(good &= !counter_read(counter, &value)), SAMPLES);
    figure("rpc.mutate", LEAST(good &= !counter_add(counter, 1, &value)), SAMPLES);
    must(good && value == SAMPLES, "rpc");
}

static void ramfs_measure(void)
{
    static uint8_t page[PAGE];
    struct file_attributes a;
    const uint32_t root = rt_cap("file");
    uint8_t walk;
    uint16_t walked;
    bool created, good = true;
    size_t length = 0;
    uint32_t file = 0, written = 0;
    uint64_t end = 0;
    memset(page, 7, sizeof page);
    must(!file_create(root, 0, "file", 4, FILE_OPEN_READ | FILE_OPEN_WRITE, 0644, &walk, &walked,
             &created, &a, 0, &length, &file),
        "create");
    pith_cap_delete(SPACE_SELF, 299);
    must(!pith_cap_copy(file, SPACE_SELF, 299, RIGHT_ALL).status, "keep");
    pith_cap_delete(SPACE_SELF, file);
    must(!file_write(299, 0, 0, page, PAGE, &written, &end) && written == PAGE, "write");
    memset(page, 0, sizeof page);
    figure("ramfs.read4k", LEAST(good &= !file_read(299, 0, page, PAGE, &length)), SAMPLES);
    must(good && length == PAGE && page[PAGE - 1] == 7, "read");
    figure("ramfs.write4k", LEAST(good &= !file_write(299, 0, 0, page, PAGE, &written, &end)),
        SAMPLES);
    figure("ramfs.look",
        LEAST(good &= !file_look(root, 0, "file", 4, 0, &walk, &walked, &a, 0, &length)), SAMPLES);
    must(good, "look");
}

static bool touch_each(
    struct probe *p, uint64_t address, uint64_t pages, uint64_t stride, struct probe_job *j)
{
    *j = (struct probe_job){
        .what = PROBE_WRITE, .address = address, .count = pages, .stride = stride, .value = 1};
    return probe_run(p, j);
}

static bool touch(struct probe *p, uint64_t address, uint64_t pages, struct probe_job *j)
{
    return touch_each(p, address, pages, PAGE, j);
}

/* An access whose page is there already costs as much as the measuring itself. */
static uint64_t fault_cost(const struct probe_job *j, const struct probe_job *present)
{
    return j->least - present->least;
}

static void faults_measure(struct probe *p)
{
    struct probe_job j, again, cow;
    struct probe child;
    uint64_t got = 0;
    const uint64_t apart = 2 * PAGE; /* of pages in a row the next ones are made ready ahead */
    must(!memory_map(p->gate, PROBE_DATA, 400 * apart, RW, MEMORY_MAP_FIXED, &got), "map");
    must(touch_each(p, PROBE_DATA, 400, apart, &j) && touch_each(p, PROBE_DATA, 400, apart, &again),
        "touch");
    figure("memory.fault", fault_cost(&j, &again), 400);
    must(!probe_clone(p, &child), "clone");
    must(touch_each(p, PROBE_DATA + 100 * apart, 200, apart, &cow), "touch a clone's");
    figure("memory.cow", fault_cost(&cow, &again), 200);
    must(!probe_end(&child), "end");
    must(!memory_unmap(p->gate, PROBE_DATA, 400 * apart, 0), "unmap");
}

static void clones_measure(struct probe *p, const char *name, uint64_t pages)
{
    struct probe_job j;
    struct probe child;
    uint64_t got, least = UINT64_MAX, least_end = UINT64_MAX;
    char figure_name[64] = "memory.clone", end_name[64] = "memory.end";
    strlcat(figure_name, name, sizeof figure_name);
    strlcat(end_name, name, sizeof end_name);
    if (pages)
        must(!memory_map(p->gate, PROBE_DATA, pages * PAGE, RW, MEMORY_MAP_FIXED, &got), "map");
    for (unsigned i = 0; i < 8; i++) {
        must(!pages || touch(p, PROBE_DATA, pages, &j), "touch");
        uint64_t begin = ticks();
        int64_t status = probe_clone(p, &child);
        uint64_t cloned = ticks();
        must(!status && !probe_end(&child), "clone");
        uint64_t ended = ticks() - cloned;
        least = cloned - begin < least ? cloned - begin : least;
        least_end = ended < least_end ? ended : least_end;
    }
    figure(figure_name, least - nothing, 8);
    figure(end_name, least_end - nothing, 8);
    if (pages)
        must(!memory_unmap(p->gate, PROBE_DATA, pages * PAGE, 0), "unmap");
}

static void requests_measure(struct probe *p)
{
    const uint32_t manager = memory_gate();
    uint64_t got = 0;
    bool good = true;
    uint32_t id = 0, thread = 0, notification = 0;
    figure("memory.map_unmap", LEAST({
        good &= !memory_map(p->gate, 0, 16 * PAGE, RW, 0, &got);
        good &= !memory_unmap(p->gate, got, 16 * PAGE, 0);
    }), SAMPLES);
    figure("memory.thread", LEAST({
        good &= !memory_thread(manager, p->id, &id, &thread, &notification);
        pith_cap_delete(SPACE_SELF, thread);
        pith_cap_delete(SPACE_SELF, notification);
        good &= !memory_thread_end(manager, p->id, id);
    }), SAMPLES);
    must(good, "requests");
}

void component_main(void)
{
    struct probe p;
    nothing = LEAST((void)0);
    rpc_measure();
    ramfs_measure();
    must(!probe_make(&p), "make");
    faults_measure(&p);
    clones_measure(&p, "", 0);
    clones_measure(&p, "16m", 16 * MIB_PAGES);
    requests_measure(&p);
    must(!probe_end(&p), "end");
    rt_log(failed ? "FAILED" : "DONE");
    pith_io_out(rt_cap("debug-exit"), 0, 1, failed);
}
