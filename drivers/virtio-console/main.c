/* SPDX-License-Identifier: MIT */
/*
 * virtio-console: byte streams to the host, as fast as it takes them. Service "port" speaks the
 * protocols file (read_next, write) and ready; badge 1 is the first device (stdin and stdout of
 * ./pith run -- CMD), 2 the second (its stderr). See port.h.
 */
#include "port.h"
#include <proto/file_server.h>
#include <proto/ready_server.h>
#include <rt/string.h>

#define PORTS 2u
#define BIT_DEVICE 1u

struct console {
    struct port ports[PORTS];
    uint32_t own_gate, pad;
}; /* own_gate: the main thread's */

static struct console *console;
static bool there[PORTS];

static struct port *port_of(uint64_t badge)
{
    return badge && badge <= PORTS && there[badge - 1] ? &console->ports[badge - 1] : 0;
}

static uint32_t park_on(struct park_list *list)
{
    park_request(list);
    tx_commit();
    return RPC_PARK;
}

/* The transaction is over: what it freed or filled goes to the device. */
static void commit(struct port *p)
{
    tx_commit();
    tx_begin();
    port_offer(p);
    port_collect(p);
    tx_commit();
}

struct done { uint32_t status, count; };

uint32_t file_serve_read_next(struct file_server *server, uint64_t badge, uint64_t sequence,
                              uint32_t park, struct rpc_out *data, uint64_t *end)
{
    struct port *p = port_of(badge);
    struct done r = { 0, 0 };
    (void)server;
    (void)park;
    (void)end;
    if (!p)
        return FILE_ERROR_IO;
    tx_begin();
    if (capsule_reply_find(badge, sequence, &r, sizeof r)) {
        tx_commit();
        data->length = r.count;
        return 0;
    }
    port_collect(p);
    if (!p->input_count && !p->ended && data->capacity)
        return park_on(&p->readers);
    while (r.count < p->input_count && r.count < data->capacity) {
        uint64_t at = (p->input_head + r.count) % INPUT_MAX, now = INPUT_MAX - at;
        uint64_t left = p->input_count - r.count, room = data->capacity - r.count;
        now = now < left ? now : left;
        now = now < room ? now : room;
        if (!rt_copy_to_client(data->offset + r.count, p->input + at, now)) {
            tx_abort();
            return RPC_BAD_BUFFER;
        }
        r.count += (uint32_t)now;
    }
    TX_SET(p->input_head, p->input_head + r.count);
    TX_SET(p->input_count, p->input_count - r.count);
    capsule_reply_store(badge, sequence, &r, sizeof r);
    commit(p);
    data->length = r.count;
    return 0;
}

uint32_t file_serve_write(struct file_server *server, uint64_t badge, uint64_t sequence,
                          uint32_t park, uint64_t position, uint32_t flags, struct rpc_in data,
                          uint32_t *written, uint64_t *end)
{
    struct port *p = port_of(badge);
    struct done r = { 0, 0 };
    (void)server;
    (void)park;
    (void)position;
    (void)flags;
    (void)end;
    if (!p)
        return FILE_ERROR_IO;
    tx_begin();
    if (capsule_reply_find(badge, sequence, &r, sizeof r)) {
        tx_commit();
        *written = r.count;
        return 0;
    }
    port_collect(p);
    uint8_t *buffer = port_buffer(p);
    if (!buffer) {
        port_want_room(p);
        port_collect(p);
        buffer = port_buffer(p);
    }
    if (!buffer)
        return park_on(&p->writers);
    r.count = data.length < TX_BYTES ? (uint32_t)data.length : TX_BYTES;
    if (!rt_copy_from_client(data.offset, buffer, r.count)) {
        tx_abort();
        return RPC_BAD_BUFFER;
    }
    p->out_length[p->out_filled % TX_BUFFERS] = r.count; /* nobody's until it is filled */
    if (r.count)
        TX_SET(p->out_filled, p->out_filled + 1);
    capsule_reply_store(badge, sequence, &r, sizeof r);
    commit(p);
    *written = r.count;
    return 0;
}

uint32_t file_serve_look(struct file_server *server, uint64_t badge, uint32_t at,
    struct rpc_in path, uint32_t flags, uint8_t *walk, uint16_t *walked,
    struct file_attributes *attributes, struct rpc_out *target)
{
    (void)server;
    (void)at;
    (void)path;
    (void)flags;
    (void)walk;
    (void)walked;
    (void)target;
    attributes->mode = 0010600;
    attributes->node = badge;
    attributes->device = 13;
    attributes->links = 1;
    attributes->block_size = 4096;
    return 0;
}

/* For clients: the host has taken everything. */
static uint32_t drained(struct port *p, uint32_t park)
{
    if (!p)
        return 0;
    tx_begin();
    port_want_room(p);
    port_collect(p);
    if (p->out_done != p->out_filled && park)
        return park_on(&p->writers);
    tx_commit();
    return p->out_done == p->out_filled ? 0 : RPC_PARK;
}

/* The main thread comes here through its own gate (badge 0) after an interrupt. */
uint32_t file_serve_sync(struct file_server *server, uint64_t badge, uint32_t park, bool data_only)
{
    (void)server;
    (void)data_only;
    if (badge)
        return drained(port_of(badge), park);
    for (unsigned n = 0; n < PORTS; n++) {
        if (!there[n])
            continue;
        tx_begin();
        port_acknowledge(&console->ports[n]);
        port_collect(&console->ports[n]);
        commit(&console->ports[n]);
    }
    return 0;
}

uint32_t ready_serve_ready(struct ready_server *server, uint64_t badge, uint32_t park,
                           uint16_t wanted, uint16_t *found, uint32_t *changes)
{
    struct port *p = port_of(badge);
    (void)server;
    if (!p)
        return 0;
    tx_begin();
    port_collect(p);
    *found = (p->input_count || p->ended ? READY_EVENTS_IN : 0) |
             (port_buffer(p) ? READY_EVENTS_OUT : 0);
    *found &= wanted;
    *changes = p->changes;
    if (!*found && park) {
        if (wanted & READY_EVENTS_OUT)
            port_want_room(p);
        return park_on(wanted & READY_EVENTS_OUT ? &p->writers : &p->readers);
    }
    tx_commit();
    return *found ? 0 : RPC_PARK;
}

uint32_t ready_serve_changed(struct ready_server *server, uint64_t badge)
{
    (void)server;
    (void)badge;
    return 0;
}

SERVER_ENTRY(port);
uint64_t port_handle(uint64_t badge, struct msg *m)
{
    uint64_t operation = m->w[0] & RPC_OPERATION_MASK;
    if (operation == READY_OP_READY || operation == READY_OP_CHANGED)
        return ready_dispatch(0, badge, m);
    return file_dispatch(0, badge, m);
}

/* The devices' memory lies behind the records, from the next page on. */
static struct port_memory *memory_at(unsigned n)
{
    uint64_t first = ((uint64_t)(console + 1) + 4095) & ~4095ull;
    return (struct port_memory *)first + n;
}

void component_main(void)
{
    uint32_t irqs[PORTS] = { rt_cap("first-irq"), rt_cap("second-irq") };
    (void)capsule_open(FILE_VERSION, sizeof *console + 4096 + PORTS * sizeof(struct port_memory),
                       (void **)&console);
    for (unsigned n = 0; n < PORTS; n++)
        there[n] = port_open(&console->ports[n], memory_at(n), n);
    if (!rt_service_open("port", port_entry, 1))
        return;
    rt_ready();
    tx_begin();
    if (!console->own_gate)
        TX_SET(console->own_gate, rt_gate_create(rt_cap("port"), 0));
    tx_commit();
    uint32_t own = console->own_gate;
    for (unsigned n = 0; n < PORTS; n++)
        if (there[n])
            pith_interrupt_bind(irqs[n], SLOT_MAIN, BIT_DEVICE);
    for (;;) {
        struct msg m = { .w = { FILE_OP_SYNC } };
        rt_call(own, &m);
        for (unsigned n = 0; n < PORTS; n++)
            pith_interrupt_ack(irqs[n]);
        (void)rt_wait(UINT64_MAX);
    }
}
