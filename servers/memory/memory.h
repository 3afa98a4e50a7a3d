/* SPDX-License-Identifier: MIT */
/*
 * What the memory server keeps and what its files share.
 *
 * pages.c   which page of "ram" is used for what; seeing pages (the window)
 * map.c     page maps: which page is at which place of a space
 * range.c   what a program asks for: ranges set, cleared, protected, moved
 * fault.c   pages on first touch and copies on writing
 * object.c  memory that several spaces see: shared memory and files
 * clone.c   fork: a space like another
 * life.c    spaces and threads, from making to reuse
 * layer.c   the Linux layer, which is mapped in each space
 * serve.c   the protocol
 *
 * The rule that makes it restartable: a page table entry of the kernel never names a page
 * that the space's page map does not name. Pages enter the map (one 32-bit store) before
 * they are mapped and leave it after they are unmapped. Page maps are changed so that they
 * are valid after each store and a repeated request ends in the same; they are not in the
 * undo log. What is derived (reference counts, free lists, the bitmaps and counts in page
 * maps) is not kept: an incarnation recounts it.
 */
#pragma once
#include <proto/memory_server.h>
#include <server/capsule.h>
#include "../../linux/block.h"

#define PAGE 4096ull
#define BATCH 64u                /* pages of one kernel operation */
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
/* A page of a file server's region; NULL if that is gone. */
const void *pager_view(uint32_t region, uint32_t pager, uint32_t page);
uint32_t object_pair_take(void); /* two pages for kernel objects, the first even; 0: none */
uint32_t object_take(void);
void object_give(uint32_t page); /* page_take()n back from the kernel by now */
void page_reclaim(uint32_t page); /* from whatever the kernel uses it for */
uint64_t pages_total(void);
uint64_t pages_unused(void);
uint64_t pages_reserve(void); /* what is left is for small programs, and for what is running */
/* Tests: the nth page asked for is refused, once; 0: none. What was left of the last n. */
uint64_t pages_fail_in(uint64_t n);
extern uint32_t ram;

/* ---- page maps ----
 *
 * A radix tree over page numbers, four levels of 512 slots: level 0, the leaf, has an entry
 * a page and covers 2 MiB; a slot above names the node below it, or is itself an entry that
 * holds for all it covers (a mapping that nobody has touched). Nodes are pages of ram.
 */
#define ENTRY_PAGE 0x00ffffffu
#define ENTRY_READ (1u << 24)
#define ENTRY_WRITE (1u << 25)
#define ENTRY_EXEC (1u << 26)
#define ENTRY_VALID (1u << 27) /* in each entry, and in no name of a node */
#define ENTRY_SHARED (1u << 28)
#define ENTRY_AREA (1u << 29)  /* no page of its own: shows what the area says */
#define ENTRY_RIGHTS (ENTRY_READ | ENTRY_WRITE | ENTRY_EXEC)

#define SLOTS 512u
#define LEVELS 4u
#define LAST_PAGE (1ull << 35) /* page numbers are below */
struct node {
    uint32_t slot[SLOTS];
    uint64_t used[SLOTS / 64];   /* slots that are not 0; in a leaf: that name a page */
    uint64_t mapped[SLOTS / 64]; /* leaf: what the kernel may have mapped */
};
#define BIT(map, i) ((map)[(i) / 64] >> ((i) % 64) & 1)
#define BIT_SET(map, i) ((map)[(i) / 64] |= 1ull << ((i) % 64))
#define BIT_CLEAR(map, i) ((map)[(i) / 64] &= ~(1ull << ((i) % 64)))

/* Slots of one node that cover a run of pages: a leaf's entries, or one slot above. */
struct piece {
    uint64_t first, count;       /* pages */
    struct node *node, *above;   /* above: that names this one, NULL for the root */
    unsigned level, index, above_index;
};

struct node *node_at(uint32_t page);
uint32_t node_take(uint32_t value, unsigned level); /* each slot is value; 0: no page left */
/* The slot that covers the page and is an entry or a leaf's; false: nothing is there. */
bool map_find(uint32_t root, uint64_t vpn, struct piece *p);
struct node *map_leaf(uint32_t *root, uint64_t vpn); /* made if need be; NULL: no page left */
/* The next piece in [vpn, end) where there is something, cut to that range. */
bool map_next(uint32_t root, uint64_t vpn, uint64_t end, struct piece *p);
/* Makes a slot above the leaves that reaches over the boundary at vpn into smaller ones. */
bool map_cut(uint32_t *root, uint64_t vpn);
/* Sets entries; where there are nodes already, in those. False: no page left. */
bool map_fill(uint32_t *root, uint64_t vpn, uint64_t count, uint32_t entry);
void map_drop(uint32_t root);  /* frees the nodes (not what they name) */
/* After a restart: counts the nodes, and the entries' pages if they are of ram. */
void map_count(uint32_t root, bool of_ram, uint64_t *resident);

/* ---- objects and areas ---- */
struct space_record;
struct area;
struct object_record {
    struct object_record *next;
    uint64_t file, pages;   /* the file server's number; pages its size covers */
    uint32_t pager, root;   /* 1 + index in pagers, 0: anonymous; page map by offset */
    struct area *areas;     /* by same */
};
struct area {
    struct area *next, *same; /* of the space; of the object */
    struct space_record *space;
    struct object_record *object;
    uint64_t first, count, offset; /* pages; offset in the object */
    bool writable;                 /* shared: may be made writable */
};
#define OBJECTS_MAX 512u /* files that nobody maps are forgotten beyond that */
extern uint64_t shared_pages; /* of anonymous objects */
struct object_record *object_find(uint32_t pager, uint64_t file);
struct object_record *object_make(uint32_t pager, uint64_t file);
uint32_t object_region(const struct object_record *o);
uint32_t object_withdraw(struct object_record *o, uint64_t first, uint64_t count);
bool object_supply(struct object_record *o, uint64_t at, const uint32_t *pages, uint32_t count);
struct area *area_find(const struct space_record *s, uint64_t vpn);
/* A name for what is at an address, the same in every space that shows it; 0: no area is there. */
uint64_t area_place(const struct space_record *s, uint64_t address);
bool area_resident(const struct space_record *s, uint64_t vpn); /* is what it shows in memory? */
bool area_add(struct space_record *s, struct object_record *o, uint64_t first, uint64_t count,
    uint64_t offset, bool writable);
bool areas_cut(struct space_record *s, uint64_t first, uint64_t count);
bool areas_copy(const struct space_record *from, struct space_record *to);
bool areas_move(struct space_record *s, uint64_t first, uint64_t count, uint64_t to, uint64_t more);
void areas_grow(struct space_record *s, uint64_t end, uint64_t more);
bool areas_writable(const struct space_record *s, uint64_t first, uint64_t count);
bool area_fault(struct space_record *s, struct node *leaf, uint64_t vpn, bool write, bool exec);
const void *area_view(struct space_record *s, uint64_t vpn);

/* ---- spaces ---- */
struct object_list {
    struct object_list *next;
    uint32_t count, pages[61];
};
/* A place for a thread: its page and slots stay with the space when the thread has ended. */
struct thread_record {
    struct thread_record *next;
    uint32_t id, thread, notification, page; /* id 0: no thread */
    uint32_t small_page, place;              /* of the notification */
};
enum space_state {
    SPACE_MAKING = 1, /* a restart ends it */
    SPACE_LIVE,
    SPACE_ENDING,
    SPACE_SPARE,      /* clean, for the next one that is made */
};
#define HOT_MAX 24u
struct space_record {
    struct space_record *next;                        /* all of them, or of the spare ones */
    uint32_t id, state, space, gate, fault_gate, tables; /* slots; pairs of pages given */
    uint64_t quota, resident, faults, hint;           /* hint: map downwards from here */
    uint32_t root, parent;                            /* page map, 0 none; who was cloned */
    uint32_t small_page, small_used, thread_ids, hot_next, hot_left;
    uint32_t slot_pages;                              /* bit per further directory */
    struct object_list *objects;
    struct area *areas;
    struct thread_record *threads, *seats; /* seats: without a thread */
    uint64_t undo_first, undo_count;       /* pages to clear after a restart */
    uint64_t hot[HOT_MAX];                 /* pages that were written soon after a clone */
};
#define SPACES_MAX 4096u
#define SPARES_MAX 8u
#define SPARE_TABLES_MAX 32u
struct template { uint64_t address; uint32_t page, entry; };
#define TEMPLATE_MAX 512u
struct memory_server {
    struct space_record *spaces, *spares;
    struct space_record *by_id[SPACES_MAX];
    struct object_record *objects; /* the newest first */
    uint32_t next_id, template_count, spare_count, object_count;
    uint32_t pagers[MEMORY_PAGERS_MAX]; /* slots of their regions */
    uint64_t next_file;                 /* number of an anonymous object */
    uint64_t table_count;               /* pairs that show ram to this server */
    uint64_t frames_high, objects_low;  /* pages between were never used by any incarnation */
    uint64_t template_made;
    uint32_t zero_page, pad; /* read-only wherever memory was only read so far */
    struct template templates[TEMPLATE_MAX]; /* pages of the layer */
};
extern struct memory_server *memory;

/* The functions below run under the server's lock (tx_begin). */
struct space_record *space_find(uint64_t id);
/* In state MAKING. May commit what the transaction has done so far. NULL: no room. */
struct space_record *space_make(uint64_t quota);
void space_unmake(struct space_record *s);   /* of one that is not to be; commits */
void space_end(struct space_record *s);      /* begins; goes on in space_end_step */
bool space_end_step(struct space_record *s); /* true when it is gone */
void spaces_settle(void);                    /* after a restart, when pages are ready */
void recount(void);
uint64_t spares_pages(void);
bool space_clone(struct space_record *from, struct space_record *to);
void hot_add(struct space_record *s, uint64_t vpn);
bool space_slots(struct space_record *s, uint32_t directory); /* 256 capability slots more */
int64_t thread_make(struct space_record *s, struct thread_record **made);
bool thread_drop(struct space_record *s, struct thread_record *t);

/* The layer's part of a new space; its read-only pages are mapped once for all uses of it. */
void template_load(void);
bool template_enter(struct space_record *s); /* into the page map */
bool template_map(struct space_record *s);   /* read-only pages into the kernel's tables */
#define LAYER_PAGE (MEMORY_LAYER_BASE / PAGE)
/* Entries of the layer's leaf that are still the layer's own read-only pages. */
void template_mask(const struct node *leaf, uint64_t mask[SLOTS / 64]);

uint32_t range_set(struct space_record *s, uint64_t va, uint64_t pages, uint32_t entry);
uint32_t range_clear(struct space_record *s, uint64_t va, uint64_t pages, bool keep);
bool range_valid(struct space_record *s, uint64_t va, uint64_t pages);
bool range_free(struct space_record *s, uint64_t va, uint64_t pages);
uint32_t range_protect(struct space_record *s, uint64_t va, uint64_t pages, uint32_t rights);
bool range_copy(struct space_record *s, uint64_t from, uint64_t to, uint64_t pages);
/* The first page at or above va that is mapped. */
bool range_first(struct space_record *s, uint64_t va, uint64_t *at, uint32_t *entry);
/* The next run of pages at or above va that are mapped alike; false: none. */
bool range_next(
    struct space_record *s, uint64_t va, uint64_t *at, uint64_t *pages, uint32_t *entry);

/* Pages of `from` that differ are copied over those of `to`; false: no memory. */
bool space_adopt(
    struct space_record *from, struct space_record *to, uint64_t address, uint64_t end);
bool fault_resolve(struct space_record *s, uint64_t va, bool write, bool exec);
/* This server's view of a page of the space, made present; NULL if not mapped. */
const void *space_view(struct space_record *s, uint64_t va);
/* Kernel mappings. */
uint32_t page_for(struct space_record *s, bool zero); /* page_take() within its bounds */
bool map_run(struct space_record *s, uint64_t va, uint32_t region, uint32_t page, unsigned count,
    uint64_t rights); /* at least the first */
bool map_page(struct space_record *s, uint64_t va, uint32_t page, uint64_t rights);
uint64_t unmap_run(struct space_record *s, uint64_t va, uint64_t n); /* bitmap: dirty */
/* Unmaps what may be mapped of a leaf's entries in mask; true if there was something. */
bool leaf_unmap(struct space_record *s, struct node *leaf, uint64_t base, const uint64_t *mask);
void quiesce(void); /* other cores may still use what was unmapped until they have passed */
bool tables_give(struct space_record *s);
uint32_t object_for(struct space_record *s); /* pages for kernel objects; 0: none left */
uint32_t object_pair_for(struct space_record *s);
uint64_t map_rights(uint32_t entry, bool writable, bool exec);
