/* SPDX-License-Identifier: MIT */
/*
 * Locks on files. Three kinds, told apart by their owner as the client names it: a process (record
 * locks: ranges, one's own replaced), LOCK_OPEN (ranges that belong to the open file) and
 * LOCK_WHOLE (flock: the open file's, a world of its own, which the others do not see).
 *
 * A lock lives in its node's list while the open file through which it was taken lives: a process
 * that dies without letting go loses its locks with the last gate to that file. Ranges are
 * [start, end); the list of one owner never overlaps itself, and neighbours of one kind are one.
 * Who waits is woken by every release and asks again.
 */
#include "ramfs.h"

struct lock {
    struct lock *next;
    struct open_file *holder;
    uint64_t owner, start, end;
    uint8_t kind;
};

static bool is_whole(uint64_t owner)
{
    return owner == LOCK_WHOLE;
}

static bool is_own(const struct lock *l, const struct lock *asked)
{
    if (l->owner != asked->owner)
        return false;
    return asked->owner < LOCK_WHOLE || l->holder == asked->holder;
}

static const struct lock *conflict(const struct node *n, const struct lock *asked)
{
    const struct lock *first = 0;
    for (const struct lock *l = n->locks; l; l = l->next)
        if (l->start < asked->end && asked->start < l->end && !is_own(l, asked) &&
            is_whole(l->owner) == is_whole(asked->owner) &&
            (l->kind == FILE_LOCK_KIND_EXCLUSIVE || asked->kind == FILE_LOCK_KIND_EXCLUSIVE) &&
            (!first || l->start < first->start))
            first = l;
    return first;
}

static bool lock_add(struct node *n, const struct lock *from, uint64_t start, uint64_t end)
{
    struct lock *l = capsule_alloc(sizeof *l);
    if (!l)
        return false;
    *l = *from;
    l->start = start;
    l->end = end;
    l->next = n->locks;
    TX_SET(n->locks, l);
    return true;
}

static void lock_remove(struct lock **at)
{
    struct lock *l = *at;
    TX_SET(*at, l->next);
    capsule_free(l, sizeof *l);
}

/* Takes the asked range out of the owner's other locks; what is left of them stays. */
static bool cut(struct node *n, const struct lock *asked)
{
    for (struct lock **at = &n->locks; *at;) {
        struct lock *l = *at;
        if (!is_own(l, asked) || l->end <= asked->start || asked->end <= l->start) {
            at = &l->next;
            continue;
        }
        struct lock old = *l;
        lock_remove(at);
        if ((old.start < asked->start && !lock_add(n, &old, old.start, asked->start)) ||
            (asked->end < old.end && !lock_add(n, &old, asked->end, old.end)))
            return false;
        at = &n->locks; /* what was added does not meet the range */
    }
    return true;
}

/* Neighbours of the same kind become part of the range that is asked for. */
static void merge(struct node *n, struct lock *asked)
{
    for (struct lock **at = &n->locks; *at;) {
        struct lock *l = *at;
        if (is_own(l, asked) && l->kind == asked->kind && l->holder == asked->holder &&
            (l->end == asked->start || asked->end == l->start)) {
            asked->start = l->start < asked->start ? l->start : asked->start;
            asked->end = l->end > asked->end ? l->end : asked->end;
            lock_remove(at);
        } else {
            at = &l->next;
        }
    }
}

uint32_t lock_set(struct open_file *o, const struct lock_request *r)
{
    struct node *n = o->node;
    struct lock asked = {0, o, r->owner, r->start, r->end, r->kind};
    const struct lock *other =
        r->kind == FILE_LOCK_KIND_UNLOCK ? 0 : conflict(n, &asked);
    if (other) {
        /* flock lets go of what it has before it asks for another kind. */
        if (is_whole(r->owner) && !cut(n, &asked))
            return FILE_ERROR_NOMEM;
        park_wake(&n->lock_waiters);
        return FILE_ERROR_AGAIN;
    }
    if (!cut(n, &asked))
        return FILE_ERROR_NOMEM;
    if (r->kind != FILE_LOCK_KIND_UNLOCK) {
        merge(n, &asked);
        if (!lock_add(n, &asked, asked.start, asked.end))
            return FILE_ERROR_NOMEM;
    }
    park_wake(&n->lock_waiters); /* an exclusive lock may have become a shared one */
    return 0;
}

bool lock_find(struct open_file *o, struct lock_request *r)
{
    struct lock asked = {0, o, r->owner, r->start, r->end, r->kind};
    const struct lock *other = conflict(o->node, &asked);
    if (!other)
        return false;
    *r = (struct lock_request){other->owner, other->start, other->end, other->kind};
    return true;
}

void locks_end(struct open_file *o)
{
    bool gone = false;
    for (struct lock **at = &o->node->locks; *at;)
        if ((*at)->holder == o) {
            lock_remove(at);
            gone = true;
        } else {
            at = &(*at)->next;
        }
    if (gone)
        park_wake(&o->node->lock_waiters);
}
