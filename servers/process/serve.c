/* SPDX-License-Identifier: MIT */
/* The process protocol. */
#include "process.h"
#include <rt/string.h>

struct process_server *processes;

struct stored { uint32_t status, a, b, c; uint64_t x, y; };

/* Begins; true when this request was done already. */
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

/* ---- start ---------------------------------------------------------------------------------- */

static uint64_t random_word(void)
{
    static uint64_t mix = 0x9e3779b97f4a7c15ull;
    uint32_t a = 1, b, c = 0, d, lo, hi;
    uint64_t v = 0;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (c >> 30 & 1)
        for (unsigned i = 0; i < 10; i++) {
            uint8_t good;
            __asm__ volatile("rdrand %0; setc %1" : "=r"(v), "=qm"(good));
            if (good)
                return v;
        }
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    mix = (mix ^ ((uint64_t)hi << 32 | lo)) * 0xff51afd7ed558ccdull;
    return mix ^ mix >> 29;
}

/* The words of the description's arguments: options before "init=", the command from there. */
static size_t command_words(char *to, size_t size)
{
    const char *at = STARTUP->arguments;
    size_t n = 0;
    while (*at) {
        at += strspn(at, " ");
        size_t length = strcspn(at, " ");
        const char *word = at;
        at += length;
        if (length >= 5 && !memcmp(word, "init=", 5)) {
            word += 5;
            length -= 5;
        } else if (length == 8 && !memcmp(word, "poweroff", 8)) {
            continue;
        }
        if (!length || n + length + 1 > size)
            continue;
        memcpy(to + n, word, length);
        n += length;
        to[n++] = 0;
    }
    return n;
}

uint32_t process_serve_start(struct process_server *server, uint64_t badge,
                             struct process_start *start, struct rpc_out *arguments)
{
    char words[sizeof STARTUP->arguments + 16];
    (void)server;
    tx_begin();
    const struct process *p = process_find(badge);
    if (p)
        *start = (struct process_start){
            .clock_mult = STARTUP->clock_mult, .clock_base = STARTUP->clock_base,
            .clock_shift = STARTUP->clock_shift, .realtime_ns = STARTUP->boot_ns_realtime,
            .ticks_per_second = STARTUP->tsc_hz, .process = p->pid,
            .parent = p->parent ? p->parent->pid : 0, .group = p->group, .session = p->session,
            .cores = STARTUP->cores, .lane = (uint16_t)(PROCESS_LANE_FIRST + p->pid),
            .ignored = p->ignored,
        };
    tx_commit();
    for (unsigned i = 0; i < 4; i++)
        start->random[i] = random_word();
    if (badge == 1 && arguments->capacity) {
        /* The archive's member "command" (words, each with its NUL) wins. */
        bool given = STARTUP->modules[0][1] != 0;
        size_t n = given ? STARTUP->modules[0][1] : command_words(words, sizeof words);
        const void *from = given ? (const void *)STARTUP->modules[0][0] : words;
        if (n > arguments->capacity || !rt_copy_to_client(arguments->offset, from, n))
            return RPC_BAD_BUFFER;
        arguments->length = n;
    }
    return 0;
}

/* ---- fork, exit, wait --------------------------------------------------------------------------- */

uint32_t process_serve_fork(struct process_server *server, uint64_t badge, uint64_t sequence,
                            uint64_t entry, uint64_t stack, uint64_t argument, uint32_t *child)
{
    static struct rt_lock forking;
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r)) {
        *child = r.a;
        return r.status;
    }
    tx_commit();
    rt_lock(&forking);
    struct process *p = process_make(badge);
    if (p) {
        process_run(p, entry, stack, argument);
        *child = r.a = p->pid;
        (void)finish(badge, sequence, &r, 0);
    }
    rt_unlock(&forking);
    return p ? 0 : PROCESS_ERROR_NOMEM;
}

uint32_t process_serve_exit(struct process_server *server, uint64_t badge, uint64_t sequence,
                            uint32_t code)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *p = process_find(badge);
    if (p)
        process_exit_with(p, code);
    return finish(badge, sequence, &r, 0);
}

static bool wait_matches(const struct process *p, const struct process *c, int32_t which)
{
    return which == -1 || (which > 0 && c->pid == (uint32_t)which) ||
           (!which && c->group == p->group) || (which < -1 && c->group == (uint32_t)-which);
}

/* Has c something to say? */
static bool wait_ready(const struct process *c, uint32_t options)
{
    return (c->state == PROCESS_STATE_ZOMBIE && options & PROCESS_WAIT_EXITED) ||
           (c->state == PROCESS_STATE_STOPPED && options & PROCESS_WAIT_UNTRACED && !c->stop_told) ||
           (c->state == PROCESS_STATE_RUNNING && c->code == 0xffff && options & PROCESS_WAIT_CONTINUED);
}

static void wait_take(struct process *c, uint32_t options, struct stored *r)
{
    r->a = c->pid;
    r->b = c->code;
    r->x = c->run_ns + c->children_ns;
    if (options & PROCESS_WAIT_NO_WAIT)
        return;
    if (c->state == PROCESS_STATE_ZOMBIE)
        process_unlink(c);
    else if (c->state == PROCESS_STATE_STOPPED)
        TX_SET(c->stop_told, true);
    else
        TX_SET(c->code, 0);
}

uint32_t process_serve_wait(struct process_server *server, uint64_t badge, uint64_t sequence,
                            uint32_t park, int32_t which, uint32_t options, uint32_t *child,
                            uint32_t *code, uint64_t *run_ns)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r)) {
        *child = r.a;
        *code = r.b;
        *run_ns = r.x;
        return r.status;
    }
    struct process *p = process_find(badge), *c = p ? p->children : 0;
    bool any = false;
    for (; c; c = c->sibling) {
        if (!wait_matches(p, c, which))
            continue;
        any = true;
        if (wait_ready(c, options))
            break;
    }
    if (!any)
        return finish(badge, sequence, &r, PROCESS_ERROR_CHILD);
    if (!c && !(options & PROCESS_WAIT_NO_HANG)) {
        uint32_t slot = park ? rt_keep_cap(0) : 0;
        if (slot && !park_add(&p->waiters, slot))
            rt_slot_free(slot);
        tx_commit();
        return RPC_PARK;
    }
    if (c)
        wait_take(c, options, &r);
    *child = r.a;
    *code = r.b;
    *run_ns = r.x;
    return finish(badge, sequence, &r, 0);
}

/* ---- signals ------------------------------------------------------------------------------------------ */

static bool kill_matches(const struct process *me, const struct process *p, int32_t which)
{
    if (!p->state)
        return false;
    if (which > 0)
        return p->pid == (uint32_t)which;
    if (which == -1 && me) /* the terminal means group 1 */
        return p->pid != 1 && p != me;
    return p->group == (which ? (uint32_t)-which : me ? me->group : 0);
}

uint32_t process_serve_kill(struct process_server *server, uint64_t badge, uint64_t sequence,
                            int32_t which, uint32_t signal)
{
    struct stored r;
    bool any = false;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *me = process_find(badge);
    for (struct process *p = me || !badge ? server->all : 0, *next; p; p = next) {
        next = p->next;
        if (!kill_matches(me, p, which))
            continue;
        any = true;
        /* Nothing that it does not handle kills the first process. */
        if (signal && !(p->pid == 1 && (signal == 9 || signal == 19)))
            signal_post(p, signal, me ? me->pid : 0);
    }
    return finish(badge, sequence, &r, any ? 0 : PROCESS_ERROR_SRCH);
}

uint32_t process_serve_take_signals(struct process_server *server, uint64_t badge,
                                    uint64_t sequence, uint64_t blocked, uint64_t *taken,
                                    uint64_t *left, uint32_t *sender)
{
    struct stored r;
    (void)server;
    if (!repeated(badge, sequence, &r)) {
        struct process *p = process_find(badge);
        uint64_t ready = p ? p->pending & ~blocked : 0;
        r.x = ready & -ready; /* one at a time: the layer's mask may change by it */
        if (p) {
            TX_SET(p->pending, p->pending & ~r.x);
            r.y = p->pending;
            r.a = p->sender;
        }
        (void)finish(badge, sequence, &r, 0);
    }
    *taken = r.x;
    *left = r.y;
    *sender = r.a;
    return 0;
}

uint32_t process_serve_ignore(struct process_server *server, uint64_t badge, uint64_t sequence,
                              uint64_t ignored)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *p = process_find(badge);
    if (p) {
        TX_SET(p->ignored, ignored);
        TX_SET(p->pending, p->pending & ~ignored);
    }
    return finish(badge, sequence, &r, 0);
}

uint32_t process_serve_stop(struct process_server *server, uint64_t badge, uint64_t sequence,
                            uint32_t signal)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *p = process_find(badge);
    if (p)
        signal_stop(p, signal);
    return finish(badge, sequence, &r, 0);
}

uint32_t process_serve_fault(struct process_server *server, uint64_t badge, struct rpc_out *fault)
{
    struct pith_fault f;
    (void)server;
    tx_begin();
    const struct process *p = process_find(badge);
    bool known = p && p->fault.sequence;
    if (known)
        f = p->fault;
    tx_commit();
    if (!known)
        return PROCESS_ERROR_NOENT;
    if (fault->capacity < sizeof f || !rt_copy_to_client(fault->offset, &f, sizeof f))
        return RPC_BAD_BUFFER;
    fault->length = sizeof f;
    return 0;
}

/* ---- who is who ------------------------------------------------------------------------------------------ */

uint32_t process_serve_identify(struct process_server *server, uint64_t badge, uint32_t process,
                                struct process_identity *identity, struct rpc_out *name)
{
    char text[PROCESS_NAME_MAX + 1];
    struct pith_thread_info i;
    (void)server;
    tx_begin();
    const struct process *p = process_find(process ? process : badge);
    if (p) {
        *identity = (struct process_identity){
            .process = p->pid, .parent = p->parent ? p->parent->pid : 0, .group = p->group,
            .session = p->session, .state = p->state, .status = p->code,
            .started_ns = p->started_ns, .run_ns = p->run_ns, .memory = p->memory,
        };
        if (p->resources && !pith_thread_info(p->thread, (uint64_t)&i).status)
            identity->run_ns = i.run_ns;
        memcpy(text, p->name, sizeof text);
        name->length = p->name_length < name->capacity ? p->name_length : name->capacity;
    }
    tx_commit();
    if (!p)
        return PROCESS_ERROR_SRCH;
    return rt_copy_to_client(name->offset, text, name->length) ? 0 : RPC_BAD_BUFFER;
}

uint32_t process_serve_next(struct process_server *server, uint64_t badge, uint32_t process,
                            uint32_t *found)
{
    (void)badge;
    tx_begin();
    for (const struct process *p = server->all; p; p = p->next)
        if (p->state && p->pid > process && (!*found || p->pid < *found))
            *found = p->pid;
    tx_commit();
    return *found ? 0 : PROCESS_ERROR_NOENT;
}

uint32_t process_serve_set_group(struct process_server *server, uint64_t badge, uint64_t sequence,
                                 uint32_t process, uint32_t group)
{
    struct stored r;
    uint32_t status = 0;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *me = process_find(badge), *p = process ? process_find(process) : me;
    if (!p || (p != me && p->parent != me))
        return finish(badge, sequence, &r, PROCESS_ERROR_SRCH);
    if (!group)
        group = p->pid;
    bool exists = group == p->pid;
    for (const struct process *q = server->all; q && !exists; q = q->next)
        exists = q->state && q->group == group && q->session == p->session;
    if (p->session == p->pid || p->session != me->session || !exists)
        status = PROCESS_ERROR_PERM;
    if (!status)
        TX_SET(p->group, group);
    return finish(badge, sequence, &r, status);
}

uint32_t process_serve_set_session(struct process_server *server, uint64_t badge,
                                   uint64_t sequence, uint32_t *session)
{
    struct stored r;
    if (repeated(badge, sequence, &r)) {
        *session = r.a;
        return r.status;
    }
    struct process *p = process_find(badge);
    bool leader = !p;
    for (const struct process *q = server->all; q && !leader; q = q->next)
        leader = q->state && q->group == p->pid;
    if (leader)
        return finish(badge, sequence, &r, PROCESS_ERROR_PERM);
    TX_SET(p->group, p->pid);
    TX_SET(p->session, p->pid);
    *session = r.a = p->pid;
    return finish(badge, sequence, &r, 0);
}

uint32_t process_serve_name(struct process_server *server, uint64_t badge, uint64_t sequence,
                            struct rpc_in name)
{
    struct stored r;
    char text[PROCESS_NAME_MAX + 1] = { 0 };
    (void)server;
    if (!rt_copy_from_client(name.offset, text, name.length))
        return RPC_BAD_BUFFER;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *p = process_find(badge);
    if (p) {
        tx_save(p->name, sizeof p->name);
        memcpy(p->name, text, sizeof text);
        TX_SET(p->name_length, (uint32_t)name.length);
    }
    return finish(badge, sequence, &r, 0);
}

/* ---- the main thread's ----------------------------------------------------------------------------------- */

uint32_t process_serve_reap(struct process_server *server, uint64_t badge, uint64_t sequence,
                            bool faults, uint64_t *next_ns, bool *busy)
{
    (void)sequence;
    if (badge)
        return PROCESS_ERROR_PERM;
    *next_ns = UINT64_MAX;
    tx_begin();
    for (struct process *p = server->all, *next; p; p = next) {
        next = p->next;
        timer_look(p, next_ns);
        if (p->stop_wanted && p->state == PROCESS_STATE_STOPPED) {
            if (pith_thread_stop(p->thread).status == -E_AGAIN)
                *busy = true;
            else
                TX_SET(p->stop_wanted, false);
        }
        if (faults)
            faults_look(p);
        if (p->resources && (p->state == PROCESS_STATE_ZOMBIE || !p->state) && !process_resources_end(p))
            *busy = true;
        if (!p->resources && !p->state)
            process_record_free(p);
    }
    tx_commit();
    return 0;
}

uint32_t process_serve_timer(struct process_server *server, uint64_t badge, uint64_t sequence,
                             uint64_t at_ns, uint64_t interval_ns, uint64_t *old_at_ns,
                             uint64_t *old_interval_ns)
{
    struct stored r;
    (void)server;
    if (!repeated(badge, sequence, &r)) {
        struct process *p = process_find(badge);
        if (p) {
            r.x = p->timer_ns;
            r.y = p->timer_interval_ns;
            TX_SET(p->timer_ns, at_ns);
            TX_SET(p->timer_interval_ns, interval_ns);
        }
        (void)finish(badge, sequence, &r, 0);
        pith_notify_raise(SLOT_MAIN, BIT_WORK);
    }
    *old_at_ns = r.x;
    *old_interval_ns = r.y;
    return 0;
}

uint32_t process_serve_power(struct process_server *server, uint64_t badge, uint64_t sequence,
                             uint32_t code)
{
    (void)server;
    (void)badge;
    (void)sequence;
    rt_log("the machine goes off");
    if (rt_cap("debug-exit"))
        pith_io_out(rt_cap("debug-exit"), 0, 1, code);
    return 0;
}

SERVER_ENTRY(process);
void process_handle(uint64_t badge, struct msg *m)
{
    m->w[0] = process_dispatch(processes, badge, m);
}
