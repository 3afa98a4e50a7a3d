/* SPDX-License-Identifier: MIT */
/*
 * rbench: how long a client waits for a server that is killed. The supervisor kills one server
 * after the other (chaos=MS) while this calls each in turn; a call during which its server
 * dies comes back when the next incarnation has served it. What takes longer than any call
 * of a living server counts. Prints  FIGURE recovery.SERVER.p50 value unit samples=N  …
 */
#include <proto/counter_client.h>
#include <proto/file_client.h>
#include <proto/memory_client.h>
#include <rt/component.h>
#include <rt/sort.h>
#include <rt/string.h>

#define SERVERS 3u
#define SAMPLES 100u

static const char *const names[SERVERS] = {"counter", "ramfs", "memory"};
static uint64_t waits[SERVERS][SAMPLES];
static unsigned counts[SERVERS];
static bool failed;

static bool call(unsigned server)
{
    struct file_attributes a;
    struct memory_totals t;
    uint8_t walk;
    uint16_t walked;
    size_t length = 0;
    uint64_t value;
    switch (server) {
    case 0:
        return !counter_read(rt_cap("counter"), &value);
    case 1:
        return !file_look(rt_cap("file"), 0, "/", 1, 0, &walk, &walked, &a, 0, &length);
    default:
        return !memory_totals(rt_cap("memory"), &t);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void figures(unsigned s, const char *unit)
{
    qsort(waits[s], counts[s], sizeof waits[s][0], compare);
    unsigned n = counts[s];
    rt_log("FIGURE recovery.%s.p50%s %lu %s samples=%u", names[s], *unit == 'i' ? "_instr" : "",
        waits[s][n / 2], unit, n);
    rt_log("FIGURE recovery.%s.p99%s %lu %s samples=%u", names[s], *unit == 'i' ? "_instr" : "",
        waits[s][n * 99 / 100], unit, n);
}

void component_main(void)
{
    bool counting = strstr(STARTUP->arguments, "icount") != 0;
    uint64_t until = rt_now_ns() + 60000000000ull,
             least = 20000; /* ns: no living server takes that */
    unsigned done = 0;
    if (!counting)
        least = 300000; /* interrupts of the emulator */
    for (unsigned s = 0; s < SERVERS; s++)
        (void)call(s);
    while (done < SERVERS && rt_now_ns() < until)
        for (unsigned s = 0; s < SERVERS; s++) {
            uint64_t begin = rt_now_ns();
            failed |= !call(s);
            uint64_t took = rt_now_ns() - begin;
            if (took < least || counts[s] == SAMPLES)
                continue;
            waits[s][counts[s]++] = took;
            done += counts[s] == SAMPLES;
        }
    for (unsigned s = 0; s < SERVERS; s++) {
        failed |= counts[s] < SAMPLES / 4;
        if (counts[s])
            figures(s, counting ? "instr" : "ns");
    }
    rt_log(failed ? "FAILED" : "DONE");
    pith_io_out(rt_cap("debug-exit"), 0, 1, failed);
}
