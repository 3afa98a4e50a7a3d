/* SPDX-License-Identifier: MIT */
/*
 * tty: terminals for Linux programs.
 *
 *   main.c        start; the main thread, which looks after the console's line
 *   line.c        the console's way to its driver and back
 *   serve.c       the protocols file, ready and terminal
 *   discipline.c  what happens between typing and reading, writing and showing
 *
 * A terminal is the console or the slave of a pair; a pair's master is the other side of the
 * same record. Functions run inside a transaction unless they say otherwise. Invariants: typed
 * holds `total` bytes from head on, of which the first `ready` may be read; shown holds
 * `shown_count` bytes on their way to the driver or the master. The record of a pair goes when
 * neither side has a gate that somebody holds and nobody has still to hear of its end.
 */
#pragma once
#include <proto/terminal.h>
#include <server/capsule.h>
#include <server/server.h>

#define TYPED_MAX 4096u
#define SHOWN_MAX 4096u /* both a page */
#define LINE_MAX 512u
#define BIT_LINE 1u             /* on the main thread: look at the console's line */
#define TERMINAL_BIT_SIGNAL 4u  /* on the process server's notification */
#define BADGE_OWN 0u            /* the main thread */
#define BADGE_CONSOLE 1u        /* the console; any terminal's operations on pairs */

/* Linux's termios bits and places (include/uapi/asm-generic/termbits.h). */
enum {
    I_STRIP = 040, I_NLCR = 0100, I_IGNCR = 0200, I_CRNL = 0400, I_XON = 02000,
    I_MAXBEL = 020000, I_UTF8 = 040000,
    O_POST = 1, O_NLCR = 4, O_CRNL = 010, O_NOCR = 020,
    L_SIG = 1, L_CANON = 2, L_ECHO = 010, L_ECHOE = 020, L_ECHOK = 040, L_ECHONL = 0100,
    L_NOFLSH = 0200, L_TOSTOP = 0400, L_ECHOCTL = 01000, L_ECHOKE = 04000, L_EXTEN = 0100000,
    V_INTR = 0, V_QUIT, V_ERASE, V_KILL, V_EOF, V_TIME, V_MIN, V_SWTC, V_START, V_STOP, V_SUSP,
    V_EOL, V_REPRINT, V_DISCARD, V_WERASE, V_LNEXT, V_EOL2,
};
enum { SLAVE, MASTER };

struct terminal {
    struct terminal *next, *previous;
    uint32_t number;                    /* of a pair, from 0 on; the console: CONSOLE_NUMBER */
    uint32_t gates[2];                  /* slots; 0: closed, or never opened */
    bool locked, literal, stopped;      /* literal: the next character is taken as it is (^V) */
    bool slave_seen;                    /* a slave was opened once */
    char *typed; /* a ring of TYPED_MAX: what may be read, then the unfinished line */
    uint32_t head, ready, total;
    uint32_t ends;                      /* ^D typed on an empty line */
    char *shown;                        /* a ring of SHOWN_MAX */
    uint32_t shown_head, shown_count;
    uint32_t column, line_column;       /* where the cursor is; where the edited line began */
    uint32_t group, session;
    uint32_t signals;                   /* bit N: signal N is to be taken for the group */
    uint32_t hangup;                    /* group to be told SIGHUP and SIGCONT; 0: none */
    uint32_t changes;                   /* counts what happened, for watchers */
    struct terminal_modes modes;
    struct terminal_window window;
    struct park_list readers, writers, master_readers, master_writers;
};
#define CONSOLE_NUMBER UINT32_MAX

struct told {
    uint32_t signal, group;
};
struct tty {
    struct terminal *all, *console;
    uint64_t turn; /* of the signal that was taken last, which is told again */
    struct told told;
    uint32_t own_gate, watcher;         /* slots; watcher: the process server's notification */
    /* The console's line: what is under way between us and the driver, see line.c. */
    uint64_t out_number, in_number;
    uint32_t out_flight, in_flight;
    char inbox[LINE_MAX], outbox[LINE_MAX], control[32];
    uint32_t control_length, control_pad;
};
extern struct tty *tty;

struct terminal *terminal_make(uint32_t number);       /* in no list; NULL: no memory */
void terminal_free(struct terminal *t);

/* ---- discipline.c ---- */
extern const struct terminal_modes modes_cooked;
bool terminal_typed(struct terminal *t, char c);       /* false: no room, nothing happened */
bool terminal_write_char(struct terminal *t, char c);  /* with output processing; false: no room */
void terminal_signal(struct terminal *t, uint32_t signal);
bool terminal_readable(const struct terminal *t);
uint32_t terminal_read_limit(const struct terminal *t, uint32_t most); /* bytes a read gets */
void terminal_changed(struct terminal *t);
void terminal_modes_set(struct terminal *t, const struct terminal_modes *modes, bool flush);

/* ---- line.c: outside transactions ---- */
void line_flush(void); /* shown goes to the driver, as far as it takes it */
void line_take(void);                                  /* what came in is typed */
bool line_open(void);
bool line_wait(void);                                  /* false: there is something to do at once */
