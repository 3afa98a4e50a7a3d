/* SPDX-License-Identifier: MIT */
/* Start, and the main thread: it looks after the console's line and last closes, through a gate
 * of its own. */
#include "tty.h"
#include <proto/file_server.h>
#include <rt/string.h>

struct tty *tty;

SERVER_ENTRY(tty);

struct terminal *terminal_make(uint32_t number)
{
    struct terminal *t = capsule_alloc(sizeof *t);
    if (!t || !(t->typed = capsule_page()) || !(t->shown = capsule_page()))
        return 0; /* the transaction is undone */
    t->number = number;
    t->modes = modes_cooked;
    return t;
}

void terminal_free(struct terminal *t)
{
    capsule_page_free(t->typed);
    capsule_page_free(t->shown);
    capsule_free(t, sizeof *t);
}

static bool state_make(void)
{
    tx_begin();
    if (!tty->console) {
        struct terminal *t = terminal_make(CONSOLE_NUMBER);
        if (!t) {
            tx_abort();
            return false;
        }
        t->window = (struct terminal_window){ 24, 80, 0, 0 };
        TX_SET(tty->console, t);
        TX_SET(tty->all, t);
    }
    tx_commit();
    return true;
}

void component_main(void)
{
    (void)capsule_open(TERMINAL_VERSION, sizeof *tty, (void **)&tty);
    if (!state_make() || !line_open()) {
        rt_log("no memory, or no line for the console");
        return;
    }
    if (!rt_service_open("tty", tty_entry, 1))
        return;
    rt_ready();
    tx_begin();
    if (!tty->own_gate)
        TX_SET(tty->own_gate, rt_gate_create(rt_cap("tty"), BADGE_OWN));
    tx_commit();
    uint32_t own = tty->own_gate;
    if (tty->watcher)
        pith_notify_raise(tty->watcher, TERMINAL_BIT_SIGNAL);
    for (;;) {
        struct msg m = { .w = { FILE_OP_SYNC } };
        rt_call(own, &m);
        if (line_wait())
            (void)rt_wait(UINT64_MAX);
    }
}
