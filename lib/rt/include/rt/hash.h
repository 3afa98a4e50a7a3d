// SPDX-License-Identifier: MIT
/*
 * A hash table of pointers to the caller's items: open addressing, linear probing, growing by
 * doubling at three quarters full, no fixed limit, no tombstones.
 *
 *     static bool same_name(const void *item, const void *key)
 *     {
 *             return !strcmp(((const struct entry *)item)->name, key);
 *     }
 *     struct hash_table names = { .matches = same_name };
 *     uint64_t hash = hash_bytes(name, strlen(name), names_seed);
 *     if (!hash_insert(&names, hash, entry)) ... out of memory
 *
 * The caller hashes its keys; use hash_bytes or hash_word with a seed that clients cannot know if
 * keys come from outside. The table owns its slots (malloc) and never the items; it has no lock.
 * Growing takes time in proportion to the number of items.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_slot {
    uint64_t hash;
    void *item; /* NULL: free */
};

struct hash_table {
    /* Whether the item has that key. Called only for items of equal hash. */
    bool (*matches)(const void *item, const void *key);
    struct hash_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed);
uint64_t hash_word(uint64_t word, uint64_t seed);

/* The item with that key, or NULL. `hash` must be the key's. */
void *hash_find(const struct hash_table *table, uint64_t hash, const void *key);
/* Adds an item (not NULL) whose key is not in the table. False: out of memory, nothing changed. */
bool hash_insert(struct hash_table *table, uint64_t hash, void *item);
/* Takes the item with that key out and returns it, or NULL. Never fails for want of memory. */
void *hash_remove(struct hash_table *table, uint64_t hash, const void *key);
/*
 * The next item in no particular order; *position starts at 0. NULL at the end. The table must
 * not change between the calls.
 */
void *hash_each(const struct hash_table *table, size_t *position);
/* Frees the slots; the table is empty and usable again. */
void hash_free(struct hash_table *table);
/* NULL if all invariants hold, else which does not. */
const char *hash_check(const struct hash_table *table);
