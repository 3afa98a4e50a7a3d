/* SPDX-License-Identifier: MIT */
/* The terminal's state and its line discipline. Functions run inside a transaction. */
#pragma once
#include <proto/terminal.h>
#include <server/capsule.h>
#include <server/server.h>

#define TYPED_MAX 4096u
#define TERMINAL_BIT_SIGNAL 4u

/* Linux's termios bits and places (include/uapi/asm-generic/termbits.h). */
enum {
    I_STRIP = 040,
    I_NLCR = 0100,
    I_IGNCR = 0200,
    I_CRNL = 0400,
    I_XON = 02000,
    O_POST = 1,
    O_NLCR = 4,
    L_SIG = 1,
    L_CANON = 2,
    L_ECHO = 010,
    L_ECHOE = 020,
    L_ECHOK = 040,
    L_ECHONL = 0100,
    L_NOFLSH = 0200,
    L_ECHOCTL = 01000,
    L_ECHOKE = 04000,
    L_EXTEN = 0100000,
    V_INTR = 0,
    V_QUIT,
    V_ERASE,
    V_KILL,
    V_EOF,
    V_TIME,
    V_MIN,
    V_SWTC,
    V_START,
    V_STOP,
    V_SUSP,
    V_EOL,
    V_REPRINT,
    V_DISCARD,
    V_WERASE,
    V_LNEXT,
};

struct terminal {
    char typed[TYPED_MAX]; /* a ring: what readers may have, then the unfinished line */
    uint32_t head, ready, total;
    uint32_t ends; /* ^D typed on an empty line */
    uint32_t group, session;
    uint32_t signals, signal_group; /* bit N: signal N to be taken */
    uint32_t watcher;               /* slot of the process server's notification */
    struct terminal_modes modes;
    struct terminal_window window;
    struct park_list readers;
    uint32_t changes, pad;   /* changes: counts what came in */
    uint64_t sent, sent_badge, sent_sequence; /* progress of the write being done */
};
extern struct terminal *terminal;

void chip_put(char c);
void put_processed(char c); /* with output processing */
void terminal_typed(struct terminal *t, char c);
void terminal_signal(struct terminal *t, uint32_t signal);
