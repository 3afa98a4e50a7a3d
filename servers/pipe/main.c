/* SPDX-License-Identifier: MIT */
/*
 * pipe: what pipes between Linux processes need beside the memory that their holders share. No
 * data come here: see proto/pipe.idl, and linux/ring.c for the ring.
 *
 * A pipe is a record in the capsule; the badge of an end's gate is the record's address, plus 1
 * for the writing end. Invariants: an end's gate exists while somebody may hold a capability
 * to it; the record goes with the second end, and its notifications with it.
 */
#include <proto/file_client.h>
#include <proto/file_server.h>
#include <proto/pipe_server.h>
#include <proto/ready_server.h>
#include <rt/string.h>
#include <server/capsule.h>

#define PAGE 4096u
#define READER 0u
#define WRITER 1u
#define DESCRIBED_MAX 4096u             /* badges of the system description are below */
#define MAINTENANCE (DESCRIBED_MAX - 1) /* of our own gate */

struct pipe {
    struct pipe *next, *previous; /* all pipes */
    uint32_t gates[2];            /* slots; 0: closed */
    uint32_t notes[2];            /* slots: readable, writable */
    uint32_t changes, pad;        /* counts what is told of it, for watchers */
    struct park_list waiters;
    uint64_t sequence;            /* of the request that made it */
    uint64_t file, generation;    /* a named fifo's: its number at the file system */
    uint32_t opens[2];            /* and how often its ends were opened */
};
struct pipe_server {
    struct pipe *pipes, *fifos;
    uint64_t own_gate, generation;
};
struct file_server;

static struct pipe_server *root;

static struct pipe *pipe_of(uint64_t badge)
{
    return (struct pipe *)(badge & ~1ull);
}

static struct pipe *pipe_make(void)
{
    struct pipe *p = capsule_alloc(sizeof *p);
    for (unsigned end = 0; p && end < 2; end++) {
        p->gates[end] = rt_gate_create(rt_cap("pipe"), (uint64_t)p | end);
        p->notes[end] = p->gates[end] ? rt_notification_create() : 0;
        if (!p->notes[end])
            return 0;
    }
    return p;
}

/* The pipe that this request made, if it still exists. */
static struct pipe *pipe_made(const struct pipe *made, uint64_t sequence)
{
    struct pipe *p = root->pipes;
    while (p && (p != made || p->sequence != sequence))
        p = p->next;
    return p;
}

uint32_t pipe_serve_create(struct pipe_server *server, uint64_t badge, uint64_t sequence,
                           uint32_t *reader, uint32_t *writer, uint32_t *readable,
                           uint32_t *writable)
{
    struct pipe *p = 0;
    tx_begin();
    /* A repeated request gets the same, unless it was closed since for want of an owner. */
    if (!capsule_reply_find(badge, sequence, &p, sizeof p) || !(p = pipe_made(p, sequence))) {
        p = pipe_make();
        if (!p) {
            tx_abort();
            return PIPE_ERROR_MFILE;
        }
        p->sequence = sequence;
        p->next = server->pipes;
        if (p->next)
            TX_SET(p->next->previous, p);
        TX_SET(server->pipes, p);
        capsule_reply_store(badge, sequence, &p, sizeof p);
    }
    tx_commit();
    *reader = p->gates[READER];
    *writer = p->gates[WRITER];
    *readable = p->notes[READER];
    *writable = p->notes[WRITER];
    return 0;
}

static void pipe_tell(struct pipe *p)
{
    TX_SET(p->changes, p->changes + 1);
    park_wake(&p->waiters);
}

/* ---- named fifos ----------------------------------------------------------------------------- */

/* What the file system says that the capability is: no program can claim another's fifo. */
static uint32_t fifo_number(uint32_t file, uint64_t *number)
{
    struct file_attributes a;
    uint8_t walk;
    uint16_t walked;
    size_t length;
    if (!rt_cap("file") ||
        file_look(rt_cap("file"), file, "", 0, 0, &walk, &walked, &a, 0, &length) ||
        (a.mode & 0170000) != 0010000)
        return PIPE_ERROR_INVAL;
    *number = a.node;
    return 0;
}

static struct pipe *fifo_find(uint64_t number)
{
    struct pipe *p = root->fifos;
    while (p && p->file != number)
        p = p->next;
    return p;
}

/* A last close that is still to be looked at counts. */
static bool is_held(const struct pipe *p, unsigned end)
{
    struct pith_result r = pith_gate_info(p->gates[end]);
    return p->gates[end] && !r.status && r.value > 1;
}

static struct pipe *fifo_make(uint64_t number)
{
    struct pipe *p = capsule_alloc(sizeof *p);
    for (unsigned end = 0; p && end < 2; end++)
        if (!(p->notes[end] = rt_notification_create()))
            return 0;
    if (!p)
        return 0;
    TX_SET(root->generation, root->generation + 1);
    p->file = number;
    p->generation = root->generation;
    p->next = root->fifos;
    if (p->next)
        TX_SET(p->next->previous, p);
    TX_SET(root->fifos, p);
    return p;
}

uint32_t pipe_serve_fifo(struct pipe_server *server, uint64_t badge, uint32_t file, uint8_t end,
    bool must_meet, uint64_t *generation, uint32_t *own, uint32_t *others, bool *met,
    uint32_t *gate, uint32_t *readable, uint32_t *writable)
{
    uint64_t number = 0;
    (void)server;
    (void)badge;
    uint32_t status = fifo_number(file, &number);
    if (status)
        return status;
    tx_begin();
    struct pipe *p = fifo_find(number);
    if (must_meet && !(p && is_held(p, !end))) {
        tx_abort();
        return PIPE_ERROR_NXIO;
    }
    if (!p)
        p = fifo_make(number);
    if (p && !p->gates[end])
        TX_SET(p->gates[end], rt_gate_create(rt_cap("pipe"), (uint64_t)p | end));
    if (!p || !p->gates[end]) {
        tx_abort();
        return PIPE_ERROR_MFILE;
    }
    TX_SET(p->opens[end], p->opens[end] + 1);
    pipe_tell(p);
    tx_commit();
    *own = p->opens[end];
    *others = p->opens[!end];
    *met = is_held(p, !end);
    *generation = p->generation;
    *gate = p->gates[end];
    *readable = p->notes[READER];
    *writable = p->notes[WRITER];
    return 0;
}

uint32_t file_serve_look(struct file_server *server, uint64_t badge, uint32_t at,
    struct rpc_in path, uint32_t flags, uint8_t *walk, uint16_t *walked,
    struct file_attributes *attributes, struct rpc_out *target)
{
    (void)server;
    (void)at;
    (void)path;
    (void)flags;
    (void)walk;
    (void)walked;
    (void)target;
    attributes->mode = 0010600;
    attributes->node = badge >> 4;
    attributes->device = 14;
    attributes->links = 1;
    attributes->block_size = PAGE;
    return 0;
}

/* The state of the data is not known here: whoever offers a notification is told of changes. */
uint32_t ready_serve_ready(struct ready_server *server, uint64_t badge, uint32_t park,
                           uint16_t wanted, uint16_t *found, uint32_t *changes)
{
    struct pipe *p = pipe_of(badge);
    (void)server;
    (void)wanted;
    tx_begin();
    *changes = p->changes;
    if (!p->gates[!(badge & 1)])
        *found = badge & 1 ? READY_EVENTS_ERR : READY_EVENTS_HUP;
    if (!*found && park)
        park_request(&p->waiters);
    tx_commit();
    return *found || !park ? 0 : RPC_PARK;
}

uint32_t ready_serve_changed(struct ready_server *server, uint64_t badge)
{
    (void)server;
    tx_begin();
    pipe_tell(pipe_of(badge));
    tx_commit();
    return 0;
}

/* ---- last closes: the main thread asks for this through a gate of its own -------------------- */

static void end_close(uint64_t badge)
{
    struct pipe *p = pipe_of(badge);
    unsigned end = badge & 1;
    if (!p->gates[end])
        return;
    rt_gate_free(p->gates[end]);
    TX_SET(p->gates[end], 0);
    pipe_tell(p);
    for (unsigned i = 0; i < 2; i++)
        pith_notify_raise(p->notes[i], PIPE_CLOSED);
    if (p->gates[!end])
        return;
    for (unsigned i = 0; i < 2; i++)
        rt_gate_free(p->notes[i]);
    if (p->previous)
        TX_SET(p->previous->next, p->next);
    else if (p->file)
        TX_SET(root->fifos, p->next);
    else
        TX_SET(root->pipes, p->next);
    if (p->next)
        TX_SET(p->next->previous, p->previous);
    capsule_free(p, sizeof *p);
}

static void gate_closed(uint64_t badge)
{
    if (badge < DESCRIBED_MAX)
        return; /* our own */
    tx_begin();
    if (rt_gate_is(pipe_of(badge)->gates[badge & 1], rt_cap("pipe"), badge))
        end_close(badge);
    tx_commit();
}

uint32_t file_serve_sync(struct file_server *server, uint64_t badge, uint32_t park, bool data_only)
{
    uint64_t closed;
    (void)server;
    (void)park;
    (void)data_only;
    if (badge != MAINTENANCE)
        return FILE_ERROR_INVAL;
    while (rt_closed(rt_cap("pipe"), &closed))
        gate_closed(closed);
    return 0;
}

void rt_undelivered(uint32_t slot)
{
    uint64_t badge;
    if (rt_gate_unheld(slot, rt_cap("pipe"), &badge))
        gate_closed(badge);
}

/* The kernel tells of a last close once: an incarnation that died before it acted has taken the
 * knowledge with it. So the next one counts. */
static void closes_find(struct pipe *list)
{
    tx_begin();
    for (struct pipe *p = list, *next; p; p = next) {
        next = p->next;
        bool last[2];
        for (unsigned end = 0; end < 2; end++) {
            last[end] = p->gates[end] && !is_held(p, end); /* or an undone close took it */
        }
        for (unsigned end = 0; end < 2; end++)
            if (last[end])
                end_close((uint64_t)p | end);
        if (tx_full())
            tx_split();
    }
    tx_commit();
}

/* One service and one stack for everything: a gate that is on its way to its first holder has no
 * other yet, and must not be looked at as closed meanwhile. */
SERVER_ENTRY(pipe);
uint64_t pipe_handle(uint64_t badge, struct msg *m)
{
    uint64_t operation = m->w[0] & RPC_OPERATION_MASK;
    if (badge == MAINTENANCE)
        return operation == FILE_OP_SYNC ? file_dispatch(0, badge, m) : RPC_BAD_OPERATION;
    if (badge < DESCRIBED_MAX)
        return pipe_dispatch(root, badge, m);
    if (operation == READY_OP_READY || operation == READY_OP_CHANGED)
        return ready_dispatch(0, badge, m);
    return file_dispatch(0, badge, m);
}

void component_main(void)
{
    (void)capsule_open(PIPE_VERSION, sizeof *root, (void **)&root);
    closes_find(root->pipes); /* before anybody can call */
    closes_find(root->fifos);
    if (!rt_service_open("pipe", pipe_entry, 1))
        return;
    rt_ready();
    tx_begin();
    if (!root->own_gate)
        TX_SET(root->own_gate, rt_gate_create(rt_cap("pipe"), MAINTENANCE));
    tx_commit();
    uint32_t own = (uint32_t)root->own_gate;
    for (;;) {
        struct msg m = { .w = { FILE_OP_SYNC } };
        rt_call(own, &m);
        (void)rt_wait(UINT64_MAX);
    }
}
