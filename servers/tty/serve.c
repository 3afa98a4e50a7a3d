/* SPDX-License-Identifier: MIT */
/* The protocols file, ready and terminal: a gate's badge is its terminal's record, plus 1 for a
 * pair's master. */
#include "tty.h"
#include <proto/file_server.h>
#include <proto/ready_server.h>
#include <proto/terminal_server.h>
#include <rt/string.h>

#define DEVICE_SLAVE 0x8800u   /* 136:N */
#define DEVICE_CONSOLE 0x501u
#define SIGHUP 1u
#define SIGCONT 18u
#define SIGWINCH 28u

static bool is_master(uint64_t badge)
{
    return badge & 1 && badge != BADGE_CONSOLE;
}

static struct terminal *terminal_of(uint64_t badge)
{
    return badge == BADGE_CONSOLE ? tty->console : (struct terminal *)(badge & ~1ull);
}

static uint32_t park_on(struct park_list *list)
{
    park_request(list);
    tx_commit();
    return RPC_PARK;
}

/* No master any more: the slave was hung up. The console has none and never is. */
static bool hung_up(const struct terminal *t)
{
    return t != tty->console && !t->gates[MASTER];
}

/* ---- reading and writing --------------------------------------------------------------------- */

static bool ring_out(
    const struct rpc_out *data, const char *ring, uint32_t size, uint32_t head, uint32_t count)
{
    for (uint32_t done = 0; done < count;) {
        uint32_t at = (head + done) % size, now = size - at;
        now = now < count - done ? now : count - done;
        if (!rt_copy_to_client(data->offset + done, ring + at, now))
            return false;
        done += now;
    }
    return true;
}

static uint32_t master_read(
    struct terminal *t, uint64_t badge, uint64_t sequence, struct rpc_out *data)
{
    uint32_t count = t->shown_count < data->capacity ? t->shown_count : (uint32_t)data->capacity;
    if (t->stopped)
        count = 0;
    if (!count && data->capacity && t->slave_seen && !t->gates[SLAVE]) {
        tx_commit();
        return FILE_ERROR_IO;
    }
    if (!count && data->capacity)
        return park_on(&t->master_readers);
    if (!ring_out(data, t->shown, SHOWN_MAX, t->shown_head, count)) {
        tx_abort();
        return RPC_BAD_BUFFER;
    }
    TX_SET(t->shown_head, (t->shown_head + count) % SHOWN_MAX);
    TX_SET(t->shown_count, t->shown_count - count);
    park_wake(&t->writers);
    capsule_reply_store(badge, sequence, &count, sizeof count);
    tx_commit();
    data->length = count;
    return 0;
}

uint32_t file_serve_read_next(struct file_server *server, uint64_t badge, uint64_t sequence,
                              uint32_t park, struct rpc_out *data, uint64_t *end)
{
    struct terminal *t = terminal_of(badge);
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
    if (is_master(badge))
        return master_read(t, badge, sequence, data);
    bool waits = !(t->modes.local & L_CANON) && !t->modes.chars[V_MIN] && !t->modes.chars[V_TIME];
    if (!terminal_readable(t) && data->capacity && !waits && !hung_up(t))
        return park_on(&t->readers);
    count =
        terminal_read_limit(t, data->capacity < TYPED_MAX ? (uint32_t)data->capacity : TYPED_MAX);
    if (!ring_out(data, t->typed, TYPED_MAX, t->head, count)) {
        tx_abort();
        return RPC_BAD_BUFFER;
    }
    if (!count && t->ends)
        TX_SET(t->ends, t->ends - 1);
    TX_SET(t->head, (t->head + count) % TYPED_MAX);
    TX_SET(t->ready, t->ready - count);
    TX_SET(t->total, t->total - count);
    if (count)
        park_wake(&t->master_writers);
    capsule_reply_store(badge, sequence, &count, sizeof count);
    tx_commit();
    data->length = count;
    return 0;
}

/* Characters one by one until there is no room; how many. */
static uint32_t chars_take(struct terminal *t, bool typed, const char *from, uint32_t count)
{
    uint32_t done = 0;
    while (done < count &&
           (typed ? terminal_typed(t, from[done]) : terminal_write_char(t, from[done])))
        done++;
    return done;
}

uint32_t file_serve_write(struct file_server *server, uint64_t badge, uint64_t sequence,
                          uint32_t park, uint64_t position, uint32_t flags, struct rpc_in data,
                          uint32_t *written, uint64_t *end)
{
    struct terminal *t = terminal_of(badge);
    char block[LINE_MAX];
    uint32_t count = data.length < sizeof block ? (uint32_t)data.length : sizeof block;
    bool master = is_master(badge);
    (void)server;
    (void)park;
    (void)position;
    (void)end;
    if (!master && t->modes.local & L_TOSTOP && !(flags & FILE_WRITE_ALLOWED))
        return FILE_ERROR_BUSY;
    if (!rt_copy_from_client(data.offset, block, count))
        return RPC_BAD_BUFFER;
    tx_begin();
    if (capsule_reply_find(badge, sequence, written, sizeof *written)) {
        tx_commit();
        return 0;
    }
    if (!master && hung_up(t)) {
        tx_commit();
        return FILE_ERROR_IO;
    }
    uint32_t done = !master && t->stopped ? 0 : chars_take(t, master, block, count);
    if (!done && count)
        return park_on(master ? &t->master_writers : &t->writers);
    *written = done;
    terminal_changed(t);
    if (!master)
        park_wake(&t->master_readers);
    capsule_reply_store(badge, sequence, written, sizeof *written);
    tx_commit();
    if (t == tty->console)
        line_flush();
    return 0;
}

uint32_t file_serve_look(struct file_server *server, uint64_t badge, uint32_t at,
    struct rpc_in path, uint32_t flags, uint8_t *walk, uint16_t *walked,
    struct file_attributes *attributes, struct rpc_out *target)
{
    const struct terminal *t = terminal_of(badge);
    (void)server;
    (void)at;
    (void)path;
    (void)flags;
    (void)walk;
    (void)walked;
    (void)target;
    bool pair = t != tty->console;
    attributes->mode = is_master(badge) ? 0020666 : 0020620;
    attributes->node = pair ? t->number + 3 : 3;
    attributes->device = pair ? 22 : 5;
    attributes->special = is_master(badge) ? 0x502
                          : pair           ? DEVICE_SLAVE | t->number
                                           : DEVICE_CONSOLE;
    attributes->links = 1;
    attributes->group = 5;
    attributes->block_size = 1024;
    return 0;
}

/* ---- protocol ready -------------------------------------------------------------------------- */

static uint16_t events(const struct terminal *t, bool master)
{
    if (master)
        return (t->shown_count && !t->stopped ? READY_EVENTS_IN : 0) |
               (t->total < TYPED_MAX ? READY_EVENTS_OUT : 0) |
               (t->slave_seen && !t->gates[SLAVE] ? READY_EVENTS_HUP : 0);
    return (terminal_readable(t) || hung_up(t) ? READY_EVENTS_IN : 0) |
           (t->shown_count < SHOWN_MAX / 2 && !t->stopped ? READY_EVENTS_OUT : 0) |
           (hung_up(t) ? READY_EVENTS_HUP : 0);
}

uint32_t ready_serve_ready(struct ready_server *server, uint64_t badge, uint32_t park,
                           uint16_t wanted, uint16_t *found, uint32_t *changes)
{
    struct terminal *t = terminal_of(badge);
    bool master = is_master(badge), in = wanted & READY_EVENTS_IN;
    (void)server;
    tx_begin();
    *found = events(t, master) & (wanted | READY_EVENTS_HUP | READY_EVENTS_ERR);
    *changes = t->changes;
    if (*found || !park) {
        tx_commit();
        return 0;
    }
    return park_on(master ? in ? &t->master_readers : &t->master_writers
                   : in   ? &t->readers
                          : &t->writers);
}

uint32_t ready_serve_changed(struct ready_server *server, uint64_t badge)
{
    (void)server;
    (void)badge;
    return 0;
}

/* ---- protocol terminal ----------------------------------------------------------------------- */

uint32_t terminal_serve_get_modes(
    struct terminal_server *server, uint64_t badge, struct terminal_modes *modes)
{
    (void)server;
    if (!is_master(badge) && hung_up(terminal_of(badge)))
        return TERMINAL_ERROR_IO;
    *modes = terminal_of(badge)->modes;
    return 0;
}

/* These set what they are told: to do so twice changes nothing, so no reply is stored. */
uint32_t terminal_serve_set_modes(struct terminal_server *server, uint64_t badge, uint64_t sequence,
                                  const struct terminal_modes *modes, bool flush)
{
    struct terminal *t = terminal_of(badge);
    (void)server;
    (void)sequence;
    if (!is_master(badge) && hung_up(t))
        return TERMINAL_ERROR_IO;
    tx_begin();
    terminal_modes_set(t, modes, flush);
    tx_commit();
    return 0;
}

uint32_t terminal_serve_get_window(
    struct terminal_server *server, uint64_t badge, struct terminal_window *window)
{
    (void)server;
    *window = terminal_of(badge)->window;
    return 0;
}

uint32_t terminal_serve_set_window(struct terminal_server *server, uint64_t badge,
    uint64_t sequence, const struct terminal_window *window)
{
    struct terminal *t = terminal_of(badge);
    (void)server;
    (void)sequence;
    tx_begin();
    bool changed = memcmp(window, &t->window, sizeof *window) != 0;
    TX_SET(t->window, *window);
    if (changed)
        terminal_signal(t, SIGWINCH);
    tx_commit();
    return 0;
}

uint32_t terminal_serve_get_foreground(
    struct terminal_server *server, uint64_t badge, uint32_t *group, uint32_t *session)
{
    const struct terminal *t = terminal_of(badge);
    (void)server;
    *group = t->group;
    *session = t->session;
    return 0;
}

uint32_t terminal_serve_set_foreground(
    struct terminal_server *server, uint64_t badge, uint64_t sequence, uint32_t group)
{
    (void)server;
    (void)sequence;
    tx_begin();
    TX_SET(terminal_of(badge)->group, group);
    tx_commit();
    return 0;
}

uint32_t terminal_serve_set_session(
    struct terminal_server *server, uint64_t badge, uint64_t sequence, uint32_t session)
{
    struct terminal *t = terminal_of(badge);
    (void)server;
    (void)sequence;
    tx_begin();
    TX_SET(t->session, session);
    TX_SET(t->group, session);
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
    uint32_t slot = rt_keep_cap(0), old = tty->watcher;
    if (slot) {
        TX_SET(tty->watcher, slot);
        if (old)
            rt_slot_free(old);
    }
    tx_commit();
    return slot ? 0 : TERMINAL_ERROR_INVAL;
}

static struct told signal_next(void)
{
    for (struct terminal *t = tty->all; t; t = t->next) {
        if (t->hangup) {
            struct told r = { SIGHUP, t->hangup };
            TX_SET(t->signals, 0);
            TX_SET(t->group, t->hangup); /* the CONT that follows is for the same group */
            TX_SET(t->hangup, 0);
            TX_SET(t->signals, 1u << SIGCONT);
            return r;
        }
        if (t->signals) {
            struct told r = { (uint32_t)__builtin_ctz(t->signals), t->group };
            TX_SET(t->signals, t->signals & (t->signals - 1));
            return r;
        }
    }
    return (struct told){ 0, 0 };
}

uint32_t terminal_serve_take_signal(struct terminal_server *server, uint64_t badge,
    uint64_t sequence, uint64_t turn, uint32_t *signal, uint32_t *group)
{
    (void)server, (void)badge, (void)sequence;
    tx_begin();
    struct told r = tty->told;
    if (!r.signal || turn != tty->turn) {
        r = signal_next();
        tx_save(&tty->told, sizeof tty->told);
        tty->told = r;
        TX_SET(tty->turn, turn);
        if (!r.signal)
            pith_notify_raise(SLOT_MAIN, BIT_LINE); /* pairs that waited for this may go */
    }
    tx_commit();
    *signal = r.signal;
    *group = r.group;
    return 0;
}

static void hang_up(struct terminal *t)
{
    if (t->group)
        TX_SET(t->hangup, t->group);
    TX_SET(t->session, 0);
    terminal_changed(t);
    park_wake(&t->readers);
    park_wake(&t->writers);
    if (tty->watcher && t->hangup)
        pith_notify_raise(tty->watcher, TERMINAL_BIT_SIGNAL);
}

uint32_t terminal_serve_session_end(
    struct terminal_server *server, uint64_t badge, uint64_t sequence, uint32_t session)
{
    (void)server;
    (void)badge;
    (void)sequence;
    tx_begin();
    for (struct terminal *t = tty->all; t; t = t->next)
        if (t->session == session)
            hang_up(t);
    tx_commit();
    return 0;
}

uint32_t terminal_serve_waiting(struct terminal_server *server, uint64_t badge, uint32_t *count)
{
    const struct terminal *t = terminal_of(badge);
    (void)server;
    *count = is_master(badge) ? t->shown_count : terminal_read_limit(t, TYPED_MAX);
    return 0;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

static struct terminal *pair_find(uint32_t number)
{
    struct terminal *t = tty->all;
    while (t && (t == tty->console || t->number != number))
        t = t->next;
    return t;
}

static struct terminal *pair_make(void)
{
    uint32_t number = 0;
    while (pair_find(number))
        number++;
    struct terminal *t = terminal_make(number);
    if (!t)
        return 0;
    t->gates[MASTER] = rt_gate_create(rt_cap("tty"), (uint64_t)t | 1);
    if (!t->gates[MASTER])
        return 0;
    t->locked = true;
    t->next = tty->all;
    if (t->next)
        TX_SET(t->next->previous, t);
    TX_SET(tty->all, t);
    return t;
}

uint32_t terminal_serve_pair(struct terminal_server *server, uint64_t badge, uint64_t sequence,
                             uint32_t *master, uint32_t *number)
{
    struct told r = { 0, 0 }; /* of no matter what: two numbers */
    (void)server;
    tx_begin();
    struct terminal *t = capsule_reply_find(badge, sequence, &r, sizeof r) ? pair_find(r.group) : 0;
    if (!t) {
        t = pair_make();
        if (!t) {
            tx_abort();
            return TERMINAL_ERROR_MFILE;
        }
        r.group = t->number;
        capsule_reply_store(badge, sequence, &r, sizeof r);
    }
    tx_commit();
    *master = t->gates[MASTER];
    *number = t->number;
    return 0;
}

uint32_t terminal_serve_slave(
    struct terminal_server *server, uint64_t badge, uint32_t number, uint32_t *slave)
{
    (void)server;
    (void)badge;
    tx_begin();
    struct terminal *t = pair_find(number);
    bool open = t && !t->locked && t->gates[MASTER];
    if (open && !t->gates[SLAVE])
        TX_SET(t->gates[SLAVE], rt_gate_create(rt_cap("tty"), (uint64_t)t));
    if (open)
        TX_SET(t->slave_seen, true);
    *slave = open ? t->gates[SLAVE] : 0;
    tx_commit();
    return *slave ? 0 : t && !hung_up(t) ? TERMINAL_ERROR_IO : TERMINAL_ERROR_NOENT;
}

uint32_t terminal_serve_number(struct terminal_server *server, uint64_t badge, uint32_t *number)
{
    (void)server;
    *number = terminal_of(badge)->number;
    return is_master(badge) ? 0 : TERMINAL_ERROR_INVAL;
}

uint32_t terminal_serve_lock(
    struct terminal_server *server, uint64_t badge, uint64_t sequence, bool locked)
{
    (void)server;
    (void)sequence;
    if (!is_master(badge))
        return TERMINAL_ERROR_INVAL;
    tx_begin();
    TX_SET(terminal_of(badge)->locked, locked);
    tx_commit();
    return 0;
}

uint32_t terminal_serve_next(
    struct terminal_server *server, uint64_t badge, uint32_t number, uint32_t *found)
{
    bool any = false;
    (void)server;
    (void)badge;
    tx_begin();
    for (const struct terminal *t = tty->all; t; t = t->next)
        if (t != tty->console && t->number + 1 > number && (!any || t->number + 1 < *found)) {
            *found = t->number + 1;
            any = true;
        }
    tx_commit();
    return any ? 0 : TERMINAL_ERROR_NOENT;
}

/* ---- last closes ----------------------------------------------------------------------------- */

static void side_close(struct terminal *t, unsigned side)
{
    if (!t->gates[side])
        return;
    rt_gate_free(t->gates[side]);
    TX_SET(t->gates[side], 0);
    if (side == MASTER)
        hang_up(t);
    terminal_changed(t);
    park_wake(&t->master_readers);
    park_wake(&t->master_writers);
}

/* Gone when no side is left and nobody has still to hear of its end. */
static void gone_free(struct terminal *t)
{
    if (t == tty->console || t->gates[MASTER] || t->gates[SLAVE] || t->hangup || t->signals)
        return;
    if (t->previous)
        TX_SET(t->previous->next, t->next);
    else
        TX_SET(tty->all, t->next);
    if (t->next)
        TX_SET(t->next->previous, t->previous);
    park_wake(&t->readers);
    park_wake(&t->writers);
    terminal_free(t);
}

/* The kernel tells of a last close once, and an incarnation that died may have taken it: so each
 * counts all once, at its start. */
static void closes_find(void)
{
    for (struct terminal *t = tty->all, *next; t; t = next) {
        next = t->next;
        bool last[2];
        for (unsigned side = 0; side < 2; side++) {
            struct pith_result r = pith_gate_info(t->gates[side]);
            last[side] = t != tty->console && t->gates[side] && (r.status || r.value <= 1);
        }
        for (unsigned side = 0; side < 2; side++)
            if (last[side])
                side_close(t, side);
        if (tx_full())
            tx_split();
    }
}

static void gone_look(void)
{
    tx_begin();
    for (struct terminal *t = tty->all, *next; t; t = next) {
        next = t->next;
        gone_free(t);
        if (tx_full())
            tx_split();
    }
    tx_commit();
}

static void gate_closed(uint64_t badge)
{
    if (badge == BADGE_OWN || badge == BADGE_CONSOLE)
        return;
    tx_begin();
    if (rt_gate_is(terminal_of(badge)->gates[badge & 1], rt_cap("tty"), badge))
        side_close(terminal_of(badge), badge & 1);
    tx_commit();
}

void rt_undelivered(uint32_t slot)
{
    uint64_t badge;
    if (rt_gate_unheld(slot, rt_cap("tty"), &badge))
        gate_closed(badge);
}

static void closes_take(void)
{
    static bool found;
    uint64_t badge;
    tx_begin();
    if (!found)
        closes_find();
    found = true;
    tx_commit();
    while (rt_closed(rt_cap("tty"), &badge))
        gate_closed(badge);
    gone_look();
}

/* The main thread comes here through its own gate. */
uint32_t file_serve_sync(struct file_server *server, uint64_t badge, uint32_t park, bool data_only)
{
    (void)server;
    (void)park;
    (void)data_only;
    if (badge != BADGE_OWN)
        return FILE_ERROR_INVAL;
    closes_take();
    line_take();
    return 0;
}

uint64_t tty_handle(uint64_t badge, struct msg *m);
uint64_t tty_handle(uint64_t badge, struct msg *m)
{
    uint64_t operation = m->w[0] & RPC_OPERATION_MASK;
    if (badge == BADGE_OWN && operation != FILE_OP_SYNC)
        return RPC_BAD_OPERATION;
    if (operation == READY_OP_READY || operation == READY_OP_CHANGED)
        return ready_dispatch(0, badge, m);
    if (operation >= TERMINAL_OP_GET_MODES)
        return terminal_dispatch(0, badge, m);
    return file_dispatch(0, badge, m);
}
