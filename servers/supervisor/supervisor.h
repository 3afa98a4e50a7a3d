/* SPDX-License-Identifier: MIT */
/* What the supervisor keeps, and what its files share. */
#pragma once
#include <rt/component.h>
#include <spawn/spawn.h>
#include <spawn/system.h>
#include <stdarg.h>

#define CONTROL_SERVICE 900u /* slot of our own service, level CONTROL_LEVEL */
#define CONTROL_LEVEL 28u
#define FIRST_SLOT 1024u
#define COMPONENT_SLOTS 48u
#define WINDOW_VA 0x410000000000ull
#define QUICK_MAX 20u /* deaths, each within QUICK_NS of its start, until it is left dead */
#define QUICK_NS 20000000ull
#define START_TRIES 3u /* deaths without having been ready, until it is left dead */
#define WHY_MAX 64u
#define RECLAIM_NS 1000000000ull
#define SHARED_REGIONS (2u * SYSTEM_COMPONENTS_MAX) /* the number of the first shared one */
#define RECLAIM_NAP_NS 100000ull

enum component_slot {
    C_SPACE = 0,    /* two, alternating */
    C_VOLATILE = 2, /* two; of a small component none */
    C_THREAD = 4,   /* two */
    C_PERSISTENT = 6,
    C_MAIN = 7,
    C_RAM = 8,
    C_OFFER = 12, /* SYSTEM_OFFERS */
    C_PORT = 16,
    C_MEMORY = 20,
    C_IRQ = 24, /* SYSTEM_DEVICES each */
    C_USE = 28, /* SYSTEM_USES */
    C_ALIVE = 44 /* SYSTEM_OFFERS: gates to its own services */
};

enum component_life {
    COMPONENT_NEW,
    COMPONENT_STARTING,
    COMPONENT_RUNNING,
    COMPONENT_DEAD,
    COMPONENT_FAILED,
};

enum small_kind { SMALL_REGION, SMALL_NOTIFICATION, SMALL_IO, SMALL_INTERRUPT, SMALL_KINDS };
struct small {
    uint64_t page;
    uint32_t used, pad;
};

struct component_state {
    uint32_t state, incarnation, quick, kill_wanted;
    uint32_t region, pad;    /* of its last complete incarnation, or its first (region.c) */
    uint64_t volatile_pages; /* of a region */
    uint64_t deaths, started_ns, died_ns;
    char replacement[32]; /* binary to start instead of the described one */
    char why[WHY_MAX];    /* it died last */
    uint64_t unready;     /* deaths by itself since it was ready last */
    uint64_t was_ready;   /* some incarnation of it */
    uint64_t crash_at;    /* this incarnation dies on purpose at this event; 0: never */
    uint64_t beats, missed, checked_ns; /* its heartbeat, as seen last */
    struct pith_fault last;
};

struct state {
    uint64_t made;      /* objects of all components exist */
    uint64_t announced; /* that all are ready */
    uint64_t page_next, page_end;
    uint64_t realtime_ns, archive_first;
    uint64_t shared_pages, shared_count; /* size of the regions for small components; they */
    uint8_t clean[4 * SYSTEM_COMPONENTS_MAX]; /* by region: nothing is in it */
    struct small small[SMALL_KINDS];
    struct small control_gates;
    struct small gates[SYSTEM_COMPONENTS_MAX][SYSTEM_OFFERS];
    struct component_state of[SYSTEM_COMPONENTS_MAX];
};

extern struct state *state;
const struct system_component *component(unsigned i);
unsigned component_count(void);
uint32_t component_space(unsigned i);
uint32_t component_slot(unsigned i, enum component_slot which);
void component_kill(unsigned i);

const void *archive_member(const char *name, size_t *size);

/* region.c */
uint64_t region_pages_wanted(unsigned i);
void regions_plan(void); /* once: sizes, and who begins where */
uint32_t region_slot(uint32_t region);
uint64_t region_pages(uint32_t region);
uint32_t region_other(unsigned i); /* where component i's next incarnation goes */
bool region_clean(uint32_t region, uint64_t patience_ns); /* empties it; false: not yet */
bool regions_clean(void); /* those in nobody's use, as far as it goes at once */

/* watch.c */
void watch_open(void); /* once in each incarnation */
const struct rt_status *component_status(unsigned i);
bool component_ready(unsigned i);                   /* serves, or is none that offers a service */
bool component_stuck(unsigned i, const char **why); /* runs, but is not or never gets ready */
uint64_t watch_nap_ns(void); /* until somebody is to be looked at */
void watch_announce(void);                          /* says once that all are ready */
/* Leaves it dead for good; the text says why, after its name. */
void component_fail(unsigned i, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* control.c: the service by which others list, kill, restart and replace. */
void control_open(void);
