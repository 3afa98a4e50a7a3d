/* SPDX-License-Identifier: MIT */
/* counter: the tutorial's server. A value per client, in the capsule: it survives. */
#include <proto/counter_server.h>
#include <server/capsule.h>

#define CLIENTS 64

struct counter_server { uint64_t values[CLIENTS]; };
static struct counter_server *counter;

uint32_t counter_serve_add(struct counter_server *c, uint64_t badge, uint64_t sequence,
                           uint64_t step, uint64_t *value)
{
    tx_begin();
    if (!capsule_reply_find(badge, sequence, value, sizeof *value)) {
        TX_SET(c->values[badge % CLIENTS], c->values[badge % CLIENTS] + step);
        *value = c->values[badge % CLIENTS];
        capsule_reply_store(badge, sequence, value, sizeof *value);
    }
    tx_commit();
    return 0;
}

uint32_t counter_serve_read(struct counter_server *c, uint64_t badge, uint64_t *value)
{
    *value = c->values[badge % CLIENTS];
    return 0;
}

SERVER_ENTRY(counter);
uint64_t counter_handle(uint64_t badge, struct msg *m)
{
    return counter_dispatch(counter, badge, m);
}

void component_main(void)
{
    (void)capsule_open(COUNTER_VERSION, sizeof *counter, (void **)&counter);
    if (rt_service_open("counter", counter_entry, 1))
        rt_ready();
}
