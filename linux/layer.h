/* SPDX-License-Identifier: MIT */
/*
 * The Linux layer: what its files share.
 *
 * One layer per process, in the process's own space: it holds what only the process itself
 * could be hurt by. Addresses from LAYER_BASE on are native; the program below reaches it
 * only through system calls (entry.S), which layer_call() hands to the sys_ functions that
 * calls.def names. These return a result or a negative errno. Program memory is touched
 * through user_read() and its kin only, which answer false for a bad address; memory lent
 * to a server is touched first (user_ready), because servers stop at missing pages.
 */
#pragma once
#include "block.h"
#include "errno.h"
#include "heap.h"
#include "linux.h"
#include "ring.h"
#include <abi/stubs.h>
#include <proto/memory.h>
#include <proto/process.h>
#include <rt/call.h>
#include <rt/format.h>
#include <rt/string.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096ull
#define PATH_MAX 4096u

/* Capability slots that the process server fills. */
enum {
    SLOT_MEMORY = 2,
    SLOT_PROCESS = 3,
    SLOT_ROOT = 4,
    SLOT_NOTE = 5,
    SLOT_PIPE = 6,
    SLOT_TERMINAL = 7 /* the controlling one, if there is one */,
    SLOT_TTYS = 8,
    SLOT_SUPERVISOR = 9,
    SLOT_STREAM = 10,
    SLOT_ERRORS = 11,
    SLOT_RECEIVE = 16, /* to 63 */
    SLOT_FILES = 64,
    SLOTS_FIRST = 256 /* that every process has */,
    SLOTS_MAX = 4096,
};

/* ---- threads ------------------------------------------------------------------------ */

struct file;
#define HELD_MAX 4u

/* Guarded by the layer's lock, except for what its own thread alone uses. */
struct block {
    struct pith_upcall site;
    struct pith_regs regs;      /* rip and flags are in site */
    struct rt_self self;
    uint64_t number, fs_base, gs_base, tid_address, child_set_tid;
    uint32_t tid;
    uint32_t busy;              /* a thread has it; taken back by its very last instruction */
    uint64_t mask, old_mask; /* blocked signals; the one to restore after sigsuspend and its kin */
    bool mask_saved;
    bool again;                 /* the call repeats one that an event interrupted */
    bool woken;                 /* futex */
    bool polling;               /* waits for pollers_wake */
    uint8_t held_count;
    struct file *held[HELD_MAX]; /* files that the current call works on */
    uint64_t wait_set;          /* signals that sigtimedwait is waiting for */
    uint64_t left;              /* signals that pended when we last asked, all blocked then */
    uint64_t stack_base, stack_size;   /* sigaltstack */
    uint64_t wait_until;        /* deadline of the call, kept when it is repeated; 0: none */
    uint64_t fault_vector, fault_error, fault_address; /* for sigcontext */
    uint64_t robust_list;
    struct block *futex_next;
    uint64_t futex_address;
    uint32_t futex_bits, pad;
    uint8_t fpu[512] __attribute__((aligned(1024)));
    struct pith_event event __attribute__((aligned(4096)));
    uint8_t stack[BLOCK_SIZE - 8192] __attribute__((aligned(4096)));
};

extern const char upcall_stubs[], event_stubs[], exit_first[], exit_last[];
extern struct block first_block;
struct block *block_self(void);
uint64_t block_index(const struct block *b);
void block_touch(struct block *b);
void own_ready(void *buffer, size_t bytes); /* of the layer's: before a server writes to it */
void block_register(struct block *b);

/* ---- the lock: thread.c ----
 * One lock for all that the threads of a process share in here. A call holds it, and lets it go
 * where it waits: layer_wait(), rt_call_parks(). What a call goes on using after a wait it must
 * hold (file_hold). */
void layer_lock(void);
void layer_unlock(void);
/* Waits on the thread's notification. Bits mean nothing but "look again". */
struct pith_result layer_wait(uint64_t deadline);
/* When this call shall end that was asked to last that long; the same when it is repeated. */
uint64_t wait_deadline(uint64_t ns);
int64_t thread_new(
    uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid, uint64_t tls);
void thread_waiting_done(struct block *b); /* before its stack goes: futex queues and the like */
void threads_end_others(void);             /* execve; true deaths, none of them holds the lock */
void threads_forget(void);                 /* in a fork's child: there is only this one */
bool thread_alone(void);
struct block *block_each(struct block *b); /* the next used one; NULL: begin, and the end */
#define FUTEX_TID 0x3fffffffu /* of the word of a lock that knows its owner: <linux/futex.h> */
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_WAITERS 0x80000000u
int64_t futex_wake(
    uint64_t address, uint32_t count, uint32_t bits); /* of this process and others */
void futex_forget(struct block *b);
void futexes_clear(void);
void robust_list_end(struct block *b);

/* Entered from entry.S. */
void layer_call(struct block *b);
void layer_events(struct block *b);
void layer_event(struct block *b);
void layer_start(struct block *b);
void layer_child(struct block *b);
void layer_thread(struct block *b);

typedef int64_t call_fn(const uint64_t *a);
#define CALL(number, name) call_fn sys_##name;
#include "calls.def"
#undef CALL

/* ---- the program's memory ------------------------------------------------------------- */

int64_t user_copy(void *to, const void *from, size_t bytes);
int64_t user_touch_read(uint64_t address);
int64_t user_touch_write(uint64_t address);
int64_t user_text_length(uint64_t text, size_t limit);
int64_t user_exchange(uint64_t word, uint32_t expected, uint32_t value);
bool user_range(uint64_t address, uint64_t bytes);   /* all below LAYER_BASE */
bool user_read(void *to, uint64_t from, size_t bytes);
bool user_write(uint64_t to, const void *from, size_t bytes);
bool user_zero(uint64_t to, size_t bytes);
/* Makes every page of a buffer present (write: and writable), for lending. Bytes that are. */
size_t user_ready(uint64_t address, size_t bytes, bool write);
/* A text of at most size - 1 bytes; its length or -ENAMETOOLONG or -EFAULT. */
int64_t user_text(char *to, uint64_t from, size_t size);

/* A server's answer as a negative errno (0 stays). */
int64_t errno_of(int64_t status);

/* ---- process ------------------------------------------------------------------------------ */

/* Large, and little of it is written, or seldom: it goes behind all other data (layer.ld). */
#define TABLE __attribute__((section(".tables,\"aw\",@nobits#")))

struct self {
    char root[PATH_MAX];       /* chroot's, "/" at the start: full names begin with it */
    char cwd[PATH_MAX];        /* a full name */
    char executable[PATH_MAX]; /* absolute */
    uint32_t pid, parent;
    uint64_t clock_mult, clock_base, clock_shift, realtime_ns, tsc_hz;
    uint64_t random[4];
    uint64_t brk_start, brk_end, brk_mapped;
    uint32_t umask, cores;
    bool shares_memory;             /* it has or had a shared mapping: see futex.c */
    uint32_t deaths;                /* children that were waited for: see ring.c */
    struct process_ids ids;
    uint32_t cwd_slot;              /* a directory's gate; SLOT_ROOT at the start */
    char command[16];               /* prctl's name */
    uint64_t stack_low, stack_high;
    bool log_unknown, log_calls, streams; /* streams: stdio is the host's, not a terminal */
};
extern struct self self;

uint64_t now_ns(void);
uint64_t realtime_ns(void);
struct linux_timespec;
bool timespec_ns(const struct linux_timespec *t, uint64_t *ns); /* false: it is no time */
int64_t timespec_read(uint64_t from, uint64_t *ns);
void random_fill(void *to, size_t bytes);
void layer_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void process_end(uint32_t code);
int64_t layer_pages(uint64_t bytes, uint64_t *address); /* memory of the layer's own */
void layer_pages_free(uint64_t address, uint64_t bytes);
int64_t layer_shared(uint64_t bytes, uint64_t *address); /* and of those that are forked from it */
void layer_shared_free(uint64_t address, uint64_t bytes);

/* ---- the supervisor as files (servers.c) -------------------------------------------------- */

size_t servers_text(char *to, size_t size);
size_t servers_log(char *to, size_t size);
int64_t servers_command(uint64_t from, size_t bytes);

/* ---- files --------------------------------------------------------------------------------- */

enum file_kind {
    FILE_FREE,
    FILE_PLAIN,
    FILE_DIRECTORY,
    FILE_STREAM /* pipe */,
    FILE_TERMINAL,
    FILE_NULL,
    FILE_ZERO,
    FILE_FULL,
    FILE_RANDOM,
    FILE_PATH,
    FILE_EVENT,
    FILE_TEXT,
    FILE_EPOLL,
    FILE_SERVERS,
    FILE_PROC,
    FILE_TIMER,
    FILE_SIGNAL,
    FILE_PIPE,
    FILE_SOCKET,
};
struct file {
    uint8_t kind;
    uint8_t seen;           /* where seen.c has it, if it has */
    bool shared;            /* another process has it too: position or count are kept elsewhere */
    uint16_t slot, slot2;   /* its gate; a second one */
    uint32_t users;         /* descriptors and calls that use it */
    uint32_t descriptors;   /* of these: descriptors */
    uint32_t flags;         /* O_ACCMODE, O_APPEND, O_NONBLOCK … */
    uint32_t reads;         /* of a text: from its start; the first finds what the open made */
    uint64_t position;
    uint64_t value;         /* FILE_EVENT: the count; FILE_TEXT: address of the text; event.c */
    uint64_t length;
    char *path; /* a full one, of what has a name; of directories for openat and fchdir */
};
/* It has no position. */
static inline bool file_streams(const struct file *f)
{
    return f->kind == FILE_STREAM || f->kind == FILE_PIPE || f->kind == FILE_SOCKET ||
           f->kind == FILE_TERMINAL;
}

#define FDS_MAX 4096
#define NO_FILE 0

struct file *file_of(uint64_t fd);
struct file *file_hold(uint64_t fd);          /* the same, and it stays until the call ends */
void files_unhold(struct block *b);
uint32_t slots_end(void);                     /* above all slots in use; whole words of 64 */
void slots_child(void);
int64_t file_new(struct file **f);            /* with one user and a free slot, kind to be set */
void file_drop(struct file *f);
void files_start(void);
int64_t slot_copy(uint32_t from, uint32_t to);
int64_t fd_new(struct file *f, unsigned from, bool cloexec); /* takes over a user */
int64_t fd_close(unsigned fd);
void fd_close_exec(void);
void fd_close_all(void);
bool fd_cloexec(unsigned fd);
uint32_t fd_flags(const struct file *f); /* as F_GETFL tells them */
void fd_set_cloexec(unsigned fd, bool on);
int64_t fd_replace(struct file *f, unsigned fd, bool cloexec);
/* Seals of what memfd_create made; other files have none. */
int64_t seals_add(struct file *f, uint64_t seals);
int64_t seals_get(const struct file *f);
bool seals_forbid_write(const struct file *f);
int64_t seals_size(struct file *f, uint64_t size); /* may the file become so long? */
int64_t locks_control(struct file *f, uint64_t command, uint64_t at); /* fcntl's part of it */
void locks_close(struct file *f);             /* a descriptor of the file is closed */
/* A device made by mknod: major << 8 | minor; -ENXIO: there is none behind it. */
int64_t device_open_number(uint64_t number, uint32_t flags, struct file **out);
struct file *descriptor_named(const char *full); /* /proc/self/fd/N; NULL: another name */
/* The same with "/…" behind it, which is *rest, or "". */
struct file *descriptor_leading(const char *full, const char **rest);
/* What a link of /proc/self to a place leads to, and where the name goes on behind it; 0: none. */
const char *proc_leading(const char *full, const char **rest);
void files_share(void);                       /* before a fork */
uint32_t slot_take(void);
void slot_give(uint32_t slot);
void slot_delete(uint32_t slot);
int64_t file_read_at(struct file *f, uint64_t position, void *to, size_t bytes);
int64_t file_read_user(struct file *f, uint64_t to, size_t bytes);
int64_t file_write_user(struct file *f, uint64_t from, size_t bytes);
int64_t file_read_piece(
    struct file *f, int64_t at, uint64_t to, size_t bytes); /* at < 0: at the file's */
int64_t file_write_piece(struct file *f, int64_t at, uint64_t from, size_t bytes);

int64_t memory_scratch(uint64_t bytes, uint64_t *address); /* of the program, for lending */
void memory_scratch_free(uint64_t address, uint64_t bytes);
void memory_scratch_forget(void); /* a new program: it is gone with the old one */
void memory_scratch_idle(void);   /* a child: what another thread did with it ends there */
#define SCRATCH_KEPT 65536u
/* Maps a file's own pages over what is there; -ENODEV: its server cannot. */
int64_t map_file(struct file *f, uint64_t address, uint64_t bytes, uint64_t offset, uint64_t prot,
                 bool shared);
int64_t map_fill(struct file *f, uint64_t address, uint64_t bytes, uint64_t offset);

/* ---- readiness: ready.c ---------------------------------------------------------------------- */

enum {
    POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 16, POLLNVAL = 32, POLLRDNORM = 64,
    POLLWRNORM = 256, POLLRDHUP = 0x2000,
};
/* One look at a number of files. watch: if nothing is ready, our notification is raised when
 * that may have changed, or the deadline passes. */
struct look {
    bool watch;
    uint64_t deadline;
    uint32_t changes;
    bool edge; /* and also when what is ready changes: it has been told already */
};
uint32_t file_ready(struct file *f, uint32_t wanted, struct look *look);
/* Repeats the pass until it answers other than 0 or the deadline passes (0). */
int64_t ready_wait(int64_t (*pass)(void *, struct look *), void *context, uint64_t deadline);
void pollers_wake(void);            /* something of the layer's own has changed */
int64_t local_wait(
    struct file *f); /* for such a change: 0, -EAGAIN if f does not block, -ERESTART */
int64_t event_read(struct file *f, uint64_t to, size_t bytes);  /* eventfd, timerfd, signalfd */
int64_t event_write(struct file *f, uint64_t from, size_t bytes);
uint64_t timer_next(const struct file *f);      /* when a timerfd is ready; DEADLINE_NEVER */
bool signals_pend(uint64_t set);
int64_t signal_read(uint64_t set, uint64_t to); /* a signalfd_siginfo; 0: none pends */
void epoll_forget(struct file *f);              /* its last descriptor is closed */
void epoll_free(struct file *f);
uint32_t epoll_ready(struct file *f, struct look *look);

/* ---- limits: limits.c ---------------------------------------------------------------------- */

enum {
    LIMIT_CPU,
    LIMIT_FSIZE,
    LIMIT_DATA,
    LIMIT_STACK,
    LIMIT_CORE,
    LIMIT_RSS,
    LIMIT_NPROC,
    LIMIT_NOFILE,
    LIMIT_MEMLOCK,
    LIMIT_AS,
    LIMIT_LOCKS,
    LIMIT_SIGPENDING,
    LIMIT_MSGQUEUE,
    LIMIT_NICE,
    LIMIT_RTPRIO,
    LIMIT_RTTIME,
};
uint64_t limit_of(unsigned which);
uint64_t limit_most(unsigned which); /* how far it may be raised again */
struct memory_usage;
/* Pages mapped as Linux counts them: of the main stack, which we reserve whole, a first part. */
uint64_t pages_counted(const struct memory_usage *u);
bool limit_memory(uint64_t bytes);
void stack_limit(uint64_t limit); /* the main stack's from now on: in exec.c */
int64_t limit_file(uint64_t position, size_t bytes);

/* ---- paths ----------------------------------------------------------------------------------- */

/* Where a walk starts, and what is left of the path. */
struct path {
    uint32_t gate; /* the session's: who we are */
    uint32_t at;   /* the directory's; 0: the session's root */
    unsigned links;
    bool proc; /* the way has come to /proc, which no server has: full says where */
    size_t length;
    char text[PATH_MAX];        /* what is sent to the gate */
    char full[PATH_MAX];        /* absolute, as without chroot, cleaned lexically */
};
#define AT_FDCWD (-100)
int64_t path_user(struct path *p, int64_t at, uint64_t text);
/*
 * A call that only looks, through `gate` and from `at`: first through the directory's own gate,
 * which is enough for what anybody may do and costs less than sending it along.
 */
#define PATH_LOOK(p, call)                                                                         \
    ({                                                                                             \
        uint32_t gate = (p)->at ? (p)->at : (p)->gate, at = 0;                                     \
        int64_t status_ = (call);                                                                  \
        if (status_ == EACCES && (p)->at) {                                                        \
            gate = (p)->gate;                                                                      \
            at = (p)->at;                                                                          \
            status_ = (call);                                                                      \
        }                                                                                          \
        status_;                                                                                   \
    })
/* Repeats a request that takes a path until the walk is done: it needs <proto/file_client.h>. */
#define WALK(p, call)                                                                              \
    ({                                                                                             \
        int64_t e_;                                                                                \
        uint8_t walk = 0;                                                                          \
        uint16_t walked = 0;                                                                       \
        char target[PAGE];                                                                         \
        own_ready(target, sizeof target);                                                          \
        size_t length = 0;                                                                         \
        do                                                                                         \
            e_ = (p)->proc ? -EPERM : errno_of(call);                                              \
        while (!e_ && walk != FILE_WALK_DONE &&                                                    \
               !(e_ = path_follow(p, walk, walked, target, length)));                              \
        e_;                                                                                        \
    })
#define WALK_OUT &walk, &walked, target, sizeof target - 1, &length
int64_t path_set(struct path *p, int64_t at, const char *text);
int64_t path_again(struct path *p, const char *text); /* a link led to there */
void path_descriptor(struct path *p, uint32_t fd); /* as its name in /proc, wherever that is */
/* After a walk that was not DONE: where the rest goes on. */
int64_t path_follow(struct path *p, uint8_t walk, uint16_t walked, const char *target,
                    size_t target_length);
const char *full_shown(const char *full); /* as the program knows it, below its root */
bool may_search(uint32_t directory);      /* its gate's slot */
int64_t open_path(struct path *p, uint32_t flags, uint32_t mode, struct file **out);

/* ---- devices: devices.c ---------------------------------------------------------------------- */

struct file_attributes;
int64_t device_open(const char *full, uint32_t flags, struct file **out); /* -ENOENT: not one */
bool device_attributes(const char *full, struct file_attributes *a);
int64_t file_attributes_of(struct file *f, struct file_attributes *a);
uint64_t file_position(struct file *f); /* of a plain file, where the next read or write is */
int64_t look_at(
    int64_t at, uint64_t text, uint32_t flags, struct file_attributes *a); /* as fstatat */

/* ---- what is known of files: seen.c ---------------------------------------------------------- */

void seen_start(void); /* in the first process; forks have it */
void seen_keep(struct file *f, const struct file_attributes *a);
void seen_whole(struct file *f, const char *contents, size_t bytes); /* as of what was kept */
void seen_drop(const struct file *f);
bool seen_look(const struct file *f, struct file_attributes *a); /* true: they are so still */
/* A read that the server need not be asked for: its result. */
bool seen_read(struct file *f, uint64_t at, uint64_t to, size_t bytes, int64_t *result);
void seen_after(const struct file *f, uint64_t at, int64_t got); /* one that it was asked for */

uint32_t seen_counter(uint64_t node); /* a file's; 0: it tells nothing */
uint32_t seen_places(void);

/* ---- directories whose names are looked at: listing.c ---------------------------------------- */

/* It was opened by this path; places as before that. */
void listing_opened(const struct file *f, const char *text, uint32_t places);
void listing_read(const struct file *f, uint64_t from); /* its entries, from that position on */
/* Is what a look would find known? at: through this directory; NULL: as the path's text says. */
bool listing_look(
    const struct path *p, const struct file *at, bool follow, struct file_attributes *a);
/* Of one, or (NULL) of all: the same paths lead elsewhere, or may not be gone by any more. */
void listings_forget(const struct file *directory);

/* ---- terminals: terminal.c ------------------------------------------------------------------- */

int64_t terminal_open(const char *full, uint32_t flags, struct file **out); /* -ENOENT: not one */
bool terminal_attributes(const char *full, struct file_attributes *a);
int64_t terminal_request(struct file *f, uint32_t request, uint64_t at);
int64_t terminal_before_read(const struct file *f); /* job control; sets the thread's deadline */
int64_t terminal_before_write(const struct file *f);
int64_t terminal_read_timeout(const struct file *f);
void terminal_drop(void);                           /* the controlling terminal is none */
bool signal_held(uint32_t signal);                  /* blocked or ignored */

/* ---- programs -------------------------------------------------------------------------------- */

/* Runs a program: argv and envp are NULL-terminated arrays in the layer's own memory. */
int64_t exec_run(struct block *b, const char *path, char *const *argv, char *const *envp);

/* ---- signals --------------------------------------------------------------------------------- */

#define ERESTART 512 /* internal: interrupted; a handler decides whether it is repeated */
#define ERESTART_ALWAYS 513     /* repeated, whatever a handler wants */
#define ERESTART_NO_HANDLER 514 /* repeated unless a handler ran */
void signals_deliver(struct block *b, int64_t interrupted);
void signals_exec(void);
void signals_child(struct block *b);
void signals_mask(struct block *b, uint64_t set); /* for this call; its end or a handler restores */
void signals_unmask(struct block *b);
int64_t mask_of_wait(uint64_t set, uint64_t size); /* ppoll and its kin; 0: none given */
int64_t mask_of_wait_end(int64_t result);          /* takes it back; answers the result */
void signal_self(uint32_t signal);
struct signal_sets { uint64_t pending, blocked, ignored, caught; };
void signals_sets(struct signal_sets *s); /* of the calling thread */
/* proc.c */
void proc_numbered(const char *full, char *to, size_t size); /* without "self": for later */
/* A file's text, as much as fits; at least size - 1: there may be more. -1: no such file. */
int64_t proc_text(const char *full, char *to, size_t size);
bool proc_is(const char *full);               /* is it below /proc, there or not? */
size_t proc_link(const char *full, char *to, size_t size); /* a link's target; 0: none */
void exec_environment(
    uint64_t *from, uint64_t *bytes); /* of the running program, as it was at its start */
void exec_extent(uint64_t *low, uint64_t *high);        /* the program's own segments */
const char *host_name(void);
void settings_exec(void); /* prctl's: in misc.c */
void settings_child(void);
bool proc_attributes(const char *full, struct file_attributes *a);
int64_t proc_open(const char *full, struct file **out);
int64_t text_open(const char *full, uint32_t flags, struct file **out);
int64_t text_read(struct file *f, uint64_t from, uint64_t to, size_t bytes); /* bytes read */
int64_t machine_end(uint32_t code);
