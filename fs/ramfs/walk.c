/* SPDX-License-Identifier: MIT */
/* From a path to a node: relative links are followed here; an absolute link, or ".." above
 * the root, or a mount of something foreign ends the walk, and the client goes on. */
#include "ramfs.h"
#include <rt/string.h>

/* Puts a link's target before what is left of earlier ones. */
static uint32_t expand(struct walk *w, char **pending, const struct node *link)
{
    size_t left = strlen(*pending), n = (size_t)link->size;
    const char *target = (const char *)link->tree;
    if (n + 1 + left + 1 > sizeof w->work)
        return FILE_ERROR_NAMETOOLONG;
    char rest[4096];
    memcpy(rest, *pending, left + 1);
    memcpy(w->work, target, n);
    w->work[n] = left ? '/' : 0;
    if (left)
        memcpy(w->work + n + 1, rest, left + 1);
    *pending = w->work;
    return 0;
}

static void stopped(struct walk *w, uint8_t kind, const char *at, const char *pending)
{
    w->kind = kind;
    w->walked = (uint16_t)(at - w->path);
    w->node = 0;
    if (kind == FILE_WALK_PARENT)
        w->target_length = 0;
    size_t left = strlen(pending);
    if (left && w->target_length + 1 + left < sizeof w->target) {
        w->target[w->target_length++] = '/';
        memcpy(w->target + w->target_length, pending, left);
        w->target_length += (uint32_t)left;
    }
}

/* Onto what is mounted over the place, as often as that is so. True: that is foreign. */
static bool enter(struct walk *w)
{
    struct mount *m;
    while (w->node->covers && (m = mounted_on(w->node, w->mount))) {
        w->mount = m;
        w->node = m->root;
    }
    return w->mount->foreign;
}

/* Up to the directory that holds the place. DONE, or how the walk ends there. */
static uint8_t leave(const struct caller *c, struct walk *w)
{
    for (;;) {
        if (w->node == c->root && w->mount == c->root_mount)
            return FILE_WALK_PARENT;
        if (w->node != w->mount->root || !w->mount->parent)
            break;
        w->node = w->mount->point;
        w->mount = w->mount->parent;
    }
    if (w->node == fs->root)
        return FILE_WALK_PARENT;
    if (!w->node->parent)
        return FILE_WALK_DONE; /* of a tree that was unmounted: there is nothing above */
    w->node = w->node->parent;
    return enter(w) ? FILE_WALK_FOREIGN : FILE_WALK_DONE;
}

static void stopped_foreign(struct walk *w, const char *at, const char *pending)
{
    w->target_length = (uint32_t)strlen(w->mount->texts);
    memcpy(w->target, w->mount->texts, w->target_length);
    stopped(w, FILE_WALK_FOREIGN, at, pending);
}

uint32_t walk_path(const struct caller *c, struct rpc_in path, unsigned follow, struct walk *w)
{
    char *original = w->path, *pending = w->work;
    unsigned links = 0;
    bool must_be_directory = false; /* a link before a slash at the end was followed */
    w->work[0] = 0;
    w->kind = FILE_WALK_DONE;
    w->walked = 0;
    w->target_length = 0;
    w->entry = 0;
    w->parent = 0;
    w->slash = false;
    w->node = c->at;
    w->mount = c->at_mount;
    if (path.length >= sizeof w->path || !rt_copy_from_client(path.offset, w->path, path.length))
        return path.length >= sizeof w->path ? FILE_ERROR_NAMETOOLONG : RPC_BAD_BUFFER;
    w->path[path.length] = 0;
    w->walked = (uint16_t)path.length;
    for (;;) {
        char **source = *pending ? &pending : &original;
        while (**source == '/')
            (*source)++;
        if (!**source) {
            if (source == &pending)
                continue;
            return 0;
        }
        char *name = *source;
        while (**source && **source != '/')
            (*source)++;
        uint32_t length = (uint32_t)(*source - name);
        bool slash = **source == '/';
        while (**source == '/')
            (*source)++;
        bool last = !*pending && !*original;
        if (!w->node)
            return FILE_ERROR_NOENT;
        if ((w->node->mode & S_TYPE) != S_DIRECTORY)
            return FILE_ERROR_NOTDIR;
        if (!may(c->session, w->node, MAY_EXECUTE))
            return FILE_ERROR_ACCES;
        if (length > FILE_NAME_MAX)
            return FILE_ERROR_NAMETOOLONG;
        w->slash = last && (slash || must_be_directory);
        w->last = name;
        w->last_length = length;
        w->entry = 0;
        if (length == 1 && name[0] == '.')
            continue;
        if (length == 2 && name[0] == '.' && name[1] == '.') {
            uint8_t kind = leave(c, w);
            if (kind == FILE_WALK_DONE)
                continue;
            if (!c->session)
                return FILE_ERROR_ACCES; /* whose root? */
            if (kind == FILE_WALK_FOREIGN)
                stopped_foreign(w, original, pending);
            else
                stopped(w, FILE_WALK_PARENT, original, pending);
            return 0;
        }
        w->parent = w->node;
        w->parent_mount = w->mount;
        w->entry = entry_find(w->parent, name, length);
        w->node = w->entry ? w->entry->node : 0;
        if (!w->node) {
            if (!last)
                return FILE_ERROR_NOENT;
            continue;
        }
        if (w->node->covers && !(last && follow == WALK_NEVER) && enter(w) &&
            !(last && c->foreign)) {
            stopped_foreign(w, original, pending);
            return 0;
        }
        if ((w->node->mode & S_TYPE) != S_LINK ||
            (last && (follow == WALK_NEVER || (follow == WALK_STAY && !slash))))
            continue;
        if (++links > FILE_LINKS_MAX)
            return FILE_ERROR_LOOP;
        must_be_directory |= last && slash;
        const char *target = (const char *)w->node->tree;
        if (target[0] == '/') {
            w->target_length = (uint32_t)w->node->size;
            memcpy(w->target, target, w->target_length);
            stopped(w, FILE_WALK_LINK, original, pending);
            return 0;
        }
        uint32_t status = expand(w, &pending, w->node);
        if (status)
            return status;
        w->node = w->parent;
        w->mount = w->parent_mount;
    }
}
