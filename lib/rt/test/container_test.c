// SPDX-License-Identifier: MIT
/*
 * Tree, hash table and sorting against the simplest thing that does the same: an array indexed by
 * key for the containers, the C library's qsort for sorting.
 */
#include <rt/hash.h>
#include <rt/heap.h>
#include <rt/sort.h>
#include <rt/tree.h>

#include "restore.h"

#include "test.h"

#include <string.h>

enum { KEYS = 500, ROUNDS = 30000, ARENA = 4 * 1024 * 1024 };

struct entry {
    struct tree_node node;
    uint64_t key;
    bool in;
};

static struct entry entries[KEYS];
static _Alignas(16) char arena[ARENA];
static size_t arena_used;
static size_t arena_limit;

static bool grow(void *context, size_t bytes, void **base)
{
    (void)context;
    if (bytes > arena_limit - arena_used)
        return false;
    *base = arena + arena_used;
    arena_used += bytes;
    return true;
}

static void reset(size_t limit)
{
    struct heap_hooks hooks = {.grow = grow};

    arena_used = 0;
    arena_limit = limit;
    heap_start(&hooks);
    for (uint64_t key = 0; key < KEYS; key++)
        entries[key] = (struct entry){.key = key};
}

static struct entry *entry_of(const struct tree_node *node)
{
    return node ? TREE_ITEM(struct entry, node, node) : NULL;
}

static int by_key(const struct tree_node *node, const void *key)
{
    uint64_t own = entry_of(node)->key, wanted = *(const uint64_t *)key;

    return own < wanted ? -1 : own > wanted;
}

/* The entry at or next to `key` in the direction given, by looking at all. */
static struct entry *scan(uint64_t key, int step)
{
    for (; key < KEYS; key += (uint64_t)(int64_t)step)
        if (entries[key].in)
            return &entries[key];
    return NULL;
}

static void check_tree(const struct tree *tree, uint64_t key)
{
    CHECK(!tree_check(tree), "%s", tree_check(tree));
    CHECK((tree_find(tree, &key) != NULL) == entries[key].in);
    CHECK(entry_of(tree_at_or_after(tree, &key)) == scan(key, 1));
    CHECK(entry_of(tree_at_or_before(tree, &key)) == scan(key, -1));
    CHECK(entry_of(tree_first(tree)) == scan(0, 1));
    CHECK(entry_of(tree_last(tree)) == scan(KEYS - 1, -1));
    if (entries[key].in) {
        CHECK(entry_of(tree_next(&entries[key].node)) == scan(key + 1, 1));
        CHECK(entry_of(tree_previous(&entries[key].node)) == scan(key - 1, -1));
    }
}

static void tree_agrees(void)
{
    struct tree tree = {.order = by_key};
    uint64_t filling = 1;

    reset(0);
    for (int round = 0; round < ROUNDS && !test_failed; round++) {
        uint64_t key = test_below(KEYS);

        if (round % 2000 == 0)
            filling = !filling;
        if (test_below(4) ? filling : !filling) {
            struct tree_node *there = tree_insert(&tree, &entries[key].node, &key);

            CHECK((there != NULL) == entries[key].in);
            entries[key].in = true;
        } else if (entries[key].in) {
            tree_remove(&tree, &entries[key].node);
            entries[key].in = false;
        }
        check_tree(&tree, test_below(KEYS));
    }
}

static void tree_ascending(void)
{
    struct tree tree = {.order = by_key};

    reset(0);
    for (uint64_t key = 0; key < KEYS; key++)
        CHECK(!tree_insert(&tree, &entries[key].node, &key));
    CHECK(!tree_check(&tree));
    CHECK(tree.root->height <= 10, "height %d", tree.root->height);
    while (tree.root) {
        tree_remove(&tree, tree.root);
        CHECK(!tree_check(&tree));
    }
    CHECK(tree.count == 0);
}

static bool same_key(const void *item, const void *key)
{
    return ((const struct entry *)item)->key == *(const uint64_t *)key;
}

static uint64_t (*hash_of)(uint64_t key);

static uint64_t good_hash(uint64_t key)
{
    return hash_word(key, 42);
}

static uint64_t bad_hash(uint64_t key)
{
    return key % 3 - 1;
}

static void run_hash(size_t limit)
{
    struct hash_table table = {.matches = same_key};
    size_t count = 0, seen = 0, position = 0;
    struct entry *item;

    reset(limit);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t key = test_below(KEYS), hash = hash_of(key);

        item = hash_find(&table, hash, &key);
        CHECK(item == (entries[key].in ? &entries[key] : NULL));
        if (entries[key].in && (test_below(2) || count > KEYS / 2)) {
            CHECK(hash_remove(&table, hash, &key) == item);
            entries[key].in = false;
            count--;
        } else if (!entries[key].in && hash_insert(&table, hash, &entries[key])) {
            entries[key].in = true;
            count++;
        }
        CHECK(table.count == count);
        CHECK(round % 16 || !hash_check(&table), "%s", hash_check(&table));
    }
    while ((item = hash_each(&table, &position))) {
        CHECK(item->in);
        seen++;
    }
    CHECK(seen == count);
    hash_free(&table);
    CHECK(heap_default.used_bytes == 0 && !heap_check(&heap_default));
}

static void hash_agrees(void)
{
    hash_of = good_hash;
    run_hash(ARENA);
}

static void hash_collides(void)
{
    hash_of = bad_hash;
    run_hash(ARENA);
}

static void hash_out_of_memory(void)
{
    hash_of = good_hash;
    run_hash(0);
}

/* Every bit of the input should change about half of the result's bits. */
static void hash_spreads(void)
{
    unsigned char text[24];
    unsigned long changed = 0, samples = 0;

    for (int round = 0; round < 200; round++) {
        uint64_t before;

        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = (unsigned char)test_random();
        before = hash_bytes(text, sizeof(text), 1);
        CHECK(before != hash_bytes(text, sizeof(text) - 1, 1));
        CHECK(before != hash_bytes(text, sizeof(text), 2));
        for (size_t bit = 0; bit < sizeof(text) * 8; bit++) {
            text[bit / 8] ^= (unsigned char)(1 << bit % 8);
            changed += (unsigned)__builtin_popcountll(before ^ hash_bytes(text, sizeof(text), 1));
            samples++;
            text[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
    }
    CHECK(changed > samples * 31 && changed < samples * 33, "%lu of %lu", changed, samples);
}

struct wide {
    uint32_t key;
    char text[9];
};

static int wide_order(const void *a, const void *b)
{
    uint32_t x = ((const struct wide *)a)->key, y = ((const struct wide *)b)->key;

    return x < y ? -1 : x > y;
}

static int byte_order(const void *a, const void *b)
{
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

/* Random, ascending, descending, few values, organ pipes. */
static uint32_t pattern(int kind, size_t index, size_t count)
{
    switch (kind) {
    case 0:
        return (uint32_t)test_random();
    case 1:
        return (uint32_t)index;
    case 2:
        return (uint32_t)(count - index);
    case 3:
        return (uint32_t)test_below(3);
    default:
        return (uint32_t)(index < count / 2 ? index : count - index);
    }
}

static void sort_agrees(void)
{
    for (int round = 0; round < 2000; round++) {
        size_t count = test_below(round % 50 ? 100 : 5000);
        struct wide *ours = calloc(count + 1, sizeof(*ours)),
                    *theirs = calloc(count + 1, sizeof(*ours));
        struct wide key = {.key = 3}, *found;

        for (size_t i = 0; i < count; i++) {
            ours[i].key = pattern(round % 5, i, count);
            memcpy(ours[i].text, &ours[i].key, 4);
        }
        memcpy(theirs, ours, count * sizeof(*ours));
        rt_qsort(ours, count, sizeof(*ours), wide_order);
        qsort(theirs, count, sizeof(*theirs), wide_order);
        for (size_t i = 0; i < count; i++)
            CHECK(ours[i].key == theirs[i].key && !memcmp(ours[i].text, &ours[i].key, 4));
        found = rt_bsearch(&key, ours, count, sizeof(*ours), wide_order);
        CHECK(
            (found != NULL) == (bsearch(&key, theirs, count, sizeof(*theirs), wide_order) != NULL));
        CHECK(!found || found->key == 3);
        free(ours);
        free(theirs);
    }
}

static unsigned long comparisons;
static unsigned next_solid;

/* McIlroy's adversary: decides the values while the sort runs so that it takes longest. */
static int adversary(const void *a, const void *b, void *context)
{
    unsigned *values = context;
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    static unsigned candidate;
    const unsigned gas = 100000;

    comparisons++;
    if (values[x] == gas && values[y] == gas)
        values[x == candidate ? x : y] = next_solid++;
    if (values[x] == gas)
        candidate = x;
    else if (values[y] == gas)
        candidate = y;
    return values[x] < values[y] ? -1 : values[x] > values[y];
}

static void sort_worst_case(void)
{
    enum { COUNT = 20000 };
    static unsigned indexes[COUNT], values[COUNT];

    comparisons = next_solid = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        indexes[i] = i;
        values[i] = 100000;
    }
    sort(indexes, COUNT, sizeof(*indexes), adversary, values);
    CHECK(comparisons < 2000000, "%lu comparisons", comparisons);
}

static int random_order(const void *a, const void *b)
{
    (void)a;
    (void)b;
    return (int)test_below(3) - 1;
}

/* An order that is none must not lead outside the array; the sanitizer watches. */
static void sort_mad_order(void)
{
    for (int round = 0; round < 300; round++) {
        size_t count = test_below(200);
        unsigned char *bytes = malloc(count + 1);
        unsigned sum = 0;

        for (size_t i = 0; i < count; i++)
            sum += bytes[i] = (unsigned char)i;
        rt_qsort(bytes, count, 1, random_order);
        for (size_t i = 0; i < count; i++)
            sum -= bytes[i];
        rt_qsort(bytes, count, 1, byte_order);
        CHECK(sum == 0 && (count < 2 || bytes[0] <= bytes[1]));
        free(bytes);
    }
}

int main(void)
{
    TEST(tree_agrees);
    TEST(tree_ascending);
    TEST(hash_agrees);
    TEST(hash_collides);
    TEST(hash_out_of_memory);
    TEST(hash_spreads);
    TEST(sort_agrees);
    TEST(sort_worst_case);
    TEST(sort_mad_order);
    return test_result();
}
