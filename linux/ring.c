/* SPDX-License-Identifier: MIT */
/* Pipes without a server on the way of the data: see ring.h. */
#include "ring.h"
#include "layer.h"
#include <proto/file_client.h>
#include <proto/memory_client.h>
#include <proto/pipe_client.h>
#include <proto/process_client.h>
#include <proto/ready_client.h>

#define CAPACITY PIPE_CAPACITY
#define LOCK_YIELDS 64u
#define LOCK_PAUSE_NS 1000000u
#define LOOKS_TRUSTED 32u
#define RECORD_HEAD 4u /* its length, a uint32_t */

/* ---- making and dropping --------------------------------------------------------------------- */

static int64_t hold_make(uint64_t data, struct ring_hold **made)
{
    struct ring_hold *h = layer_alloc(sizeof *h);
    uint64_t address = 0;
    if (!h)
        return -ENOMEM;
    h->bytes = RING_DATA + data;
    int64_t e = layer_shared(h->bytes, &address);
    if (e) {
        layer_free(h);
        return e;
    }
    h->ring = (struct ring *)address;
    *made = h;
    return 0;
}

static void hold_drop(struct ring_hold *h)
{
    for (unsigned end = 0; end < 2; end++)
        if (h->notes[end])
            slot_delete(h->notes[end]);
    if (h->file)
        slot_delete(h->file);
    layer_shared_free((uint64_t)h->ring, h->bytes);
    layer_free(h);
}

/* Capabilities of one reply, each moved to a slot of its own. */
static int64_t caps_keep(const uint32_t *from, uint16_t *to, unsigned count)
{
    int64_t e = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t slot = slot_take();
        if (!slot)
            e = -EMFILE;
        else if (slot_copy(from[i], slot))
            e = -EIO;
        to[i] = (uint16_t)slot;
        pith_cap_delete(SPACE_SELF, from[i]);
    }
    for (unsigned i = 0; e && i < count; i++)
        if (to[i])
            slot_delete(to[i]);
    return e;
}

static int64_t hold_create(uint64_t data, struct ring_hold **made, uint16_t slot[4])
{
    uint32_t from[4] = { 0 };
    int64_t e = hold_make(data, made);
    if (e)
        return e;
    e = errno_of(pipe_create(SLOT_PIPE, &from[0], &from[1], &from[2], &from[3]));
    if (!e)
        e = caps_keep(from, slot, 4);
    if (e) {
        hold_drop(*made);
        return e;
    }
    (*made)->notes[RING_READER] = slot[2];
    (*made)->notes[RING_WRITER] = slot[3];
    return 0;
}

int64_t pipe_files(struct file *f[2])
{
    struct ring_hold *h = 0;
    uint16_t slot[4];
    int64_t e = hold_create(CAPACITY, &h, slot);
    for (unsigned end = 0; !e && end < 2; end++) {
        f[end]->slot = slot[end];
        f[end]->value = (uint64_t)h;
        f[end]->length = end;
        h->users++;
    }
    return e;
}

static struct ring_hold *hold_of(const struct file *f)
{
    return (struct ring_hold *)f->value;
}

void ring_drop(struct file *f)
{
    struct ring_hold *h = hold_of(f);
    f->value = 0;
    __atomic_fetch_add(&h->ring->closes, 1, __ATOMIC_RELEASE);
    if (!--h->users)
        hold_drop(h);
}

/* ---- locks ----------------------------------------------------------------------------------- */

static bool process_gone(uint32_t pid)
{
    struct process_identity i;
    size_t length = 0;
    int64_t status = process_identify(SLOT_PROCESS, pid, &i, 0, &length);
    return status == PROCESS_ERROR_SRCH || (!status && i.state == PROCESS_STATE_ZOMBIE);
}

/* Threads of one process never meet here: they hold the layer's lock. */
static void ring_lock(uint32_t *lock)
{
    for (unsigned tries = 0;; tries++) {
        uint32_t holder = 0;
        if (__atomic_compare_exchange_n(lock, &holder, self.pid, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return;
        pith_thread_yield();
        if (tries % LOCK_YIELDS != LOCK_YIELDS - 1)
            continue;
        if (holder == self.pid || process_gone(holder)) {
            if (__atomic_compare_exchange_n(lock, &holder, self.pid, false, __ATOMIC_ACQUIRE,
                                            __ATOMIC_RELAXED))
                return;
        } else {
            (void)pith_notify_wait(rt_self()->notification, now_ns() + LOCK_PAUSE_NS);
        }
    }
}

static void ring_unlock(uint32_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* The server said, or a notification, that an end is closed: which are left? */
static void ends_learn(struct file *f)
{
    struct ring *r = hold_of(f)->ring;
    uint16_t found = 0;
    uint32_t changes;
    if (f->length != RING_BOTH && !ready_ready(f->slot, 0, &found, &changes))
        r->gone[!f->length] = found != 0; /* a fifo's end may have been opened again */
}

/* Is there reason to ask whether the other end was closed? Closes are counted in the header;
 * a holder that was killed did not count, so children's ends and some looks are reasons too. */
static bool doubtful(struct ring_hold *h)
{
    uint32_t closes = h->ring->closes + self.deaths;
    if (closes == h->closes_seen && ++h->looks % LOOKS_TRUSTED)
        return false;
    h->closes_seen = closes;
    return true;
}

/* Looks whether the other end was closed; takes nothing that is meant for a waiter. */
static bool other_gone(struct file *f)
{
    struct ring_hold *h = hold_of(f);
    unsigned end = (unsigned)f->length;
    if (f->length == RING_BOTH)
        return false;
    if (h->file && h->ring->gone[!end])
        ends_learn(f);
    if (h->ring->gone[!end] || !doubtful(h))
        return h->ring->gone[!end];
    struct pith_result bits = pith_notify_wait(h->notes[end], DEADLINE_POLL);
    if (bits.status)
        return false;
    if (bits.value & PIPE_CHANGED)
        pith_notify_raise(h->notes[end], PIPE_CHANGED);
    if (bits.value & PIPE_CLOSED)
        ends_learn(f);
    return h->ring->gone[!end];
}

/* Who waits at that end, and whoever watches, is told. */
static void ring_changed(struct file *f, unsigned other, bool enough)
{
    struct ring_hold *h = hold_of(f);
    struct ring *r = h->ring;
    r->changes[other]++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with that of ring_wait and ring_ready */
    if (enough && r->waits[other]) {
        r->waits[other] = 0;
        pith_notify_raise(h->notes[other], PIPE_CHANGED);
    }
    if (r->watched) {
        r->watched = 0;
        ready_changed(f->slot);
    }
}

typedef bool still_fn(struct file *f, size_t need);

/* Parks at the server on the thread's own notification. */
static int64_t wait_parked(struct file *f, still_fn *still, size_t need)
{
    struct look look = {.watch = true, .deadline = DEADLINE_NEVER};
    if (ring_ready(f, &look) & (POLLHUP | POLLERR) || !still(f, need))
        return 0;
    return layer_wait(DEADLINE_NEVER).status == -E_INTR ? -ERESTART : 0;
}

/* Waits for a change at an end while `still` holds. 0: look again. */
static int64_t ring_wait(struct file *f, unsigned end, still_fn *still, size_t need)
{
    struct ring_hold *h = hold_of(f);
    h->ring->waits[end] = 1;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!still(f, need))
        return 0;
    struct pith_result bits = rt_park_wait(h->notes[end], DEADLINE_NEVER);
    if (bits.status == -E_BUSY)
        return wait_parked(f, still, need);
    if (bits.status == -E_INTR)
        return -ERESTART;
    if (!bits.status && bits.value & PIPE_CLOSED && f->kind == FILE_PIPE)
        ends_learn(f);
    return 0;
}

/* ---- data ------------------------------------------------------------------------------------ */

/* F_SETPIPE_SZ may have made it less than what is mapped. Others write here, too. */
uint64_t ring_capacity(const struct file *f)
{
    uint64_t limit = hold_of(f)->ring->limit;
    return limit && limit < CAPACITY ? limit : CAPACITY;
}

int64_t ring_limit(struct file *f, uint64_t bytes)
{
    struct ring *r = hold_of(f)->ring;
    ring_lock(&r->lock[RING_WRITER]);
    bool fits = ring_waiting(f) <= bytes;
    if (fits)
        r->limit = bytes;
    ring_unlock(&r->lock[RING_WRITER]);
    if (!fits)
        return -EBUSY;
    ring_changed(f, RING_WRITER, true);
    return (int64_t)bytes;
}

uint64_t ring_waiting(const struct file *f)
{
    const struct ring *r = hold_of(f)->ring;
    uint64_t n =
        __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) - __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
    return n <= CAPACITY ? n : 0;
}

uint64_t ring_room(const struct file *f)
{
    uint64_t there = ring_waiting(f), most = ring_capacity(f);
    return there < most ? most - there : 0;
}

static bool empty(struct file *f, size_t need)
{
    (void)need;
    return !ring_waiting(f);
}

static bool full(struct file *f, size_t need)
{
    return ring_room(f) < need;
}

/* The same between the layer and the ring. */
static void copy_own(struct ring *r, uint64_t place, void *own, size_t bytes, bool out)
{
    for (size_t i = 0; i < bytes; i++) {
        uint8_t *at = (uint8_t *)r + RING_DATA + (place + i) % CAPACITY;
        if (out)
            ((uint8_t *)own)[i] = *at;
        else
            *at = ((const uint8_t *)own)[i];
    }
}

/* Bytes copied between the program and the ring at a place; short when its memory is not there. */
static size_t copy(struct ring *r, uint64_t place, uint64_t user, size_t bytes, bool out)
{
    for (size_t done = 0; done < bytes;) {
        size_t at = (place + done) % CAPACITY, now = CAPACITY - at;
        uint8_t *data = (uint8_t *)r + RING_DATA + at;
        if (now > bytes - done)
            now = bytes - done;
        if (out ? !user_write(user + done, data, now) : !user_read(data, user + done, now))
            return done;
        done += now;
    }
    return bytes;
}

/* The first record's length. Others write here, too: it is never more than what waits. */
static size_t record_bytes(struct ring *r, uint64_t there)
{
    uint32_t length = 0;
    if (there < RECORD_HEAD)
        return 0;
    copy_own(r, r->head, &length, RECORD_HEAD, true);
    return length <= there - RECORD_HEAD ? length : there - RECORD_HEAD;
}

uint64_t ring_first(const struct file *f)
{
    const struct ring_hold *h = hold_of(f);
    return h->records ? record_bytes(h->ring, ring_waiting(f)) : ring_waiting(f);
}

/* What waits goes to the program, and is taken out unless it shall stay. -EAGAIN: nothing waits. */
static int64_t take(struct file *f, uint64_t to, size_t bytes, bool stay, bool *cut)
{
    struct ring_hold *h = hold_of(f);
    struct ring *r = h->ring;
    ring_lock(&r->lock[RING_READER]);
    uint64_t there = ring_waiting(f), head = r->head, skip = h->records && there ? RECORD_HEAD : 0;
    size_t whole = h->records ? record_bytes(r, there) : there, now = whole < bytes ? whole : bytes;
    size_t done = copy(r, head + skip, to, now, true);
    bool failed = done < now && (h->records || !done);
    uint64_t taken = stay || failed ? 0 : h->records ? skip + whole : done;
    __atomic_store_n(&r->head, head + taken, __ATOMIC_RELEASE);
    ring_unlock(&r->lock[RING_READER]);
    if (!there)
        return -EAGAIN;
    if (failed)
        return -EFAULT;
    if (taken)
        ring_changed(f, RING_WRITER, ring_room(f) >= PIPE_ATOMIC);
    *cut = now < whole;
    return (int64_t)done;
}

/* Known to be; what a fifo's end was known to be may have changed. */
static bool writers_gone(struct file *f)
{
    return f->length != RING_BOTH && hold_of(f)->ring->gone[RING_WRITER] && other_gone(f);
}

static int64_t read_or_peek(struct file *f, uint64_t to, size_t bytes, bool stay, bool *cut)
{
    for (;;) {
        int64_t n = take(f, to, bytes, stay, cut);
        if (n != -EAGAIN)
            return n;
        if (writers_gone(f))
            return 0;
        if (f->flags & O_NONBLOCK)
            return !other_gone(f) ? -EAGAIN : ring_waiting(f) ? -ERESTART : 0;
        int64_t e = ring_wait(f, RING_READER, empty, 0);
        if (e)
            return e;
    }
}

int64_t ring_read(struct file *f, uint64_t to, size_t bytes)
{
    bool cut = false;
    return read_or_peek(f, to, bytes, false, &cut);
}

int64_t ring_receive(struct file *f, uint64_t to, size_t bytes, bool stay, bool *cut)
{
    return read_or_peek(f, to, bytes, stay, cut);
}

/* One piece; 0: there is no room for it. */
static int64_t piece_write(struct file *f, uint64_t from, size_t bytes, size_t need)
{
    struct ring *r = hold_of(f)->ring;
    ring_lock(&r->lock[RING_WRITER]);
    size_t room = ring_room(f), now = room < bytes ? room : bytes, done = 0;
    uint64_t tail = r->tail;
    if (room >= need) {
        done = copy(r, tail, from, now, false);
        if (done < need && done < now)
            done = 0; /* a small record goes whole or not at all */
        __atomic_store_n(&r->tail, tail + done, __ATOMIC_RELEASE);
    }
    ring_unlock(&r->lock[RING_WRITER]);
    if (room < need)
        return 0;
    if (done)
        ring_changed(f, RING_READER, true);
    return done ? (int64_t)done : -EFAULT;
}

int64_t ring_write(struct file *f, uint64_t from, size_t bytes)
{
    size_t done = 0, need = bytes <= PIPE_ATOMIC ? bytes : 1;
    while (done < bytes) {
        if (other_gone(f))
            return done ? (int64_t)done : -EPIPE;
        int64_t n = piece_write(f, from + done, bytes - done, need);
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (!n && f->flags & O_NONBLOCK)
            n = -EAGAIN;
        if (!n)
            n = ring_wait(f, RING_WRITER, full, need);
        if (n)
            return done ? (int64_t)done : n;
    }
    return (int64_t)done;
}

/* A record goes whole or not at all; 0: there is no room for it. */
static int64_t record_write(struct file *f, uint64_t from, uint32_t bytes)
{
    struct ring *r = hold_of(f)->ring;
    ring_lock(&r->lock[RING_WRITER]);
    uint64_t tail = r->tail;
    bool room = ring_room(f) >= RECORD_HEAD + bytes;
    bool done = room && copy(r, tail + RECORD_HEAD, from, bytes, false) == bytes;
    if (done) {
        copy_own(r, tail, &bytes, RECORD_HEAD, false);
        __atomic_store_n(&r->tail, tail + RECORD_HEAD + bytes, __ATOMIC_RELEASE);
    }
    ring_unlock(&r->lock[RING_WRITER]);
    if (done)
        ring_changed(f, RING_READER, true);
    return done ? (int64_t)(RECORD_HEAD + bytes) : room ? -EFAULT : 0;
}

int64_t ring_send(struct file *f, uint64_t from, size_t bytes)
{
    if (!hold_of(f)->records)
        return ring_write(f, from, bytes);
    if (bytes > CAPACITY - RECORD_HEAD)
        return -EMSGSIZE;
    for (;;) {
        if (other_gone(f))
            return -EPIPE;
        int64_t n = record_write(f, from, (uint32_t)bytes);
        if (!n)
            n = f->flags & O_NONBLOCK ? -EAGAIN
                                      : ring_wait(f, RING_WRITER, full, RECORD_HEAD + bytes);
        if (n)
            return n > 0 ? (int64_t)bytes : n;
    }
}

void ring_records(struct file *f)
{
    hold_of(f)->records = true;
}

void ring_end(struct file *f)
{
    struct ring *r = hold_of(f)->ring;
    for (unsigned end = 0; end < 2; end++) {
        r->gone[end] = 1;
        ring_changed(f, end, true);
    }
}

bool ring_gone(struct file *f)
{
    return other_gone(f);
}

/* ---- readiness ------------------------------------------------------------------------------- */

/* A fifo that no writer has opened since is not one that they have left. */
static bool awaits_first(const struct file *f)
{
    const struct ring_hold *h = hold_of(f);
    return h->file && f->position != UINT64_MAX && h->ring->opens[RING_WRITER] <= f->position;
}

static uint32_t ready_now(struct file *f)
{
    if (f->kind == FILE_EVENT) {
        uint64_t count = __atomic_load_n(&hold_of(f)->ring->tail, __ATOMIC_ACQUIRE);
        return (count ? POLLIN : 0) | (count < UINT64_MAX - 1 ? POLLOUT : 0);
    }
    uint64_t there = ring_waiting(f);
    if (f->length == RING_BOTH)
        return (there ? POLLIN : 0) | (ring_room(f) >= PIPE_ATOMIC ? POLLOUT : 0);
    if (f->length == RING_READER)
        return (there ? POLLIN : 0) | (other_gone(f) && !awaits_first(f) ? POLLHUP : 0);
    return (ring_room(f) >= PIPE_ATOMIC ? POLLOUT : 0) | (other_gone(f) ? POLLERR : 0);
}

/* Nothing to read and no doubt about the writers. */
bool ring_idle(const struct file *f)
{
    struct ring_hold *h = hold_of(f);
    return f->length == RING_READER && ring_quiet(h, self.deaths) && ++h->looks % LOOKS_TRUSTED;
}

const struct ring_hold *ring_reader(const struct file *f)
{
    return f->kind == FILE_PIPE && f->length == RING_READER ? hold_of(f) : 0;
}

uint32_t ring_ready(struct file *f, struct look *look)
{
    struct ring *r = hold_of(f)->ring;
    uint32_t found = ready_now(f);
    look->changes = f->kind == FILE_EVENT || f->length == RING_BOTH ? r->changes[0] + r->changes[1]
                                                                    : r->changes[f->length];
    if ((found && !look->edge) || !look->watch)
        return found;
    struct msg m = { .w = { READY_OP_READY | RPC_PARKS } };
    struct xfer x = { .n_caps_in = 1, .caps_in = { rt_self()->notification } };
    int64_t status = rt_call_x(f->slot, &m, &x);
    if (!status && !m.w[0]) /* not parked: there is something to learn */
        ends_learn(f);
    r->watched = 1;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return ready_now(f);
}

/* ---- named fifos: the ring is in the fifo's own pages ---------------------------------------- */

static int64_t fifo_hold(uint32_t slot, struct ring_hold **made)
{
    struct ring_hold *h = layer_alloc(sizeof *h);
    uint64_t address = 0;
    if (!h)
        return -ENOMEM;
    h->bytes = RING_DATA + CAPACITY;
    int64_t e = layer_shared(h->bytes, &address); /* a place for it */
    if (!e) {
        e = errno_of(file_map(slot, SLOT_MEMORY, address, h->bytes, 0,
            MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE, true));
        if (e)
            layer_shared_free(address, h->bytes);
    }
    if (e) {
        layer_free(h);
        return e;
    }
    h->ring = (struct ring *)address;
    *made = h;
    return 0;
}

/* What its server says of the opening of an end: see proto/pipe.idl. */
struct opening {
    uint64_t generation;
    uint32_t own, others;
    bool met;
};

/* One end: its gate's slot. The notifications are kept with the first. */
static int64_t fifo_end(struct ring_hold *h, uint32_t file, unsigned end, bool must_meet,
    uint16_t *slot, struct opening *o)
{
    uint32_t from[3] = {0};
    uint16_t to[3];
    int64_t e = errno_of(pipe_fifo(SLOT_PIPE, file, (uint8_t)end, must_meet, &o->generation,
        &o->own, &o->others, &o->met, &from[0], &from[1], &from[2]));
    if (!e)
        e = caps_keep(from, to, 3);
    if (e)
        return e;
    *slot = to[0];
    for (unsigned i = 0; i < 2; i++)
        if (h->notes[i])
            slot_delete(to[1 + i]);
        else
            h->notes[i] = to[1 + i];
    return 0;
}

/* The first who comes after all had gone finds what they left. */
static void fifo_begin(struct ring *r, uint64_t generation)
{
    ring_lock(&r->lock[RING_READER]);
    if (r->generation != generation) {
        uint32_t lock = r->lock[RING_READER];
        memset(r, 0, sizeof *r);
        r->lock[RING_READER] = lock;
        r->generation = generation;
    }
    ring_unlock(&r->lock[RING_READER]);
}

static bool nobody_came(struct file *f, size_t others)
{
    return hold_of(f)->ring->opens[!f->length] <= others;
}

/* The end is ours; whoever waits for it goes on. Others may tell of later openings before. */
static void fifo_tell(struct file *f, unsigned end, uint32_t own)
{
    struct ring *r = hold_of(f)->ring;
    uint32_t told = r->opens[end];
    while (told < own && !__atomic_compare_exchange_n(
                             &r->opens[end], &told, own, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
    r->gone[end] = 0;
    ring_changed(f, !end, true);
}

static int64_t fifo_meet(struct file *f, const struct opening *o)
{
    while (!o->met && nobody_came(f, o->others)) {
        if (f->flags & O_NONBLOCK) {
            f->position = o->others; /* nobody has left it, because nobody was there */
            ends_learn(f);
            return 0;
        }
        int64_t e = ring_wait(f, (unsigned)f->length, nobody_came, o->others);
        if (e && nobody_came(f, o->others))
            return e; /* else: who came may have left again, and the signal be of its end */
    }
    return 0;
}

int64_t fifo_open(uint32_t slot, uint32_t flags, struct file *f)
{
    static const uint8_t ends[4] = {RING_READER, RING_WRITER, RING_BOTH, RING_BOTH};
    struct ring_hold *h = 0;
    struct opening o = {0}, second = {0};
    unsigned end = ends[flags & O_ACCMODE], first = end == RING_WRITER;
    int64_t e = fifo_hold(slot, &h);
    if (e)
        return e;
    e = fifo_end(h, slot, first, end == RING_WRITER && flags & O_NONBLOCK, &f->slot, &o);
    if (!e && end == RING_BOTH && (e = fifo_end(h, slot, RING_WRITER, false, &f->slot2, &second))) {
        slot_delete(f->slot);
        f->slot = 0;
    }
    if (e) {
        hold_drop(h);
        return e;
    }
    f->kind = FILE_PIPE;
    f->value = (uint64_t)h;
    f->length = end;
    f->position = UINT64_MAX;
    h->users = 1;
    h->file = (uint16_t)slot;
    fifo_begin(h->ring, o.generation);
    fifo_tell(f, first, o.own);
    if (end != RING_BOTH)
        return fifo_meet(f, &o);
    fifo_tell(f, RING_WRITER, second.own);
    return 0;
}

uint32_t fifo_slot(const struct file *f)
{
    return hold_of(f)->file;
}

/* ---- counters -------------------------------------------------------------------------------- */

/* Both gates stay: the server tells of a close only when nobody is left. */
void event_share(struct file *f)
{
    struct ring_hold *h = 0;
    uint16_t slot[4];
    if (f->shared || hold_create(0, &h, slot))
        return;
    h->ring->tail = f->value;
    h->users = 1;
    f->slot = slot[0];
    f->slot2 = slot[1];
    f->value = (uint64_t)h;
    f->shared = true;
}

static bool zero(struct file *f, size_t need)
{
    (void)need;
    return !__atomic_load_n(&hold_of(f)->ring->tail, __ATOMIC_ACQUIRE);
}

static bool no_room(struct file *f, size_t need)
{
    return UINT64_MAX - 1 - __atomic_load_n(&hold_of(f)->ring->tail, __ATOMIC_ACQUIRE) < need;
}

int64_t event_count_read(struct file *f, uint64_t *value)
{
    struct ring *r = hold_of(f)->ring;
    for (;;) {
        ring_lock(&r->lock[RING_WRITER]);
        *value = f->length && r->tail ? 1 : r->tail;
        __atomic_store_n(&r->tail, r->tail - *value, __ATOMIC_RELEASE);
        ring_unlock(&r->lock[RING_WRITER]);
        if (*value) {
            ring_changed(f, RING_WRITER, true);
            return 0;
        }
        int64_t e = f->flags & O_NONBLOCK ? -EAGAIN : ring_wait(f, RING_READER, zero, 0);
        if (e)
            return e;
    }
}

int64_t event_count_add(struct file *f, uint64_t value)
{
    struct ring *r = hold_of(f)->ring;
    for (;;) {
        ring_lock(&r->lock[RING_WRITER]);
        bool room = UINT64_MAX - 1 - r->tail >= value;
        if (room)
            __atomic_store_n(&r->tail, r->tail + value, __ATOMIC_RELEASE);
        ring_unlock(&r->lock[RING_WRITER]);
        if (room) {
            ring_changed(f, RING_READER, true);
            return 0;
        }
        int64_t e = f->flags & O_NONBLOCK ? -EAGAIN : ring_wait(f, RING_WRITER, no_room, value);
        if (e)
            return e;
    }
}
