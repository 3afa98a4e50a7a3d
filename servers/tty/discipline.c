/* SPDX-License-Identifier: MIT */
/* The line discipline: POSIX.1-2017, chapter 11 (General Terminal Interface), as Linux has it. */
#include "tty.h"
#include <rt/string.h>

#define TAB 8u

const struct terminal_modes modes_cooked = {
    .input = I_CRNL | I_XON | I_UTF8,
    .output = O_POST | O_NLCR,
    .control = 0xbf,
    .local = L_SIG | L_CANON | L_ECHO | L_ECHOE | L_ECHOK | L_ECHOCTL | L_ECHOKE | L_EXTEN,
    .chars = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22},
};

void terminal_changed(struct terminal *t)
{
    TX_SET(t->changes, t->changes + 1);
}

/* ---- what is shown --------------------------------------------------------------------------- */

static uint32_t room(const struct terminal *t)
{
    return SHOWN_MAX - t->shown_count;
}

static void put(struct terminal *t, char c)
{
    if (!room(t))
        return; /* an echo that does not fit is lost, as on Linux */
    t->shown[(t->shown_head + t->shown_count) % SHOWN_MAX] = c; /* beyond the count: nobody's yet */
    TX_SET(t->shown_count, t->shown_count + 1);
}

/* Control characters and the later bytes of UTF-8 take no column. */
static void column_move(struct terminal *t, char c)
{
    uint32_t column = t->column;
    if (c == '\r')
        column = 0;
    else if (c == '\b')
        column = column ? column - 1 : 0;
    else if (c == '\t')
        column = (column | (TAB - 1)) + 1;
    else if ((uint8_t)c >= 32 && ((uint8_t)c & 0xc0) != 0x80 && c != 127)
        column++;
    if (column != t->column)
        TX_SET(t->column, column);
}

bool terminal_write_char(struct terminal *t, char c)
{
    uint32_t output = t->modes.output;
    bool returns = output & O_POST && output & O_NLCR && c == '\n';
    if (room(t) < (returns ? 2 : 1))
        return false;
    if (returns) {
        put(t, '\r');
        TX_SET(t->column, 0);
    } else if (output & O_POST && c == '\r') {
        if (output & O_NOCR && !t->column)
            return true;
        if (output & O_CRNL)
            c = '\n';
    }
    put(t, c);
    column_move(t, c);
    return true;
}

static void echo(struct terminal *t, char c)
{
    bool control = (uint8_t)c < 32 && c != '\n' && c != '\t';
    if (!(t->modes.local & L_ECHO) &&
        !(c == '\n' && t->modes.local & L_ECHONL && t->modes.local & L_CANON))
        return;
    if ((control || c == 127) && t->modes.local & L_ECHOCTL) {
        (void)terminal_write_char(t, '^');
        (void)terminal_write_char(t, (char)(c ^ 64));
    } else {
        (void)terminal_write_char(t, c);
    }
    park_wake(&t->master_readers);
}

/* ---- signals --------------------------------------------------------------------------------- */

void terminal_signal(struct terminal *t, uint32_t signal)
{
    if (!t->group)
        return;
    TX_SET(t->signals, t->signals | 1u << signal);
    if (tty->watcher)
        pith_notify_raise(tty->watcher, TERMINAL_BIT_SIGNAL);
}

/* ---- editing --------------------------------------------------------------------------------- */

static char last(const struct terminal *t)
{
    return t->typed[(t->head + t->total - 1) % TYPED_MAX];
}

static void erase_column(struct terminal *t)
{
    (void)terminal_write_char(t, '\b');
    (void)terminal_write_char(t, ' ');
    (void)terminal_write_char(t, '\b');
}

/* The column behind the unfinished line. */
static uint32_t line_columns(const struct terminal *t)
{
    uint32_t column = t->line_column;
    for (uint32_t i = t->ready; i < t->total; i++) {
        uint8_t c = (uint8_t)t->typed[(t->head + i) % TYPED_MAX];
        if (c == '\t')
            column = (column | (TAB - 1)) + 1;
        else if (c < 32 || c == 127)
            column += t->modes.local & L_ECHOCTL ? 2 : 0;
        else if ((c & 0xc0) != 0x80 || !(t->modes.input & I_UTF8))
            column++;
    }
    return column;
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
    } while (t->modes.input & I_UTF8 && ((uint8_t)c & 0xc0) == 0x80 && t->total > t->ready);
    if ((t->modes.local & (L_ECHO | L_ECHOE)) != (L_ECHO | L_ECHOE))
        return;
    for (uint32_t to = line_columns(t); t->column > to;) {
        uint32_t before = t->column;
        erase_column(t);
        if (t->column >= before)
            break;
    }
    park_wake(&t->master_readers);
}

static void erase_word(struct terminal *t)
{
    while (t->total > t->ready && (last(t) == ' ' || last(t) == '\t'))
        erase_one(t);
    while (t->total > t->ready && last(t) != ' ' && last(t) != '\t')
        erase_one(t);
}

static bool is(const struct terminal *t, char c, unsigned which)
{
    return c && (uint8_t)c == t->modes.chars[which];
}

static void forget(struct terminal *t)
{
    TX_SET(t->ready, 0);
    TX_SET(t->total, 0);
    TX_SET(t->ends, 0);
    park_wake(&t->master_writers);
}

static bool signal_typed(struct terminal *t, char c)
{
    uint32_t signal = is(t, c, V_INTR) ? 2 : is(t, c, V_QUIT) ? 3 : is(t, c, V_SUSP) ? 20 : 0;
    if (!signal)
        return false;
    if (!(t->modes.local & L_NOFLSH))
        forget(t);
    echo(t, c);
    terminal_signal(t, signal);
    return true;
}

static void line_finish(struct terminal *t)
{
    TX_SET(t->ready, t->total);
    terminal_changed(t);
    park_wake(&t->readers);
}

static void line_reprint(struct terminal *t)
{
    echo(t, (char)t->modes.chars[V_REPRINT]);
    (void)terminal_write_char(t, '\n');
    TX_SET(t->line_column, t->column);
    for (uint32_t i = t->ready; i < t->total; i++)
        echo(t, t->typed[(t->head + i) % TYPED_MAX]);
}

static bool line_edited(struct terminal *t, char c)
{
    bool extended = t->modes.local & L_EXTEN;
    if (is(t, c, V_ERASE)) {
        erase_one(t);
    } else if (is(t, c, V_KILL)) {
        while (t->total > t->ready)
            erase_one(t);
    } else if (is(t, c, V_WERASE) && extended) {
        erase_word(t);
    } else if (is(t, c, V_REPRINT) && extended) {
        line_reprint(t);
    } else if (is(t, c, V_LNEXT) && extended) {
        TX_SET(t->literal, true);
        if (t->modes.local & L_ECHO && t->modes.local & L_ECHOCTL) {
            (void)terminal_write_char(t, '^');
            (void)terminal_write_char(t, '\b');
        }
    } else if (is(t, c, V_EOF)) {
        if (t->total == t->ready)
            TX_SET(t->ends, t->ends + 1);
        line_finish(t);
    } else {
        return false;
    }
    return true;
}

/* ^S and ^Q; true: c was one. */
static bool flow_typed(struct terminal *t, char c)
{
    bool stop = is(t, c, V_STOP), start = is(t, c, V_START);
    if (!(t->modes.input & I_XON) || (!stop && !start))
        return false;
    TX_SET(t->stopped, stop);
    if (start) {
        park_wake(&t->writers);
        park_wake(&t->master_readers);
    }
    return true;
}

static char mapped(const struct terminal *t, char c, bool *drop)
{
    if (t->modes.input & I_STRIP)
        c &= 0x7f;
    *drop = c == '\r' && t->modes.input & I_IGNCR;
    if (c == '\r' && t->modes.input & I_CRNL)
        return '\n';
    return c == '\n' && t->modes.input & I_NLCR ? '\r' : c;
}

static void store(struct terminal *t, char c)
{
    t->typed[(t->head + t->total) % TYPED_MAX] = c; /* beyond total: nobody's yet */
    TX_SET(t->total, t->total + 1);
}

bool terminal_typed(struct terminal *t, char c)
{
    bool canonical = t->modes.local & L_CANON, literal = t->literal, drop = false;
    if (t->total == t->ready)
        TX_SET(t->line_column, t->column);
    if (!literal) {
        c = mapped(t, c, &drop);
        if (drop || flow_typed(t, c) || (t->modes.local & L_SIG && signal_typed(t, c)) ||
            (canonical && line_edited(t, c)))
            return true;
    }
    TX_SET(t->literal, false);
    bool end = !literal && (c == '\n' || is(t, c, V_EOL) || is(t, c, V_EOL2));
    if (t->total >= TYPED_MAX - (canonical && !end ? 1 : 0)) {
        if (canonical && t->modes.input & I_MAXBEL)
            put(t, 7);
        return canonical; /* a line that is too long loses its end; raw input waits */
    }
    store(t, c);
    echo(t, c);
    if (end || !canonical)
        line_finish(t);
    return true;
}

/* ---- reading --------------------------------------------------------------------------------- */

bool terminal_readable(const struct terminal *t)
{
    if (t->modes.local & L_CANON)
        return t->ready || t->ends;
    return t->ready >= (t->modes.chars[V_MIN] ? t->modes.chars[V_MIN] : 1) ||
           (t->ready && t->modes.chars[V_TIME]);
}

uint32_t terminal_read_limit(const struct terminal *t, uint32_t most)
{
    uint32_t n = t->ready < most ? t->ready : most;
    if (!(t->modes.local & L_CANON))
        return n;
    for (uint32_t i = 0; i < n; i++) {
        char c = t->typed[(t->head + i) % TYPED_MAX];
        if (c == '\n' || is(t, c, V_EOL) || is(t, c, V_EOL2))
            return i + 1;
    }
    return n;
}

void terminal_modes_set(struct terminal *t, const struct terminal_modes *modes, bool flush)
{
    bool raw = t->modes.local & L_CANON && !(modes->local & L_CANON);
    tx_save(&t->modes, sizeof t->modes);
    t->modes = *modes;
    if (flush)
        forget(t);
    else if (raw)
        TX_SET(t->ready, t->total);
    if (t->stopped && !(modes->input & I_XON)) {
        TX_SET(t->stopped, false);
        park_wake(&t->writers);
    }
    terminal_changed(t);
    park_wake(&t->readers);
}
