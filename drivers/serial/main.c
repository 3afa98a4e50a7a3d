/* SPDX-License-Identifier: MIT */
/*
 * serial: a 16550 as a byte stream: service "serial" speaks the protocols file (read_next, write)
 * and ready. The chip is set up anew by each incarnation. Flow control: the request-to-send
 * line falls while there is no room for input.
 * Reference: National Semiconductor PC16550D.
 */
#include <proto/file_server.h>
#include <proto/ready_server.h>
#include <rt/string.h>
#include <server/capsule.h>

enum { DATA, INTERRUPTS, FIFO, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS };
#define STATUS_DATA 1u
#define STATUS_EMPTY 32u
#define MODEM_READY 11u  /* DTR, RTS, interrupts */
#define MODEM_BUSY 9u    /* without RTS */
#define FIFO_CLEAR 7u
#define FIFO_KEEP 1u
#define BIT_SERIAL 1u
#define INPUT_MAX 4096u
#define ROOM_LOW 64u
#define PATIENCE 100000u /* looks at a chip that does not send */

struct serial {
    char input[INPUT_MAX];
    uint32_t head, count, changes, own_gate;
    struct park_list readers;
    uint64_t sent, sent_badge, sent_sequence; /* progress of the write being done */
};

static struct serial *serial;
static uint32_t port;

static uint8_t in(unsigned r)
{
    return (uint8_t)pith_io_in(port, r, 1).value;
}

static void out(unsigned r, uint8_t v)
{
    pith_io_out(port, r, 1, v);
}

static void flow(void)
{
    out(MODEM_CONTROL, INPUT_MAX - serial->count < ROOM_LOW ? MODEM_BUSY : MODEM_READY);
}

/* Takes what the chip has, as far as there is room; inside a transaction. */
static void take(void)
{
    bool any = false;
    while (serial->count < INPUT_MAX && in(LINE_STATUS) & STATUS_DATA) {
        serial->input[(serial->head + serial->count) % INPUT_MAX] = (char)in(DATA);
        TX_SET(serial->count, serial->count + 1);
        any = true;
    }
    if (!any)
        return;
    TX_SET(serial->changes, serial->changes + 1);
    park_wake(&serial->readers);
}

static uint32_t park_here(void)
{
    park_request(&serial->readers);
    tx_commit();
    return RPC_PARK;
}

uint32_t file_serve_read_next(struct file_server *server, uint64_t badge, uint64_t sequence,
                              uint32_t park, struct rpc_out *data, uint64_t *end)
{
    uint32_t count = 0;
    (void)server;
    (void)park;
    (void)end;
    tx_begin();
    if (capsule_reply_find(badge, sequence, &count, sizeof count)) {
        tx_commit();
        data->length = count;
        return 0;
    }
    take();
    if (!serial->count && data->capacity)
        return park_here();
    while (count < serial->count && count < data->capacity) {
        uint32_t at = (serial->head + count) % INPUT_MAX, run = INPUT_MAX - at;
        uint32_t left = serial->count - count;
        run = run < left ? run : left;
        run = run < data->capacity - count ? run : (uint32_t)(data->capacity - count);
        if (!rt_copy_to_client(data->offset + count, serial->input + at, run)) {
            tx_abort();
            return RPC_BAD_BUFFER;
        }
        count += run;
    }
    TX_SET(serial->head, (serial->head + count) % INPUT_MAX);
    TX_SET(serial->count, serial->count - count);
    capsule_reply_store(badge, sequence, &count, sizeof count);
    flow();
    tx_commit();
    data->length = count;
    return 0;
}

static void send(uint8_t c)
{
    for (unsigned i = 0; i < PATIENCE; i++)
        if (in(LINE_STATUS) & STATUS_EMPTY)
            break;
    out(DATA, c);
}

/* What was sent cannot be undone: how far a request got is kept outside the transaction, so that
 * its repetition goes on from there. */
uint32_t file_serve_write(struct file_server *server, uint64_t badge, uint64_t sequence,
                          uint32_t park, uint64_t position, uint32_t flags, struct rpc_in data,
                          uint32_t *written, uint64_t *end)
{
    uint8_t block[256];
    (void)server;
    (void)park;
    (void)position;
    (void)flags;
    (void)end;
    tx_begin();
    if (capsule_reply_find(badge, sequence, written, sizeof *written)) {
        tx_commit();
        return 0;
    }
    if (serial->sent_badge != badge || serial->sent_sequence != sequence) {
        serial->sent = 0;
        serial->sent_sequence = sequence;
        serial->sent_badge = badge;
    }
    while (serial->sent < data.length) {
        uint64_t done = serial->sent;
        size_t now = data.length - done < sizeof block ? data.length - done : sizeof block;
        if (!rt_copy_from_client(data.offset + done, block, now)) {
            tx_abort();
            return RPC_BAD_BUFFER;
        }
        for (size_t i = 0; i < now; i++) {
            send(block[i]);
            __atomic_store_n(&serial->sent, serial->sent + 1, __ATOMIC_RELAXED);
        }
    }
    *written = (uint32_t)data.length;
    capsule_reply_store(badge, sequence, written, sizeof *written);
    tx_commit();
    return 0;
}

/* The main thread comes here through its own gate (badge 0). For others: all was sent. */
uint32_t file_serve_sync(struct file_server *server, uint64_t badge, uint32_t park, bool data_only)
{
    (void)server;
    (void)park;
    (void)data_only;
    if (badge)
        return 0;
    tx_begin();
    take();
    flow();
    tx_commit();
    return 0;
}

uint32_t ready_serve_ready(struct ready_server *server, uint64_t badge, uint32_t park,
                           uint16_t wanted, uint16_t *found, uint32_t *changes)
{
    (void)server;
    (void)badge;
    (void)park;
    tx_begin();
    *found = (serial->count ? READY_EVENTS_IN : 0) | READY_EVENTS_OUT;
    *found &= wanted;
    *changes = serial->changes;
    if (!*found)
        return park_here();
    tx_commit();
    return 0;
}

uint32_t ready_serve_changed(struct ready_server *server, uint64_t badge)
{
    (void)server;
    (void)badge;
    return 0;
}

SERVER_ENTRY(serial);
uint64_t serial_handle(uint64_t badge, struct msg *m)
{
    uint64_t operation = m->w[0] & RPC_OPERATION_MASK;
    if (operation == READY_OP_READY || operation == READY_OP_CHANGED)
        return ready_dispatch(0, badge, m);
    return file_dispatch(0, badge, m);
}

void component_main(void)
{
    (void)capsule_open(FILE_VERSION, sizeof *serial, (void **)&serial);
    port = rt_cap("chip");
    out(LINE_CONTROL, 3);
    out(FIFO, STARTUP->incarnation == 1 ? FIFO_CLEAR : FIFO_KEEP);
    out(INTERRUPTS, 1);
    flow();
    if (!rt_service_open("serial", serial_entry, 1))
        return;
    rt_ready();
    tx_begin();
    if (!serial->own_gate)
        TX_SET(serial->own_gate, rt_gate_create(rt_cap("serial"), 0));
    tx_commit();
    uint32_t own = serial->own_gate, irq = rt_cap("chip-irq");
    pith_interrupt_bind(irq, SLOT_MAIN, BIT_SERIAL);
    for (;;) {
        struct msg m = {.w = {FILE_OP_SYNC}};
        rt_call(own, &m);
        pith_interrupt_ack(irq);
        (void)rt_wait(UINT64_MAX);
    }
}
