/* SPDX-License-Identifier: MIT */
/* The process protocol. */
#include "process.h"
#include <proto/memory_client.h>
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
            .clock_mult = STARTUP->clock_mult,
            .clock_base = STARTUP->clock_base,
            .clock_shift = STARTUP->clock_shift,
            .realtime_ns = STARTUP->boot_ns_realtime,
            .ticks_per_second = STARTUP->tsc_hz,
            .process = p->pid,
            .parent = p->parent ? p->parent->pid : PROCESS_INIT,
            .group = p->group,
            .session = p->session,
            .cores = STARTUP->cores,
            .lane = (uint16_t)(PROCESS_LANE_FIRST + p->pid),
            .ignored = p->ignored,
            .ids = p->credentials->ids,
        };
    tx_commit();
    for (unsigned i = 0; i < 4; i++)
        start->random[i] = random_word();
    if (badge == server->first && arguments->capacity) {
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

/* ---- fork, exit, wait ------------------------------------------------------------------------ */

static bool processes_allowed(const struct process *p, uint32_t most)
{
    uint32_t count = 0;
    if (!p || !most || is_super(p))
        return true;
    for (const struct process *q = processes->all; q; q = q->next)
        count += q->state && q->credentials->ids.real_user == p->credentials->ids.real_user;
    return count < most;
}

static struct rt_lock intending; /* there is one intent at a time */

uint32_t process_serve_fork(struct process_server *server, uint64_t badge, uint64_t sequence,
    uint64_t entry, uint64_t stack, uint64_t argument, uint32_t slots_end, uint32_t processes_max,
    uint64_t vfork, uint32_t *child)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r)) {
        *child = r.a;
        return r.status;
    }
    bool allowed = processes_allowed(process_find(badge), processes_max);
    tx_commit();
    if (!allowed)
        return PROCESS_ERROR_AGAIN;
    rt_lock(&intending);
    struct process *p = process_make(badge, slots_end);
    if (p) {
        p->vfork = vfork;
        task_begins(p->tasks, entry, stack, argument);
        intent_clear();
        *child = r.a = p->pid;
        (void)finish(badge, sequence, &r, 0);
        task_begin(r.a, r.a);
    }
    rt_unlock(&intending);
    return p ? 0 : PROCESS_ERROR_AGAIN;
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
           (c->state == PROCESS_STATE_STOPPED && options & PROCESS_WAIT_UNTRACED &&
               !c->stop_told) ||
           (c->state == PROCESS_STATE_RUNNING && c->code == 0xffff &&
               options & PROCESS_WAIT_CONTINUED);
}

static void wait_take(struct process *c, uint32_t options, struct stored *r)
{
    r->a = c->pid;
    r->b = c->code;
    r->x = c->run_ns + c->children_ns;
    r->y = c->credentials->ids.real_user;
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
                            uint32_t *code, uint64_t *run_ns, uint32_t *user)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r)) {
        *child = r.a;
        *code = r.b;
        *run_ns = r.x;
        *user = (uint32_t)r.y;
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
        if (park)
            park_request(&p->waiters);
        tx_commit();
        return RPC_PARK;
    }
    if (c)
        wait_take(c, options, &r);
    *child = r.a;
    *code = r.b;
    *run_ns = r.x;
    *user = (uint32_t)r.y;
    return finish(badge, sequence, &r, 0);
}

/* ---- signals --------------------------------------------------------------------------------- */

static bool kill_matches(const struct process *me, const struct process *p, int32_t which)
{
    if (!p->state)
        return false;
    if (which > 0)
        return p->pid == (uint32_t)which;
    if (which == -1 && me) /* the terminal means group 1 */
        return p->pid != processes->first && p != me;
    return p->group == (which ? (uint32_t)-which : me ? me->group : 0);
}

/* The process that bears the number or has a thread that does. */
static struct process *number_find(uint32_t number, struct task **t)
{
    struct process *p = process_find(number);
    *t = p ? task_find(p, number) : 0;
    for (p = p ? p : processes->all; p && !*t; p = p->next)
        if (p->state && (*t = task_find(p, number)))
            return p;
    return *t ? p : 0;
}

uint32_t process_serve_kill(struct process_server *server, uint64_t badge, uint64_t sequence,
                            int32_t which, uint32_t signal)
{
    struct stored r;
    struct task *thread;
    bool any = which == PROCESS_INIT;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *me = process_find(badge);
    const struct process *named = which > 0 ? number_find((uint32_t)which, &thread) : 0;
    if (named)
        which = (int32_t)named->pid; /* by the number of one of its threads */
    bool allowed = any && me && is_super(me);
    for (struct process *p = me ? server->all : 0, *next; p; p = next) {
        next = p->next;
        if (!kill_matches(me, p, which))
            continue;
        any = true;
        if (!may_signal(me, p, signal))
            continue;
        allowed = true;
        if (signal)
            signal_post(p, signal, me->pid);
    }
    return finish(badge, sequence, &r, allowed ? 0 : any ? PROCESS_ERROR_PERM : PROCESS_ERROR_SRCH);
}

uint32_t process_serve_queue(struct process_server *server, uint64_t badge, uint64_t sequence,
                             uint32_t process, uint32_t thread, uint32_t signal, int32_t code,
                             uint64_t value)
{
    struct stored r;
    struct task *t = 0;
    (void)server;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *me = process_find(badge);
    struct process *p = thread ? number_find(thread, &t) : process_find(process);
    if (!me || !p || p->state == PROCESS_STATE_ZOMBIE || (process && p->pid != process))
        return finish(badge, sequence, &r, PROCESS_ERROR_SRCH);
    if (!may_signal(me, p, signal) || (code >= 0 && p != me))
        return finish(badge, sequence, &r, PROCESS_ERROR_PERM);
    struct queued s = {.signal = signal,
        .code = code,
        .process = me->pid,
        .user = me->credentials->ids.real_user,
        .value = value};
    if (signal && !signal_queue(p, t, &s))
        return finish(badge, sequence, &r, PROCESS_ERROR_AGAIN);
    return finish(badge, sequence, &r, 0);
}

struct taken { uint32_t signal, process, user; int32_t code; uint64_t value, left, shared; };

uint32_t process_serve_take_signals(struct process_server *server, uint64_t badge,
                                    uint64_t sequence, uint32_t thread, uint64_t blocked,
                                    uint32_t *signal, int32_t *code, uint32_t *process,
                                    uint32_t *user, uint64_t *value, uint64_t *left,
                                    uint64_t *shared)
{
    struct taken r;
    (void)server;
    memset(&r, 0, sizeof r);
    tx_begin();
    if (!capsule_reply_find(badge, sequence, &r, sizeof r)) {
        struct process *p = process_find(badge);
        struct task *t = p ? task_find(p, thread) : 0;
        struct queued *q = t ? signal_take(p, t, ~blocked) : 0;
        if (q) {
            r = (struct taken){ q->signal, q->process, q->user, q->code, q->value, 0, 0 };
            capsule_free(q, sizeof *q);
        }
        if (t) {
            r.left = p->pending.set | t->pending.set;
            r.shared = p->pending.set;
        }
        capsule_reply_store(badge, sequence, &r, sizeof r);
    }
    tx_commit();
    *signal = r.signal;
    *code = r.code;
    *process = r.process;
    *user = r.user;
    *value = r.value;
    *left = r.left;
    *shared = r.shared;
    return 0;
}

uint32_t process_serve_ignore(struct process_server *server, uint64_t badge, uint64_t sequence,
                              uint64_t ignored, uint64_t drop, bool no_zombies, bool no_stops)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *p = process_find(badge);
    if (p) {
        TX_SET(p->ignored, ignored);
        TX_SET(p->no_zombies, no_zombies);
        TX_SET(p->no_stops, no_stops);
        signals_drop(p, &p->pending, ignored | drop);
        for (struct task *t = p->tasks; t; t = t->next)
            signals_drop(p, &t->pending, ignored | drop);
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
    if (p && (signal == SIGSTOP || !group_orphaned(p->group, 0)))
        signal_stop(p, signal);
    return finish(badge, sequence, &r, 0);
}

uint32_t process_serve_nudge(struct process_server *server, uint64_t badge, uint64_t sequence,
                             uint32_t thread)
{
    (void)server;
    (void)sequence;
    tx_begin();
    struct process *p = process_find(badge);
    struct task *t = p ? task_find(p, thread) : 0;
    if (t)
        pith_thread_interrupt(t->thread);
    tx_commit();
    return 0;
}

/* ---- threads --------------------------------------------------------------------------------- */

uint32_t process_serve_thread(struct process_server *server, uint64_t badge, uint64_t sequence,
                              uint64_t entry, uint64_t stack, uint64_t argument, uint32_t slot,
                              uint32_t *thread)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r)) {
        *thread = r.a;
        return r.status;
    }
    const struct process *asks = process_find(badge);
    uint32_t memory_id = asks && slot >= TO_FILES ? asks->memory : 0;
    tx_commit();
    if (!memory_id)
        return PROCESS_ERROR_INVAL;
    rt_lock(&intending);
    intent_set(0, memory_id);
    tx_begin();
    struct process *p = process_find(badge);
    uint32_t number = p ? number_take() : 0;
    struct task *t = number ? task_make(p, number) : 0;
    if (!t || !give(p, t->notification, slot)) {
        tx_abort();
        intent_undo();
        rt_unlock(&intending);
        return PROCESS_ERROR_AGAIN;
    }
    struct task **link = &p->tasks;
    while (*link)
        link = &(*link)->next;
    TX_SET(*link, t);
    t->stop_wanted = p->state == PROCESS_STATE_STOPPED;
    task_begins(t, entry, stack, argument);
    intent_clear();
    *thread = r.a = number;
    (void)finish(badge, sequence, &r, 0);
    task_begin((uint32_t)badge, number);
    rt_unlock(&intending);
    return 0;
}

uint32_t process_serve_thread_exit(struct process_server *server, uint64_t badge,
                                   uint64_t sequence, uint32_t thread, uint32_t code)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *p = process_find(badge);
    struct task *t = p ? task_find(p, thread) : 0;
    if (t && p->tasks == t && !t->next)
        process_exit_with(p, code);
    else if (t)
        task_end(p, t, false);
    return finish(badge, sequence, &r, 0);
}

uint32_t process_serve_threads_end(struct process_server *server, uint64_t badge,
                                   uint64_t sequence, uint32_t park, uint32_t thread)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct process *p = process_find(badge);
    struct task *t = p ? task_find(p, thread) : 0;
    for (struct task *o = t ? p->tasks : 0, *next; o; o = next) {
        next = o->next;
        if (o != t)
            task_end(p, o, true);
    }
    if (t && p->ended) {
        if (park)
            park_request(&p->waiters);
        tx_commit();
        return RPC_PARK;
    }
    if (t && t->number != p->pid) {
        number_less(t->number);
        TX_SET(t->number, p->pid);
    }
    return finish(badge, sequence, &r, 0);
}

uint32_t process_serve_released(struct process_server *server, uint64_t badge, uint32_t park,
                                uint32_t child)
{
    (void)server;
    tx_begin();
    struct process *p = process_find(badge), *c = process_find(child);
    bool parked = p && c && c->parent == p && c->state != PROCESS_STATE_ZOMBIE && !c->execed;
    if (parked) {
        if (park)
            park_request(&p->waiters);
    }
    tx_commit();
    return parked ? RPC_PARK : 0;
}

/* ---- who is who ------------------------------------------------------------------------------ */

uint32_t process_serve_identify(struct process_server *server, uint64_t badge, uint32_t process,
                                struct process_identity *identity, struct rpc_out *name)
{
    char text[PROCESS_NAME_MAX + 1];
    (void)server;
    tx_begin();
    const struct process *p = process_find(process ? process : badge);
    if (p) {
        *identity = (struct process_identity){
            .process = p->pid,
            .parent = p->parent ? p->parent->pid : PROCESS_INIT,
            .group = p->group,
            .session = p->session,
            .state = p->state,
            .status = p->code,
            .started_ns = p->started_ns,
            .run_ns = p->run_ns,
            .memory = p->memory,
            .user = p->credentials->ids.real_user,
            .children_ns = p->children_ns,
        };
        if (p->state != PROCESS_STATE_ZOMBIE)
            identity->run_ns += tasks_run_ns(p);
        for (const struct task *t = p->tasks; t; t = t->next)
            identity->threads++;
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

static void group_set(struct process *p, uint32_t group)
{
    number_less(p->group);
    TX_SET(p->group, group);
    number_more(group);
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
    if (p != me && p->execed)
        return finish(badge, sequence, &r, PROCESS_ERROR_ACCES);
    bool exists = group == p->pid;
    for (const struct process *q = server->all; q && !exists; q = q->next)
        exists = q->state && q->group == group && q->session == p->session;
    if (p->session == p->pid || p->session != me->session || !exists)
        status = PROCESS_ERROR_PERM;
    if (!status)
        group_set(p, group);
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
    group_set(p, p->pid);
    number_less(p->session);
    TX_SET(p->session, p->pid);
    number_more(p->session);
    *session = r.a = p->pid;
    return finish(badge, sequence, &r, 0);
}

uint32_t process_serve_name(struct process_server *server, uint64_t badge, uint64_t sequence,
    bool exec, struct rpc_in name, struct rpc_in executable)
{
    static char file[PROCESS_EXECUTABLE_MAX]; /* under the transaction's lock */
    struct stored r;
    char text[PROCESS_NAME_MAX + 1] = { 0 };
    (void)server;
    if (!rt_copy_from_client(name.offset, text, name.length))
        return RPC_BAD_BUFFER;
    if (repeated(badge, sequence, &r))
        return r.status;
    if (!rt_copy_from_client(executable.offset, file, executable.length))
        return finish(badge, sequence, &r, RPC_BAD_BUFFER);
    struct process *p = process_find(badge);
    if (p) {
        tx_save(p->name, sizeof p->name);
        memcpy(p->name, text, sizeof text);
        TX_SET(p->name_length, (uint32_t)name.length);
    }
    if (p && exec) {
        program_set(p, file, (uint32_t)executable.length);
        TX_SET(p->execed, true);
        credentials_exec(p);
        if (p->parent)
            park_wake(&p->parent->waiters);
    }
    return finish(badge, sequence, &r, 0);
}

uint32_t process_serve_set_death_signal(
    struct process_server *server, uint64_t badge, uint64_t sequence, uint32_t signal)
{
    (void)server;
    (void)sequence; /* done twice it is the same */
    tx_begin();
    struct process *p = process_find(badge);
    if (p)
        TX_SET(p->death_signal, (uint8_t)signal);
    tx_commit();
    return 0;
}

uint32_t process_serve_adopt_orphans(
    struct process_server *server, uint64_t badge, uint64_t sequence, bool on)
{
    (void)server;
    (void)sequence;
    tx_begin();
    struct process *p = process_find(badge);
    if (p)
        TX_SET(p->adopts, on);
    tx_commit();
    return 0;
}

/* ---- the main thread's ----------------------------------------------------------------------- */

/* True: there is more to do for it soon. */
static bool work_step(struct process *p)
{
    bool busy = stops_look(p);
    if (p->resources && (p->state == PROCESS_STATE_ZOMBIE || !p->state))
        return !process_resources_end(p);
    return p->ended && !tasks_reap(p) ? true : busy;
}

uint32_t process_serve_reap(struct process_server *server, uint64_t badge, uint64_t sequence,
                            bool faults, uint64_t *next_ns, bool *busy)
{
    (void)sequence;
    if (badge)
        return PROCESS_ERROR_PERM;
    tx_begin();
    *next_ns = timers_look();
    for (struct process *p = faults ? server->all : 0, *next; p; p = next) {
        next = p->next;
        fault_look(p);
    }
    struct process *list = server->work;
    TX_SET(server->work, 0);
    for (struct process *p = list, *next; p; p = next) {
        next = p->work_next;
        TX_SET(p->in_work, false);
        if (tx_full() || work_step(p)) {
            work_add(p);
            *busy = true;
        } else if (!p->resources && !p->state && !p->in_work) {
            process_record_free(p);
        }
    }
    tx_commit();
    credentials_sweep();
    return 0;
}

static void timer_state(const struct timer *t, uint64_t *left_ns, uint64_t *interval_ns)
{
    *left_ns = t ? timer_left(t) : 0;
    *interval_ns = t ? t->interval_ns : 0;
}

uint32_t process_serve_timer(struct process_server *server, uint64_t badge, uint64_t sequence,
    uint8_t which, uint64_t in_ns, uint64_t interval_ns, uint64_t *old_left_ns,
    uint64_t *old_interval_ns)
{
    struct stored r;
    (void)server;
    if (!repeated(badge, sequence, &r)) {
        struct process *p = process_find(badge);
        struct timer *t = !p ? 0 : in_ns ? timer_interval(p, which) : timer_find(p, which);
        timer_state(t, &r.x, &r.y);
        if (t)
            timer_set(t, true, in_ns, interval_ns);
        (void)finish(badge, sequence, &r, t || !in_ns ? 0 : PROCESS_ERROR_AGAIN);
    }
    *old_left_ns = r.x;
    *old_interval_ns = r.y;
    return r.status;
}

uint32_t process_serve_timer_make(struct process_server *server, uint64_t badge, uint64_t sequence,
    uint32_t signal, uint32_t thread, uint8_t clock, uint64_t value, uint32_t *timer)
{
    struct stored r;
    (void)server;
    if (!repeated(badge, sequence, &r)) {
        struct process *p = process_find(badge);
        bool of_thread = clock == PROCESS_TIMER_CLOCK_THREAD;
        if (!p || ((thread || of_thread) && !task_find(p, thread)))
            return finish(badge, sequence, &r, PROCESS_ERROR_INVAL);
        struct timer *t = timer_make(p, signal, thread, clock, value);
        if (!t)
            return finish(badge, sequence, &r, PROCESS_ERROR_AGAIN);
        t->clock_thread = thread;
        r.a = t->number;
        TX_SET(p->next_timer, p->next_timer + 1);
        (void)finish(badge, sequence, &r, 0);
    }
    *timer = r.a;
    return r.status;
}

/* A timer of timer_create: a number that the interval timer does not have. */
static struct timer *timer_named(uint64_t badge, uint32_t number)
{
    struct process *p = number >= TIMER_NUMBERED ? process_find(badge) : 0;
    return p ? timer_find(p, number) : 0;
}

uint32_t process_serve_timer_set(struct process_server *server, uint64_t badge, uint64_t sequence,
    uint32_t timer, bool relative, uint64_t at_ns, uint64_t interval_ns, uint64_t *old_left_ns,
    uint64_t *old_interval_ns)
{
    struct stored r;
    (void)server;
    if (!repeated(badge, sequence, &r)) {
        struct timer *t = timer_named(badge, timer);
        timer_state(t, &r.x, &r.y);
        if (t)
            timer_set(t, relative, at_ns, interval_ns);
        (void)finish(badge, sequence, &r, t ? 0 : PROCESS_ERROR_INVAL);
    }
    *old_left_ns = r.x;
    *old_interval_ns = r.y;
    return r.status;
}

uint32_t process_serve_timer_look(struct process_server *server, uint64_t badge, uint32_t timer,
    uint64_t *left_ns, uint64_t *interval_ns, uint32_t *overruns)
{
    (void)server;
    tx_begin();
    const struct timer *t = timer_named(badge, timer);
    timer_state(t, left_ns, interval_ns);
    *overruns = t ? t->overruns : 0;
    tx_commit();
    return t ? 0 : PROCESS_ERROR_INVAL;
}

uint32_t process_serve_timer_drop(struct process_server *server, uint64_t badge, uint64_t sequence,
                                  uint32_t timer)
{
    struct stored r;
    (void)server;
    if (repeated(badge, sequence, &r))
        return r.status;
    struct timer *t = timer_named(badge, timer);
    if (t)
        timer_drop(t);
    return finish(badge, sequence, &r, t ? 0 : PROCESS_ERROR_INVAL);
}

uint32_t process_serve_power(struct process_server *server, uint64_t badge, uint64_t sequence,
                             uint32_t code)
{
    (void)server;
    (void)sequence;
    tx_begin();
    const struct process *p = process_find(badge);
    bool allowed = p && is_super(p);
    tx_commit();
    if (!allowed)
        return PROCESS_ERROR_PERM;
    rt_log("the machine goes off");
    if (rt_cap("debug-exit"))
        pith_io_out(rt_cap("debug-exit"), 0, 1, code);
    return 0;
}

uint32_t process_serve_host_name(struct process_server *server, uint64_t badge, uint64_t sequence,
                                 struct rpc_in new, struct rpc_out *name)
{
    char text[PROCESS_HOST_NAME_MAX + 8] = { 0 };
    (void)sequence; /* done twice it is the same */
    if (!rt_copy_from_client(new.offset, text, new.length))
        return RPC_BAD_BUFFER;
    tx_begin();
    const struct process *p = process_find(badge);
    bool allowed = !new.length || (p && is_super(p));
    if (new.length && allowed) {
        tx_save(server->host, sizeof server->host);
        memcpy(server->host, text, sizeof server->host);
    }
    strlcpy(text, *server->host ? server->host : "pith", sizeof text);
    tx_commit();
    if (!allowed)
        return PROCESS_ERROR_PERM;
    name->length = strnlen(text, PROCESS_HOST_NAME_MAX);
    if (name->length > name->capacity)
        name->length = name->capacity;
    return rt_copy_to_client(name->offset, text, name->length) ? 0 : RPC_BAD_BUFFER;
}

SERVER_ENTRY(process);
uint64_t process_handle(uint64_t badge, struct msg *m)
{
    return process_dispatch(processes, badge, m);
}

uint32_t process_serve_thread_time(
    struct process_server *server, uint64_t badge, uint32_t thread, uint64_t *run_ns)
{
    (void)server;
    tx_begin();
    struct process *p = process_find(badge);
    const struct task *t = p ? task_find(p, thread) : 0;
    *run_ns = t ? task_run_ns(t) : 0;
    tx_commit();
    return t ? 0 : PROCESS_ERROR_SRCH;
}

uint32_t process_serve_executable(
    struct process_server *server, uint64_t badge, uint32_t process, struct rpc_out *name)
{
    uint32_t status = PROCESS_ERROR_SRCH;
    (void)server;
    tx_begin();
    const struct process *me = process_find(badge), *p = process_find(process ? process : badge);
    const struct program *program = p && p->state != PROCESS_STATE_ZOMBIE ? p->program : 0;
    if (program && !may_look(me, p)) {
        status = PROCESS_ERROR_PERM;
    } else if (program) {
        status = 0;
        name->length = program->length < name->capacity ? program->length : name->capacity;
        if (!rt_copy_to_client(name->offset, program->name, name->length))
            status = RPC_BAD_BUFFER;
    }
    tx_commit();
    return status;
}

uint32_t process_serve_terminal_signal(struct process_server *server, uint64_t badge,
    uint64_t sequence, uint64_t turn, uint32_t group, uint32_t signal)
{
    (void)sequence; /* the turn says it */
    if (badge)
        return PROCESS_ERROR_PERM;
    tx_begin();
    if (turn == processes->terminal_turn + 1) {
        for (struct process *p = server->all, *next; p; p = next) {
            next = p->next;
            if (kill_matches(0, p, -(int32_t)group))
                signal_post(p, signal, 0);
        }
        TX_SET(processes->terminal_turn, turn);
    }
    tx_commit();
    return 0;
}
