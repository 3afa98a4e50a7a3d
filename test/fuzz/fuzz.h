/* SPDX-License-Identifier: MIT */
/*
 * The kernel's fuzzer: threads in spaces of their own that do random operations.
 *
 *   kfuzz.c      the controlling thread: builds worlds, watches, checks, tears down
 *   world.c      what a fuzzing thread and a server in such a world run
 *   arguments.c  operations and the arguments they get
 *
 * What a world's threads run uses no global that is written: they share text and constants
 * with the controller and nothing else. What they write is in struct world, which the
 * controller only reads, and does not trust.
 */
#pragma once
#include "guest.h"

#define WORLD_VA 0x50000000ull   /* struct world */
#define BUFFER_VA 0x52000000ull  /* a page for each thread */
#define STACK_VA 0x54000000ull   /* 4 pages for each thread, one unmapped between */
#define SERVER_VA 0x56000000ull  /* server stacks */
#define WINDOW_VA 0x60000000ull  /* where random mappings go: 1024 pages */
#define WINDOW_PAGES 1024u
#define BAD_VA 0x77770000ull

#define THREADS_MAX 8u
#define SERVER_STACKS 8u
#define PLAY_PAGES 700u          /* of the region that random operations work on */

/* Slots of a world's space. */
enum { W_PLAY = 1, W_SPACE, W_TIME, W_PORTS, W_MEMORY, W_CONTROL, W_CORE, W_THREADS,
       W_SERVICES = W_THREADS + THREADS_MAX, W_POOLS = W_SERVICES + 2, W_GATES = W_POOLS + 2,
       W_SPACES = W_GATES + 4, W_NOTIFICATIONS = W_SPACES + 2,
       W_FIRST = W_NOTIFICATIONS + 4, W_LIMIT = 250 };
/* Slots of a server's space. */
enum { V_GATE = 1, V_NOTIFICATION, V_REGION, V_FIRST = 8, V_LIMIT = 60 };

enum kind { K_NONE, K_REGION, K_SPACE, K_TIME, K_IO, K_CONTROL, K_THREAD, K_SERVICE, K_POOL,
            K_GATE, K_NOTIFICATION, K_INTERRUPT };

struct world {
    volatile uint64_t ops[THREADS_MAX], calls[THREADS_MAX];
    uint64_t ok, refused;
    uint8_t kinds[256];          /* what a slot was last filled with */
    uint8_t cores, pad[7];
};
#define WORLD ((struct world *)WORLD_VA)

struct random { uint64_t state; };
static inline uint64_t random_next(struct random *r)
{
    uint64_t x = r->state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return r->state = x;
}
static inline uint64_t random_below(struct random *r, uint64_t limit)
{
    return (random_next(r) >> 11) % limit;
}
static inline bool one_in(struct random *r, uint64_t n)
{
    return random_below(r, n) == 0;
}

struct operation { uint8_t number, weight, makes, slot_argument; const char *arguments; };
extern const struct operation operations[];
extern const uint32_t operation_count;
/* The argument of a kind (a letter of operation.arguments) for a thread. */
uint64_t argument_make(struct random *r, char kind, uint64_t buffer);

struct pith_result operation_do(uint64_t n, const uint64_t a[6]);
void fuzz_thread(uint64_t index_and_seed);
void fuzz_child(uint64_t seed);
void serve_entry(void);
