/* SPDX-License-Identifier: MIT */
/* Ways to hang (test/system/hang.c), as steps of the counter's add. */
#pragma once

enum hang_kind {
    HANG_LOOP = 1,   /* in the request */
    HANG_LOCKED,     /* the same, in a transaction */
    HANG_BLOCK,      /* the request waits for ever */
    HANG_MAIN_LOOP,  /* the server's own thread; requests are answered */
    HANG_MAIN_BLOCK,
    HANG_KINDS
};
