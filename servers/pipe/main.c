/* SPDX-License-Identifier: MIT */
/*
 * pipe: pipes between Linux processes.
 *
 * A pipe is a record in the capsule with a ring of pages; the badge of an end's gate is the
 * record's address, plus 1 for the writing end. Invariants: used <= CAPACITY; an end's gate
 * exists while somebody may hold a capability to it; the record goes with the second end.
 * Data are copied before head or tail move, in the transaction of the stored reply.
 */
#include <proto/file_server.h>
#include <proto/pipe_server.h>
#include <proto/ready_server.h>
#include <rt/string.h>
#include <server/capsule.h>

#define PAGE 4096u
#define PAGES (PIPE_CAPACITY / PAGE)
#define EPIPE 32u

struct pipe {
    uint8_t *pages[PAGES];        /* made on first use */
    uint64_t head, used;          /* of the oldest byte; bytes */
    uint32_t changes, pad;        /* counts what happened, for watchers */
    uint32_t gates[2];            /* slots; 0: closed */
    struct park_list waiters[2];
};
struct pipe_server { uint64_t pipes, own_gate; };
struct file_server;

static struct pipe_server *root;

struct stored { uint32_t status, count; uint64_t end; };

static bool repeated(uint64_t badge, uint64_t sequence, struct stored *r)
{
    tx_begin();
    memset(r, 0, sizeof *r);
    if (!capsule_reply_find(badge, sequence, r, sizeof *r))
        return false;
    tx_commit();
    return true;
}

static uint32_t finish(uint64_t badge, uint64_t sequence, struct stored *r, uint32_t status)
{
    r->status = status;
    capsule_reply_store(badge, sequence, r, sizeof *r);
    tx_commit();
    return status;
}

static struct pipe *pipe_of(uint64_t badge)
{
    return (struct pipe *)(badge & ~1ull);
}

static uint32_t park_on(struct park_list *list)
{
    uint32_t slot = rt_keep_cap(0);
    if (slot && !park_add(list, slot))
        rt_slot_free(slot);
    tx_commit();
    return RPC_PARK;
}

uint32_t pipe_serve_create(struct pipe_server *server, uint64_t badge, uint64_t sequence,
                           uint32_t *reader, uint32_t *writer)
{
    struct { struct stored s; struct pipe *pipe; } r;
    tx_begin();
    if (capsule_reply_find(badge, sequence, &r, sizeof r)) {
        tx_commit();
    } else {
        r.pipe = capsule_alloc(sizeof *r.pipe);
        if (r.pipe) {
            r.pipe->gates[0] = rt_gate_create(rt_cap("stream"), (uint64_t)r.pipe);
            r.pipe->gates[1] = rt_gate_create(rt_cap("stream"), (uint64_t)r.pipe | 1);
        }
        if (!r.pipe || !r.pipe->gates[0] || !r.pipe->gates[1]) {
            tx_abort();
            return r.pipe ? PIPE_ERROR_MFILE : PIPE_ERROR_NOMEM;
        }
        TX_SET(server->pipes, server->pipes + 1);
        capsule_reply_store(badge, sequence, &r, sizeof r);
        tx_commit();
    }
    *reader = r.pipe->gates[0];
    *writer = r.pipe->gates[1];
    return 0;
}

uint32_t file_serve_read_next(struct file_server *server, uint64_t badge, uint64_t sequence,
                              uint32_t park, struct rpc_out *data, uint64_t *end)
{
    struct stored r;
    struct pipe *p = pipe_of(badge);
    (void)server;
    (void)park;
    (void)end;
    if (badge & 1)
        return FILE_ERROR_BADF;
    if (repeated(badge, sequence, &r)) {
        data->length = r.count;
        return r.status;
    }
    uint64_t count = p->used < data->capacity ? p->used : data->capacity;
    if (!count && data->capacity && p->gates[1])
        return park_on(&p->waiters[0]);
    for (uint64_t done = 0; done < count;) {
        uint64_t at = (p->head + done) % PIPE_CAPACITY, now = PAGE - at % PAGE;
        if (now > count - done)
            now = count - done;
        if (!rt_copy_to_client(data->offset + done, p->pages[at / PAGE] + at % PAGE, now)) {
            tx_abort();
            return RPC_BAD_BUFFER;
        }
        done += now;
    }
    TX_SET(p->head, (p->head + count) % PIPE_CAPACITY);
    TX_SET(p->used, p->used - count);
    TX_SET(p->changes, p->changes + 1);
    if (count)
        park_wake(&p->waiters[1]);
    r.count = (uint32_t)count;
    data->length = count;
    return finish(badge, sequence, &r, 0);
}

uint32_t file_serve_write(struct file_server *server, uint64_t badge, uint64_t sequence,
                          uint32_t park, uint64_t position, uint32_t flags, struct rpc_in data,
                          uint32_t *written, uint64_t *end)
{
    struct stored r;
    struct pipe *p = pipe_of(badge);
    (void)server;
    (void)park;
    (void)position;
    (void)flags;
    (void)end;
    if (!(badge & 1))
        return FILE_ERROR_BADF;
    if (repeated(badge, sequence, &r)) {
        *written = r.count;
        return r.status;
    }
    if (!p->gates[0])
        return finish(badge, sequence, &r, EPIPE);
    uint64_t room = PIPE_CAPACITY - p->used, count = data.length < room ? data.length : room;
    if (data.length && (!room || (data.length <= PIPE_ATOMIC && room < data.length)))
        return park_on(&p->waiters[1]);
    for (uint64_t done = 0; done < count;) {
        uint64_t at = (p->head + p->used + done) % PIPE_CAPACITY, now = PAGE - at % PAGE;
        if (now > count - done)
            now = count - done;
        if (!p->pages[at / PAGE]) {
            uint8_t *page = capsule_page();
            if (!page) {
                tx_abort();
                return FILE_ERROR_NOMEM;
            }
            TX_SET(p->pages[at / PAGE], page);
        }
        if (!rt_copy_from_client(data.offset + done, p->pages[at / PAGE] + at % PAGE, now)) {
            tx_abort();
            return RPC_BAD_BUFFER;
        }
        done += now;
    }
    TX_SET(p->used, p->used + count);
    TX_SET(p->changes, p->changes + 1);
    if (count)
        park_wake(&p->waiters[0]);
    r.count = *written = (uint32_t)count;
    return finish(badge, sequence, &r, 0);
}

uint32_t file_serve_look(struct file_server *server, uint64_t badge, struct rpc_in path,
                         uint32_t flags, uint8_t *walk, uint16_t *walked,
                         struct file_attributes *attributes, struct rpc_out *target)
{
    (void)server;
    (void)path;
    (void)flags;
    (void)walk;
    (void)walked;
    (void)target;
    attributes->mode = 0010600;
    attributes->node = badge >> 4;
    attributes->links = 1;
    attributes->block_size = PAGE;
    return 0;
}

uint32_t ready_serve_ready(struct ready_server *server, uint64_t badge, uint32_t park,
                           uint16_t wanted, uint16_t *found, uint32_t *changes)
{
    struct pipe *p = pipe_of(badge);
    unsigned end = badge & 1;
    (void)server;
    (void)park;
    tx_begin();
    if (!end)
        *found = (uint16_t)((p->used ? READY_EVENTS_IN : 0) | (p->gates[1] ? 0 : READY_EVENTS_HUP));
    else
        *found = (uint16_t)((PIPE_CAPACITY - p->used >= PIPE_ATOMIC ? READY_EVENTS_OUT : 0) |
                            (p->gates[0] ? 0 : READY_EVENTS_ERR));
    *found &= wanted | READY_EVENTS_ERR | READY_EVENTS_HUP;
    *changes = p->changes;
    if (!*found)
        return park_on(&p->waiters[end]);
    tx_commit();
    return 0;
}

/* ---- last closes: the main thread asks for this through a gate of its own ------------------------ */

static void end_close(uint64_t badge)
{
    struct pipe *p = pipe_of(badge);
    unsigned end = badge & 1;
    if (!p->gates[end])
        return;
    rt_gate_free(p->gates[end]);
    TX_SET(p->gates[end], 0);
    TX_SET(p->changes, p->changes + 1);
    park_wake(&p->waiters[!end]);
    if (p->gates[!end])
        return;
    park_wake(&p->waiters[end]);
    for (unsigned i = 0; i < PAGES; i++)
        capsule_page_free(p->pages[i]);
    capsule_free(p, sizeof *p);
    TX_SET(root->pipes, root->pipes - 1);
}

uint32_t file_serve_sync(struct file_server *server, uint64_t badge, uint32_t park, bool data_only)
{
    uint64_t closed;
    (void)server;
    (void)park;
    (void)data_only;
    if (badge)
        return FILE_ERROR_INVAL;
    while (rt_closed(rt_cap("stream"), &closed)) {
        if (!closed)
            continue; /* the main thread's own */
        tx_begin();
        end_close(closed);
        tx_commit();
    }
    return 0;
}

SERVER_ENTRY(pipe);
void pipe_handle(uint64_t badge, struct msg *m)
{
    m->w[0] = pipe_dispatch(root, badge, m);
}

SERVER_ENTRY(stream);
void stream_handle(uint64_t badge, struct msg *m)
{
    if (!badge && (m->w[0] & RPC_OPERATION_MASK) != FILE_OP_SYNC)
        m->w[0] = RPC_BAD_OPERATION;
    else if ((m->w[0] & RPC_OPERATION_MASK) == READY_OP_READY)
        m->w[0] = ready_dispatch(0, badge, m);
    else
        m->w[0] = file_dispatch(0, badge, m);
}

void component_main(void)
{
    (void)capsule_open(PIPE_VERSION, sizeof *root, (void **)&root);
    if (!rt_service_open("stream", stream_entry, 1) || !rt_service_open("pipe", pipe_entry, 1))
        return;
    rt_ready();
    tx_begin();
    if (!root->own_gate)
        TX_SET(root->own_gate, rt_gate_create(rt_cap("stream"), 0));
    tx_commit();
    uint32_t own = (uint32_t)root->own_gate;
    for (;;) {
        struct msg m = { .w = { FILE_OP_SYNC } };
        rt_call(own, &m);
        (void)rt_wait(UINT64_MAX);
    }
}
