/* SPDX-License-Identifier: MIT */
/*
 * What a component (a server, driver or native program that the supervisor starts) finds:
 * its startup page, its capabilities by name, its memory.
 *
 * A component is: an ELF program linked with lib/rt (start.S calls component_main on a stack
 * of its own), a volatile region that is emptied and used again with each incarnation, and
 * a persistent one, its capsule: memory mapped at CAPSULE_BASE that every incarnation sees
 * as its predecessor left it, the kernel objects it made (gates, …), and its capability
 * table. So slot numbers and pointers into the capsule stay good across restarts.
 * lib/server/capsule.h makes changes to it atomic.
 */
#pragma once
#include <abi/stubs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STARTUP_ADDRESS 0x110000ull
#define STARTUP_MAGIC 0x5374617274757031ull
#define CAPSULE_BASE 0x100000000000ull
#define HEAP_BASE 0x200000000000ull
#define STACKS_BASE 0x30000000ull /* beside the program: they share tables */
#define RT_NAMES 48

struct rt_named_cap { char name[24]; uint32_t slot, flags; };
struct rt_startup {
    uint64_t magic;
    char name[32];
    uint32_t incarnation;      /* 1 for the first */
    uint32_t cores;
    uint64_t heartbeat_ns;     /* period; 0: nobody watches */
    uint32_t offers;           /* gates from SLOT_ALIVE on */
    uint32_t crash_where; /* for tests: 0 at a request's begin, 1 before and 2 after a commit */
    uint64_t modules_left; /* not mapped now; they are after a death before rt_ready */
    uint64_t crash_at;    /* for tests: dies at this event (request or wake); 0: never */
    uint64_t clock_mult, clock_base, clock_shift, tsc_hz;
    uint64_t capsule_bytes;    /* mapped at CAPSULE_BASE; all zero in incarnation 1 */
    uint64_t log_bytes;        /* of it for the undo log; 0: in proportion */
    uint64_t heap_bytes;       /* mapped at HEAP_BASE, zeroed */
    uint64_t volatile_first, volatile_count; /* free pages of SLOT_VOLATILE */
    uint64_t objects_first, objects_count;   /* free pages of SLOT_PERSISTENT for objects */
    uint64_t machine_archive_first; /* supervisor: first frame of the boot archive */
    uint64_t boot_ns_realtime; /* CMOS time at boot, ns since 1970 */
    struct rt_named_cap caps[RT_NAMES]; /* by name: services offered, gates used, devices */
    uint64_t modules[4][2];    /* files of the boot archive mapped read-only: address, bytes */
    char module_names[4][32];
    char arguments[512];       /* words of the description's "arguments" line */
};
#define STARTUP ((const struct rt_startup *)STARTUP_ADDRESS)

/* Fixed slots of every component. */
enum {
    SLOT_SPACE = 1,            /* own space: map, handler… */
    SLOT_PERSISTENT = 2,       /* region of the capsule and lasting objects */
    SLOT_VOLATILE = 3,         /* region emptied at each restart */
    SLOT_TIME = 4,             /* right to run threads */
    SLOT_MAIN = 5,             /* notification of the main thread */
    SLOT_SUPERVISOR = 6,       /* raise: RT_READY, RT_ALIVE, RT_DONE */
    SLOT_THREAD = 7,           /* the main thread */
    SLOT_POOL = 8,             /* stacks of the service that was opened last */
    SLOT_ALIVE = 9,            /* gates to its own services, with BADGE_ALIVE: for heartbeats */
    SLOT_NAMED = 16,           /* what the description grants, see caps[] */
    SLOT_DYNAMIC = 256,        /* rt_slot_alloc: page 1 */
    SLOT_RECEIVE = 512,        /* page 2: four per stack and thread */
    SLOT_DYNAMIC2 = 768,       /* pages 3..: rt_slot_alloc goes on here */
};
#define RT_CAP_PAGES 16        /* 4096 slots */

#define BADGE_ALIVE UINT64_MAX /* of a heartbeat's call; answered without the server's handler */

/* Written by the component. */
void component_main(void);

/* For tests: events until this incarnation dies, and whether the request that it dies in has come
 * (1 + crash_where). SERVER_ENTRY and the capsule look at them. */
extern int64_t rt_events_left;
extern uint8_t rt_dying;
#define RT_ENTRY_COUNTED 16 /* bytes before a service's entry: the same entry, that counts */

/* The slot of a named capability; 0 when the description does not grant it. */
uint32_t rt_cap(const char *name);
/* Tells the supervisor that this incarnation serves. */
void rt_ready(void);
/* A page of the volatile region: index for SLOT_VOLATILE; 0 when there is none left. */
uint64_t rt_volatile_page(void);
uint64_t rt_volatile_pages(uint64_t n); /* a run, the first frame even */
/* Offers service (a named capability) at entry: makes pool and stacks (count per core),
 * binds and opens. entry comes from SERVER_ENTRY (lib/server). False with a log line. */
bool rt_service_open(const char *name, void (*entry)(void), unsigned count);
/* The same for a service in a slot; name is for the log. */
bool rt_service_serve(uint32_t service, const char *name, void (*entry)(void), unsigned count);
/* Starts a thread of this component on a core; its rt_self has a notification of its own.
 * 0 or -E_…. The thread ends by returning. */
int64_t rt_thread_start(void (*function)(uint64_t), uint64_t argument, unsigned core,
                        unsigned priority);
/* Waits on the thread's own notification; bits or 0 when the deadline passed. Where heartbeats
 * are watched the main thread has to come here within each period, and when component_main
 * has returned the runtime does: it then calls each service of its own, which tells that they
 * are not stuck either. */
uint64_t rt_wait(uint64_t deadline_ns);
uint64_t rt_now_ns(void);             /* since boot */
uint64_t rt_realtime_ns(void);        /* since 1970 */
/* Log lines go to the log service or, before there is one, to the console port. */
void rt_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
void rt_panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* A spin lock across cores for short sections; holders may be preempted: it yields. */
struct rt_lock { uint32_t taken; };
void rt_lock_wait(struct rt_lock *lock);
static inline void rt_lock(struct rt_lock *lock)
{
    if (__builtin_expect(__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE) != 0, 0))
        rt_lock_wait(lock);
}
static inline void rt_unlock(struct rt_lock *lock)
{
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}
