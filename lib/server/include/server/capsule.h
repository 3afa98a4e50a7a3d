/* SPDX-License-Identifier: MIT */
/*
 * The capsule: memory that survives the server's death, and atomic changes to it.
 *
 * A server may be killed between any two instructions. What it keeps in the capsule changes
 * only inside a transaction: tx_begin(); before each store tx_save(&field, size) notes the
 * old bytes in an undo log (also in the capsule); tx_commit() drops the log with one store.
 * An incarnation that starts and finds a log plays it backwards: the capsule is as before
 * the unfinished request, which its client repeats. The reply of a mutating request is
 * stored in the same transaction (capsule_reply_*), so a repeated request that was
 * committed gets that reply: exactly once.
 *
 *     tx_begin();
 *     TX_SET(node->size, new_size);
 *     capsule_reply_store(badge, sequence, &reply, sizeof reply);
 *     tx_commit();
 *
 * One transaction at a time: tx_begin takes the server's lock, tx_commit and tx_abort give
 * it back. Readers that must not see half a change take it too (tx_read_begin, tx_read_end).
 * File contents and other bulk data that a repeated request would write again need no log.
 */
#pragma once
#include <rt/component.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once, first thing in component_main: finds or makes the capsule, rolls back. root_bytes is
 * the size of the server's root structure, zeroed when fresh; *root is its address, the
 * same in each incarnation. version changes when its layout does: another version's or a
 * damaged capsule is not used (false: everything starts empty). */
bool capsule_open(uint32_t version, size_t root_bytes, void **root);

extern struct rt_lock tx_lock;
void tx_begin(void);
/* For those who change nothing in it: keeps transactions away. */
static inline void tx_read_begin(void)
{
    rt_lock(&tx_lock);
}
static inline void tx_read_end(void)
{
    rt_unlock(&tx_lock);
}
void tx_save(void *address, size_t bytes);
void tx_commit(void);
void tx_abort(void); /* undoes what was saved */
/* For work of any size whose parts may be committed one by one, so that none outgrows the undo
 * log: true when about half of the room is used; commits what was done, and goes on in a new
 * transaction without giving the lock back. */
bool tx_full(void);
void tx_split(void);
#define TX_SET(field, value) (tx_save(&(field), sizeof(field)), (field) = (value))

/* Memory of the capsule; both only inside a transaction. Blocks are zeroed, 16-aligned, of at
 * most 4096 bytes. NULL when exhausted, and for larger ones. */
void *capsule_alloc(size_t bytes);
void capsule_free(void *block, size_t bytes);
/* Whole pages, page aligned (contents not zeroed): file data and the like. */
void *capsule_page(void);
void capsule_page_free(void *page);
uint64_t capsule_pages_free(void);
/* Tests: the nth block asked for is refused, once; 0: none. What was left of the last n. */
uint64_t capsule_fail_in(uint64_t n);

/* The stored reply of a request that was done already: true and the reply (up to size
 * bytes). A request counts as repeated when badge, lane and number equal the last stored. */
bool capsule_reply_find(uint64_t badge, uint64_t sequence, void *reply, size_t size);
void capsule_reply_store(uint64_t badge, uint64_t sequence, const void *reply, size_t size);
#define CAPSULE_REPLY_MAX 200

/* Parked requests: raise-only notifications, kept in the capsule and all raised when a new
 * incarnation opens. */
struct park_list { uint32_t first; };
/* Parks the request that is being served: its capability 0 is raised by the next wake. One that is
 * in the list already stays there once, and those of the dead go. Inside a transaction. */
void park_request(struct park_list *list);
/* All of the list are raised and dropped when the transaction has been committed. */
void park_wake(struct park_list *list);
