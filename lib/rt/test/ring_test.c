// SPDX-License-Identifier: MIT
/*
 * The shared-memory ring: random streams and records against a model, two threads, a side that dies
 * and is replaced, and a peer that writes anything into the shared memory.
 */
#include <rt/ring.h>
#include <rt/string.h>

#include "restore.h"

#include "test.h"

#include <pthread.h>
#include <string.h>

enum { CAPACITY = 256, ROUNDS = 100000 };

/* In an allocation of its own size, so that the sanitizer sees any access outside. */
static struct ring_shared *make_shared(size_t capacity)
{
    void *shared = aligned_alloc(8, ring_bytes(capacity));

    memset(shared, 0, ring_bytes(capacity));
    return shared;
}

static void stream_is_in_order(void)
{
    struct ring_shared *shared = make_shared(CAPACITY);
    struct ring in, out;
    unsigned char buffer[2 * CAPACITY], written = 0, read = 0;
    size_t inside = 0, moved;

    CHECK(ring_attach(&in, shared, CAPACITY, true) && ring_attach(&out, shared, CAPACITY, false));
    for (int round = 0; round < ROUNDS; round++) {
        size_t bytes = 1 + test_below(sizeof(buffer) - 1);
        enum ring_status status;

        for (size_t i = 0; i < bytes; i++)
            buffer[i] = (unsigned char)(written + i);
        CHECK(ring_available(&in) == CAPACITY - inside && ring_available(&out) == inside);
        status = ring_write(&in, buffer, bytes, &moved);
        CHECK(status == (inside == CAPACITY ? RING_FULL : RING_OK));
        CHECK(moved == (bytes < CAPACITY - inside ? bytes : CAPACITY - inside));
        inside += moved;
        written = (unsigned char)(written + moved);
        status = ring_read(&out, buffer, test_below(sizeof(buffer)), &moved);
        CHECK(status == (inside ? RING_OK : RING_EMPTY));
        inside -= moved;
        for (size_t i = 0; i < moved; i++)
            CHECK(buffer[i] == read++);
        /* A side may die at any time; its successor goes on. */
        if (!test_below(10))
            CHECK(ring_attach(&in, shared, CAPACITY, true));
        if (!test_below(10))
            CHECK(ring_attach(&out, shared, CAPACITY, false));
    }
    free(shared);
}

static void records_stay_whole(void)
{
    struct ring_shared *shared = make_shared(CAPACITY);
    struct ring in, out;
    unsigned char buffer[2 * CAPACITY];
    unsigned next_in = 0, next_out = 0;
    size_t bytes;

    CHECK(ring_attach(&in, shared, CAPACITY, true) && ring_attach(&out, shared, CAPACITY, false));
    CHECK(ring_put(&in, buffer, CAPACITY - 7) == RING_LARGE);
    CHECK(ring_get(&out, buffer, CAPACITY, &bytes) == RING_EMPTY);
    CHECK(ring_put(&in, buffer, CAPACITY - 8) == RING_OK);
    CHECK(ring_put(&in, buffer, 0) == RING_FULL);
    CHECK(ring_get(&out, buffer, 5, &bytes) == RING_LARGE && bytes == CAPACITY - 8);
    CHECK(ring_get(&out, buffer, CAPACITY, &bytes) == RING_OK && bytes == CAPACITY - 8);
    for (int round = 0; round < ROUNDS; round++) {
        if (test_below(2)) {
            memset(buffer, (int)(next_in & 0xff), sizeof(buffer));
            if (ring_put(&in, buffer, next_in % 100) == RING_OK)
                next_in++;
            else
                CHECK(next_in > next_out);
        } else if (ring_get(&out, buffer, sizeof(buffer), &bytes) == RING_OK) {
            CHECK(bytes == next_out % 100);
            for (size_t i = 0; i < bytes; i++)
                CHECK(buffer[i] == (next_out & 0xff));
            next_out++;
        } else {
            CHECK(next_in == next_out);
        }
    }
    free(shared);
}

static void *produce(void *context)
{
    struct ring ring;

    ring_attach(&ring, context, CAPACITY, true);
    for (unsigned i = 0; i < ROUNDS;) {
        unsigned char record[64];

        memset(record, (int)(i & 0xff), sizeof(record));
        if (ring_put(&ring, record, i % 64) == RING_OK)
            i++;
    }
    return NULL;
}

static void two_threads(void)
{
    struct ring_shared *shared = make_shared(CAPACITY);
    struct ring ring;
    pthread_t producer;

    CHECK(ring_attach(&ring, shared, CAPACITY, false));
    pthread_create(&producer, NULL, produce, shared);
    for (unsigned i = 0; i < ROUNDS;) {
        unsigned char record[64];
        size_t bytes;

        if (ring_get(&ring, record, sizeof(record), &bytes) != RING_OK)
            continue;
        CHECK(bytes == i % 64);
        for (size_t at = 0; at < bytes; at++)
            CHECK(record[at] == (i & 0xff));
        i++;
    }
    pthread_join(producer, NULL);
    free(shared);
}

/* Anything in the counters and the data: results may be anything, accesses stay inside. */
static void hostile_peer(void)
{
    struct ring_shared *shared = make_shared(CAPACITY);
    unsigned broken = 0;

    for (int round = 0; round < ROUNDS; round++) {
        unsigned char *buffer = malloc(CAPACITY);
        bool producer = test_below(2);
        struct ring ring;
        size_t moved;

        memset(shared, 0, ring_bytes(CAPACITY));
        shared->produced = shared->consumed = test_below(2) ? test_random() : UINT64_MAX - 5;
        CHECK(ring_attach(&ring, shared, CAPACITY, producer));
        for (int step = 0; step < 4; step++) {
            uint64_t *peer = producer ? &shared->consumed : &shared->produced;

            for (size_t i = 0; i < CAPACITY; i++)
                shared->data[i] = (uint8_t)(test_below(3) ? 0 : test_random());
            *peer = test_below(3) ? *peer + test_below(2 * CAPACITY) - CAPACITY / 2 : test_random();
            if (producer)
                test_below(2) ? ring_write(&ring, buffer, test_below(CAPACITY), &moved)
                              : ring_put(&ring, buffer, test_below(CAPACITY));
            else
                test_below(2) ? ring_read(&ring, buffer, CAPACITY, &moved)
                              : ring_get(&ring, buffer, CAPACITY, &moved);
            broken += ring.broken;
            CHECK(!ring.broken || ring_available(&ring) == 0);
        }
        free(buffer);
    }
    CHECK(broken > ROUNDS / 10, "%u", broken);
    free(shared);
}

static void attach_checks(void)
{
    struct ring_shared *shared = make_shared(CAPACITY);
    struct ring ring;

    CHECK(!ring_attach(&ring, shared, 8, true));
    CHECK(!ring_attach(&ring, shared, CAPACITY - 1, true));
    CHECK(!ring_attach(&ring, shared, (size_t)1 << 32, true));
    shared->consumed = 1;
    CHECK(!ring_attach(&ring, shared, CAPACITY, true));
    CHECK(!ring_attach(&ring, shared, CAPACITY, false));
    free(shared);
}

int main(void)
{
    TEST(stream_is_in_order);
    TEST(records_stay_whole);
    TEST(two_threads);
    TEST(hostile_peer);
    TEST(attach_checks);
    return test_result();
}
