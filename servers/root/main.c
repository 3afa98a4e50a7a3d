/* SPDX-License-Identifier: MIT */
/*
 * root: the first program. It checks the boot archive, makes the supervisor with nearly all
 * of the machine, and then only waits to make it again when it dies.
 *
 * It keeps for itself: its own space and thread, the boot capabilities, and the pages of
 * the supervisor's two volatile regions and its persistent one. Slots: BOOT_*, then S_*.
 * If the archive is damaged it says which file and stops the machine.
 */
#include <rt/format.h>
#include <rt/self.h>
#include <rt/string.h>
#include <spawn/spawn.h>
#include <spawn/system.h>

#define SERIAL 0x3f8
#define SERIAL_3 0x3e8
#define DEBUG_EXIT 0x501
#define ARCHIVE_VA 0x400000000000ull
#define WINDOW_VA 0x410000000000ull
#define VOLATILE_PAGES 112u
#define CAPSULE_PAGES 96u
#define OBJECT_PAGES 0u /* what it makes is in pages of its pool */
#define EXIT_PANIC 2
#define RECLAIM_TRIES 10000u
/* It sees two or three events of each death of a component (crash= on the command line). */
#define SUPERVISOR_CRASH_MEAN 20u
#define RECLAIM_NAP_NS 100000ull
#define PRIORITY 62
#define BIT_READY 1u
#define START_TRIES 3u    /* deaths of a supervisor that was not ready yet */
#define WATCH_NS 1000000000ull
#define MISSED_MAX 5u /* looks without a heartbeat of the supervisor: it may build for a while */
#define STATUS ((const struct rt_status *)(WINDOW_VA + (1u << 21) - STATUS_PAGES * 4096))
#define BITS_FAULT 0x100u /* beside what components raise: RT_READY, … */
#define B ((const struct pith_bootinfo *)BOOTINFO_ADDRESS)

enum {
    S_POOL = 16,
    S_VOLATILE_A,
    S_VOLATILE_B,
    S_PERSISTENT,
    S_SPACE_A,
    S_SPACE_B,
    S_THREAD_A,
    S_THREAD_B,
    S_WAKE,
    S_MAIN,
    S_LOG
};

void root_main(void);

static uint64_t page_next, page_end;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    char line[200];
    va_list a;
    va_start(a, format);
    vsnprintf(line, sizeof line, format, a);
    va_end(a);
    for (const char *p = line; *p; p++)
        pith_io_out(BOOT_PORTS, SERIAL, 1, (uint8_t)*p);
}

static void __attribute__((noreturn)) stop(const char *format, ...)
{
    char line[200];
    va_list a;
    va_start(a, format);
    vsnprintf(line, sizeof line, format, a);
    va_end(a);
    say("pith: %s\n", line);
    pith_io_out(BOOT_PORTS, DEBUG_EXIT, 1, EXIT_PANIC);
    for (;;)
        pith_thread_exit();
}

#define MUST(call)                                                                                 \
    ({                                                                                             \
        struct pith_result r_;                                                                     \
        do                                                                                         \
            r_ = (call);                                                                           \
        while (r_.status == -E_AGAIN);                                                             \
        if (r_.status)                                                                             \
            stop("root: " #call ": %ld", r_.status);                                               \
        r_.value;                                                                                  \
    })

/* The runtime library's log, for code shared with components. */
void rt_log(const char *format, ...)
{
    char line[200];
    va_list a;
    va_start(a, format);
    vsnprintf(line, sizeof line, format, a);
    va_end(a);
    say("[root] %s\n", line);
}

static uint64_t pages(uint64_t n)
{
    page_next = (page_next + 1) & ~1ull;
    uint64_t first = page_next;
    page_next += n;
    if (page_next > page_end)
        stop("too little memory: %lu KiB free", (page_end - B->free_first) * 4);
    return first;
}

static void tables(unsigned pairs)
{
    for (unsigned i = 0; i < pairs; i++)
        MUST(pith_space_donate(SPACE_SELF, BOOT_REGION, pages(2)));
}

bool spawn_own_tables(void)
{
    tables(1);
    return true;
}

static void region(uint32_t slot, uint64_t object_page, unsigned object, uint64_t first, uint64_t n)
{
    MUST(pith_region_create(BOOT_REGION, WHERE(object_page, object), slot, first));
    for (uint64_t done = 0; done < n;)
        done += MUST(pith_region_grow(slot, BOOT_REGION, n - done < 64 ? n - done : 64));
}

/* The archive is in RAM of its own, which stays the machine region's. */
static const void *archive_map(size_t *bytes)
{
    if (!B->module_count)
        stop("boot: no boot archive was loaded");
    uint64_t base = B->modules[0].base, first = base / 4096;
    uint64_t n = (base % 4096 + B->modules[0].length + 4095) / 4096;
    for (uint64_t done = 0; done < n;) {
        uint64_t now = n - done < MAP_BATCH ? n - done : MAP_BATCH;
        struct pith_result r = pith_space_map(
            SPACE_SELF, ARCHIVE_VA + done * 4096, BOOT_REGION, first + done, now | MAP_READ);
        if (r.status == -E_TABLES)
            tables(4);
        else if (r.status && r.status != -E_AGAIN)
            stop("boot archive: cannot map: %ld", r.status);
        else if (!r.status)
            done += r.value;
    }
    *bytes = B->modules[0].length;
    return (const uint8_t *)ARCHIVE_VA + base % 4096;
}

static uint64_t now_ns(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    unsigned __int128 p = ((uint64_t)hi << 32 | lo) - B->clock_base;
    return (uint64_t)(p * B->clock_mult >> B->clock_shift);
}

static uint32_t incarnation;
static uint64_t supervisor_pages; /* of each of its volatile regions */

/* One incarnation of the supervisor; false when it could not be made. */
static bool supervisor_start(const void *elf, size_t elf_bytes, uint64_t archive_bytes)
{
    static struct spawn s;
    const char *what;
    bool odd = ++incarnation & 1;
    memset(&s, 0, sizeof s);
    s.name = "supervisor";
    s.elf = elf;
    s.elf_bytes = elf_bytes;
    s.elf_region = BOOT_REGION;
    s.elf_first = B->modules[0].base / 4096 + ((uint64_t)elf - ARCHIVE_VA) / 4096;
    s.space = odd ? S_SPACE_A : S_SPACE_B;
    s.old_space = incarnation > 1 ? (odd ? S_SPACE_B : S_SPACE_A) : 0;
    s.thread = odd ? S_THREAD_A : S_THREAD_B;
    s.volatile_region = odd ? S_VOLATILE_A : S_VOLATILE_B;
    s.volatile_pages = supervisor_pages;
    s.persistent_region = S_PERSISTENT;
    s.capsule_pages = CAPSULE_PAGES;
    s.object_pages = OBJECT_PAGES;
    s.time = BOOT_TIME;
    s.priority = PRIORITY - 2;
    s.main_notification = S_MAIN;
    s.window = WINDOW_VA;
    struct rt_startup *st = &s.startup;
    st->incarnation = incarnation;
    st->cores = B->cores;
    spawn_crash(
        st, UINT32_MAX, spawn_option(B->command_line, "crash=") ? SUPERVISOR_CRASH_MEAN : 0);
    st->clock_mult = B->clock_mult;
    st->clock_base = B->clock_base;
    st->clock_shift = B->clock_shift;
    st->tsc_hz = B->tsc_hz;
    st->machine_archive_first = B->modules[0].base / 4096;
    static const struct {
        const char *name;
        uint32_t slot;
    } given[] = {
        {"pool", S_POOL},
        {"ports", BOOT_PORTS},
        {"device-memory", BOOT_MEMORY},
        {"control", BOOT_CONTROL},
        {"machine", BOOT_REGION},
        {"root", S_WAKE},
        {"log-port", S_LOG},
    };
    for (unsigned i = 0; i < sizeof given / sizeof *given; i++) {
        strlcpy(st->caps[i].name, given[i].name, sizeof st->caps[i].name);
        st->caps[i].slot = SLOT_NAMED + i;
    }
    for (unsigned i = 0; i < sizeof st->arguments - 1 && B->command_line[i]; i++)
        st->arguments[i] = B->command_line[i];
    s.modules[0].address = ARCHIVE_VA;
    s.modules[0].first = B->modules[0].base / 4096;
    s.modules[0].count = (B->modules[0].base % 4096 + archive_bytes + 4095) / 4096;
    s.modules[0].region = BOOT_REGION;
    st->modules[0][0] = ARCHIVE_VA + B->modules[0].base % 4096;
    st->modules[0][1] = archive_bytes;
    strlcpy(st->module_names[0], "archive", 32);
    for (unsigned tries = 0; !spawn_reclaim(s.volatile_region, supervisor_pages, 4); tries++) {
        if (tries == RECLAIM_TRIES) {
            say("[root] pages of an earlier supervisor are still in use\n");
            break;
        }
        /* Threads that were inside must get to run to be taken out. */
        pith_notify_wait(S_WAKE, now_ns() + RECLAIM_NAP_NS);
    }
    int64_t e = spawn_build(&s, &what);
    for (unsigned i = 0; !e && i < sizeof given / sizeof *given; i++)
        e = spawn_give(&s, given[i].slot, SLOT_NAMED + i);
    if (!e) {
        MUST(pith_space_owner(s.space, S_WAKE, BITS_FAULT));
        e = spawn_give(&s, S_WAKE, SLOT_SUPERVISOR);
        what = "start";
    }
    if (!e)
        e = spawn_start(&s);
    if (e)
        say("[root] cannot start the supervisor: %s: %ld\n", what, e);
    return !e;
}

static void death_report(uint32_t space)
{
    struct pith_fault f;
    if (pith_space_fault(space, (uint64_t)&f).status)
        return;
    if (f.sequence)
        say("[root] supervisor died: vector %lu at %lx, address %lx\n", f.vector, f.regs[15],
            f.address);
    else
        say("[root] supervisor was ended\n");
}

static void status_map(void)
{
    uint64_t page = spawn_persistent(CAPSULE_PAGES, OBJECT_PAGES) - STATUS_PAGES;
    MUST(pith_space_map(SPACE_SELF, (uint64_t)STATUS, S_PERSISTENT, page, STATUS_PAGES | MAP_READ));
}

/* What an incarnation said last, for the line that ends the machine. */
static const char *last_words(uint64_t since_ns)
{
    static char text[RT_LINE_MAX];
    return spawn_last_words(STATUS, since_ns, text) ? text : "it says nothing";
}

/* Waits until the supervisor has died or shows no heartbeat any more; whether it had been
 * ready. Looks are counted, as the supervisor does. */
static bool supervisor_wait(void)
{
    bool ready = false;
    uint64_t beats = 0, next = now_ns() + WATCH_NS;
    unsigned missed = 0;
    for (;;) {
        struct pith_result r = pith_notify_wait(S_WAKE, next);
        if (!r.status) {
            ready |= r.value & BIT_READY;
            if (r.value & BITS_FAULT)
                return ready;
        }
        if (now_ns() < next)
            continue;
        next = now_ns() + WATCH_NS;
        uint64_t seen = __atomic_load_n(&STATUS->beats, __ATOMIC_ACQUIRE);
        missed = seen == beats && ready ? missed + 1 : 0;
        beats = seen;
        if (missed == MISSED_MAX) {
            say("[root] supervisor is without a heartbeat\n");
            return true;
        }
    }
}

void root_main(void)
{
    size_t bytes, elf_bytes, system_bytes;
    page_next = B->free_first;
    page_end = B->free_first + B->free_count;
    tables(16);
    const void *archive = archive_map(&bytes);
    tables(4); /* for the window, whatever the archive has taken */
    const void *elf = spawn_member(archive, bytes, "supervisor", &elf_bytes);
    if (!elf)
        stop("boot archive: supervisor: missing or damaged");
    const struct system_header *h = spawn_member(archive, bytes, "system", &system_bytes);
    if (!h || system_bytes < sizeof *h || h->magic != SYSTEM_MAGIC || h->version != SYSTEM_VERSION)
        stop("boot archive: system: missing or damaged");
    uint64_t regions = pages(1), small = pages(1);
    /* Tables for the archive, and a stack of its service on each further core. */
    supervisor_pages = VOLATILE_PAGES + bytes / (1u << 20) + 2 +
                       (B->cores - 1) * (RT_STACK_SIZE / 4096 + 2);
    uint64_t va = pages(supervisor_pages), vb = pages(supervisor_pages);
    uint64_t persistent = pages(spawn_persistent(CAPSULE_PAGES, OBJECT_PAGES));
    uint64_t spare = pages(64); /* for tables of root's own later */
    region(S_VOLATILE_A, regions, 0, va, supervisor_pages);
    region(S_VOLATILE_B, regions, 1, vb, supervisor_pages);
    region(S_PERSISTENT, regions, 2, persistent, spawn_persistent(CAPSULE_PAGES, OBJECT_PAGES));
    uint64_t first = pages(2);
    region(S_POOL, regions, 3, first, (page_end - first) & ~1ull);
    page_next = spare;
    page_end = spare + 64;
    MUST(pith_notification_create(BOOT_REGION, WHERE(small, 0), S_WAKE));
    MUST(pith_notification_create(BOOT_REGION, WHERE(small, 1), S_MAIN));
    uint64_t io = small + 1;
    /* logport=3: the log goes to the third serial port, apart from programs' output. */
    uint64_t log_port = strstr(B->command_line, "logport=3") ? SERIAL_3 : SERIAL;
    MUST(pith_io_create(BOOT_PORTS, BOOT_REGION, WHERE(io, 0), S_LOG, log_port, 8));
    MUST(pith_thread_schedule(BOOT_THREAD, BOOT_TIME, PRIORITY));
    unsigned failed = 0;
    status_map();
    for (uint64_t since = now_ns(); supervisor_start(elf, elf_bytes, bytes); since = now_ns()) {
        uint32_t space = incarnation & 1 ? S_SPACE_A : S_SPACE_B;
        failed = supervisor_wait() ? 0 : failed + 1;
        death_report(space);
        if (failed == START_TRIES)
            stop("the supervisor cannot start: %s", last_words(since));
        MUST(pith_space_kill(space));
    }
    stop("the supervisor could not be started");
}
