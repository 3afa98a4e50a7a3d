/* SPDX-License-Identifier: MIT */
/*
 * What the memory server keeps and what its files share.
 *
 * pages.c   which page of "ram" is used for what; seeing pages (the window)
 * space.c   address spaces: page maps, faults, copies
 * serve.c   the protocol
 *
 * The rule that makes it restartable: a page table entry of the kernel never names a page
 * that the space's page map does not name. Pages enter the map (one 32-bit store) before
 * they are mapped and leave it after they are unmapped. What is derived (reference counts,
 * free lists) is not stored: an incarnation recounts it from the page maps.
 */
#pragma once
#include <proto/memory_server.h>
#include <server/capsule.h>

#define PAGE 4096ull
#define BADGE_FAULT (1ull << 63) /* a space's gate for the kernel's fault calls */

/* ---- pages ---- */
bool pages_open(void);               /* sizes and the window; no page is taken yet */
void pages_count_use(uint32_t page); /* while recounting: one more reference */
void pages_count_object(uint32_t page);
void pages_ready(void);        /* recounting is over: build the free lists */
uint32_t page_take(bool zero); /* a frame with one reference; 0: none (page 0 is not used) */
void page_more(uint32_t page);
void page_less(uint32_t page); /* the last reference frees it */
uint32_t page_refs(uint32_t page);
void *page_view(uint32_t page);  /* where this server sees it */
uint32_t object_pair_take(void); /* two pages for kernel objects, the first even; 0: none */
uint32_t object_take(void);
void object_give(uint32_t page); /* page_take()n back from the kernel by now */
uint64_t pages_total(void);
uint64_t pages_unused(void);
extern uint32_t ram;

/* ---- spaces ---- */
struct object_list {
    struct object_list *next;
    uint32_t count, pages[61];
};
struct thread_record {
    struct thread_record *next;
    uint32_t id, thread, notification, page, place, pad;
};
enum space_state { SPACE_MAKING = 1, SPACE_LIVE, SPACE_ENDING };
struct space_record {
    struct space_record *next;                        /* all of them */
    uint32_t id, state, space, gate, fault_gate, pad; /* slots */
    uint64_t quota, resident, faults, hint;           /* hint: map downwards from here */
    uint32_t root;                                    /* page map's top node, 0 none */
    uint32_t small_page, small_used, thread_ids;
    struct object_list *objects;
    struct thread_record *threads;
};
#define SPACES_MAX 4096u
struct template
{
    uint64_t address;
    uint32_t page, entry;
};
#define TEMPLATE_MAX 512u
struct memory_server {
    struct space_record *spaces;
    struct space_record *by_id[SPACES_MAX];
    uint32_t next_id, template_count;
    uint64_t template_made;
    struct template templates[TEMPLATE_MAX]; /* pages of the layer */
};
extern struct memory_server *memory;

/* A page map's entry: ENTRY_VALID and rights for each page of a mapping, with a page number
 * once it has been touched. */
#define ENTRY_PAGE 0x00ffffffu
#define ENTRY_READ (1u << 24)
#define ENTRY_WRITE (1u << 25)
#define ENTRY_EXEC (1u << 26)
#define ENTRY_VALID (1u << 27)
#define ENTRY_SHARED (1u << 28)
#define ENTRY_RIGHTS (ENTRY_READ | ENTRY_WRITE | ENTRY_EXEC)

/* The functions below run under the server's lock (tx_begin). */
struct space_record *space_find(uint64_t id);
struct space_record *space_make(uint64_t quota);
void space_end(struct space_record *s);      /* begins; goes on in space_end_step */
bool space_end_step(struct space_record *s); /* true when it is gone */
bool space_clone(struct space_record *from, struct space_record *to);
bool space_template(struct space_record *s);
uint32_t range_set(struct space_record *s, uint64_t va, uint64_t pages, uint32_t entry);
void range_clear(struct space_record *s, uint64_t va, uint64_t pages, bool keep);
bool range_valid(struct space_record *s, uint64_t va, uint64_t pages);
bool range_free(struct space_record *s, uint64_t va, uint64_t pages);
uint32_t range_protect(struct space_record *s, uint64_t va, uint64_t pages, uint32_t rights);
bool range_move(struct space_record *s, uint64_t from, uint64_t to, uint64_t pages);
/* The next page at or above va whose entry is valid; false: none. */
bool range_next(struct space_record *s, uint64_t va, uint64_t *at, uint32_t *entry);
bool fault_resolve(struct space_record *s, uint64_t va, bool write, bool exec);
/* This server's view of a page of the space, made present; NULL if not mapped so. */
void *space_view(struct space_record *s, uint64_t va, bool write);
int64_t thread_make(struct space_record *s, struct thread_record **made);
bool thread_drop(struct space_record *s, struct thread_record *t);
void template_load(void);
void recount(void);
