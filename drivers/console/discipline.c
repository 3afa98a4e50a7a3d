/* SPDX-License-Identifier: MIT */
/* The line discipline: POSIX.1-2017, chapter 11 (General Terminal Interface). */
#include "console.h"

void put_processed(char c)
{
    if (c == '\n' && (terminal->modes.output & (O_POST | O_NLCR)) == (O_POST | O_NLCR))
        chip_put('\r');
    chip_put(c);
}

static void echo(struct terminal *t, char c)
{
    bool control = (uint8_t)c < 32 && c != '\n' && c != '\t';
    if (!(t->modes.local & L_ECHO) &&
        !(c == '\n' && t->modes.local & L_ECHONL && t->modes.local & L_CANON))
        return;
    if ((control || c == 127) && t->modes.local & L_ECHOCTL) {
        chip_put('^');
        chip_put((char)(c ^ 64));
    } else {
        put_processed(c);
    }
}

void terminal_signal(struct terminal *t, uint32_t signal)
{
    TX_SET(t->signals, t->signals | 1u << signal);
    TX_SET(t->signal_group, t->group);
    if (t->watcher)
        pith_notify_raise(t->watcher, TERMINAL_BIT_SIGNAL);
}

static char last(const struct terminal *t)
{
    return t->typed[(t->head + t->total - 1) % TYPED_MAX];
}

/* Takes back the last character of the line, with all bytes of its UTF-8 form. */
static void erase_one(struct terminal *t)
{
    char c;
    if (t->total == t->ready)
        return;
    do {
        c = last(t);
        TX_SET(t->total, t->total - 1);
    } while ((c & 0xc0) == 0x80 && t->total > t->ready);
    if ((t->modes.local & (L_ECHO | L_ECHOE)) != (L_ECHO | L_ECHOE))
        return;
    for (unsigned i = (uint8_t)c < 32 && t->modes.local & L_ECHOCTL ? 2 : 1; i; i--) {
        chip_put(8);
        chip_put(' ');
        chip_put(8);
    }
}

static void erase_word(struct terminal *t)
{
    while (t->total > t->ready && last(t) == ' ')
        erase_one(t);
    while (t->total > t->ready && last(t) != ' ')
        erase_one(t);
}

static bool is(const struct terminal *t, char c, unsigned which)
{
    return c && (uint8_t)c == t->modes.chars[which];
}

static bool signal_typed(struct terminal *t, char c)
{
    uint32_t signal = is(t, c, V_INTR) ? 2 : is(t, c, V_QUIT) ? 3 : is(t, c, V_SUSP) ? 20 : 0;
    if (!signal)
        return false;
    if (!(t->modes.local & L_NOFLSH)) {
        TX_SET(t->ready, 0);
        TX_SET(t->total, 0);
    }
    echo(t, c);
    terminal_signal(t, signal);
    return true;
}

static bool line_edited(struct terminal *t, char c)
{
    if (is(t, c, V_ERASE)) {
        erase_one(t);
    } else if (is(t, c, V_KILL)) {
        while (t->total > t->ready)
            erase_one(t);
    } else if (is(t, c, V_WERASE) && t->modes.local & L_EXTEN) {
        erase_word(t);
    } else if (is(t, c, V_EOF)) {
        if (t->total == t->ready)
            TX_SET(t->ends, t->ends + 1);
        TX_SET(t->ready, t->total);
        park_wake(&t->readers);
    } else {
        return false;
    }
    return true;
}

void terminal_typed(struct terminal *t, char c)
{
    if (c == '\r' && t->modes.input & I_IGNCR)
        return;
    if (c == '\r' && t->modes.input & I_CRNL)
        c = '\n';
    else if (c == '\n' && t->modes.input & I_NLCR)
        c = '\r';
    if (t->modes.local & L_SIG && signal_typed(t, c))
        return;
    if (t->modes.local & L_CANON && line_edited(t, c))
        return;
    if (t->total >= TYPED_MAX - 1)
        return;
    char *place = &t->typed[(t->head + t->total) % TYPED_MAX];
    TX_SET(*place, c);
    TX_SET(t->total, t->total + 1);
    TX_SET(t->changes, t->changes + 1);
    echo(t, c);
    if (c == '\n' || !(t->modes.local & L_CANON) || is(t, c, V_EOL)) {
        TX_SET(t->ready, t->total);
        park_wake(&t->readers);
    }
}
