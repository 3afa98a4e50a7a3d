/* SPDX-License-Identifier: MIT */
/*
 * What the process server keeps, and what its files share.
 *
 *   life.c    making, forking, ending
 *   task.c    threads of a process
 *   signal.c  signals, stops
 *   timer.c   timers that send signals
 *   identity.c  users and groups, and with them sessions at the file system
 *   futex.c   waiting at places in memory that processes share
 *   serve.c   the protocol
 *   main.c    start, the main thread
 *
 * The table is in the capsule: a record for each process, found by pid through a hash. The
 * functions below run inside a transaction. Kernel objects of a half-made process are
 * found again through the intent (struct intent): the request to the memory server is
 * repeated with its sequence, and what it made is destroyed.
 *
 * Invariants: uses[n] counts what bears the number n: a process, a thread that is not its first,
 * a process's group and its session; a number with uses is not given again. A process that the
 * main thread has to do something for is in the work list (in_work).
 */
#pragma once
#include <proto/process_server.h>
#include <server/capsule.h>
#include "../../linux/block.h"

#define HASH 1024u
#define BIT_WORK 1u
#define BIT_FAULT 2u
#define BIT_TERMINAL 4u /* raised by the terminal's server */
#define PRIORITY 20u
#define QUEUED_MAX 1024u /* signals that a process may have pending */
#define TIMERS_MAX 256u  /* of a process */
#define FUTEX_QUEUES 64u

#define SIGKILL 9u
#define SIGALRM 14u
#define SIGVTALRM 26u
#define SIGPROF 27u
#define SIGCHLD 17u
#define SIGCONT 18u
#define SIGSTOP 19u
#define SIGRTMIN 32u
#define SI_USER 0
#define SI_TIMER (-2)
#define BIT(signal) (1ull << ((signal)-1))

/* Slots in a Linux process: see linux/layer.h. */
enum {
    TO_MEMORY = 2,
    TO_PROCESS = 3,
    TO_ROOT = 4,
    TO_NOTE = 5,
    TO_PIPE = 6,
    TO_TERMINAL = 7,
    TO_TTYS = 8,
    TO_SUPERVISOR = 9,
    TO_STREAM = 10,
    TO_ERRORS = 11,
    TO_FILES = 64
};

/* A signal that pends, in the order of arrival. */
struct queued {
    struct queued *next;
    uint32_t signal;
    int32_t code;
    uint32_t process, user;                          /* or a timer's number; see timer.c */
    uint64_t value;
};
struct pending { uint64_t set; struct queued *first; };

struct task {
    struct task *next;
    uint32_t number, id;                             /* id: at the memory server */
    uint32_t thread, notification;                   /* slots */
    bool stop_wanted, forced;                        /* forced: does not end by itself */
    bool begins;                                     /* it is still to be started, with these: */
    uint64_t entry, stack, argument;
    struct pending pending;                          /* for this thread alone */
    struct task *futex_next;                         /* in its queue, by place */
    uint64_t futex_place;                            /* 0: in none */
    uint32_t futex_bits, pad;
};

/* Shared by the processes that have inherited it, never changed. */
struct credentials {
    uint32_t uses, session; /* slot of a session with them and with a root */
    struct credentials *next_unused;
    struct process_ids ids;
    uint32_t group_count, groups[]; /* rising */
};

/* What a process runs: also of its children, until they run something else. */
struct program {
    uint32_t uses, length;
    char name[];
};

struct process {
    struct process *hash_next, *next, *previous;     /* all records */
    struct process *parent, *children, *sibling;
    struct process *work_next;
    struct task *tasks, *ended;                      /* ended: stopped or about to, not yet freed */
    uint32_t pid, group, session;
    uint8_t state; /* enum process_state; 0: ended, only resources */
    bool resources;                                  /* its space is not destroyed yet */
    bool in_work, stop_told, execed, no_zombies, no_stops;
    uint32_t code;                                   /* wait status */
    uint8_t death_signal;                            /* when its parent ends */
    bool adopts; /* orphans among its descendants become its children */
    struct credentials *credentials;
    uint32_t memory, space, memory_gate, gate;       /* id at the memory server; slots */
    uint64_t ignored, fault_seen;
    uint64_t started_ns, run_ns, children_ns;        /* run_ns: of threads that ended */
    uint64_t vfork;                                  /* its parent's stack pointer; 0: no vfork */
    struct pending pending;
    uint32_t queued, timers, next_timer, name_length;
    struct park_list waiters;                        /* for children, threads_end and released */
    struct program *program;                         /* NULL: none was ever told */
    char name[PROCESS_NAME_MAX + 1];
};

struct timer {
    struct timer *next; /* by rising at_ns; those that rest last */
    struct process *process;
    uint32_t number, signal, thread, overruns;
    uint64_t at_ns, interval_ns, value; /* at_ns: when to look at it; UINT64_MAX: it rests */
    uint64_t end_ns;                    /* of its clock */
    uint32_t clock_thread;              /* whose clock, if it is a thread's */
    uint8_t clock;                      /* enum process_timer_clock */
    bool pending;                       /* its signal is queued */
};
/* Interval timers' numbers are enum process_interval_timer. */
#define TIMER_NUMBERED 3u /* from here on timer_create's */

/* A request to the memory server that is not accounted for yet. */
struct intent {
    uint32_t from, thread_of;
    uint64_t number;
}; /* thread_of: a thread, not a space */

struct process_server {
    struct process *all, *hash[HASH], *work;
    struct timer *timers;
    struct credentials *unused; /* without uses: see credentials_sweep */
    struct task *futexes[FUTEX_QUEUES];
    char host[PROCESS_HOST_NAME_MAX + 8];
    uint32_t last_pid, first, own_gate, pad; /* first: pid; own_gate: slot, the main thread's */
    uint32_t off, off_code;                          /* the first process has ended so */
    uint64_t memory_number;
    uint64_t terminal_turn; /* signals of terminals that were delivered */
    struct intent intent;
    uint16_t uses[PROCESS_PID_MAX];
};
extern struct process_server *processes;

#define RETRY(call)                                                                          \
    ({                                                                                       \
        struct pith_result r_;                                                               \
        do                                                                                   \
            r_ = (call);                                                                     \
        while (r_.status == -E_AGAIN);                                                       \
        r_;                                                                                  \
    })

/* ---- life.c ---- */
struct process *process_find(uint64_t pid);
/* New space, thread and record: a first process, or a copy of `from`. NULL: no memory. Called
 * outside transactions; the record is complete but not started. */
struct process *process_make(uint64_t from_pid, uint32_t slots_end);
void process_exit_with(struct process *p, uint32_t code);
void process_unlink(struct process *p); /* out of its parent's list: it was waited for */
bool process_resources_end(struct process *p);       /* a step; true when they are gone */
void process_record_free(struct process *p);
void work_add(struct process *p); /* the main thread shall look at it some time */
void process_work(struct process *p);                /* … now */
void intent_undo(void);
/* Before a transaction, which clears it: what the memory server is going to be asked for. */
void intent_set(uint32_t from, uint32_t thread_of);
void intent_clear(void);
int64_t intent_ask(const struct intent *i, uint32_t *id, uint32_t *first, uint32_t *second);
uint32_t number_take(void); /* a pid or thread number, used once; 0: none */
void number_more(uint32_t number);
void number_less(uint32_t number);
uint32_t keep(uint32_t received); /* a reply's capability, in a slot of its own */
bool give(struct process *p, uint32_t from, uint32_t to);

/* ---- task.c ---- */
struct task *task_find(struct process *p, uint32_t number);
/* A thread with that number, not started and in no list; NULL: no memory. */
/* Asks with the intent, if there is one for it; its creation is undone with that or with the
 * space. */
struct task *task_make(struct process *p, uint32_t number);
/* In the transaction that makes it: where it will start. Then, after the commit: starts it, once,
 * even if we die in between (tasks_begin, at the start). */
void task_begins(struct task *t, uint64_t entry, uint64_t stack, uint64_t argument);
void task_begin(uint32_t pid, uint32_t number);
void tasks_begin(void);
/* Its end is under way from here on: it stops by itself, or is made to (forced). */
void task_end(struct process *p, struct task *t, bool forced);
bool tasks_reap(struct process *p); /* frees what has ended; true: nothing is left */
void tasks_free(struct process *p); /* their slots; the threads went with the space */
uint64_t task_run_ns(const struct task *t);
uint64_t tasks_run_ns(const struct process *p);

/* ---- identity.c ---- */
/* New credentials with one use; root: a slot, as the file protocol has it for a session. NULL: no
 * memory, or root is no directory's. */
struct credentials *credentials_new(
    const struct process_ids *ids, const uint32_t *groups, uint32_t group_count, uint32_t root);
void credentials_drop(struct credentials *c);
/* Frees what was dropped. Outside a transaction: a capability that is gone comes back with none. */
void credentials_sweep(void);
bool credentials_give(struct process *p); /* what goes with them, into its slots */
void credentials_exec(struct process *p); /* it runs another program */
/* The process runs a file of that name from now on; length 0: it ends. Without memory for it the
 * name is unknown. */
void program_set(struct process *p, const char *name, uint32_t length);
bool is_super(const struct process *p);
/* Who may signal whom: kill(2). */
bool may_look(const struct process *me, const struct process *p);
bool may_signal(const struct process *me, const struct process *p, uint32_t signal);

/* ---- futex.c ---- */
bool futex_leave(struct task *t);                    /* whether it was in a queue */

/* ---- signal.c ---- */
/* False: no room for another one (the caller answers AGAIN). t NULL: for any thread. */
bool signal_queue(struct process *p, struct task *t, const struct queued *s);
void signal_post(struct process *p, uint32_t signal, uint32_t sender);
void signal_child(
    struct process *parent, const struct process *child, int32_t code, uint32_t status);
void signal_stop(struct process *p, uint32_t signal);
void signal_continue(struct process *p);
bool group_orphaned(uint32_t group, const struct process *without);
void groups_orphan(const struct process *p);         /* what p's end does to groups */
bool stops_look(struct process *p);                  /* true: a thread has not stopped yet */
/* Takes out the first signal of set; NULL: none. The caller frees it. */
struct queued *signal_take(struct process *p, struct task *t, uint64_t set);
void signals_drop(struct process *p, struct pending *list, uint64_t set);
void fault_look(struct process *p);

/* ---- timer.c ---- */
struct timer *timer_find(struct process *p, uint32_t number);
struct timer *timer_make(
    struct process *p, uint32_t signal, uint32_t thread, uint8_t clock, uint64_t value);
void timer_set(struct timer *t, bool relative, uint64_t at_ns, uint64_t interval_ns);
uint64_t timer_left(const struct timer *t); /* until its end, by its clock; 0: it rests */
struct timer *timer_interval(struct process *p, uint8_t which); /* made if need be */
void timer_drop(struct timer *t);
void timers_end(struct process *p);                  /* all of a process */
uint64_t timers_look(void);                          /* those that are due; when the next is */
