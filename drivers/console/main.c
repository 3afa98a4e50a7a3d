/* SPDX-License-Identifier: MIT */
/*
 * console: a 16550 as a terminal, until there is a terminal server. Service "terminal"
 * speaks the file protocol: read_next gives lines (with echo and erasing), write puts text.
 * Keeps nothing across its death but typed lines not read yet, which are in the capsule.
 * Reference: National Semiconductor PC16550D.
 */
#include <proto/file_server.h>
#include <rt/string.h>
#include <server/capsule.h>

#define DATA 0
#define INTERRUPTS 1
#define FIFO 2
#define LINE_CONTROL 3
#define MODEM_CONTROL 4
#define LINE_STATUS 5
#define STATUS_DATA 1u
#define STATUS_EMPTY 32u
#define BIT_SERIAL 1u
#define TYPED_MAX 4096u

struct file_server {
    char typed[TYPED_MAX];     /* a ring: bytes that readers may have, then the unfinished line */
    uint32_t head, ready, total;
    uint32_t ends;             /* ^D's typed on an empty line */
    struct park_list readers;
};
static struct file_server *terminal;
static uint32_t port;

static uint8_t in(unsigned r)
{
    return (uint8_t)pith_io_in(port, r, 1).value;
}

static void out(unsigned r, uint8_t v)
{
    pith_io_out(port, r, 1, v);
}

static void put(char c)
{
    for (unsigned i = 0; i < 100000 && !(in(LINE_STATUS) & STATUS_EMPTY); i++)
        ;
    out(DATA, (uint8_t)c);
}

static void echo(char c)
{
    if (c == '\n')
        put('\r');
    put(c);
}

/* One typed byte; inside a transaction. */
static void typed(struct file_server *t, char c)
{
    if (c == '\r')
        c = '\n';
    if (c == 127 || c == 8) {
        if (t->total > t->ready) {
            TX_SET(t->total, t->total - 1);
            put(8), put(' '), put(8);
        }
        return;
    }
    if (c == 4) {
        if (t->total == t->ready)
            TX_SET(t->ends, t->ends + 1);
        TX_SET(t->ready, t->total);
        park_wake(&t->readers);
        return;
    }
    if (t->total == TYPED_MAX)
        return;
    char *place = &t->typed[(t->head + t->total) % TYPED_MAX];
    TX_SET(*place, c);
    TX_SET(t->total, t->total + 1);
    echo(c);
    if (c == '\n') {
        TX_SET(t->ready, t->total);
        park_wake(&t->readers);
    }
}

uint32_t file_serve_read_next(struct file_server *t, uint64_t badge, uint64_t sequence,
                              uint32_t park, struct rpc_out *data, uint64_t *end)
{
    uint32_t count = 0;
    (void)park;
    (void)end;
    tx_begin();
    if (capsule_reply_find(badge, sequence, &count, sizeof count)) {
        tx_commit();
        data->length = count;
        return 0;
    }
    if (!t->ready && !t->ends) {
        uint32_t slot = rt_keep_cap(0);
        if (slot && !park_add(&t->readers, slot))
            rt_slot_free(slot);
        tx_commit();
        return RPC_PARK;
    }
    while (count < t->ready && count < data->capacity) {
        char c = t->typed[(t->head + count) % TYPED_MAX];
        if (!rt_copy_to_client(data->offset + count, &c, 1)) {
            tx_abort();
            return RPC_BAD_BUFFER;
        }
        count++;
        if (c == '\n')
            break;
    }
    if (!t->ready)
        TX_SET(t->ends, t->ends - 1);
    TX_SET(t->head, (t->head + count) % TYPED_MAX);
    TX_SET(t->ready, t->ready - count);
    TX_SET(t->total, t->total - count);
    capsule_reply_store(badge, sequence, &count, sizeof count);
    tx_commit();
    data->length = count;
    return 0;
}

uint32_t file_serve_write(struct file_server *t, uint64_t badge, uint64_t sequence, uint32_t park,
                          uint64_t position, uint32_t flags, struct rpc_in data, uint32_t *written,
                          uint64_t *end)
{
    char block[256];
    (void)t;
    (void)park;
    (void)position;
    (void)flags;
    (void)end;
    tx_begin();
    if (capsule_reply_find(badge, sequence, written, sizeof *written)) {
        tx_commit();
        return 0;
    }
    for (uint64_t done = 0; done < data.length;) {
        size_t now = data.length - done < sizeof block ? data.length - done : sizeof block;
        if (!rt_copy_from_client(data.offset + done, block, now)) {
            tx_abort();
            return RPC_BAD_BUFFER;
        }
        for (size_t i = 0; i < now; i++)
            echo(block[i]);
        done += now;
    }
    *written = (uint32_t)data.length;
    capsule_reply_store(badge, sequence, written, sizeof *written);
    tx_commit();
    return 0;
}

uint32_t file_serve_look(struct file_server *t, uint64_t badge, struct rpc_in path, uint32_t flags,
                         uint8_t *walk, uint16_t *walked, struct file_attributes *attributes,
                         struct rpc_out *target)
{
    (void)t;
    (void)badge;
    (void)path;
    (void)flags;
    (void)walk;
    (void)walked;
    (void)target;
    attributes->mode = 0020620;
    attributes->node = 3;
    attributes->special = 0x501;
    attributes->links = 1;
    attributes->block_size = 4096;
    return 0;
}

/* The main thread comes here through its own gate (badge 0): takes what the chip has. */
uint32_t file_serve_sync(struct file_server *t, uint64_t badge, uint32_t park, bool data_only)
{
    (void)park;
    (void)data_only;
    if (badge)
        return 0;
    tx_begin();
    for (unsigned i = 0; i < 256 && in(LINE_STATUS) & STATUS_DATA; i++)
        typed(t, (char)in(DATA));
    tx_commit();
    return 0;
}

SERVER_ENTRY(terminal);
void terminal_handle(uint64_t badge, struct msg *m)
{
    m->w[0] = file_dispatch(terminal, badge, m);
}

void component_main(void)
{
    (void)capsule_open(FILE_VERSION, sizeof *terminal, (void **)&terminal);
    port = rt_cap("serial");
    out(LINE_CONTROL, 3);
    out(FIFO, 7);
    out(MODEM_CONTROL, 11);
    out(INTERRUPTS, 1);
    if (!rt_service_open("terminal", terminal_entry, 1))
        return;
    rt_ready();
    uint32_t own = rt_gate_create(rt_cap("terminal"), 0), irq = rt_cap("serial-irq");
    pith_interrupt_bind(irq, SLOT_MAIN, BIT_SERIAL);
    for (;;) {
        struct msg m = { .w = { FILE_OP_SYNC } };
        rt_call(own, &m);
        pith_interrupt_ack(irq);
        (void)rt_wait(UINT64_MAX);
    }
}
