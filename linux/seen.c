/* SPDX-License-Identifier: MIT */
/*
 * What the file server need not be asked again. It raises a file's counter, in a page that we map,
 * before it answers a request that changes the file; while the counter is what it was, what we
 * learnt then holds. So fstat is answered here, and of files that are read in small pieces we read
 * ahead.
 *
 * Of a file whose counter is 0 nothing is kept. The counter is read before the contents are asked
 * for: a change in between makes it another, and what came is not used again.
 */
#include "heap.h"
#include "layer.h"
#include <proto/file_client.h>
#include <proto/memory.h>

#define SEEN 16u
#define BUFFERS 4u /* beside the first, which is for a whole small file */
#define BUFFER_BYTES (32u << 10)
#define SMALL (BUFFER_BYTES / 4) /* larger reads go to where they shall be */

static struct seen {
    const struct file *file;
    struct file_attributes attributes;
    uint32_t counter;       /* the contents': 0: nothing is known of them */
    uint32_t buffer;        /* its number + 1 */
    uint64_t start, end;    /* what is in the buffer */
    bool last;              /* the file ends there */
    uint64_t before, after; /* where the last read began and ended */
} seen[SEEN];

static TABLE uint8_t small_file[PAGE];
static struct buffer {
    uint8_t *bytes;
    const struct seen *owner;
} buffers[1 + BUFFERS];

static unsigned next_seen, next_buffer;
static bool watching;

void seen_start(void)
{
    watching = !file_watch(SLOT_ROOT, SLOT_MEMORY, COUNTERS_ADDRESS);
}

static uint32_t counter_at(uint64_t i)
{
    const uint32_t *counters = (const uint32_t *)COUNTERS_ADDRESS;
    return watching ? __atomic_load_n(&counters[i], __ATOMIC_ACQUIRE) : 0;
}

uint32_t seen_places(void)
{
    return counter_at(0);
}

uint32_t seen_counter(uint64_t node)
{
    return counter_at(1 + node % FILE_COUNTERS);
}

static uint32_t counter_of(const struct seen *s)
{
    return seen_counter(s->attributes.node);
}

static struct seen *seen_of(const struct file *f)
{
    struct seen *s = &seen[f->seen % SEEN];
    return s->file == f ? s : 0;
}

static void forget_contents(struct seen *s)
{
    s->counter = 0;
    s->before = s->after = UINT64_MAX;
}

void seen_keep(struct file *f, const struct file_attributes *a)
{
    if (!watching)
        return;
    struct seen *s = seen_of(f);
    if (!s) {
        f->seen = (uint8_t)(next_seen++ % SEEN);
        s = &seen[f->seen];
        s->file = f;
        forget_contents(s);
    }
    s->attributes = *a;
}

void seen_drop(const struct file *f)
{
    struct seen *s = seen_of(f);
    if (s)
        s->file = 0;
}

/* Are the attributes what they were? */
static bool holds_still(const struct seen *s)
{
    return s->attributes.counter && counter_of(s) == s->attributes.counter;
}

bool seen_look(const struct file *f, struct file_attributes *a)
{
    const struct seen *s = seen_of(f);
    if (!s || !holds_still(s))
        return false;
    *a = s->attributes;
    return true;
}

/* ---- contents -------------------------------------------------------------------------------- */

static uint8_t *buffer_give(struct seen *s, unsigned i)
{
    buffers[i].owner = s;
    s->buffer = i + 1;
    return buffers[i].bytes;
}

static uint8_t *buffer_large(struct seen *s)
{
    if (s->buffer > 1 && buffers[s->buffer - 1].owner == s)
        return buffers[s->buffer - 1].bytes;
    unsigned i = 1 + next_buffer++ % BUFFERS;
    uint64_t pages;
    if (!buffers[i].bytes) {
        if (layer_pages(BUFFER_BYTES, &pages))
            return 0;
        buffers[i].bytes = (uint8_t *)pages;
    }
    return buffer_give(s, i);
}

void seen_whole(struct file *f, const char *contents, size_t bytes)
{
    struct seen *s = seen_of(f);
    if (!s || bytes > sizeof small_file)
        return;
    buffers[0].bytes = small_file;
    memcpy(buffer_give(s, 0), contents, bytes);
    s->counter = s->attributes.counter;
    s->start = 0;
    s->end = bytes;
    s->last = true;
}

/* Is what lies from `at` on, or that the file ends there, in the buffer? */
static bool holds(const struct seen *s, uint64_t at, size_t bytes)
{
    return at >= s->start && (s->last ? true : at + bytes <= s->end) &&
           (at >= s->end || (s->buffer && buffers[s->buffer - 1].owner == s));
}

/* What comes next is read with it where reads follow each other, the page where they stay in it. */
static bool read_ahead(struct file *f, struct seen *s, uint64_t at, size_t bytes)
{
    bool follows = at == s->after && at != s->before;
    bool stays = at / PAGE == s->before / PAGE && at % PAGE + bytes <= PAGE;
    if (bytes > SMALL || (!follows && !stays))
        return false;
    uint8_t *to = buffer_large(s);
    uint64_t from = follows ? at : at & ~(PAGE - 1);
    size_t most = follows ? BUFFER_BYTES : PAGE;
    uint32_t counter = counter_of(s);
    int64_t n = to && counter ? file_read_at(f, from, to, most) : -1;
    if (n < 0) {
        forget_contents(s);
        return false;
    }
    s->counter = counter;
    s->start = from;
    s->end = from + (uint64_t)n;
    s->last = (size_t)n < most;
    return true;
}

bool seen_read(struct file *f, uint64_t at, uint64_t to, size_t bytes, int64_t *result)
{
    struct seen *s = seen_of(f);
    if (!s)
        return false;
    if (at >= s->attributes.size && holds_still(s)) {
        *result = 0;
        return true;
    }
    uint32_t counter = counter_of(s);
    if (s->counter && s->counter != counter)
        forget_contents(s); /* who writes too is not helped by reading ahead */
    if (!(counter && s->counter == counter && holds(s, at, bytes)) && !read_ahead(f, s, at, bytes))
        return false;
    uint64_t n = at < s->end ? s->end - at : 0;
    if (n > bytes)
        n = bytes;
    if (n && !user_write(to, buffers[s->buffer - 1].bytes + (at - s->start), n)) {
        *result = -EFAULT;
        return true;
    }
    s->before = at;
    s->after = at + n;
    *result = (int64_t)n;
    return true;
}

void seen_after(const struct file *f, uint64_t at, int64_t got)
{
    struct seen *s = seen_of(f);
    if (!s || got < 0)
        return;
    s->before = at;
    s->after = at + (uint64_t)got;
}
