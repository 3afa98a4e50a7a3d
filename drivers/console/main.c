/* SPDX-License-Identifier: MIT */
/*
 * console: a 16550 as a Linux terminal, until there is a terminal server. Service "terminal"
 * speaks the protocols file (read_next, write), terminal (modes, window, foreground group)
 * and ready. The line discipline is here: discipline.c. State is in the capsule; the chip is
 * set up anew by each incarnation.
 * Reference: National Semiconductor PC16550D.
 */
#include "console.h"
#include <proto/file_server.h>
#include <proto/ready_server.h>
#include <proto/terminal_server.h>
#include <rt/string.h>

#define DATA 0
#define INTERRUPTS 1
#define FIFO 2
#define LINE_CONTROL 3
#define MODEM_CONTROL 4
#define LINE_STATUS 5
#define STATUS_DATA 1u
#define STATUS_EMPTY 32u
#define BIT_SERIAL 1u

struct terminal *terminal;
static uint32_t port;

static uint8_t in(unsigned r)
{
    return (uint8_t)pith_io_in(port, r, 1).value;
}

static void out(unsigned r, uint8_t v)
{
    pith_io_out(port, r, 1, v);
}

void chip_put(char c)
{
    for (unsigned i = 0; i < 100000; i++)
        if (in(LINE_STATUS) & STATUS_EMPTY)
            break;
    out(DATA, (uint8_t)c);
}

static uint32_t park_here(void)
{
    uint32_t slot = rt_keep_cap(0);
    if (slot && !park_add(&terminal->readers, slot))
        rt_slot_free(slot);
    tx_commit();
    return RPC_PARK;
}

/* Is there something to read? */
static bool readable(const struct terminal *t)
{
    return t->ready || t->ends;
}

uint32_t file_serve_read_next(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t park, struct rpc_out *data, uint64_t *end)
{
    struct terminal *t = terminal;
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
    if (!readable(t) && data->capacity && !(!(t->modes.local & L_CANON) && !t->modes.chars[V_MIN]))
        return park_here();
    while (count < t->ready && count < data->capacity) {
        char c = t->typed[(t->head + count) % TYPED_MAX];
        if (!rt_copy_to_client(data->offset + count, &c, 1)) {
            tx_abort();
            return RPC_BAD_BUFFER;
        }
        count++;
        if (c == '\n' && t->modes.local & L_CANON)
            break;
    }
    if (!count && t->ends)
        TX_SET(t->ends, t->ends - 1);
    TX_SET(t->head, (t->head + count) % TYPED_MAX);
    TX_SET(t->ready, t->ready - count);
    TX_SET(t->total, t->total - count);
    capsule_reply_store(badge, sequence, &count, sizeof count);
    tx_commit();
    data->length = count;
    return 0;
}

uint32_t file_serve_write(struct file_server *server, uint64_t badge, uint64_t sequence,
    uint32_t park, uint64_t position, uint32_t flags, struct rpc_in data, uint32_t *written,
    uint64_t *end)
{
    char block[256];
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
    /* What was sent cannot be undone: how far a request got is kept outside the transaction,
     * so that its repetition goes on from there. */
    struct terminal *t = terminal;
    if (t->sent_badge != badge || t->sent_sequence != sequence) {
        t->sent = 0;
        t->sent_sequence = sequence;
        t->sent_badge = badge;
    }
    while (t->sent < data.length) {
        uint64_t done = t->sent;
        size_t now = data.length - done < sizeof block ? data.length - done : sizeof block;
        if (!rt_copy_from_client(data.offset + done, block, now)) {
            tx_abort();
            return RPC_BAD_BUFFER;
        }
        for (size_t i = 0; i < now; i++) {
            put_processed(block[i]);
            __atomic_store_n(&t->sent, t->sent + 1, __ATOMIC_RELAXED);
        }
    }
    *written = (uint32_t)data.length;
    capsule_reply_store(badge, sequence, written, sizeof *written);
    tx_commit();
    return 0;
}

uint32_t file_serve_look(struct file_server *server, uint64_t badge, struct rpc_in path,
    uint32_t flags, uint8_t *walk, uint16_t *walked, struct file_attributes *attributes,
    struct rpc_out *target)
{
    (void)server;
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
uint32_t file_serve_sync(struct file_server *server, uint64_t badge, uint32_t park, bool data_only)
{
    (void)server;
    (void)park;
    (void)data_only;
    if (badge)
        return 0;
    tx_begin();
    for (unsigned i = 0; i < 256 && in(LINE_STATUS)&STATUS_DATA; i++)
        terminal_typed(terminal, (char)in(DATA));
    tx_commit();
    return 0;
}

/* ---- protocol ready ------------------------------------------------------------------------- */

uint32_t ready_serve_ready(
    struct ready_server *server, uint64_t badge, uint32_t park, uint16_t wanted, uint16_t *found,
    uint32_t *changes)
{
    (void)server;
    (void)badge;
    (void)park;
    tx_begin();
    *found = (readable(terminal) ? READY_EVENTS_IN : 0) | READY_EVENTS_OUT;
    *found &= wanted;
    *changes = terminal->changes;
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

/* ---- protocol terminal ------------------------------------------------------------------------ */

uint32_t terminal_serve_get_modes(
    struct terminal_server *server, uint64_t badge, struct terminal_modes *modes)
{
    (void)server;
    (void)badge;
    *modes = terminal->modes;
    return 0;
}

/* These set what they are told: to do so twice changes nothing, so no reply is stored. */
uint32_t terminal_serve_set_modes(struct terminal_server *server, uint64_t badge, uint64_t sequence,
    const struct terminal_modes *modes, bool flush)
{
    struct terminal *t = terminal;
    (void)server;
    (void)badge;
    (void)sequence;
    tx_begin();
    tx_save(&t->modes, sizeof t->modes);
    t->modes = *modes;
    if (flush) {
        TX_SET(t->ready, 0);
        TX_SET(t->total, 0);
        TX_SET(t->ends, 0);
    } else if (!(modes->local & L_CANON)) {
        TX_SET(t->ready, t->total);
    }
    park_wake(&t->readers);
    tx_commit();
    return 0;
}

uint32_t terminal_serve_get_window(
    struct terminal_server *server, uint64_t badge, struct terminal_window *window)
{
    (void)server;
    (void)badge;
    *window = terminal->window;
    return 0;
}

uint32_t terminal_serve_set_window(struct terminal_server *server, uint64_t badge,
    uint64_t sequence, const struct terminal_window *window)
{
    (void)server;
    (void)badge;
    (void)sequence;
    tx_begin();
    bool changed = memcmp(window, &terminal->window, sizeof *window) != 0;
    TX_SET(terminal->window, *window);
    if (changed)
        terminal_signal(terminal, 28);
    tx_commit();
    return 0;
}

uint32_t terminal_serve_get_foreground(
    struct terminal_server *server, uint64_t badge, uint32_t *group, uint32_t *session)
{
    (void)server;
    (void)badge;
    *group = terminal->group;
    *session = terminal->session;
    return 0;
}

uint32_t terminal_serve_set_foreground(
    struct terminal_server *server, uint64_t badge, uint64_t sequence, uint32_t group)
{
    (void)server;
    (void)badge;
    (void)sequence;
    tx_begin();
    TX_SET(terminal->group, group);
    tx_commit();
    return 0;
}

uint32_t terminal_serve_set_session(
    struct terminal_server *server, uint64_t badge, uint64_t sequence, uint32_t session)
{
    (void)server;
    (void)badge;
    (void)sequence;
    tx_begin();
    TX_SET(terminal->session, session);
    TX_SET(terminal->group, session);
    tx_commit();
    return 0;
}

uint32_t terminal_serve_watch(
    struct terminal_server *server, uint64_t badge, uint64_t sequence, uint32_t watcher)
{
    (void)server;
    (void)badge;
    (void)sequence;
    (void)watcher;
    tx_begin();
    uint32_t slot = rt_keep_cap(0), old = terminal->watcher;
    if (slot) {
        TX_SET(terminal->watcher, slot);
        if (old)
            rt_slot_free(old);
    }
    tx_commit();
    return slot ? 0 : TERMINAL_ERROR_INVAL;
}

uint32_t terminal_serve_take_signal(struct terminal_server *server, uint64_t badge,
    uint64_t sequence, uint32_t *signal, uint32_t *group)
{
    struct terminal *t = terminal;
    struct {
        uint32_t signal, group;
    } r = {0, 0};
    (void)server;
    tx_begin();
    if (!capsule_reply_find(badge, sequence, &r, sizeof r)) {
        if (t->signals) {
            r.signal = (uint32_t)__builtin_ctz(t->signals);
            r.group = t->signal_group;
            TX_SET(t->signals, t->signals & (t->signals - 1));
        }
        capsule_reply_store(badge, sequence, &r, sizeof r);
    }
    tx_commit();
    *signal = r.signal;
    *group = r.group;
    return 0;
}

SERVER_ENTRY(terminal);
void terminal_handle(uint64_t badge, struct msg *m)
{
    uint64_t operation = m->w[0] & RPC_OPERATION_MASK;
    if (operation == READY_OP_READY || operation == READY_OP_CHANGED)
        m->w[0] = ready_dispatch(0, badge, m);
    else if (operation >= TERMINAL_OP_GET_MODES)
        m->w[0] = terminal_dispatch(0, badge, m);
    else
        m->w[0] = file_dispatch(0, badge, m);
}

static const struct terminal_modes cooked = {
    .input = I_CRNL | I_XON,
    .output = O_POST | O_NLCR,
    .control = 0xbf,
    .local = L_SIG | L_CANON | L_ECHO | L_ECHOE | L_ECHOK | L_ECHOCTL | L_ECHOKE | L_EXTEN,
    .chars = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22},
};

void component_main(void)
{
    if (!capsule_open(FILE_VERSION, sizeof *terminal, (void **)&terminal)) {
        terminal->modes = cooked;
        terminal->window = (struct terminal_window){24, 80, 0, 0};
        terminal->group = terminal->session = 1;
    }
    port = rt_cap("serial");
    out(LINE_CONTROL, 3);
    out(FIFO, STARTUP->incarnation == 1 ? 7 : 1); /* later ones keep what waits in it */
    out(MODEM_CONTROL, 11);
    out(INTERRUPTS, 1);
    if (!rt_service_open("terminal", terminal_entry, 1))
        return;
    rt_ready();
    if (terminal->watcher)
        pith_notify_raise(terminal->watcher, TERMINAL_BIT_SIGNAL);
    uint32_t own = rt_gate_create(rt_cap("terminal"), 0), irq = rt_cap("serial-irq");
    pith_interrupt_bind(irq, SLOT_MAIN, BIT_SERIAL);
    for (;;) {
        struct msg m = {.w = {FILE_OP_SYNC}};
        rt_call(own, &m);
        pith_interrupt_ack(irq);
        (void)rt_wait(UINT64_MAX);
    }
}
