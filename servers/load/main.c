/* SPDX-License-Identifier: MIT */
/* load: a client of counter that adds, checks each answer, and says what it noticed. */
#include <proto/counter_client.h>
#include <rt/component.h>

#define ROUNDS 200000u
#define SLOW_NS 1000000u

void component_main(void)
{
    uint32_t gate = rt_cap("counter");
    uint64_t value = 0, before = 0, slow = 0, longest = 0, errors = 0;
    (void)counter_read(gate, &before);
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uint64_t start = rt_now_ns();
        int64_t status = counter_add(gate, 1, &value);
        uint64_t took = rt_now_ns() - start;
        if (status || value != before + i) {
            if (errors++ < 5)
                rt_log("round %lu: status %ld, value %lu", i, status, value);
        }
        if (took > SLOW_NS) {
            slow++;
            longest = took > longest ? took : longest;
        }
    }
    rt_log("%u calls, %lu errors, %lu pauses, the longest %lu us", ROUNDS, errors, slow,
           longest / 1000);
    rt_log("%s", errors ? "FAIL load: wrong answers" : "PASS load");
    pith_io_out(rt_cap("debug-exit"), 0, 1, errors ? 1 : 0);
}
