/* SPDX-License-Identifier: MIT */
/* The first contents: a cpio archive, "newc" format (fields of eight hexadecimal digits:
 * ino mode uid gid nlink mtime size devmajor devminor rdevmajor rdevminor namesize check). */
#include "ramfs.h"
#include <rt/string.h>

#define HEADER 110u

static uint32_t field(const uint8_t *header, unsigned i)
{
    uint32_t v = 0;
    for (unsigned k = 0; k < 8; k++) {
        uint8_t c = header[6 + i * 8 + k];
        v = v << 4 | (uint32_t)(c >= '0' && c <= '9'   ? c - '0'
                                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                       : 0);
    }
    return v;
}

/* The directory that name is in, made on the way; the last part in *last. */
static struct node *directory_of(const char *name, const char **last)
{
    struct node *d = fs->root;
    for (;;) {
        while (*name == '/')
            name++;
        const char *end = name;
        while (*end && *end != '/')
            end++;
        const char *rest = end;
        while (*rest == '/')
            rest++;
        if (!*rest) {
            *last = name;
            return d;
        }
        uint32_t n = (uint32_t)(end - name);
        if (!(n == 1 && *name == '.')) {
            struct entry *e = entry_find(d, name, n);
            struct node *next = e ? e->node : node_new(S_DIRECTORY | 0755, d->volume);
            if (!next || (!e && !entry_add(d, name, n, next)) ||
                (next->mode & S_TYPE) != S_DIRECTORY)
                return 0;
            d = next;
        }
        name = rest;
    }
}

/* Files with several names, by their number in the archive. Kept until all is filled in. */
#define HARD_BUCKETS 512u
struct hard {
    struct hard *next;
    struct node *node;
    uint32_t number;
};

static struct hard **hard_bucket(uint32_t number)
{
    return &fs->hards[number * 2654435761u >> 23];
}

static struct node *hard_find(uint32_t number)
{
    struct hard *h = fs->hards ? *hard_bucket(number) : 0;
    while (h && h->number != number)
        h = h->next;
    return h ? h->node : 0;
}

static bool hard_add(uint32_t number, struct node *n)
{
    if (!fs->hards) {
        struct hard **all = capsule_alloc(HARD_BUCKETS * sizeof *all);
        if (!all)
            return false;
        TX_SET(fs->hards, all);
    }
    struct hard *h = capsule_alloc(sizeof *h);
    if (!h)
        return false;
    *h = (struct hard){*hard_bucket(number), n, number};
    TX_SET(*hard_bucket(number), h);
    return true;
}

static void hards_free(void)
{
    for (unsigned i = 0; fs->hards && i < HARD_BUCKETS; i++)
        while (fs->hards[i]) {
            struct hard *h = fs->hards[i];
            tx_begin();
            TX_SET(fs->hards[i], h->next);
            capsule_free(h, sizeof *h);
            tx_commit();
        }
    tx_begin();
    if (fs->hards)
        capsule_free(fs->hards, HARD_BUCKETS * sizeof *fs->hards);
    TX_SET(fs->hards, 0);
    tx_commit();
}

/* Goes on where an incarnation before this one was killed. */
static bool fill_data(struct node *n, const uint8_t *data, uint64_t size)
{
    for (uint64_t at = fs->fill_data; at < size; at += PAGE) {
        uint8_t *p = node_page_make(n, at / PAGE);
        if (!p)
            return false;
        memcpy(p, data + at, size - at < PAGE ? size - at : PAGE);
        if (at % (256 * PAGE) == 255 * PAGE) { /* a log's worth */
            TX_SET(fs->fill_data, at + PAGE);
            tx_commit();
            tx_begin();
        }
    }
    TX_SET(n->size, size);
    TX_SET(fs->fill_data, 0);
    return true;
}

static bool fill_member(const uint8_t *h, const char *name, const uint8_t *data, uint64_t size)
{
    uint32_t mode = field(h, 1), type = mode & S_TYPE;
    const char *last = name;
    struct node *d = directory_of(name, &last), *n = 0;
    uint32_t length = (uint32_t)strcspn(last, "/");
    if (!d)
        return false;
    bool root = !length || (length == 1 && *last == '.');
    struct entry *e = root ? 0 : entry_find(d, last, length);
    if (root)
        n = fs->root;
    else if (e)
        n = e->node;
    else if (type != S_DIRECTORY && field(h, 4) > 1)
        n = hard_find(field(h, 0));
    bool fresh = !n;
    if (fresh && !(n = node_new(mode, fs->root->volume)))
        return false;
    tx_save(n, sizeof *n);
    n->mode = mode;
    n->owner = field(h, 2);
    n->group = field(h, 3);
    n->modified = n->accessed = n->changed = (int64_t)field(h, 5) * 1000000000;
    n->special = (uint64_t)field(h, 9) << 8 | field(h, 10);
    int64_t modified = n->modified;
    if (!root && !e && !entry_add(d, last, length, n))
        return false;
    if (fresh && type != S_DIRECTORY && field(h, 4) > 1 && !hard_add(field(h, 0), n))
        return false;
    if (type == S_LINK && size < PAGE && !n->tree) {
        char *text = capsule_alloc(size + 1);
        if (!text)
            return false;
        memcpy(text, data, size);
        TX_SET(n->tree, (uint64_t)text);
        TX_SET(n->size, size);
    }
    if (type == S_REGULAR && size && !fill_data(n, data, size))
        return false;
    TX_SET(n->modified, modified);
    return true;
}

static void fill_members(const uint8_t *a, uint64_t bytes)
{
    while (fs->fill_at + HEADER <= bytes) {
        uint64_t at = fs->fill_at;
        const uint8_t *h = a + at;
        if (memcmp(h, "070701", 6)) {
            rt_log("root archive: damaged at byte %lu", at);
            return;
        }
        uint64_t size = field(h, 6), name_size = field(h, 11);
        uint64_t data = (at + HEADER + name_size + 3) & ~3ull;
        if (!name_size || data > bytes || size > bytes - data || h[HEADER + name_size - 1]) {
            rt_log("root archive: member at byte %lu is damaged", at);
            return;
        }
        const char *name = (const char *)h + HEADER;
        if (!strcmp(name, "TRAILER!!!"))
            break;
        tx_begin();
        bool done = fill_member(h, name, a + data, size);
        if (done) {
            TX_SET(fs->fill_at, (data + size + 3) & ~3ull);
            TX_SET(fs->fill_members, fs->fill_members + 1);
        }
        tx_commit();
        if (!done) {
            rt_log("root archive: no room for %s", name);
            return;
        }
    }
}

void fill_from_archive(const uint8_t *a, uint64_t bytes)
{
    fill_members(a, bytes);
    hards_free();
    rt_log("%lu files, %lu MiB free", fs->fill_members, capsule_pages_free() / 256);
}
