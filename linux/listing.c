/* SPDX-License-Identifier: MIT */
/*
 * Who reads a directory and looks at one name after the other (ls -l, find, du, tar) is answered
 * from a listing with attributes, which is asked for at the second such look.
 *
 * A look belongs to a directory that is open here if it goes through its descriptor, or if its path
 * is the text that the directory was opened by and one more name. That text leads to the same
 * directory as long as the file server's counter of places is what it was before the directory was
 * opened. That the name is the same file, and the file as it was, tells the file's counter: who
 * takes a name away changes the file that had it.
 */
#include "layer.h"
#include <proto/file_client.h>

#define LISTINGS 4u
#define LISTING_BYTES (16u << 10)
#define TEXT_MAX 256u
#define LOOKS 2u /* as many without a listing, then it is asked for */

static TABLE struct listing {
    const struct file *directory; /* NULL: free */
    char text[TEXT_MAX];          /* how it was opened; empty: not from the working directory */
    uint32_t places;              /* before it was opened */
    bool read;                /* its entries are */
    unsigned looks;
    uint64_t from, next; /* positions: of the entries read last, and behind the listing */
    uint8_t *buffer;
    size_t bytes, cursor; /* cursor: behind the entry that was looked for last */
} listings[LISTINGS];

static unsigned next_listing;
static bool some; /* maybe: most programs look at names without that */

void listings_forget(const struct file *directory)
{
    if (!some)
        return;
    some = false;
    for (unsigned i = 0; i < LISTINGS; i++) {
        if (!directory || listings[i].directory == directory)
            listings[i].directory = 0;
        some |= listings[i].directory != 0;
    }
}

static struct listing *listing_of(const struct file *directory)
{
    for (unsigned i = 0; i < LISTINGS; i++)
        if (directory && listings[i].directory == directory)
            return &listings[i];
    return 0;
}

void listing_opened(const struct file *f, const char *text, uint32_t places)
{
    struct file_attributes a;
    size_t n = strlen(text);
    if (f->kind != FILE_DIRECTORY || !places || !seen_look(f, &a) || !strncmp(f->path, "/dev", 4))
        return;
    /* Who may not search it may not look at what is in it. */
    if (self.ids.file_user && (a.mode & 0111) != 0111)
        return;
    struct listing *l = &listings[next_listing++ % LISTINGS];
    some = true;
    while (n > 1 && text[n - 1] == '/')
        n--;
    l->directory = f;
    l->places = places;
    l->read = false;
    l->bytes = l->cursor = 0;
    l->text[0] = 0;
    if (n >= TEXT_MAX)
        return;
    memcpy(l->text, text, n);
    l->text[n] = 0;
}

void listing_read(const struct file *f, uint64_t from)
{
    struct listing *l = listing_of(f);
    if (!l)
        return;
    l->read = true;
    l->from = from;
    l->looks = 0;
    l->bytes = l->cursor = 0;
}

/* The directory that a path names with one name behind it. */
static struct listing *listing_named(const char *text, const char *name)
{
    const char *path = name == text ? "." : name == text + 1 ? "/" : text;
    size_t n = path == text ? (size_t)(name - text) - 1 : 1;
    for (unsigned i = 0; i < LISTINGS; i++) {
        struct listing *l = &listings[i];
        if (l->directory && !strncmp(l->text, path, n) && !l->text[n])
            return l;
    }
    return 0;
}

static bool ask(struct listing *l, uint64_t from)
{
    uint32_t count = 0;
    uint64_t pages;
    if (!l->buffer) {
        if (layer_pages(LISTING_BYTES, &pages))
            return false;
        l->buffer = (uint8_t *)pages;
    }
    own_ready(l->buffer, LISTING_BYTES);
    l->cursor = l->bytes = 0;
    if (file_getdents(l->directory->slot, from, false, l->buffer, LISTING_BYTES, &l->bytes, &count))
        l->bytes = 0;
    return l->bytes != 0;
}

/* The entry, at or behind the cursor; NULL: none in what is there. */
static const struct file_entry *find(struct listing *l, const char *name, size_t length)
{
    for (size_t at = l->cursor; at + sizeof(struct file_entry) <= l->bytes;) {
        const struct file_entry *e = (const struct file_entry *)(l->buffer + at);
        at += e->entry_bytes;
        l->next = e->next;
        if (e->name_bytes == length && !memcmp(e + 1, name, length)) {
            l->cursor = at;
            return e;
        }
    }
    return 0;
}

bool listing_look(
    const struct path *p, const struct file *at, bool follow, struct file_attributes *a)
{
    if (!some)
        return false;
    const char *slash = strrchr(p->text, '/'), *name = slash ? slash + 1 : p->text;
    size_t length = strlen(name);
    struct listing *l = at ? slash ? 0 : listing_of(at) : listing_named(p->text, name);
    if (!l || !l->read || !length || name[length - 1] == '.' || length > FILE_NAME_MAX)
        return false;
    if (++l->looks < LOOKS)
        return false;
    bool there = l->bytes && l->places == seen_places();
    if (!there && (l->looks > LOOKS || !ask(l, l->from)))
        return false; /* what has changed once may do so at each look */
    const struct file_entry *e = find(l, name, length);
    if (!e && l->cursor && ask(l, l->next))
        e = find(l, name, length);
    if (!e) /* who does not follow the order is not helped */
        l->bytes = l->cursor = 0;
    if (!e || l->places != seen_places() || (follow && (e->attributes.mode & S_IFMT) == S_IFLNK) ||
        !e->attributes.counter || seen_counter(e->attributes.node) != e->attributes.counter)
        return false;
    *a = e->attributes;
    return true;
}
