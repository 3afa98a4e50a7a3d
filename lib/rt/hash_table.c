// SPDX-License-Identifier: MIT
/*
 * The hash table of rt/hash.h.
 *
 * Invariants: capacity is 0 or a power of two; count is the number of slots with an item and at
 * most three quarters of the capacity; every slot from an item's home (its hash, masked) to its
 * place has an item, so that probing may stop at the first free slot.
 */
#include <rt/hash.h>

#include <rt/heap.h>

enum { FIRST_CAPACITY = 16 };

static size_t home(const struct hash_table *table, uint64_t hash)
{
    return hash & (table->capacity - 1);
}

static size_t following(const struct hash_table *table, size_t index)
{
    return (index + 1) & (table->capacity - 1);
}

static void place(struct hash_table *table, uint64_t hash, void *item)
{
    size_t index = home(table, hash);

    while (table->slots[index].item)
        index = following(table, index);
    table->slots[index] = (struct hash_slot){.hash = hash, .item = item};
}

static bool grow(struct hash_table *table)
{
    struct hash_table larger = *table;

    larger.capacity = table->capacity ? 2 * table->capacity : FIRST_CAPACITY;
    larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
    if (!larger.slots)
        return false;
    for (size_t index = 0; index < table->capacity; index++)
        if (table->slots[index].item)
            place(&larger, table->slots[index].hash, table->slots[index].item);
    free(table->slots);
    *table = larger;
    return true;
}

/* The key's slot; false if it is not there. */
static bool locate(const struct hash_table *table, uint64_t hash, const void *key, size_t *index)
{
    if (!table->capacity)
        return false;
    for (*index = home(table, hash); table->slots[*index].item; *index = following(table, *index))
        if (table->slots[*index].hash == hash && table->matches(table->slots[*index].item, key))
            return true;
    return false;
}

void *hash_find(const struct hash_table *table, uint64_t hash, const void *key)
{
    size_t index;

    return locate(table, hash, key, &index) ? table->slots[index].item : NULL;
}

bool hash_insert(struct hash_table *table, uint64_t hash, void *item)
{
    if (table->count >= table->capacity / 4 * 3 && !grow(table))
        return false;
    place(table, hash, item);
    table->count++;
    return true;
}

/* Whether a probe from `start` to `index` passes `gap`. */
static bool passes(const struct hash_table *table, size_t start, size_t gap, size_t index)
{
    size_t mask = table->capacity - 1;

    return ((index - start) & mask) >= ((index - gap) & mask);
}

void *hash_remove(struct hash_table *table, uint64_t hash, const void *key)
{
    size_t gap, index;
    void *item;

    if (!locate(table, hash, key, &gap))
        return NULL;
    item = table->slots[gap].item;
    /* Move back each following item that could no longer be found behind the gap. */
    for (index = following(table, gap); table->slots[index].item; index = following(table, index)) {
        if (passes(table, home(table, table->slots[index].hash), gap, index)) {
            table->slots[gap] = table->slots[index];
            gap = index;
        }
    }
    table->slots[gap] = (struct hash_slot){0};
    table->count--;
    return item;
}

void *hash_each(const struct hash_table *table, size_t *position)
{
    while (*position < table->capacity) {
        void *item = table->slots[(*position)++].item;

        if (item)
            return item;
    }
    return NULL;
}

void hash_free(struct hash_table *table)
{
    free(table->slots);
    table->slots = NULL;
    table->capacity = table->count = 0;
}

const char *hash_check(const struct hash_table *table)
{
    size_t count = 0;

    if (table->capacity & (table->capacity - 1))
        return "the capacity is no power of two";
    for (size_t index = 0; index < table->capacity; index++) {
        size_t at;

        if (!table->slots[index].item)
            continue;
        count++;
        for (at = home(table, table->slots[index].hash); at != index; at = following(table, at))
            if (!table->slots[at].item)
                return "an item cannot be reached from its home";
    }
    if (count != table->count)
        return "the count is wrong";
    return count > table->capacity / 4 * 3 ? "the table is too full" : NULL;
}
