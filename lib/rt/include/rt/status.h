/* SPDX-License-Identifier: MIT */
/*
 * What a component shows its supervisor, in a page of its own that outlives it: how far it
 * is, that it is alive, and its last log lines. Written by the component (rt_*), mapped read-only
 * by the supervisor, which trusts nothing in it: numbers are compared only, texts are cut.
 */
#pragma once
#include <abi/stubs.h>
#include <stdint.h>

#define STATUS_ADDRESS 0x118000ull
#define STATUS_PAGES 1u
#define RT_LINES 31u
#define RT_LINE_MAX 120u

struct rt_line {
    uint64_t time_ns;       /* since boot; 0 while it is written */
    char text[RT_LINE_MAX]; /* what does not fit is only on the log port */
};
struct rt_status {
    uint64_t ready;         /* the incarnation that serves */
    uint64_t done;          /* the incarnation whose component_main has returned */
    uint64_t beats;          /* grows once a period while it is alive (rt_wait) */
    uint64_t lines_written; /* line n is in lines[n % RT_LINES] */
    uint64_t crashed_waking; /* the incarnation that died on purpose, in no request */
    uint64_t pad[11];
    struct rt_line lines[RT_LINES];
};
_Static_assert(sizeof(struct rt_status) == STATUS_PAGES * 4096, "whole pages");
#define RT_STATUS ((struct rt_status *)STATUS_ADDRESS)
