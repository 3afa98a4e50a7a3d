/* SPDX-License-Identifier: MIT */
/*
 * Making an incarnation of a component from its ELF image: its space, memory, capability
 * table, startup page and main thread. Used by root (for the supervisor) and by the
 * supervisor (for everything else).
 */
#pragma once
#include <rt/component.h>
#include <rt/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A capsule that begins at such a frame is mapped in blocks of that many pages. */
#define LARGE_PAGES 512u

struct spawn {
    const char *name;
    const void *elf;             /* readable here */
    size_t elf_bytes;
    uint32_t elf_region;         /* slot of the region that elf is in, and the page it begins in: */
    uint64_t elf_first;          /* what nobody writes is mapped from there, not copied */
    uint32_t space, old_space;   /* slots here: the new space; the dead one, or 0 */
    uint32_t thread;             /* slot for the main thread */
    uint32_t volatile_region;    /* all of its pages free; starts on an even frame */
    uint64_t volatile_pages;
    uint32_t persistent_region; /* first RT_CAP_PAGES: capability pages, then the capsule,
                                  * then pages for objects, then STATUS_PAGES (rt/status.h);
                                  * starts on an even frame */
    uint64_t capsule_pages, log_pages, object_pages, heap_pages;
    uint32_t time, priority;     /* slot; of the main thread */
    uint32_t main_notification;  /* slot here */
    uint64_t window;             /* 2 MiB of address space here, used while spawning */
    struct rt_startup startup;   /* caps, modules, clock… filled by the caller; the rest here */
    struct { uint64_t address, first, count; uint32_t region; } modules[4]; /* read-only */
    uint64_t next;               /* in: first free page of the volatile region (0) */
};

/* The program that spawns provides this: a pair of pages for tables of its own space, donated.
 * False: it has none. */
bool spawn_own_tables(void);

/* Builds everything; the main thread is not started. 0 or -E_… with *what saying where. */
int64_t spawn_build(struct spawn *s, const char **what);
/* Pages of the persistent region of a component with so many. */
uint64_t spawn_persistent(uint64_t capsule_pages, uint64_t object_pages);
/* The number behind a key of the command line ("crash="); 0: none. */
uint64_t spawn_option(const char *arguments, const char *key);
/* For tests: lets the incarnation die at one of its first 2 * mean events, the same for the same
 * component and incarnation. */
void spawn_crash(struct rt_startup *startup, uint64_t who, uint64_t mean);
/* Gives it a capability: slot here → slot there. */
int64_t spawn_give(struct spawn *s, uint32_t here, uint32_t there);
int64_t spawn_start(struct spawn *s);
/* Makes every page of a region free again; false when something still holds on (try later). */
bool spawn_reclaim(uint32_t region, uint64_t pages, unsigned passes);
/* Line n of a status page as text of one line, and its time; false: it is not there, or is
 * being written. */
bool spawn_line(
    const struct rt_status *status, uint64_t n, uint64_t *time_ns, char text[RT_LINE_MAX]);
/* The last line, if it was written at since_ns or later. */
bool spawn_last_words(const struct rt_status *status, uint64_t since_ns, char text[RT_LINE_MAX]);
/* A member of a cpio archive (newc); NULL when there is none or it is damaged. */
const void *spawn_member(const void *archive, size_t bytes, const char *name, size_t *size);
