// SPDX-License-Identifier: MIT
/*
 * The AVL tree of rt/tree.h.
 *
 * Invariants: a child's parent is its parent; a node's height is one more than its higher child's;
 * the heights of two children differ by at most one; count is the number of nodes.
 */
#include <rt/tree.h>

enum { SMALLER = 0, LARGER = 1 };

static int height(const struct tree_node *node)
{
    return node ? node->height : 0;
}

/* How much higher the larger side is. */
static int lean(const struct tree_node *node)
{
    return height(node->child[LARGER]) - height(node->child[SMALLER]);
}

static void update_height(struct tree_node *node)
{
    int smaller = height(node->child[SMALLER]), larger = height(node->child[LARGER]);

    node->height = 1 + (smaller > larger ? smaller : larger);
}

/* The pointer that points to `node`. */
static struct tree_node **link_to(struct tree *tree, const struct tree_node *node)
{
    if (!node->parent)
        return &tree->root;
    return &node->parent->child[node->parent->child[LARGER] == node];
}

static void adopt(struct tree_node *parent, int side, struct tree_node *child)
{
    parent->child[side] = child;
    if (child)
        child->parent = parent;
}

/* Makes the child at `side` take the node's place, with the node below it. Returns that child. */
static struct tree_node *rotate(struct tree *tree, struct tree_node *node, int side)
{
    struct tree_node **link = link_to(tree, node);
    struct tree_node *up = node->child[side];

    up->parent = node->parent;
    *link = up;
    adopt(node, side, up->child[!side]);
    adopt(up, !side, node);
    update_height(node);
    update_height(up);
    return up;
}

/* From `node` to the root: sets heights right and rotates where a side is too high. */
static void rebalance(struct tree *tree, struct tree_node *node)
{
    for (; node; node = node->parent) {
        int side = lean(node) > 0 ? LARGER : SMALLER;

        update_height(node);
        if (lean(node) >= -1 && lean(node) <= 1)
            continue;
        /* A child that leans the other way would only pass the lean on. */
        if ((side == LARGER && lean(node->child[side]) < 0) ||
            (side == SMALLER && lean(node->child[side]) > 0))
            rotate(tree, node->child[side], !side);
        node = rotate(tree, node, side);
    }
}

struct tree_node *tree_insert(struct tree *tree, struct tree_node *node, const void *key)
{
    struct tree_node **link = &tree->root, *parent = NULL;

    while (*link) {
        int order = tree->order(*link, key);

        if (!order)
            return *link;
        parent = *link;
        link = &parent->child[order < 0];
    }
    *node = (struct tree_node){.parent = parent, .height = 1};
    *link = node;
    tree->count++;
    rebalance(tree, parent);
    return NULL;
}

/* Takes out a node with at most one child. Returns where rebalancing has to start. */
static struct tree_node *splice(struct tree *tree, struct tree_node *node)
{
    struct tree_node *child = node->child[node->child[SMALLER] == NULL];
    struct tree_node *parent = node->parent;

    *link_to(tree, node) = child;
    if (child)
        child->parent = parent;
    return parent;
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
    struct tree_node *start;

    if (node->child[SMALLER] && node->child[LARGER]) {
        /* The next node, which has no smaller child, takes its place. */
        struct tree_node *next = node->child[LARGER];

        while (next->child[SMALLER])
            next = next->child[SMALLER];
        start = splice(tree, next);
        if (start == node)
            start = next;
        *link_to(tree, node) = next;
        next->parent = node->parent;
        adopt(next, SMALLER, node->child[SMALLER]);
        adopt(next, LARGER, node->child[LARGER]);
    } else {
        start = splice(tree, node);
    }
    tree->count--;
    rebalance(tree, start);
}

struct tree_node *tree_find(const struct tree *tree, const void *key)
{
    struct tree_node *node = tree->root;

    while (node) {
        int order = tree->order(node, key);

        if (!order)
            break;
        node = node->child[order < 0];
    }
    return node;
}

/* The node nearest to the key on `side` of it, or at it. */
static struct tree_node *nearest(const struct tree *tree, const void *key, int side)
{
    struct tree_node *node = tree->root, *best = NULL;

    while (node) {
        int order = tree->order(node, key);

        if (!order)
            return node;
        if ((order > 0) == (side == LARGER))
            best = node;
        node = node->child[order < 0];
    }
    return best;
}

struct tree_node *tree_at_or_after(const struct tree *tree, const void *key)
{
    return nearest(tree, key, LARGER);
}

struct tree_node *tree_at_or_before(const struct tree *tree, const void *key)
{
    return nearest(tree, key, SMALLER);
}

static struct tree_node *outermost(struct tree_node *node, int side)
{
    while (node && node->child[side])
        node = node->child[side];
    return node;
}

struct tree_node *tree_first(const struct tree *tree)
{
    return outermost(tree->root, SMALLER);
}

struct tree_node *tree_last(const struct tree *tree)
{
    return outermost(tree->root, LARGER);
}

static struct tree_node *step(const struct tree_node *node, int side)
{
    if (node->child[side])
        return outermost(node->child[side], !side);
    while (node->parent && node->parent->child[side] == node)
        node = node->parent;
    return node->parent;
}

struct tree_node *tree_next(const struct tree_node *node)
{
    return step(node, LARGER);
}

struct tree_node *tree_previous(const struct tree_node *node)
{
    return step(node, SMALLER);
}

static const char *check_node(const struct tree_node *node)
{
    int smaller = height(node->child[SMALLER]), larger = height(node->child[LARGER]);

    for (int side = SMALLER; side <= LARGER; side++)
        if (node->child[side] && node->child[side]->parent != node)
            return "a child does not know its parent";
    if (node->height != 1 + (smaller > larger ? smaller : larger))
        return "a node's height is wrong";
    if (smaller > larger + 1 || larger > smaller + 1)
        return "a node is out of balance";
    return NULL;
}

const char *tree_check(const struct tree *tree)
{
    size_t count = 0;

    if (tree->root && tree->root->parent)
        return "the root has a parent";
    for (struct tree_node *node = tree_first(tree); node; node = tree_next(node)) {
        const char *reason = check_node(node);

        if (reason)
            return reason;
        if (++count > tree->count)
            break;
    }
    return count == tree->count ? NULL : "the count is wrong";
}
