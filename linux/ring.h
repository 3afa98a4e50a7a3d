/* SPDX-License-Identifier: MIT */
/*
 * Pipes and shared event counters: memory that a fork shares, used without a server.
 *
 * The header is one page, the data (pipes) follow. All of it is written by every holder: they
 * have the same credentials and trust each other with the contents, but a value read from here
 * is checked before it is used as an index. A record is published by one store of tail, so a
 * holder that dies while it writes loses that record only; its lock is taken over (ring_lock).
 *
 * Who has to wait sets `waits` for its end, looks once more, and waits on that end's
 * notification (proto/pipe.idl); who changes something clears the flag and raises. Watchers of
 * poll park at the server and set `watched`.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_READER, RING_WRITER, RING_BOTH };

struct ring {
    uint64_t head, tail;   /* bytes taken out and put in, ever; of a counter: tail is the count */
    uint32_t lock[2];      /* pid of who takes out, puts in; 0: nobody */
    uint32_t waits[2];     /* somebody waits for data, for room */
    uint32_t watched;      /* somebody parked at the server */
    uint32_t gone[2];      /* it was learnt that no reader, no writer is left */
    uint32_t changes[2];   /* of what a reader, a writer watches: for edge-triggered watchers */
    uint32_t closes;       /* files that were closed, here or there */
    uint32_t opens[2];     /* of a named fifo: how often its ends were */
    uint64_t limit;        /* bytes that may wait, if fewer than fit; 0: as many as fit */
    uint64_t generation;   /* of a named fifo: whether its contents are of those who have it open */
};
#define RING_DATA 4096u

struct file;
/* A process's hold on one: where it is mapped, and how many files here use it. */
struct ring_hold {
    struct ring *ring;
    uint64_t bytes;
    uint32_t users;
    uint16_t notes[2];     /* slots: readable, writable */
    uint32_t closes_seen, looks;
    uint16_t file; /* slot of a named fifo's gate at the file system; 0: it has no name */
    bool records; /* what was sent as one is received as one; before it stands its length */
};

int64_t pipe_files(struct file *f[2]);            /* kind to be set; both with one user */
/* A named fifo that has been opened at its server, where `slot` is its gate's (which stays the
 * caller's on failure). Waits for the other end, unless the flags say not to. */
int64_t fifo_open(uint32_t slot, uint32_t flags, struct file *f);
uint32_t fifo_slot(const struct file *f); /* of a pipe: that gate; 0: it has no name */
int64_t ring_read(struct file *f, uint64_t to, size_t bytes);
/* The same; stay: and they stay. *cut: it was a record, and longer; what did not fit is gone. */
int64_t ring_receive(struct file *f, uint64_t to, size_t bytes, bool stay, bool *cut);
/* ring_write, or one record: -EMSGSIZE when it could never fit. */
int64_t ring_send(struct file *f, uint64_t from, size_t bytes);
void ring_records(struct file *f); /* from now on, for both of its ends */
void ring_end(struct file *f);     /* for all holders: no more is written or waited for */
bool ring_gone(struct file *f);    /* has the other end been closed? */
int64_t ring_write(struct file *f, uint64_t from, size_t bytes);
uint64_t ring_waiting(const struct file *f);      /* bytes that wait */
uint64_t ring_capacity(const struct file *f);     /* bytes that may wait */
uint64_t ring_room(const struct file *f);         /* bytes that may still be written */
/* No more than `bytes` (of at most PIPE_CAPACITY) may wait from now on, for all holders. The
 * same, or -EBUSY: more do. */
int64_t ring_limit(struct file *f, uint64_t bytes);
uint64_t ring_first(const struct file *f);        /* the same, but of records only the first */
void ring_drop(struct file *f);
struct look;
uint32_t ring_ready(struct file *f, struct look *look);
bool ring_idle(const struct file *f); /* a reading end, and certainly nothing to report */
/* The hold of a reading end; NULL: f is none. */
const struct ring_hold *ring_reader(const struct file *f);
/* Nothing to read, and no reason to ask whether the writers have gone: `deaths` as in struct
 * self. */
static inline bool ring_quiet(const struct ring_hold *h, uint32_t deaths)
{
    const struct ring *r = h->ring;
    return r->head == r->tail && !r->gone[RING_WRITER] && r->closes + deaths == h->closes_seen;
}
/* An eventfd before a fork: its count moves to memory that both will share. */
void event_share(struct file *f);
int64_t event_count_read(struct file *f, uint64_t *value);
int64_t event_count_add(struct file *f, uint64_t value);
