// SPDX-License-Identifier: MIT
/*
 * The shared-memory ring of rt/ring.h.
 *
 * Ordering: publish() is a release store of this side's counter, paired with the acquire load in
 * peer_counter() on the other side. So data are written before `produced` says so, and have been
 * read before `consumed` gives their room back.
 *
 * Invariants: own equals this side's counter in shared memory as far as this side wrote it (it is
 * never read back); 0 <= produced - consumed <= capacity as seen in any one operation; each index
 * into data is masked, and each copy is split at the end of data.
 *
 * A record is a header of 8 bytes (its length) and its contents, padded to 8.
 */
#include <rt/ring.h>

#include <rt/string.h>

enum { HEADER_BYTES = 8 };

static uint64_t peer_counter(const struct ring *ring)
{
    const uint64_t *at = ring->producer ? &ring->shared->consumed : &ring->shared->produced;

    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static void publish(struct ring *ring, size_t bytes)
{
    uint64_t *at = ring->producer ? &ring->shared->produced : &ring->shared->consumed;

    ring->own += bytes;
    __atomic_store_n(at, ring->own, __ATOMIC_RELEASE);
}

bool ring_attach(struct ring *ring, void *shared, size_t capacity, bool producer)
{
    struct ring_shared *base = shared;

    if (capacity < 16 || capacity > (size_t)1 << 31 || capacity & (capacity - 1))
        return false;
    *ring = (struct ring){.shared = base, .capacity = capacity, .producer = producer};
    ring->own = __atomic_load_n(producer ? &base->produced : &base->consumed, __ATOMIC_RELAXED);
    ring_available(ring);
    return !ring->broken;
}

/* The room or data there is now; false if the peer's counter is impossible. */
static bool measure(struct ring *ring, size_t *available)
{
    uint64_t peer = peer_counter(ring);
    uint64_t filled = ring->producer ? ring->own - peer : peer - ring->own;

    if (filled > ring->capacity)
        ring->broken = true;
    *available = ring->broken ? 0 : ring->producer ? ring->capacity - filled : filled;
    return !ring->broken;
}

size_t ring_available(struct ring *ring)
{
    size_t available;

    measure(ring, &available);
    return available;
}

/* Bytes from `position` to where data wraps, at most `bytes`. */
static size_t until_wrap(const struct ring *ring, size_t position, size_t bytes)
{
    size_t left = ring->capacity - position;

    return bytes < left ? bytes : left;
}

/* Copies into the ring at `offset` bytes past the own counter. */
static void copy_in(struct ring *ring, size_t offset, const void *from, size_t bytes)
{
    size_t position = (ring->own + offset) & (ring->capacity - 1);
    size_t part = until_wrap(ring, position, bytes);

    memcpy(ring->shared->data + position, from, part);
    memcpy(ring->shared->data, (const char *)from + part, bytes - part);
}

static void copy_out(const struct ring *ring, size_t offset, void *to, size_t bytes)
{
    size_t position = (ring->own + offset) & (ring->capacity - 1);
    size_t part = until_wrap(ring, position, bytes);

    memcpy(to, ring->shared->data + position, part);
    memcpy((char *)to + part, ring->shared->data, bytes - part);
}

enum ring_status ring_write(struct ring *ring, const void *from, size_t bytes, size_t *moved)
{
    size_t room;

    *moved = 0;
    if (!measure(ring, &room))
        return RING_BROKEN;
    if (!room)
        return RING_FULL;
    *moved = bytes < room ? bytes : room;
    copy_in(ring, 0, from, *moved);
    publish(ring, *moved);
    return RING_OK;
}

enum ring_status ring_read(struct ring *ring, void *to, size_t size, size_t *moved)
{
    size_t filled;

    *moved = 0;
    if (!measure(ring, &filled))
        return RING_BROKEN;
    if (!filled)
        return RING_EMPTY;
    *moved = size < filled ? size : filled;
    copy_out(ring, 0, to, *moved);
    publish(ring, *moved);
    return RING_OK;
}

static size_t record_space(size_t bytes)
{
    return HEADER_BYTES +
           ((bytes + RING_RECORD_ALIGNMENT - 1) & ~(size_t)(RING_RECORD_ALIGNMENT - 1));
}

enum ring_status ring_put(struct ring *ring, const void *record, size_t bytes)
{
    uint64_t header = bytes;
    size_t room;

    if (bytes > ring->capacity - HEADER_BYTES)
        return RING_LARGE;
    if (!measure(ring, &room))
        return RING_BROKEN;
    if (record_space(bytes) > room)
        return RING_FULL;
    copy_in(ring, 0, &header, sizeof(header));
    copy_in(ring, HEADER_BYTES, record, bytes);
    publish(ring, record_space(bytes));
    return RING_OK;
}

enum ring_status ring_get(struct ring *ring, void *record, size_t size, size_t *bytes)
{
    uint64_t header;
    size_t filled;

    *bytes = 0;
    if (!measure(ring, &filled))
        return RING_BROKEN;
    if (!filled)
        return RING_EMPTY;
    /* The header is read once: the peer may change it at any time. */
    if (filled >= HEADER_BYTES)
        copy_out(ring, 0, &header, sizeof(header));
    if (filled < HEADER_BYTES || header > ring->capacity || record_space(header) > filled) {
        ring->broken = true;
        return RING_BROKEN;
    }
    *bytes = header;
    if (header > size)
        return RING_LARGE;
    copy_out(ring, HEADER_BYTES, record, header);
    publish(ring, record_space(header));
    return RING_OK;
}
