/* SPDX-License-Identifier: MIT */
/*
 * supervisor: starts, watches, restarts and replaces components.
 *
 * Its state is in its capsule (struct state) and its capability table, both kept by root, so
 * its own death loses nothing: the next incarnation finds every component as it was and
 * finishes what was half done. It never calls a component: a component that dies raises its
 * bit in our notification (the kernel does), one that serves has opened its services.
 *
 * Slots: fixed ones of a component (rt/component.h), then COMPONENT_SLOTS for each one we
 * watch, from FIRST_SLOT on; services and their gates live where slot_offer() says.
 */
#include "supervisor.h"
#include <rt/format.h>
#include <rt/string.h>
#include <server/capsule.h>

struct state *state;
static const struct system_header *description;

#define RETRY(call)                                                                                \
    ({                                                                                             \
        struct pith_result r_;                                                                     \
        do                                                                                         \
            r_ = (call);                                                                           \
        while (r_.status == -E_AGAIN);                                                             \
        r_;                                                                                        \
    })

static uint64_t must(struct pith_result r, const char *what)
{
    if (r.status)
        rt_panic("%s: %ld", what, r.status);
    return r.value;
}
#define MUST(call) must(RETRY(call), #call)

const struct system_component *component(unsigned i)
{
    return &description->components[i];
}

unsigned component_count(void)
{
    return description->count;
}

uint32_t component_slot(unsigned i, enum component_slot which)
{
    return FIRST_SLOT + i * COMPONENT_SLOTS + which;
}

static uint32_t slot(unsigned i, enum component_slot which)
{
    return component_slot(i, which);
}

/* The slot of a new incarnation's or the other's object: two places that alternate. */
static uint32_t slot_turn(unsigned i, enum component_slot which, uint32_t incarnation)
{
    return slot(i, which) + (incarnation & 1);
}

uint32_t component_space(unsigned i)
{
    return slot_turn(i, C_SPACE, state->of[i].incarnation);
}

/* ---- memory at first start ------------------------------------------------------------------ */

#define LARGE_WORTH (8 * LARGE_PAGES) /* pages of a capsule from which on blocks are worth it */

static uint32_t pool;

static uint64_t pages(uint64_t n)
{
    uint64_t first = (state->page_next + 1) & ~1ull;
    state->page_next = first + n;
    if (state->page_next > state->page_end)
        rt_panic("the machine has too little memory for this system");
    return first;
}

/* A component's persistent region. Where a large capsule needs it, some pages before it stay
 * unused, so that the capsule is mapped in blocks. */
static uint64_t pages_persistent(uint64_t capsule_pages, uint64_t n)
{
    uint64_t base = MUST(pith_region_info(pool)) >> 32;
    if (capsule_pages >= LARGE_WORTH)
        state->page_next +=
            -(base + ((state->page_next + 1) & ~1ull) + RT_CAP_PAGES) & (LARGE_PAGES - 1);
    return pages(n);
}

static uint64_t small_where(enum small_kind kind)
{
    struct small *s = &state->small[kind];
    if (!s->page || s->used == 32) {
        s->page = pages(1);
        s->used = 0;
    }
    return WHERE(s->page, s->used++);
}

static void region(uint32_t to, uint64_t first, uint64_t n)
{
    MUST(pith_region_create(pool, small_where(SMALL_REGION), to, first));
    for (uint64_t done = 0; done < n;)
        done += MUST(pith_region_grow(to, pool, n - done < 64 ? n - done : 64));
}

/* Everything a component keeps for good: regions, services, devices. Not its gates. */
static void component_make(unsigned i)
{
    const struct system_component *c = component(i);
    uint64_t persistent = spawn_persistent(c->capsule_pages, c->object_pages);
    uint32_t here = state->of[i].region;
    region(region_slot(here), pages(region_pages(here)), region_pages(here));
    if (region_slot(here) == slot(i, C_VOLATILE))
        region(region_slot(here ^ 1), pages(region_pages(here)), region_pages(here));
    region(slot(i, C_PERSISTENT), pages_persistent(c->capsule_pages, persistent), persistent);
    MUST(pith_notification_create(pool, small_where(SMALL_NOTIFICATION), slot(i, C_MAIN)));
    for (unsigned o = 0; o < c->offer_count; o++) {
        MUST(pith_service_create(
            pool, pages(1), slot(i, C_OFFER) + o, c->offers[o].level, c->offers[o].limit_ns));
        MUST(pith_service_owner(slot(i, C_OFFER) + o, slot(i, C_MAIN), 1ull << 31 | 1ull << 62));
    }
    for (unsigned k = 0; k < c->port_count; k++)
        MUST(pith_io_create(rt_cap("ports"), pool, small_where(SMALL_IO), slot(i, C_PORT) + k,
            c->ports[k].first, c->ports[k].count));
    for (unsigned k = 0; k < c->memory_count; k++)
        MUST(pith_io_create(rt_cap("device-memory"), pool, small_where(SMALL_IO),
            slot(i, C_MEMORY) + k, c->memory[k].first, c->memory[k].count));
    for (unsigned k = 0; k < c->irq_count; k++)
        MUST(pith_interrupt_create(rt_cap("control"), pool, small_where(SMALL_INTERRUPT),
            slot(i, C_IRQ) + k, c->irqs[k].source, 0));
}

/* The service a name stands for. */
static bool offer_find(const char *name, unsigned *owner, unsigned *offer)
{
    for (*owner = 0; *owner < description->count; (*owner)++)
        for (*offer = 0; *offer < component(*owner)->offer_count; (*offer)++)
            if (!strcmp(component(*owner)->offers[*offer].name, name))
                return true;
    return false;
}

/* A place for a gate; a page has gates of one service. */
static uint64_t gate_where(struct small *g)
{
    if (!g->page || g->used == 128)
        *g = (struct small){pages(1), 0, 0};
    return WHERE(g->page, g->used++);
}

static void gates_make(unsigned i)
{
    const struct system_component *c = component(i);
    unsigned owner, offer;
    for (unsigned o = 0; c->heartbeat_ns && o < c->offer_count; o++)
        MUST(pith_gate_create(slot(i, C_OFFER) + o, pool, gate_where(&state->gates[i][o]),
            slot(i, C_ALIVE) + o, BADGE_ALIVE));
    for (unsigned u = 0; u < c->use_count; u++) {
        if (!strcmp(c->uses[u].name, "supervisor")) {
            MUST(pith_gate_create(CONTROL_SERVICE, pool, gate_where(&state->control_gates),
                slot(i, C_USE) + u, c->uses[u].badge));
            continue;
        }
        if (!offer_find(c->uses[u].name, &owner, &offer))
            rt_panic("%s: nobody offers %s", c->name, c->uses[u].name);
        MUST(pith_gate_create(slot(owner, C_OFFER) + offer, pool,
            gate_where(&state->gates[owner][offer]), slot(i, C_USE) + u, c->uses[u].badge));
    }
}

static void system_make(void)
{
    struct pith_result r = pith_region_info(pool);
    state->page_end = (uint32_t)r.value & ~1u;
    MUST(pith_service_create(pool, pages(1), CONTROL_SERVICE, CONTROL_LEVEL, 0));
    regions_plan();
    if (state->shared_count) {
        uint32_t spare = SHARED_REGIONS + (uint32_t)state->shared_count;
        region(region_slot(spare), pages(state->shared_pages), state->shared_pages);
    }
    for (unsigned i = 0; i < description->count; i++)
        component_make(i);
    for (unsigned i = 0; i < description->count; i++)
        gates_make(i);
    for (unsigned i = 0; i < description->count; i++)
        if (component(i)->flags & SYSTEM_RAM) {
            /* All small objects are placed by now, bar one region. */
            uint64_t reserve = 64, first = pages(2) + reserve;
            if (first + 256 > state->page_end)
                rt_panic("the machine has too little memory for this system");
            region(slot(i, C_RAM), first, state->page_end - first);
            state->page_next = state->page_end;
        }
    state->made = 1;
}

/* ---- incarnations ---------------------------------------------------------------------------- */

static struct spawn work;

bool spawn_own_tables(void)
{
    uint64_t pair = rt_volatile_pages(2);
    return pair && !RETRY(pith_space_donate(SPACE_SELF, SLOT_VOLATILE, pair)).status;
}

static void name_cap(const char *name, uint32_t here, unsigned *n, int64_t *error)
{
    struct rt_named_cap *c = &work.startup.caps[*n];
    strlcpy(c->name, name, sizeof c->name);
    c->slot = SLOT_NAMED + *n;
    if (!*error)
        *error = spawn_give(&work, here, c->slot);
    (*n)++;
}

/* Names go into the startup page, so they are known before it is written; capabilities are
 * given after the table is there. */
static void names_walk(
    unsigned i, void (*each)(const char *, uint32_t, unsigned *, int64_t *), int64_t *error)
{
    const struct system_component *c = component(i);
    unsigned n = 0;
    for (unsigned o = 0; o < c->offer_count; o++)
        each(c->offers[o].name, slot(i, C_OFFER) + o, &n, error);
    for (unsigned u = 0; u < c->use_count; u++)
        each(c->uses[u].as, slot(i, C_USE) + u, &n, error);
    for (unsigned k = 0; k < c->port_count; k++)
        each(c->ports[k].name, slot(i, C_PORT) + k, &n, error);
    for (unsigned k = 0; k < c->memory_count; k++)
        each(c->memory[k].name, slot(i, C_MEMORY) + k, &n, error);
    for (unsigned k = 0; k < c->irq_count; k++)
        each(c->irqs[k].name, slot(i, C_IRQ) + k, &n, error);
    if (c->flags & SYSTEM_RAM)
        each("ram", slot(i, C_RAM), &n, error);
    if (c->flags & SYSTEM_CONTROL)
        each("control", rt_cap("control"), &n, error);
    if (c->flags & SYSTEM_BUS) {
        each("ports", rt_cap("ports"), &n, error);
        each("device-memory", rt_cap("device-memory"), &n, error);
    }
    each("log-port", rt_cap("log-port"), &n, error);
}

static void name_only(const char *name, uint32_t here, unsigned *n, int64_t *error)
{
    struct rt_named_cap *c = &work.startup.caps[*n];
    (void)here;
    (void)error;
    strlcpy(c->name, name, sizeof c->name);
    c->slot = SLOT_NAMED + (*n)++;
}

const void *archive_member(const char *name, size_t *size)
{
    return spawn_member(
        (const void *)STARTUP->modules[0][0], STARTUP->modules[0][1], name, size);
}

/* The page of region "machine" in which a member of the archive begins. */
static uint64_t archive_page(const void *member)
{
    return state->archive_first + (uint64_t)member / 4096 - STARTUP->modules[0][0] / 4096;
}

static void modules_set(unsigned i)
{
    const struct system_component *c = component(i);
    uint64_t at = 0x400000000000ull;
    for (unsigned m = 0, n = 0; m < c->module_count; m++) {
        size_t size;
        if (c->modules_first >> m & 1 && state->of[i].was_ready && !state->of[i].unready) {
            work.startup.modules_left++;
            continue;
        }
        const uint8_t *file = archive_member(c->modules[m], &size);
        if (!file) {
            rt_log("%s: module %s is not in the archive", c->name, c->modules[m]);
            continue;
        }
        uint64_t offset = (uint64_t)file % 4096;
        work.modules[n].address = at;
        work.modules[n].first = archive_page(file);
        work.modules[n].count = (offset + size + 4095) / 4096;
        work.modules[n].region = rt_cap("machine");
        work.startup.modules[n][0] = at + offset;
        work.startup.modules[n][1] = size;
        strlcpy(work.startup.module_names[n], c->modules[m], 32);
        at += (work.modules[n++].count + 512) * 4096;
    }
}

static uint64_t crash_mean; /* for tests: see spawn_crash */

static bool component_start(unsigned i)
{
    const struct system_component *c = component(i);
    struct component_state *s = &state->of[i];
    uint32_t before = s->incarnation, place = before ? region_other(i) : s->region;
    const char *what = "program", *binary = s->replacement[0] ? s->replacement : c->binary;
    size_t elf_bytes;
    int64_t error = 0;
    const void *elf = archive_member(binary, &elf_bytes);
    if (!elf) {
        component_fail(i, "cannot start: %s is not in the archive", binary);
        return false;
    }
    if (!region_clean(place, RECLAIM_NS))
        return false; /* looked at again by the next wake */
    memset(&work, 0, sizeof work);
    work.name = c->name;
    work.elf = elf;
    work.elf_bytes = elf_bytes;
    work.elf_region = rt_cap("machine");
    work.elf_first = archive_page(elf);
    work.space = slot_turn(i, C_SPACE, before + 1);
    work.old_space = before ? slot_turn(i, C_SPACE, before) : 0;
    work.thread = slot_turn(i, C_THREAD, before + 1);
    work.volatile_region = region_slot(place);
    work.volatile_pages = region_pages(place);
    work.persistent_region = slot(i, C_PERSISTENT);
    work.capsule_pages = c->capsule_pages;
    work.log_pages = c->log_pages;
    work.object_pages = c->object_pages;
    work.heap_pages = c->heap_pages;
    work.time = SLOT_TIME;
    work.priority = c->priority;
    work.main_notification = slot(i, C_MAIN);
    work.window = WINDOW_VA;
    work.startup.incarnation = before + 1;
    work.startup.heartbeat_ns = c->heartbeat_ns;
    work.startup.offers = c->heartbeat_ns ? c->offer_count : 0;
    if (c->flags & SYSTEM_RESTART)
        spawn_crash(&work.startup, i, crash_mean);
    s->crash_at = work.startup.crash_at;
    work.startup.cores = STARTUP->cores;
    work.startup.clock_mult = STARTUP->clock_mult;
    work.startup.clock_base = STARTUP->clock_base;
    work.startup.clock_shift = STARTUP->clock_shift;
    work.startup.tsc_hz = STARTUP->tsc_hz;
    work.startup.boot_ns_realtime = state->realtime_ns;
    /* Whoever is told the first program: a kernel command line with another one wins. */
    bool given = strstr(c->arguments, "init=") && strstr(STARTUP->arguments, "init=");
    memcpy(work.startup.arguments, given ? STARTUP->arguments : c->arguments, sizeof c->arguments);
    modules_set(i);
    names_walk(i, name_only, &error);
    state->clean[place] = 0;
    error = spawn_build(&work, &what);
    if (!error) {
        what = "capabilities";
        names_walk(i, name_cap, &error);
    }
    for (unsigned o = 0; !error && o < work.startup.offers; o++)
        error = spawn_give(&work, slot(i, C_ALIVE) + o, SLOT_ALIVE + o);
    if (!error)
        error = spawn_give(&work, SLOT_MAIN, SLOT_SUPERVISOR);
    if (!error)
        error = RETRY(pith_space_owner(work.space, SLOT_MAIN, 1ull << (i & 63))).status;
    s->region = place;
    s->incarnation = before + 1;
    s->state = COMPONENT_STARTING;
    s->started_ns = rt_now_ns();
    if (!error) {
        what = "start";
        error = spawn_start(&work);
    }
    s->state = COMPONENT_RUNNING;
    if (error == -E_LIMIT)
        component_fail(
            i, "cannot start: %lu pages are too few for its %s", work.volatile_pages, what);
    else if (error)
        component_fail(i, "cannot start: its %s: status %ld", what, error);
    return !error;
}

#define VECTOR_BREAKPOINT 3

static const char *vector_name(uint64_t vector)
{
    switch (vector) {
    case 0:
        return "division";
    case VECTOR_BREAKPOINT:
        return "breakpoint";
    case 6:
        return "undefined instruction";
    case 13:
        return "protection";
    case 14:
        return "page fault";
    default:
        return "exception";
    }
}

/* Counts and says a death; why: not by a fault. */
static void death_note(unsigned i, const struct pith_fault *f, const char *why)
{
    struct component_state *s = &state->of[i];
    bool ready = component_ready(i);
    s->deaths++;
    s->last = *f;
    s->died_ns = rt_now_ns();
    bool planned = s->crash_at && f->sequence && f->vector == VECTOR_BREAKPOINT;
    s->quick = f->sequence && !planned && s->died_ns - s->started_ns < QUICK_NS ? s->quick + 1 : 0;
    s->was_ready |= ready;
    if (ready)
        s->unready = 0;
    else if (!planned && (f->sequence || why))
        s->unready++;
    if (f->sequence)
        snprintf(s->why, sizeof s->why, "%s at %lx, address %lx", vector_name(f->vector),
            f->regs[15], f->address);
    else
        strlcpy(s->why, why ? why : "killed", sizeof s->why);
    if (planned)
        rt_log("%s died as planned in %s %lu", component(i)->name,
            component_status(i)->crashed_waking == s->incarnation ? "wake" : "request",
            s->crash_at);
    else if (f->sequence)
        rt_log("%s died: %s", component(i)->name, s->why);
    else
        rt_log("%s was %s", component(i)->name, s->why);
}

/* Whether component i has died since it was looked at; ends its space if so. */
static bool component_died(unsigned i)
{
    struct component_state *s = &state->of[i];
    struct pith_fault f;
    const char *why;
    memset(&f, 0, sizeof f);
    if (s->state != COMPONENT_RUNNING && s->state != COMPONENT_STARTING)
        return false;
    struct pith_result r = pith_space_fault(component_space(i), (uint64_t)&f);
    bool stuck = component_stuck(i, &why);
    if (!s->kill_wanted && s->state == COMPONENT_RUNNING && (r.status || !f.sequence) && !stuck)
        return false;
    death_note(i, &f, why);
    RETRY(pith_space_kill(component_space(i)));
    s->kill_wanted = 0;
    s->state = COMPONENT_DEAD;
    return true;
}

static uint64_t backoff_ns(const struct component_state *s)
{
    /* Deaths in quick succession: 1 ms, 2 ms, … up to 1 s. */
    return s->quick ? 1000000ull << (s->quick < 10 ? s->quick - 1 : 10) : 0;
}

/* What it said last, or how it died. */
static const char *reason(unsigned i, char text[RT_LINE_MAX])
{
    const struct component_state *s = &state->of[i];
    return spawn_last_words(component_status(i), s->started_ns, text) ? text : s->why;
}

static void component_revive(unsigned i)
{
    struct component_state *s = &state->of[i];
    uint64_t now = rt_now_ns();
    char text[RT_LINE_MAX];
    if (s->state != COMPONENT_DEAD)
        return;
    if (!(component(i)->flags & SYSTEM_RESTART)) {
        if (component(i)->flags & SYSTEM_VITAL)
            component_fail(i, "died: %s", reason(i, text));
        return;
    }
    if (s->unready >= START_TRIES) {
        component_fail(i, "cannot start: %s", reason(i, text));
        return;
    }
    if (s->quick > QUICK_MAX) {
        component_fail(i, "died %u times in quick succession: %s", s->quick, reason(i, text));
        return;
    }
    if (s->quick > 3 && now < s->died_ns + backoff_ns(s))
        return; /* looked at again by the next wake */
    if (component_start(i))
        rt_log("%s restarted (incarnation %u) after %lu us", component(i)->name, s->incarnation,
            (rt_now_ns() - s->died_ns) / 1000);
}

void component_kill(unsigned i)
{
    state->of[i].kill_wanted = 1;
    pith_notify_raise(SLOT_MAIN, 1ull << (i & 63));
}

/* ---- the date -------------------------------------------------------------------------------- */

static uint8_t cmos(unsigned index)
{
    pith_io_out(rt_cap("ports"), 0x70, 1, index);
    return (uint8_t)pith_io_in(rt_cap("ports"), 0x71, 1).value;
}

static unsigned decimal(uint8_t v, bool binary)
{
    return binary ? v : (v >> 4) * 10u + (v & 15u);
}

/* The MC146818 clock: registers 0, 2, 4, 7, 8, 9; 0x0a bit 7 update, 0x0b bit 2 binary. */
static uint64_t realtime_at_boot(void)
{
    for (unsigned tries = 0; tries < 100000 && cmos(0x0a) & 0x80; tries++)
        ;
    bool binary = cmos(0x0b) & 4;
    unsigned second = decimal(cmos(0), binary), minute = decimal(cmos(2), binary);
    unsigned hour = decimal(cmos(4), binary), day = decimal(cmos(7), binary);
    unsigned month = decimal(cmos(8), binary), year = 2000 + decimal(cmos(9), binary);
    /* Days from the civil calendar: March-based years of 365.2425 days. */
    unsigned y = month <= 2 ? year - 1 : year, m = month <= 2 ? month + 9 : month - 3;
    uint64_t days = 365ull * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
    uint64_t now = ((days * 24 + hour) * 60 + minute) * 60 + second;
    return now * NS_PER_S - rt_now_ns();
}

/* ---- main ------------------------------------------------------------------------------------ */

/* For tests: chaos=MS kills a component that may be restarted every MS milliseconds. */
static uint64_t chaos_ns, chaos_at;
static unsigned chaos_next;

static void chaos(void)
{
    if (!chaos_ns || rt_now_ns() < chaos_at)
        return;
    chaos_at = rt_now_ns() + chaos_ns;
    for (unsigned tries = 0; tries < description->count; tries++) {
        unsigned i = chaos_next++ % description->count;
        if (component(i)->flags & SYSTEM_RESTART && state->of[i].state == COMPONENT_RUNNING) {
            state->of[i].kill_wanted = 1;
            return;
        }
    }
}

/* For tests: hang=MS makes the first incarnation loop for ever, MS milliseconds after boot. */
static uint64_t hang_ns;

static void hang(void)
{
    while (hang_ns && rt_now_ns() >= hang_ns)
        ;
}

static void describe(void)
{
    size_t bytes;
    description = archive_member("system", &bytes);
    if (!description)
        rt_panic("boot archive: system: missing");
    if (bytes < sizeof *description ||
        (bytes - sizeof *description) / sizeof *description->components < description->count ||
        description->count > SYSTEM_COMPONENTS_MAX)
        rt_panic("boot archive: system: damaged");
}

void component_main(void)
{
    describe();
    pool = rt_cap("pool");
    (void)capsule_open(SYSTEM_VERSION, sizeof *state, (void **)&state);
    if (!state->realtime_ns) {
        state->realtime_ns = realtime_at_boot();
        state->archive_first = STARTUP->machine_archive_first;
    }
    if (!state->made)
        system_make();
    watch_open();
    if (STARTUP->incarnation > 1)
        rt_log("back: %u components", description->count);
    chaos_ns = spawn_option(STARTUP->arguments, "chaos=") * 1000000;
    chaos_at = rt_now_ns() + chaos_ns;
    crash_mean = spawn_option(STARTUP->arguments, "crash=");
    hang_ns = STARTUP->incarnation == 1 ? spawn_option(STARTUP->arguments, "hang=") * 1000000 : 0;
    control_open();
    for (unsigned i = 0; i < description->count; i++)
        if (state->of[i].state == COMPONENT_NEW)
            (void)component_start(i);
    rt_ready();
    for (;;) {
        bool waiting = !regions_clean();
        for (unsigned i = 0; i < description->count; i++) {
            (void)component_died(i);
            component_revive(i);
            waiting |= state->of[i].state == COMPONENT_DEAD && component(i)->flags & SYSTEM_RESTART;
        }
        chaos();
        hang();
        watch_announce();
        uint64_t nap = waiting || chaos_ns ? 1000000 : watch_nap_ns();
        __atomic_store_n(&RT_STATUS->beats, RT_STATUS->beats + 1, __ATOMIC_RELEASE);
        (void)rt_wait(rt_now_ns() + nap);
    }
}
