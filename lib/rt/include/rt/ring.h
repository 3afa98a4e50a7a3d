// SPDX-License-Identifier: MIT
/*
 * A ring in shared memory between one producer and one consumer that need not trust each other.
 *
 * It carries either a stream of bytes (ring_write, ring_read) or whole records (ring_put,
 * ring_get); both sides must use the same form. Waiting is the caller's: raise the peer's
 * notification when an operation says that the ring was empty (or full) before.
 *
 * Each side has a private struct ring; in shared memory are only two counters and the data. Both
 * counters count bytes since the start and never wrap (64 bits). A side reads the peer's counter
 * once per operation, checks it, and computes every address from its own private values: a hostile
 * peer can make the data wrong or the ring broken, but not make this side touch anything outside
 * the ring. Data and records are complete before the counter that publishes them is stored, with
 * one store: a side that dies in the middle of an operation loses only that operation, and its
 * successor goes on by ring_attach.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RING_LINE = 64,
    RING_RECORD_ALIGNMENT = 8, /* records take 8 bytes more than their contents, rounded up */
};

/* The start of the shared memory; `capacity` bytes of data follow. Zeroed: empty. */
struct ring_shared {
    uint64_t produced; /* written by the producer alone */
    uint8_t pad_producer[RING_LINE - 8];
    uint64_t consumed; /* written by the consumer alone */
    uint8_t pad_consumer[RING_LINE - 8];
    uint8_t data[];
};
_Static_assert(sizeof(struct ring_shared) == 2 * RING_LINE, "each counter has its cache line");

enum ring_status {
    RING_OK,
    RING_EMPTY,  /* nothing to read now */
    RING_FULL,   /* no room now */
    RING_LARGE,  /* put: never fits; get: larger than the buffer (the record stays) */
    RING_BROKEN, /* the peer's counter or a record's length is impossible; sticky */
};

struct ring {
    struct ring_shared *shared;
    size_t capacity; /* a power of two, at least 16 */
    uint64_t own;    /* this side's counter: produced or consumed */
    bool producer;
    bool broken;
};

/*
 * Begins or resumes one side. shared: ring_bytes(capacity) bytes, aligned to 8, that outlive the
 * ring. capacity: agreed outside the shared memory. False if capacity is no power of two from 16
 * to 2^31, or the counters in shared memory are impossible.
 */
bool ring_attach(struct ring *ring, void *shared, size_t capacity, bool producer);
static inline size_t ring_bytes(size_t capacity)
{
    return sizeof(struct ring_shared) + capacity;
}

/* Bytes that could be written (producer) or read (consumer) now; 0 if broken. */
size_t ring_available(struct ring *ring);

/*
 * Streams. Move as much as fits, at least one byte, else RING_FULL or RING_EMPTY. *moved gets
 * the bytes moved (0 unless RING_OK).
 */
enum ring_status ring_write(struct ring *ring, const void *from, size_t bytes, size_t *moved);
enum ring_status ring_read(struct ring *ring, void *to, size_t size, size_t *moved);

/* Records of 0 to capacity - 8 bytes, whole or not at all. *bytes: the record's length. */
enum ring_status ring_put(struct ring *ring, const void *record, size_t bytes);
enum ring_status ring_get(struct ring *ring, void *record, size_t size, size_t *bytes);
