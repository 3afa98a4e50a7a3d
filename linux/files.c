/* SPDX-License-Identifier: MIT */
/*
 * Open files and descriptors.
 *
 * A file is one gate (or a device of the layer's own); descriptors name files. Invariant:
 * files[i].users counts the descriptors that name i and the calls that hold it; a file of
 * kind FILE_FREE has no users and no slot. A file's position is ours until a fork shares it.
 */
#include "heap.h"
#include "layer.h"
#include "sockets.h"
#include <proto/file_client.h>
#include <proto/memory_client.h>

#define FILES_MAX FDS_MAX
#define SLOTS_STEP 64u

static TABLE struct file files[FILES_MAX];
static TABLE uint16_t fds[FDS_MAX];
static uint64_t cloexec[FDS_MAX / 64];
static uint64_t slots[SLOTS_MAX / 64];
static uint32_t slot_hint = SLOT_FILES, slots_there = SLOTS_FIRST, slots_taken;
static uint32_t slots_window = SLOT_FILES + SLOTS_STEP; /* slots are taken below */
static uint32_t file_hint = 1, files_top = 1, fds_top;  /* tops: above all that were ever used */

uint32_t slots_end(void)
{
    uint32_t word = slots_window / 64 - 1;
    while (word > SLOT_FILES / 64 && !slots[word])
        word--;
    return (word + 1) * 64;
}

/* A fork's child got no more pages of slots than its parent's used ones needed. */
void slots_child(void)
{
    slots_window = slots_end();
    slots_there = (slots_window + SLOTS_FIRST - 1) / SLOTS_FIRST * SLOTS_FIRST;
    slot_hint = SLOT_FILES;
}

/* A slot can be filled again only when all cores have passed, so they are taken in turn; but not
 * from more than a fork shall have to look at. */
static bool window_grow(void)
{
    if (slots_window + SLOTS_STEP > slots_there) {
        if (slots_there == SLOTS_MAX || memory_slots(SLOT_MEMORY, slots_there / SLOTS_FIRST))
            return false;
        slots_there += SLOTS_FIRST;
    }
    slots_window += SLOTS_STEP;
    return true;
}

uint32_t slot_take(void)
{
    uint32_t size = slots_window - SLOT_FILES;
    if (slots_taken * 2 >= size && !window_grow() && slots_taken == size)
        return 0;
    for (;;) {
        uint32_t s = slot_hint++;
        if (slot_hint >= slots_window)
            slot_hint = SLOT_FILES;
        if (slots[s / 64] >> (s % 64) & 1)
            continue;
        slots[s / 64] |= 1ull << (s % 64);
        slots_taken++;
        return s;
    }
}

void slot_give(uint32_t slot)
{
    slots[slot / 64] &= ~(1ull << (slot % 64));
    slots_taken--;
}

void slot_delete(uint32_t slot)
{
    pith_cap_delete(SPACE_SELF, slot);
    slot_give(slot);
}

int64_t slot_copy(uint32_t from, uint32_t to)
{
    struct pith_result r;
    do
        r = pith_cap_copy(from, SPACE_SELF, to, RIGHT_ALL);
    while (r.status == -E_AGAIN);
    return r.status;
}

struct file *file_of(uint64_t fd)
{
    return fd < FDS_MAX && fds[fd] ? &files[fds[fd]] : 0;
}

struct file *file_hold(uint64_t fd)
{
    struct block *b = block_self();
    struct file *f = file_of(fd);
    if (f && b->held_count < HELD_MAX) {
        f->users++;
        b->held[b->held_count++] = f;
    }
    return f;
}

void files_unhold(struct block *b)
{
    while (b->held_count)
        file_drop(b->held[--b->held_count]);
}

int64_t file_new(struct file **f)
{
    uint32_t i = file_hint; /* none below is free */
    while (i < files_top && files[i].users)
        i++;
    if (i == FILES_MAX)
        return -EMFILE;
    file_hint = i + 1;
    if (i == files_top)
        files_top++;
    memset(&files[i], 0, sizeof files[i]);
    files[i].users = 1;
    *f = &files[i];
    return 0;
}

void file_drop(struct file *f)
{
    if (--f->users)
        return;
    if (f->kind == FILE_PLAIN || f->kind == FILE_DIRECTORY)
        seen_drop(f);
    if (f->kind == FILE_DIRECTORY)
        listings_forget(f);
    if (f->slot)
        slot_delete(f->slot);
    if (f->slot2)
        slot_delete(f->slot2);
    if (f->kind == FILE_PIPE || (f->kind == FILE_EVENT && f->shared))
        ring_drop(f);
    if (f->kind == FILE_SOCKET)
        socket_drop(f);
    if (f->kind == FILE_TEXT)
        layer_free((void *)f->value);
    if (f->kind == FILE_EPOLL)
        epoll_free(f);
    layer_free(f->path);
    memset(f, 0, sizeof *f);
    if ((uint32_t)(f - files) < file_hint)
        file_hint = (uint32_t)(f - files);
}

static void fd_set(unsigned fd, struct file *f, bool close_exec)
{
    fds[fd] = (uint16_t)(f - files);
    f->descriptors++;
    fd_set_cloexec(fd, close_exec);
    if (fd >= fds_top)
        fds_top = fd + 1;
}

int64_t fd_new(struct file *f, unsigned from, bool close_exec)
{
    for (unsigned fd = from; fd < limit_of(LIMIT_NOFILE); fd++)
        if (!fds[fd]) {
            fd_set(fd, f, close_exec);
            return fd;
        }
    file_drop(f);
    return -EMFILE;
}

int64_t fd_replace(struct file *f, unsigned fd, bool close_exec)
{
    if (fd >= FDS_MAX)
        return -EBADF;
    if (fds[fd])
        fd_close(fd);
    f->users++;
    fd_set(fd, f, close_exec);
    return fd;
}

int64_t fd_close(unsigned fd)
{
    struct file *f = file_of(fd);
    if (!f)
        return -EBADF;
    fds[fd] = NO_FILE;
    fd_set_cloexec(fd, false);
    locks_close(f);
    if (!--f->descriptors)
        epoll_forget(f);
    file_drop(f);
    return 0;
}

bool fd_cloexec(unsigned fd)
{
    return cloexec[fd / 64] >> (fd % 64) & 1;
}

void fd_set_cloexec(unsigned fd, bool on)
{
    cloexec[fd / 64] = (cloexec[fd / 64] & ~(1ull << (fd % 64))) | (uint64_t)on << (fd % 64);
}

void fd_close_exec(void)
{
    for (unsigned i = 0; i * 64 < fds_top; i++)
        while (cloexec[i])
            fd_close(i * 64 + (unsigned)__builtin_ctzll(cloexec[i]));
}

void fd_close_all(void)
{
    for (unsigned fd = 0; fd < fds_top; fd++)
        if (fds[fd])
            fd_close(fd);
}

static struct file *stream_start(uint32_t gate)
{
    struct file *f;
    uint32_t slot = slot_take();
    if (file_new(&f) || slot_copy(gate, slot))
        return 0;
    f->kind = FILE_STREAM;
    f->slot = (uint16_t)slot;
    f->flags = O_RDWR;
    return f;
}

/* A first process: descriptors 0, 1 and 2 are streams to the host, or the console, which it
 * controls. */
void files_start(void)
{
    struct file *f = 0, *errors = 0;
    terminal_drop();
    if (self.streams) {
        f = stream_start(SLOT_STREAM);
        errors = stream_start(SLOT_ERRORS);
    } else if (!terminal_open("/dev/console", O_RDWR, &f)) {
        errors = f;
    }
    if (!f || !errors)
        return;
    fd_new(f, 0, false);
    fd_replace(f, 1, false);
    if (errors == f)
        fd_replace(f, 2, false);
    else
        fd_new(errors, 2, false);
}

void files_share(void)
{
    uint64_t position;
    for (unsigned i = 1; i < files_top; i++)
        if (files[i].kind == FILE_EVENT)
            event_share(&files[i]);
        else if (files[i].kind == FILE_PLAIN && !files[i].shared) {
            file_seek(files[i].slot, (int64_t)files[i].position, FILE_WHENCE_START, &position);
            files[i].shared = true;
        }
}
