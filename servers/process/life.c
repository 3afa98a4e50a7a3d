/* SPDX-License-Identifier: MIT */
/* Making and ending processes. */
#include "process.h"
#include <proto/memory_client.h>
#include <rt/string.h>

/* Lanes of our requests to the memory server: one for new spaces, so that the last can be
 * repeated whatever else was asked since. */
#define LANE_SPACES 60001u

#define RETRY(call)                                                                          \
    ({                                                                                       \
        struct pith_result r_;                                                               \
        do                                                                                   \
            r_ = (call);                                                                     \
        while (r_.status == -E_AGAIN);                                                       \
        r_;                                                                                  \
    })

struct process *process_find(uint64_t pid)
{
    struct process *p = processes->hash[pid % HASH];
    while (p && (p->pid != pid || !p->state))
        p = p->hash_next;
    return p;
}

static bool pid_used(uint32_t pid)
{
    for (const struct process *p = processes->all; p; p = p->next)
        if (p->pid == pid || (p->state && (p->group == pid || p->session == pid)))
            return true;
    return false;
}

static uint32_t pid_take(void)
{
    uint32_t pid = processes->last_pid;
    do
        pid = pid >= PROCESS_PID_MAX - 1 ? 2 : pid + 1;
    while (pid_used(pid));
    TX_SET(processes->last_pid, pid);
    return pid;
}

/* A capability from a reply, moved to a slot of its own. */
static uint32_t keep(uint32_t received)
{
    uint32_t slot = rt_slot_alloc();
    if (slot && RETRY(pith_cap_copy(received, SPACE_SELF, slot, RIGHT_ALL)).status) {
        rt_slot_free(slot);
        slot = 0;
    }
    pith_cap_delete(SPACE_SELF, received);
    return slot;
}

/* The numbered request for a space: a repeated one gets the same space. */
static int64_t space_ask(const struct intent *i, uint32_t *id, uint32_t *space, uint32_t *gate)
{
    struct rt_self *self = rt_self();
    uint16_t lane = self->lane;
    uint32_t number = self->number;
    self->lane = LANE_SPACES;
    self->number = (uint32_t)i->number - 1;
    int64_t status = i->from ? memory_clone(rt_cap("memory"), i->from, id, space, gate)
                             : memory_create(rt_cap("memory"), 0, id, space, gate);
    self->lane = lane;
    self->number = number;
    return status;
}

static void space_destroy(uint32_t id)
{
    while (memory_destroy(rt_cap("memory"), id) == MEMORY_ERROR_AGAIN)
        pith_thread_yield();
}

static void intent_set(uint32_t from)
{
    tx_begin();
    tx_save(&processes->intent, sizeof processes->intent);
    TX_SET(processes->memory_number, processes->memory_number + 1);
    processes->intent = (struct intent){ from, 0, processes->memory_number };
    tx_commit();
}

static void intent_clear(void)
{
    TX_SET(processes->intent.number, 0);
}

void intent_undo(void)
{
    uint32_t id = 0, space = 0, gate = 0;
    if (!processes->intent.number)
        return;
    if (!space_ask(&processes->intent, &id, &space, &gate)) {
        pith_cap_delete(SPACE_SELF, space);
        pith_cap_delete(SPACE_SELF, gate);
        space_destroy(id);
    }
    tx_begin();
    intent_clear();
    tx_commit();
}

static bool give(struct process *p, uint32_t from, uint32_t to)
{
    return from && !RETRY(pith_cap_copy(from, p->space, to, RIGHT_ALL)).status;
}

static bool caps_copy(struct process *from, struct process *to)
{
    static const uint32_t single[] = { TO_ROOT, TO_PIPE, TO_TERMINAL, TO_SUPERVISOR,
                                       TO_STREAM, TO_ERRORS };
    for (unsigned i = 0; i < sizeof single / sizeof *single; i++)
        if (RETRY(pith_caps_copy(from->space, to->space, single[i], 1)).status)
            return false;
    for (uint32_t slot = TO_FILES; slot < TO_END; slot += 64)
        if (RETRY(pith_caps_copy(from->space, to->space, slot, 64)).status)
            return false;
    return true;
}

static bool caps_first(struct process *p)
{
    /* What is not there yet is left out. */
    give(p, rt_cap("pipe"), TO_PIPE);
    give(p, rt_cap("supervisor"), TO_SUPERVISOR);
    give(p, rt_cap("stream"), TO_STREAM);
    give(p, rt_cap("errors"), TO_ERRORS);
    return give(p, rt_cap("file"), TO_ROOT) && give(p, rt_cap("terminal"), TO_TERMINAL);
}

static void record_link(struct process *p, struct process *parent)
{
    struct process **bucket = &processes->hash[p->pid % HASH];
    p->next = processes->all;
    TX_SET(processes->all, p);
    p->hash_next = *bucket;
    TX_SET(*bucket, p);
    p->parent = parent;
    if (!parent)
        return;
    p->sibling = parent->children;
    TX_SET(parent->children, p);
    p->group = parent->group;
    p->session = parent->session;
    p->ignored = parent->ignored;
    p->name_length = parent->name_length;
    memcpy(p->name, parent->name, sizeof p->name);
}

/* Fills a record around a space that exists: slots, gate, thread. */
static bool record_fill(struct process *p, struct process *parent)
{
    uint32_t thread = 0, notification = 0;
    int64_t status = memory_thread(rt_cap("memory"), p->memory, &p->thread_id, &thread, &notification);
    if (status) {
        rt_log("no thread for process %u: %ld", p->pid, status);
        return false;
    }
    p->thread = keep(thread);
    p->notification = keep(notification);
    p->gate = rt_gate_create(rt_cap("process"), p->pid);
    if (!p->thread || !p->notification || !p->gate || !give(p, p->memory_gate, TO_MEMORY) ||
        !give(p, p->gate, TO_PROCESS) || !give(p, p->notification, TO_NOTE) ||
        (parent ? !caps_copy(parent, p) : !caps_first(p))) {
        rt_log("process %u: capabilities: thread %u, notification %u, gate %u", p->pid, p->thread,
               p->notification, p->gate);
        return false;
    }
    return !RETRY(pith_space_owner(p->space, SLOT_MAIN, BIT_FAULT)).status;
}

struct process *process_make(uint64_t from_pid)
{
    struct process *parent = from_pid ? process_find(from_pid) : 0;
    uint32_t id = 0, space = 0, gate = 0;
    if (from_pid && !parent)
        return 0;
    intent_set(parent ? parent->memory : 0);
    int64_t status = space_ask(&processes->intent, &id, &space, &gate);
    if (status) {
        rt_log("no space for a process: %ld", status);
        tx_begin();
        intent_clear();
        tx_commit();
        return 0;
    }
    tx_begin();
    struct process *p = capsule_alloc(sizeof *p);
    if (p) {
        p->pid = parent ? pid_take() : 1;
        p->group = p->session = p->pid;
        p->state = PROCESS_STATE_RUNNING;
        p->resources = true;
        p->memory = id;
        p->started_ns = rt_now_ns();
        p->ignored = 1ull << 16 | 1ull << 17 | 1ull << 22 | 1ull << 27;
        p->space = keep(space);
        p->memory_gate = keep(gate);
        if (p->space && p->memory_gate && record_fill(p, parent)) {
            record_link(p, parent);
            return p; /* the caller's transaction goes on */
        }
    }
    tx_abort();
    intent_undo();
    return 0;
}

bool process_run(struct process *p, uint64_t entry, uint64_t stack, uint64_t argument)
{
    p->block = argument;
    intent_clear();
    struct pith_result r = RETRY(pith_thread_start(p->thread, SLOT_TIME, PRIORITY << 8, entry, stack,
                                                   argument));
    if (r.status)
        rt_log("cannot start process %u: %ld", p->pid, r.status);
    return !r.status;
}

/* ---- ends ------------------------------------------------------------------------------------- */

static struct process *init(void)
{
    return process_find(1);
}

static void orphans_move(struct process *p)
{
    struct process *to = init();
    if (to == p)
        to = 0;
    while (p->children) {
        struct process *c = p->children;
        TX_SET(p->children, c->sibling);
        TX_SET(c->parent, to);
        TX_SET(c->sibling, to ? to->children : 0);
        if (to)
            TX_SET(to->children, c);
        if (to && c->state == PROCESS_STATE_ZOMBIE)
            park_wake(&to->waiters);
        if (!to && c->state == PROCESS_STATE_ZOMBIE)
            TX_SET(c->state, 0);
    }
}

void process_exit_with(struct process *p, uint32_t code)
{
    struct pith_thread_info i;
    if (p->state == PROCESS_STATE_ZOMBIE || !p->state)
        return;
    if (!pith_thread_info(p->thread, (uint64_t)&i).status)
        TX_SET(p->run_ns, i.run_ns);
    TX_SET(p->code, code);
    TX_SET(p->state, p->parent ? PROCESS_STATE_ZOMBIE : 0);
    orphans_move(p);
    if (p->parent) {
        park_wake(&p->parent->waiters);
        signal_post(p->parent, 17, p->pid);
    }
    pith_notify_raise(SLOT_MAIN, BIT_WORK);
    if (p->pid != 1)
        return;
    rt_log("init exited with status %u", code & 0x7f ? 128 + (code & 0x7f) : code >> 8 & 0xff);
    if (strstr(STARTUP->arguments, "poweroff") && rt_cap("debug-exit")) {
        uint32_t status = code & 0x7f ? 128 + (code & 0x7f) : code >> 8 & 0xff;
        pith_io_out(rt_cap("debug-exit"), 0, 1, status ? 64 + (status & 63) : 0);
    }
}

void process_unlink(struct process *p)
{
    struct process **link = &p->parent->children;
    while (*link != p)
        link = &(*link)->sibling;
    TX_SET(p->parent->children_ns, p->parent->children_ns + p->run_ns + p->children_ns);
    TX_SET(*link, p->sibling);
    TX_SET(p->parent, 0);
    TX_SET(p->state, 0);
    if (!p->resources)
        process_record_free(p);
}

bool process_resources_end(struct process *p)
{
    int64_t status = memory_destroy(rt_cap("memory"), p->memory);
    if (status == MEMORY_ERROR_AGAIN)
        return false;
    rt_slot_free(p->thread);
    rt_slot_free(p->notification);
    rt_slot_free(p->memory_gate);
    rt_slot_free(p->space);
    rt_gate_free(p->gate);
    park_wake(&p->waiters);
    TX_SET(p->resources, false);
    return true;
}

void process_record_free(struct process *p)
{
    struct process **link = &processes->all;
    while (*link != p)
        link = &(*link)->next;
    TX_SET(*link, p->next);
    link = &processes->hash[p->pid % HASH];
    while (*link != p)
        link = &(*link)->hash_next;
    TX_SET(*link, p->hash_next);
    capsule_free(p, sizeof *p);
}
