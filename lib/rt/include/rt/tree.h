// SPDX-License-Identifier: MIT
/*
 * A balanced tree (AVL) of nodes that live inside the caller's structs.
 *
 *     struct area { struct tree_node node; uint64_t start; };
 *
 *     static int by_start(const struct tree_node *node, const void *key)
 *     {
 *             uint64_t start = TREE_ITEM(struct area, node, node)->start;
 *             uint64_t wanted = *(const uint64_t *)key;
 *
 *             return start < wanted ? -1 : start > wanted;
 *     }
 *     struct tree areas = { .order = by_start };
 *     tree_insert(&areas, &area->node, &area->start);
 *
 * The tree allocates nothing, owns nothing and has no lock. Every operation takes time in
 * proportion to the logarithm of the number of nodes; height is at most 1.45 log2(n).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tree_node {
    struct tree_node *parent;
    struct tree_node *child[2]; /* smaller, larger */
    int height;                 /* 1 for a leaf */
};

/* <0, 0, >0 as the node comes before, is at, or comes after the key. */
typedef int tree_order_fn(const struct tree_node *node, const void *key);

struct tree {
    struct tree_node *root;
    tree_order_fn *order;
    size_t count;
};

/* The struct of type `type` whose member `member` is the tree node `node`. */
#define TREE_ITEM(type, member, node) ((type *)((char *)(node)-offsetof(type, member)))

/*
 * Puts `node`, whose key is `key`, into the tree. If a node with that key is there, returns it and
 * changes nothing; else returns NULL. A node must be in one tree only.
 */
struct tree_node *tree_insert(struct tree *tree, struct tree_node *node, const void *key);
/* `node` must be in the tree. */
void tree_remove(struct tree *tree, struct tree_node *node);
/* The node with that key, or NULL. */
struct tree_node *tree_find(const struct tree *tree, const void *key);
/* The first node not before the key; the last node not after it; NULL if there is none. */
struct tree_node *tree_at_or_after(const struct tree *tree, const void *key);
struct tree_node *tree_at_or_before(const struct tree *tree, const void *key);
/* In order. NULL at the end. */
struct tree_node *tree_first(const struct tree *tree);
struct tree_node *tree_last(const struct tree *tree);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_previous(const struct tree_node *node);
/*
 * Verifies links, heights, balance and count (not the order of keys, which the tree cannot know).
 * NULL if all hold, else which does not.
 */
const char *tree_check(const struct tree *tree);
