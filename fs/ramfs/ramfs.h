/* SPDX-License-Identifier: MIT */
/*
 * ramfs: files in memory, all of it in the capsule.
 *
 * node.c    nodes, their data pages, names
 * walk.c    from a path to a node
 * mount.c   which tree is seen where
 * session.c who asks, and what they may
 * share.c   pages that the memory server maps in address spaces
 * lock.c    locks on files
 * serve.c   the file protocol
 * fill.c    the first contents, from a cpio archive
 *
 * Invariants: an entry is in the hash chain of (directory, name) and in its directory's
 * list, which rises by cookie; node.links counts its names (a directory's: 2 + its
 * subdirectories), node.opens its gates and the sessions whose root it is; a node goes when
 * both are 0. A gate's badge is its open record's address, or its session's with bit 0; small
 * badges are the super-user's sessions, which the system description gives. A mount that covers
 * something is in that node's list; one that covers nothing and is not the first is there for
 * its users alone.
 */
#pragma once
#include <proto/file_server.h>
#include <server/capsule.h>

#define PAGE 4096ull
#define HASH_BUCKETS 16384u
#define DESCRIBED_MAX 4096u /* badges of the system description are below */
#define SESSION_BIT 1u
#define FANOUT_SHIFT 9u
#define FANOUT (1u << FANOUT_SHIFT)

#define S_TYPE 0170000u
#define S_FIFO 0010000u
#define S_CHAR 0020000u
#define S_DIRECTORY 0040000u
#define S_BLOCK 0060000u
#define S_REGULAR 0100000u
#define S_LINK 0120000u
#define S_SOCKET 0140000u

struct entry;
struct lock;
struct mount;
/* A tree of files with limits of its own. */
struct volume {
    struct node *root;
    uint64_t device, nodes, pages;   /* pages of data: counted where there is a limit */
    uint64_t page_limit, node_limit; /* 0: none */
    struct volume *next_unmounted;
    uint32_t mounts;
    bool gone; /* goes with its last node */
};
struct node {
    uint64_t number, size, special, pages;
    uint32_t mode, owner, group, links, opens, height; /* height of the page tree */
    uint32_t writers;                                  /* of the opens: those that may write */
    uint64_t tree; /* page tree's top: address of a data page or of a node page */
    int64_t accessed, modified, changed, born;  /* ns since 1970 */
    struct volume *volume;
    struct mount *covers;                       /* those that are mounted over it */
    struct node *parent;                        /* directories */
    struct entry *name; /* a directory's only one; NULL: the root, or none */
    struct entry *first, *last;
    uint64_t next_cookie;
    struct node *next_orphan;
    bool orphan; /* nothing names or holds it: the main thread frees it */
    bool temporary; /* made without a name, may be given one */
    bool exported;               /* the memory server knows its pages */
    bool written_in_memory;      /* it may be: its counter tells nothing */
    struct node *next_exported;
    struct lock *locks; /* of its open files */
    struct park_list lock_waiters;
};
struct entry {
    struct entry *hash_next, *next, *prev;
    struct node *directory, *node;
    uint64_t cookie;
    uint32_t hash, length;
    char name[];
};
struct open_file {
    struct open_file *next, *prev;
    struct node *node;
    struct mount *mount; /* which it was opened through */
    uint64_t position;
    uint32_t flags, gate;
    bool privileged; /* what it writes leaves set-id bits alone */
};
struct session {
    struct session *next, *prev;
    struct node *root;   /* NULL: the first volume's */
    struct mount *mount; /* the root's */
    uint32_t gate, user, group, real_user, real_group;
    uint32_t group_count, groups[]; /* rising */
};
/* Who asks, and where their path starts. */
struct caller {
    const struct session *session; /* NULL: anybody, who may only look */
    struct node *root, *at;
    struct mount *root_mount, *at_mount;
    bool foreign; /* asks for a mount itself: a foreign one in the last part is found */
};
struct mount {
    struct mount *next, *prev;
    struct mount *parent, *next_here; /* where it lies; the next that covers the same node */
    struct node *point, *root;        /* NULL: covers nothing; a foreign one's is what it covers */
    struct entry *name;               /* of a file that it covers */
    struct mount *copy;               /* only while a tree of them is copied: not undone */
    uint64_t number;
    uint32_t flags; /* FILE_MOUNT_* */
    bool foreign;
    char texts[]; /* type, what it is made of; with a NUL each */
};
struct file_server {
    struct node *root;
    struct mount *mounts, *last_mount; /* the first is the root's */
    struct volume *unmounted;          /* whose nodes are to go */
    uint64_t filled, next_number, mounts_made, volumes_made;
    uint64_t fill_at, fill_data, fill_members; /* how far fill.c has come, for who goes on */
    struct hard **hards;                       /* fill.c's, while it works */
    uint32_t maintenance, pad;                 /* our own gate */
    struct open_file *opens;
    struct session *sessions;
    struct node *orphans, *exported;
    struct node *counters; /* a nameless file of one page, which clients map */
    uint32_t counter_pins[FILE_COUNTERS], counter_kept[FILE_COUNTERS]; /* see node_changes */
    struct entry *hash[HASH_BUCKETS];
};
extern struct file_server *fs;
extern uint32_t file_service; /* slot */

/* All inside a transaction. */
struct node *node_new(uint32_t mode, struct volume *v); /* NULL: no room, or not in the volume */
void node_touch(struct node *n, bool modified);
/* Its contents or attributes change in this transaction: what clients remember is so no more. */
void node_changes(const struct node *n);
void places_change(void);                 /* a path may lead to another directory by now */
void node_changes_unseen(struct node *n); /* from now on, until it is freed */
void counters_start(void);                /* outside a transaction */
bool counters_make(void);
/* Nothing may hold it any more: it goes at once, or, large or mapped, by the main thread. */
void node_drop(struct node *n);
bool orphans_free(void); /* outside a transaction; false: some are still mapped */
uint8_t *node_page(const struct node *n, uint64_t index); /* NULL: a hole */
uint8_t *node_page_make(struct node *n, uint64_t index);  /* the same, made; NULL: no memory */
void node_resize(struct node *n, uint64_t size);
struct entry *entry_find(const struct node *directory, const char *name, uint32_t length);
bool entry_add(struct node *directory, const char *name, uint32_t length, struct node *node);
void entry_remove(struct entry *e);
void node_attributes(const struct node *n, struct file_attributes *a);
/* It was read, through a file opened with these flags: its time of access changes if that was
 * before a change, or a day ago, as Linux mounts do (relatime). */
void node_accessed(struct node *n, uint32_t flags);
bool node_access_told(const struct node *n, uint32_t flags); /* that would change nothing */
void node_time_passes(void); /* now and then: a day ago is later */
/* Bytes read (up to the end) or written (short when memory ends) at a position. */
uint64_t node_read(
    struct node *n, uint64_t position, struct rpc_out *out, uint64_t bytes, bool *bad);
/* The next position of data (or of a hole: at most the size); UINT64_MAX: there is none. */
void node_clear(struct node *n, uint64_t from, uint64_t end); /* zeros; the pages stay */
uint64_t node_next(const struct node *n, uint64_t position, bool data);
uint64_t node_write(struct node *n, uint64_t position, struct rpc_in in, bool *bad);

/* Pages [first, end) are new or the size changed; pages from first on go. */
void share_changed(struct node *n, uint64_t first, uint64_t end);
void share_cut(struct node *n, uint64_t first);
bool share_release(struct node *n); /* before it is freed; false: it is still mapped */
void share_resume(void);            /* at the start, outside a transaction */
struct share_request {
    uint64_t address, length, offset;
    uint32_t memory; /* slot of the caller's memory gate */
    uint8_t protection;
    bool shared, writable; /* writable: a shared mapping may be made so later */
};
uint32_t share_map(struct node *n, const struct share_request *r);

/* Owners of locks: a process's number, or one of these. */
#define LOCK_WHOLE (1ull << 32)
#define LOCK_OPEN (2ull << 32)
struct lock_request {
    uint64_t owner, start, end;
    uint8_t kind; /* FILE_LOCK_KIND_* */
};
/* 0, AGAIN (what flock loses meanwhile is lost) or NOMEM: then the transaction is to be undone. */
uint32_t lock_set(struct open_file *o, const struct lock_request *r);
bool lock_find(struct open_file *o, struct lock_request *r); /* who stands in the way */
void locks_end(struct open_file *o);

struct walk {
    struct node *node;   /* found, or NULL */
    struct node *parent; /* directory of the last part */
    struct mount *mount, *parent_mount; /* where those are */
    struct entry *entry; /* the last part's, or NULL */
    char *last;          /* last part's name */
    uint32_t last_length;
    uint8_t kind; /* FILE_WALK_* */
    uint16_t walked;
    bool slash;        /* the path ends in a slash: must be a directory */
    char target[4096]; /* of the link where the walk stopped */
    uint32_t target_length;
    char work[4096], path[4096];
};
/* 0 (also when the last part does not exist: node NULL, parent set) or an error. */
enum { WALK_STAY, WALK_FOLLOW, WALK_NEVER }; /* a link in the last part: stay (but follow before a
                                                * slash), follow, stay in any case */
uint32_t walk_path(const struct caller *c, struct rpc_in path, unsigned follow, struct walk *w);

/* ---- mount.c ---- */
bool mount_first(void); /* in a transaction */
void mounts_usual(void);
struct mount *mounted_on(const struct node *n, const struct mount *m); /* seen through m */
void mount_left(struct mount *m);   /* somebody has left it: the last takes it along */
void volume_left(struct volume *v); /* a node has */
bool volumes_empty(void); /* some steps of it, outside a transaction; false: there is more */
/* Lays the way from the caller's root to its place before *from, with a slash first. */
uint32_t place_path(const struct caller *c, char *start, char **from);

/* ---- serve.c ---- */
struct stored {
    uint64_t a, b;
    uint32_t status, c;
};
struct walk *walk_buffer(void);
bool repeated(uint64_t badge, uint64_t sequence, struct stored *r);
/* Ends a mutating request that changed something or not. */
uint32_t finish(uint64_t badge, uint64_t sequence, struct stored *r, uint32_t status);
uint32_t end(uint32_t status);
uint32_t undo(uint32_t status);
/* Copies out where a walk stopped. */
void walk_out(const struct walk *w, uint8_t *kind, uint16_t *walked, struct rpc_out *target);
bool inside(const struct node *n, const struct node *directory); /* or that itself */
void main_wake(void); /* there is work for the main thread */
void name_remove(struct entry *e); /* takes a name away, with what that means for its node */

/* ---- session.c ---- */
#define MAY_READ 4u
#define MAY_WRITE 2u
#define MAY_EXECUTE 1u
/* at: a slot that the caller sent, or 0. An error: it is not ours. */
uint32_t caller_of(uint64_t badge, uint32_t at, struct caller *c);
bool may(const struct session *s, const struct node *n, unsigned want);
bool may_really(const struct session *s, const struct node *n, unsigned want); /* by real ids */
bool is_super(const struct session *s);
bool is_owner(const struct session *s, const struct node *n); /* or the super-user */
bool in_group(const struct session *s, uint32_t group);
/* A name in the directory may be made (status 0), or that entry removed. */
uint32_t may_add(const struct caller *c, const struct mount *mount, const struct node *directory);
uint32_t may_remove(const struct caller *c, const struct mount *mount, const struct entry *e);
uint32_t read_only(const struct mount *m); /* ROFS or 0 */
/* Who owns a new node: all but its type and its permissions. */
void node_own(struct node *n, const struct session *s, const struct node *directory);
void sessions_check(void); /* at the start, in a transaction: those that nobody holds go */
void session_closed(uint64_t badge); /* inside a transaction */

void fill_from_archive(const uint8_t *archive, uint64_t bytes);
