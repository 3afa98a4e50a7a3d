/* SPDX-License-Identifier: MIT */
/*
 * What the process server keeps, and what its files share.
 *
 *   life.c    making, forking, ending
 *   signal.c  signals, stops, faults
 *   serve.c   the protocol
 *   main.c    start, the main thread
 *
 * The table is in the capsule: a record for each process, found by pid through a hash. The
 * functions below run inside a transaction. Kernel objects of a half-made process are
 * found again through the intent (struct intent): the request to the memory server is
 * repeated with its sequence, and what it made is destroyed.
 */
#pragma once
#include <proto/process_server.h>
#include <server/capsule.h>
#include "../../linux/block.h"

#define HASH 256u
#define BIT_WORK 1u
#define BIT_FAULT 2u
#define BIT_TERMINAL 4u /* raised by the terminal's server */
#define PRIORITY 20u

/* Slots in a Linux process: see linux/layer.h. */
enum { TO_MEMORY = 2, TO_PROCESS = 3, TO_ROOT = 4, TO_NOTE = 5, TO_PIPE = 6, TO_TERMINAL = 7,
       TO_SUPERVISOR = 9, TO_STREAM = 10, TO_ERRORS = 11,
       TO_FILES = 64, TO_END = 256 };

struct process {
    struct process *hash_next, *next;                /* all records */
    struct process *parent, *children, *sibling;
    uint32_t pid, group, session;
    uint8_t state;                                   /* enum process_state; 0: ended, only resources */
    bool resources;                                  /* its space is not destroyed yet */
    bool stop_told, continue_told, stop_wanted;
    uint32_t code;                                   /* wait status */
    uint32_t memory, thread_id;                      /* ids at the memory server */
    uint32_t space, memory_gate, gate, thread, notification; /* slots */
    uint64_t pending, ignored;
    uint32_t sender, name_length;
    uint64_t block, started_ns, run_ns, children_ns;
    uint64_t fault_seen;
    uint64_t timer_ns, timer_interval_ns;            /* SIGALRM; 0: none */
    struct park_list waiters;
    struct pith_fault fault;
    char name[PROCESS_NAME_MAX + 1];
};

/* A request to the memory server that is not accounted for yet. */
struct intent { uint32_t from, pad; uint64_t number; };

struct process_server {
    struct process *all, *hash[HASH];
    uint32_t last_pid, started, own_gate, pad; /* own_gate: slot, the main thread's */
    uint64_t memory_number;
    struct intent intent;
};
extern struct process_server *processes;

struct process *process_find(uint64_t pid);
/* New space, thread and record: a first process, or a copy of `from`. NULL: no memory. Called
 * outside transactions; the record is complete but not started. */
struct process *process_make(uint64_t from_pid);
bool process_run(struct process *p, uint64_t entry, uint64_t stack, uint64_t argument);
void process_exit_with(struct process *p, uint32_t code);
void process_unlink(struct process *p);              /* out of its parent's list: it was waited for */
bool process_resources_end(struct process *p);       /* a step; true when they are gone */
void process_record_free(struct process *p);
void intent_undo(void);

void signal_post(struct process *p, uint32_t signal, uint32_t sender);
void signal_stop(struct process *p, uint32_t signal);
void signal_continue(struct process *p);
void faults_look(struct process *p);
void timer_look(struct process *p, uint64_t *next_ns); /* lowers *next_ns to when it ends */
