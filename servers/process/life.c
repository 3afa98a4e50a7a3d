/* SPDX-License-Identifier: MIT */
/* Making and ending processes. */
#include "process.h"
#include <proto/memory_client.h>
#include <proto/terminal_client.h>
#include <rt/string.h>

/* Lanes of our requests to the memory server: one for new spaces, so that the last can be
 * repeated whatever else was asked since. */
#define LANE_SPACES 60001u

/* What every process has before it asks for more, and copies are made in. */
#define SLOTS_STEP 64u
#define SLOTS_PAGE 256u

struct process *process_find(uint64_t pid)
{
    struct process *p = processes->hash[pid % HASH];
    while (p && (p->pid != pid || !p->state))
        p = p->hash_next;
    return p;
}

void work_add(struct process *p)
{
    if (p->in_work)
        return;
    TX_SET(p->in_work, true);
    TX_SET(p->work_next, processes->work);
    TX_SET(processes->work, p);
}

void process_work(struct process *p)
{
    work_add(p);
    pith_notify_raise(SLOT_MAIN, BIT_WORK);
}

/* ---- numbers ------------------------------------------------------------------------------ */

void number_more(uint32_t number)
{
    TX_SET(processes->uses[number], (uint16_t)(processes->uses[number] + 1));
}

void number_less(uint32_t number)
{
    TX_SET(processes->uses[number], (uint16_t)(processes->uses[number] - 1));
}

uint32_t number_take(void)
{
    uint32_t number = processes->last_pid;
    for (unsigned i = 0; i < PROCESS_PID_MAX; i++) {
        number = number >= PROCESS_PID_MAX - 1 ? 2 : number + 1;
        if (processes->uses[number])
            continue;
        TX_SET(processes->last_pid, number);
        number_more(number);
        return number;
    }
    return 0;
}

/* ---- capabilities -------------------------------------------------------------------------- */

uint32_t keep(uint32_t received)
{
    uint32_t slot = rt_slot_alloc();
    if (slot && RETRY(pith_cap_copy(received, SPACE_SELF, slot, RIGHT_ALL)).status) {
        rt_slot_free(slot);
        slot = 0;
    }
    pith_cap_delete(SPACE_SELF, received);
    return slot;
}

/* What is there is of a request that was undone, or of a program that asks for it. */
bool give(struct process *p, uint32_t from, uint32_t to)
{
    struct pith_result r = {-E_CAP, 0};
    if (from && (r = RETRY(pith_cap_copy(from, p->space, to, RIGHT_ALL))).status == -E_BUSY) {
        (void)RETRY(pith_cap_delete(p->space, to));
        r = RETRY(pith_cap_copy(from, p->space, to, RIGHT_ALL));
    }
    return !r.status;
}

static bool slot_pages(struct process *p, uint32_t slots_end)
{
    for (uint32_t directory = 1; directory * SLOTS_PAGE < slots_end; directory++)
        if (memory_slots(p->memory_gate, directory))
            return false;
    return true;
}

static bool caps_copy(struct process *from, struct process *to, uint32_t slots_end)
{
    static const uint32_t single[] = { TO_ROOT, TO_PIPE, TO_TERMINAL, TO_TTYS, TO_SUPERVISOR,
                                       TO_STREAM, TO_ERRORS };
    if (!slot_pages(to, slots_end))
        return false;
    for (unsigned i = 0; i < sizeof single / sizeof *single; i++)
        if (RETRY(pith_caps_copy(from->space, to->space, single[i], 1)).status)
            return false;
    for (uint32_t slot = TO_FILES; slot < slots_end; slot += SLOTS_STEP)
        if (RETRY(pith_caps_copy(from->space, to->space, slot, SLOTS_STEP)).status)
            return false;
    return true;
}

static bool caps_first(struct process *p)
{
    /* What is not there yet is left out. */
    give(p, rt_cap("pipe"), TO_PIPE);
    give(p, rt_cap("stream"), TO_STREAM);
    give(p, rt_cap("errors"), TO_ERRORS);
    static const struct process_ids super;
    p->credentials = credentials_new(&super, 0, 0, 0);
    return p->credentials && credentials_give(p) && give(p, rt_cap("tty"), TO_TTYS);
}

/* ---- new spaces ------------------------------------------------------------------------------ */

/* The numbered request for a space or thread: a repeated one gets the same. */
int64_t intent_ask(const struct intent *i, uint32_t *id, uint32_t *first, uint32_t *second)
{
    uint32_t memory = rt_cap("memory");
    struct rt_self *self = rt_self();
    uint16_t lane = self->lane;
    uint32_t number = self->number;
    self->lane = LANE_SPACES;
    self->number = (uint32_t)i->number - 1;
    int64_t status = i->thread_of ? memory_thread(memory, i->thread_of, id, first, second)
                     : i->from    ? memory_clone(memory, i->from, id, first, second)
                                  : memory_create(memory, 0, id, first, second);
    self->lane = lane;
    self->number = number;
    return status;
}

static void space_destroy(uint32_t id)
{
    while (memory_destroy(rt_cap("memory"), id) == MEMORY_ERROR_AGAIN)
        pith_thread_yield();
}

static void thread_destroy(uint32_t space, uint32_t id)
{
    while (memory_thread_end(rt_cap("memory"), space, id) == MEMORY_ERROR_AGAIN)
        pith_thread_yield();
}

void intent_set(uint32_t from, uint32_t thread_of)
{
    tx_begin();
    tx_save(&processes->intent, sizeof processes->intent);
    TX_SET(processes->memory_number, processes->memory_number + 1);
    processes->intent = (struct intent){from, thread_of, processes->memory_number};
    tx_commit();
}

void intent_clear(void)
{
    TX_SET(processes->intent.number, 0);
    TX_SET(processes->intent.thread_of, 0);
}

void intent_undo(void)
{
    const struct intent *i = &processes->intent;
    uint32_t id = 0, first = 0, second = 0;
    if (!i->number)
        return;
    if (!intent_ask(i, &id, &first, &second)) {
        pith_cap_delete(SPACE_SELF, first);
        pith_cap_delete(SPACE_SELF, second);
        if (i->thread_of)
            thread_destroy(i->thread_of, id);
        else
            space_destroy(id);
    }
    tx_begin();
    intent_clear();
    tx_commit();
}

/* ---- records --------------------------------------------------------------------------------- */

static void record_link(struct process *p, struct process *parent)
{
    struct process **bucket = &processes->hash[p->pid % HASH];
    p->next = processes->all;
    if (p->next)
        TX_SET(p->next->previous, p);
    TX_SET(processes->all, p);
    p->hash_next = *bucket;
    TX_SET(*bucket, p);
    p->parent = parent;
    if (parent) {
        p->sibling = parent->children;
        TX_SET(parent->children, p);
        p->group = parent->group;
        p->session = parent->session;
        p->ignored = parent->ignored;
        p->no_zombies = parent->no_zombies;
        p->no_stops = parent->no_stops;
        p->credentials = parent->credentials;
        TX_SET(p->credentials->uses, p->credentials->uses + 1);
        p->program = parent->program;
        if (p->program)
            TX_SET(p->program->uses, p->program->uses + 1);
        p->name_length = parent->name_length;
        memcpy(p->name, parent->name, sizeof p->name);
    }
    number_more(p->group);
    number_more(p->session);
}

/* Fills a record around a space that exists: slots, gate, thread. */
static bool record_fill(struct process *p, struct process *parent, uint32_t slots_end)
{
    p->tasks = task_make(p, p->pid);
    p->gate = p->tasks ? rt_gate_create(rt_cap("process"), p->pid) : 0;
    if (!p->gate || !give(p, p->memory_gate, TO_MEMORY) || !give(p, p->gate, TO_PROCESS) ||
        !give(p, p->tasks->notification, TO_NOTE) ||
        (parent ? !caps_copy(parent, p, slots_end) : !caps_first(p)))
        return false;
    return !RETRY(pith_space_owner(p->space, SLOT_MAIN, BIT_FAULT)).status;
}

struct process *process_make(uint64_t from_pid, uint32_t slots_end)
{
    struct process *parent = from_pid ? process_find(from_pid) : 0;
    uint32_t id = 0, space = 0, gate = 0;
    if (from_pid && !parent)
        return 0;
    intent_set(parent ? parent->memory : 0, 0);
    int64_t status = intent_ask(&processes->intent, &id, &space, &gate);
    if (status) {
        tx_begin();
        intent_clear();
        tx_commit();
        return 0;
    }
    tx_begin();
    struct process *p = capsule_alloc(sizeof *p);
    if (p) {
        p->pid = number_take();
        p->group = p->session = p->pid;
        p->state = PROCESS_STATE_RUNNING;
        p->resources = true;
        p->memory = id;
        p->started_ns = rt_now_ns();
        p->ignored = BIT(17) | BIT(18) | BIT(23) | BIT(28);
        p->next_timer = TIMER_NUMBERED;
        p->space = keep(space);
        p->memory_gate = keep(gate);
        if (p->pid && p->space && p->memory_gate && record_fill(p, parent, slots_end)) {
            record_link(p, parent);
            return p; /* the caller's transaction goes on */
        }
    }
    tx_abort();
    intent_undo();
    return 0;
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void parent_tell(struct process *p, uint32_t code)
{
    struct process *parent = p->parent;
    uint32_t signal = code & 0x7f;
    if (!parent)
        return;
    park_wake(&parent->waiters);
    signal_child(parent, p, !signal ? 1 : 2, signal ? signal : code >> 8 & 0xff);
    if (parent->no_zombies)
        process_unlink(p);
}

/* The nearest ancestor that takes orphans. */
static struct process *adopter_of(const struct process *p)
{
    struct process *a = p->parent;
    while (a && (!a->adopts || a->state == PROCESS_STATE_ZOMBIE || !a->state))
        a = a->parent;
    return a;
}

/* Orphans that nobody takes are ours: nobody waits for them, so they vanish when they end. */
static void orphans_move(struct process *p, struct process *adopter)
{
    while (p->children) {
        struct process *c = p->children;
        TX_SET(p->children, c->sibling);
        TX_SET(c->parent, adopter);
        TX_SET(c->sibling, adopter ? adopter->children : 0);
        if (adopter)
            TX_SET(adopter->children, c);
        if (c->death_signal && c->state != PROCESS_STATE_ZOMBIE)
            signal_post(c, c->death_signal, p->pid);
        if (c->state != PROCESS_STATE_ZOMBIE)
            continue;
        if (adopter) {
            parent_tell(c, c->code);
        } else {
            TX_SET(c->state, 0);
            process_work(c);
        }
    }
}

/* The main thread does it, when the host has everything that was written. */
static void machine_off(uint32_t code)
{
    TX_SET(processes->off, 1);
    TX_SET(processes->off_code, code & 0x7f ? 128 + (code & 0x7f) : code >> 8 & 0xff);
}

/* A vfork shares memory until the child has another program. Where the parent has other threads,
 * which ran meanwhile, only its waiting thread's stack is brought up to date. */
#define VFORK_STACK 16384u

static void vfork_end(const struct process *p)
{
    const struct process *parent = p->parent;
    if (!p->vfork || p->execed || !parent || parent->state != PROCESS_STATE_RUNNING ||
        !parent->tasks)
        return;
    bool alone = !parent->tasks->next;
    (void)memory_adopt(rt_cap("memory"), p->memory, parent->memory, alone ? 0 : p->vfork & ~4095ull,
                       alone ? UINT64_MAX : VFORK_STACK);
}

void process_exit_with(struct process *p, uint32_t code)
{
    if (p->state == PROCESS_STATE_ZOMBIE || !p->state)
        return;
    TX_SET(p->run_ns, p->run_ns + tasks_run_ns(p));
    TX_SET(p->code, code);
    TX_SET(p->state, p->parent ? PROCESS_STATE_ZOMBIE : 0);
    vfork_end(p);
    timers_end(p);
    groups_orphan(p);
    if (p->session == p->pid && rt_cap("tty"))
        terminal_session_end(rt_cap("tty"), p->session);
    struct process *adopter = p->children ? adopter_of(p) : 0;
    parent_tell(p, code);
    orphans_move(p, adopter);
    process_work(p);
    if (p->pid == processes->first)
        machine_off(code);
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
    if (!p->resources && !p->in_work)
        process_record_free(p);
}

bool process_resources_end(struct process *p)
{
    int64_t status = memory_destroy(rt_cap("memory"), p->memory);
    if (status == MEMORY_ERROR_AGAIN)
        return false;
    tasks_free(p);
    rt_slot_free(p->memory_gate);
    rt_slot_free(p->space);
    rt_gate_free(p->gate);
    signals_drop(p, &p->pending, UINT64_MAX);
    park_wake(&p->waiters);
    TX_SET(p->resources, false);
    return true;
}

void program_set(struct process *p, const char *name, uint32_t length)
{
    struct program *old = p->program, *new = length ? capsule_alloc(sizeof *new + length) : 0;
    if (new) {
        new->uses = 1;
        new->length = length;
        memcpy(new->name, name, length);
    }
    TX_SET(p->program, new);
    if (old && old->uses > 1)
        TX_SET(old->uses, old->uses - 1);
    else if (old)
        capsule_free(old, sizeof *old + old->length);
}

void process_record_free(struct process *p)
{
    struct process **link = &processes->hash[p->pid % HASH];
    if (p->previous)
        TX_SET(p->previous->next, p->next);
    else
        TX_SET(processes->all, p->next);
    if (p->next)
        TX_SET(p->next->previous, p->previous);
    while (*link != p)
        link = &(*link)->hash_next;
    TX_SET(*link, p->hash_next);
    number_less(p->pid);
    number_less(p->group);
    number_less(p->session);
    credentials_drop(p->credentials);
    program_set(p, 0, 0);
    capsule_free(p, sizeof *p);
}
