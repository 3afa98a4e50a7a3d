/* SPDX-License-Identifier: MIT */
/*
 * The console's line: bytes between the console terminal and the driver behind it.
 *
 * Each request to the driver is noted in the capsule before it is made, with its number, and made
 * again with the same number by an incarnation that finds it unfinished: its buffer is in the
 * capsule too. So no byte is lost or doubled when this server dies. Only the thread that set
 * a flight ends it.
 */
#include "tty.h"
#include <proto/file_client.h>
#include <proto/ready_client.h>
#include <rt/format.h>
#include <rt/number.h>
#include <rt/string.h>

/* Lanes of these requests; numbers are kept in the capsule. */
#define LANE_OUT 60011u
#define LANE_IN 60012u

static uint32_t line; /* slot of the driver's gate; 0: no console here */

bool line_open(void)
{
    uint16_t found = 0;
    uint32_t changes = 0;
    if (!strstr(STARTUP->arguments, "console"))
        return true;
    /* The fast driver where it has a device, else the serial line. */
    line = rt_cap("console");
    if (!line || ready_ready(line, READY_EVENTS_OUT, &found, &changes) ||
        !(found & READY_EVENTS_OUT))
        line = rt_cap("serial");
    return line != 0;
}

/* The numbered request: what the stub would number is set to what the capsule says. */
static int64_t with_number(
    uint16_t lane, uint64_t number, bool out, uint32_t length, uint32_t *count)
{
    struct rt_self *self = rt_self();
    uint16_t own_lane = self->lane;
    uint32_t own_number = self->number;
    uint64_t end;
    size_t got = 0;
    self->lane = lane;
    self->number = (uint32_t)number - 1;
    int64_t status;
    if (out) {
        status = file_write(line, FILE_SHARED_POSITION, 0, tty->outbox, length, count, &end);
    } else {
        status = file_read_next(line, tty->inbox, LINE_MAX, &got, &end);
        *count = (uint32_t)got;
    }
    self->lane = own_lane;
    self->number = own_number;
    return status;
}

/* The next piece into the outbox; false: nothing to send, or another is on its way. */
static bool out_begin(struct terminal *t)
{
    bool any = false;
    tx_begin();
    if (!tty->out_flight && t->shown_count && !t->stopped) {
        uint32_t at = t->shown_head, n = t->shown_count < LINE_MAX ? t->shown_count : LINE_MAX;
        for (uint32_t i = 0; i < n; i++)
            tty->outbox[i] = t->shown[(at + i) % SHOWN_MAX];
        TX_SET(tty->out_flight, n);
        TX_SET(tty->out_number, tty->out_number + 1);
        any = true;
    }
    tx_commit();
    return any;
}

/* Sends what is under way. False: the driver takes nothing now. */
static bool out_finish(struct terminal *t)
{
    uint32_t written = 0;
    int64_t status = with_number(LANE_OUT, tty->out_number, true, tty->out_flight, &written);
    tx_begin();
    if (!status) {
        TX_SET(t->shown_head, (t->shown_head + written) % SHOWN_MAX);
        TX_SET(t->shown_count, t->shown_count - written);
        park_wake(&t->writers);
    }
    TX_SET(tty->out_flight, 0);
    tx_commit();
    return !status;
}

void line_flush(void)
{
    struct terminal *t = tty->console;
    if (!line)
        return;
    while (out_begin(t))
        if (!out_finish(t)) {
            pith_notify_raise(SLOT_MAIN, BIT_LINE); /* which waits until it does */
            return;
        }
}

/* A window's size from the host: "rows columns" and a newline. */
static void control_char(char c)
{
    struct terminal *t = tty->console;
    if (c != '\n' && tty->control_length < sizeof tty->control - 1) {
        tty->control[tty->control_length++] = c; /* a size that is lost comes again */
        return;
    }
    tty->control[tty->control_length] = 0;
    tty->control_length = 0;
    uint32_t rows = 0, columns = 0;
    const char *at = tty->control;
    for (; *at >= '0' && *at <= '9' && rows < 10000; at++)
        rows = rows * 10 + (uint32_t)(*at - '0');
    for (at += *at == ' '; *at >= '0' && *at <= '9' && columns < 10000; at++)
        columns = columns * 10 + (uint32_t)(*at - '0');
    if (!rows || !columns || (t->window.rows == rows && t->window.columns == columns))
        return;
    tx_begin();
    tx_save(&t->window, sizeof t->window);
    t->window = (struct terminal_window){ (uint16_t)rows, (uint16_t)columns, 0, 0 };
    terminal_signal(t, 28);
    tx_commit();
}

static void control_take(void)
{
    uint32_t control = rt_cap("control");
    char block[64];
    size_t got = 0;
    uint64_t end;
    while (control && !file_read_next(control, block, sizeof block, &got, &end) && got)
        for (size_t i = 0; i < got; i++)
            control_char(block[i]);
}

static bool in_take(void)
{
    struct terminal *t = tty->console;
    uint32_t count = 0;
    tx_begin();
    if (!tty->in_flight) {
        TX_SET(tty->in_flight, 1);
        TX_SET(tty->in_number, tty->in_number + 1);
    }
    tx_commit();
    int64_t status = with_number(LANE_IN, tty->in_number, false, 0, &count);
    tx_begin();
    for (uint32_t i = 0; !status && i < count; i++)
        (void)terminal_typed(t, tty->inbox[i]);
    TX_SET(tty->in_flight, 0);
    tx_commit();
    return !status && count;
}

void line_take(void)
{
    if (!line)
        return;
    if (tty->out_flight) /* of an incarnation that died */
        (void)out_finish(tty->console);
    while (in_take())
        line_flush();
    control_take();
    line_flush();
}

/* Parks the main thread's notification at the driver for a gate. */
static bool gate_wait(uint32_t gate, uint16_t wanted)
{
    struct msg m = { .w = { READY_OP_READY | RPC_PARKS, wanted } };
    struct xfer x = { .n_caps_in = 1, .caps_in = { SLOT_MAIN } };
    if (!gate || rt_call_x(gate, &m, &x))
        return true;
    return (uint32_t)m.w[0] == RPC_PARK;
}

bool line_wait(void)
{
    if (!line)
        return true;
    bool blocked = tty->console->shown_count && !tty->console->stopped;
    bool waits = gate_wait(line, READY_EVENTS_IN | (blocked ? READY_EVENTS_OUT : 0));
    return gate_wait(rt_cap("control"), READY_EVENTS_IN) && waits;
}
