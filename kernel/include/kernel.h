/* SPDX-License-Identifier: MIT */
/* What the kernel's files share: lookups, the lock, quiescence, and each file's entry
 * points. Every op_* function is an operation of abi/operations.tbl: see dispatch.c. */
#pragma once
#include <abi/errors.h>
#include <abi/events.h>
#include <abi/contract.h>
#include <arch/x86.h>
#include <cpu.h>

/* rax and rdx of the system call: status (0 or -E_...) and a value. */
struct result { i64 status; u64 value; };
static ALWAYS_INLINE struct result ok(u64 value)
{
    return (struct result){ 0, value };
}
typedef struct result (*op_function)(void);
struct result op_none(void);
#include <abi/op_table.h>
#define DIRECT(number, name, parameters, ...) struct result op_##name parameters;
#define LOCKED DIRECT
OP_TABLE /* a prototype for each operation */
#undef LOCKED
#undef DIRECT
extern const op_function op_table[OP_LIMIT];
struct result operation_locked(void); /* entry.S; see dispatch.c */
struct result operation_decode(u64 number, u64 *arguments);
static ALWAYS_INLINE struct result fail(i64 error)
{
    return (struct result){ error, 0 };
}

/* For the decoding half of an operation: ends it before anything is changed. */
#define REFUSE_IF(condition, error) do { if (condition) return fail(-(error)); } while (0)
#define REQUIRE(status) do { i64 s_ = (status); if (s_) return fail(s_); } while (0)

_Static_assert(CALL_RIGHT == RIGHT_USE, "offsets.h");

void panic(const char *format, ...) NORETURN __attribute__((format(printf, 1, 2)));
/* entry.S calls these. */
struct thread *call_slow(void);
struct thread *trap_entry(u64 vector, u64 error, struct cpu *cpu);
struct kernel_trap;
void trap_kernel(struct kernel_trap *k);

#ifdef PITH_DEBUG
#define assert(e) ((e) ? (void)0 : panic("assertion failed: %s, %s:%d", #e, __FILE__, __LINE__))
#else
#define assert(e) ((void)0)
#endif

/* ---- pages ------------------------------------------------------------------- */
extern u64 page_count;
static ALWAYS_INLINE void *frame_address(u64 pfn)
{
    return (void *)(DM_BASE + (pfn << PAGE_SHIFT));
}
static ALWAYS_INLINE u32 frame_of(const void *p)
{
    return (u32)(((u64)p - DM_BASE) >> PAGE_SHIFT);
}
static ALWAYS_INLINE struct page *page_of(u32 pfn)
{
    return (struct page *)PAGES_BASE + pfn;
}
/* The descriptor of the page at a page-aligned direct-map address. See layout.h. */
static ALWAYS_INLINE struct page *page_at(const void *address)
{
    return (struct page *)((i64)address >> 7);
}
static ALWAYS_INLINE u8 *page_type_of(u32 pfn)
{
    return (u8 *)PTYPE_BASE + pfn;
}
static ALWAYS_INLINE u8 page_type(const struct page *page)
{
    return *(const u8 *)((i64)page >> 5);
}
/* Type of the page that an object is in. */
static ALWAYS_INLINE u8 type_of(const void *object)
{
    return *(const u8 *)((i64)object >> PAGE_SHIFT);
}
/* References to small objects and table entries are 32-bit: their offset in the direct map,
 * which is a multiple of 4 GiB at least, in units of their size. */
static ALWAYS_INLINE u32 small_ref(const void *object)
{
    return (u32)((u64)object / SMALL_SIZE);
}
static inline struct region *region_at(u32 ref)
{
    return (struct region *)(DM_BASE + (u64)ref * SMALL_SIZE);
}
static ALWAYS_INLINE u32 pte_ref(const u64 *pte)
{
    return (u32)((u64)pte / sizeof *pte);
}
static ALWAYS_INLINE u64 *pte_at(u32 ref)
{
    return (u64 *)DM_BASE + ref;
}

/* ---- the kernel lock ----------------------------------------------------------- */
/* Its holder's time is bounded, and so is waiting: see lock_wait(). Not recursive. */
struct kernel_lock { u16 word; u16 pad; u32 next, serving; };
#define LOCK_TAKEN 1u
#define LOCK_CLAIMED 0x100u /* only the first of those in line may take it */
extern struct kernel_lock kernel_lock;
void lock_wait(void) __attribute__((no_caller_saved_registers));
static ALWAYS_INLINE bool lock_change(u16 from, u16 to)
{
    return __atomic_compare_exchange_n(&kernel_lock.word, &from, to, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}
static ALWAYS_INLINE void lock_take(void)
{
    if (unlikely(!lock_change(0, LOCK_TAKEN))) /* called so that nothing is saved for it */
        __asm__ volatile("call lock_wait" ::: "memory");
}
static ALWAYS_INLINE void lock_release(void)
{
    low_byte_release(&kernel_lock.word, 0);
}
/* ---- quiescence ---------------------------------------------------------------- */
extern u64 epoch;
extern u32 cpu_count;
/* The stamp to put on something retired now. */
static inline u64 epoch_stamp(void)
{
    return epoch;
}
/* Whether every core has passed an entry and flushed since stamp; asks the others to. */
bool quiesce_passed(u64 stamp);
void quiesce_self(struct cpu *cpu); /* on VEC_KICK: flush everything, note the epoch */
void flush_page(const struct space *space, u64 va); /* this core's TLB */

/* ---- capabilities --------------------------------------------------------------- */
static ALWAYS_INLINE struct slot *slot_at(struct space *space, u64 index)
{
    return &space->capdir[(index >> 8) & 255u][index & 255u];
}
/* Makes f the current frame instead of from, and loads its space. */
static ALWAYS_INLINE void frame_enter(struct cpu *cpu, const struct frame *from, struct frame *f)
{
    u64 cr3 = f->cr3;
    if (from->cr3 != cr3)
        write_cr3(cr3);
    cpu->frame = f;
}
static ALWAYS_INLINE struct space *current_space(void)
{
    return cpu_self()->frame->space; /* frames are trapped only while they are not current */
}
/* The object that slot index of the current space names, if it is of the page type and
 * the slot has all the rights; else nil with *error set. */
static ALWAYS_INLINE void *cap_object(struct space *space, u64 index, u8 type, u64 rights,
                                      i64 *error)
{
    if (unlikely(index > 0xffff)) {
        *error = -E_CAP;
        return 0;
    }
    const struct slot *s = slot_at(space, index);
    u64 w0 = s->w0, w1 = s->w1;
    u64 *object = (u64 *)((i64)w0 >> 16);
    if (unlikely(*(u8 *)((i64)w0 >> 28) != type || *object != w1)) {
        *error = -E_CAP;
        return 0;
    }
    if (unlikely((w0 & rights) != rights)) {
        *error = -E_RIGHT;
        return 0;
    }
    return object;
}
/* The same for the running thread's space, out of line. */
void *cap_here(u64 index, u8 type, u64 rights, i64 *error);
/* A weak reference: whether object still is what it was when gen was noted. */
static ALWAYS_INLINE bool object_alive(const void *object, u8 type, u64 gen)
{
    return object && type_of(object) == type && *(const u64 *)object == gen;
}
/* Checks that a capability may be put into slot index now: 0, -E_CAP, -E_BUSY, -E_AGAIN. */
i64 slot_ready(struct space *space, u64 index) MUST_USE;
/* Writes it; slot_ready() has said yes. */
void slot_fill(struct space *space, u64 index, const void *object, u8 type, u64 rights, u64 gen);
/* The same for a new object and the caller's slot: the end of an operation that makes one. */
struct result slot_give(u64 index, const void *object, u8 type);
void slot_clear(struct slot *slot);
u64 generation_new(void);

/* ---- regions and pages ----------------------------------------------------------- */
/* The frame number of page index of region, checked to be owned by it; 0 if not. */
u32 region_frame(const struct region *region, u64 index);
/* Decodes where = index << 8 | slot for a new small object of a type in one of the
 * region's pages: free page, or page of that type with a free slot. */
i64 small_place(struct region *region, u64 where, u8 type, void **object) MUST_USE;
/* Takes it into use: types and zeroes the page on first use. */
void small_commit(void *object, u8 type);
i64 page_place(struct region *region, u64 index, u32 *pfn) MUST_USE; /* free page */
void page_commit(u32 pfn, u8 type);                                   /* typed, zeroed */

extern struct slot *empty_caps; /* shared page of empty slots behind unbacked directories */

/* ---- spaces, mapping ------------------------------------------------------------- */
extern struct space trap_space;    /* dead by construction; see frame.space */
extern struct page *nil_page;
struct walk { u64 *pte; u32 ref; u8 level; };
/* The leaf entry for va, whatever its size; false if none. */
bool space_leaf(const struct space *space, u64 va, struct walk *walk);
/* Unlinks one mapping from its frame's list and clears it; returns the old entry. */
u64 mapping_remove(u32 ref, u8 level);
/* Removes one large mapping that covers pfn; true if there was one (repeat). */
bool frame_big_unmap(u32 pfn);
/* The block of 2 MiB around pfn is no longer one for large mappings, see page_large. */
void block_split(u32 pfn);
/* Gives the space a page table: pages pfn (even) and pfn + 1. */
void space_give_table(struct space *space, u32 pfn);
bool space_map_boot(struct space *space, u64 va, u32 pfn, u64 flags);
bool mapped_once(u32 pfn); /* exactly one 4 KiB mapping */
i64 table_take(u32 pfn); /* one step towards freeing a page table */
/* Direct-map address of user address va if the access is allowed, else nil; and how many bytes
 * follow on the page. */
struct user_run {
    u8 *at;
    u64 bytes;
};
struct user_run user_address(const struct space *space, u64 va, u64 access);
/* Copies between kernel memory and the current frame's user memory; false on a bad
 * address (nothing or part was copied). At most one page. */
bool user_read(void *to, u64 va, u64 bytes) MUST_USE;
bool user_write(u64 va, const void *from, u64 bytes) MUST_USE;
i64 space_take(struct space *space); /* one step towards freeing the object */
i64 caps_take(u32 pfn);
i64 caps_clear(struct slot *s);
void space_init(struct space *s, u64 template);
extern u64 kernel_pml4;
void map_init(void); /* after features_init() */
i64 cap_transfer_check(struct space *from, u64 source, struct space *to, u64 slot) MUST_USE;
i64 cap_transfer(struct space *from, u64 source, struct space *to, u64 slot, u64 rights) MUST_USE;

/* ---- threads, scheduling ---------------------------------------------------------- */
struct thread *schedule(struct cpu *cpu); /* picks and loads the next thread; may idle */
struct thread *schedule_locked(struct cpu *cpu); /* the same, and releases the lock */
void schedule_init(void);
extern u64 slice_ticks;              /* a turn */
/* Into its core's run queue; own core only. */
static ALWAYS_INLINE void thread_ready_on(struct cpu *cpu, struct thread *t)
{
    u32 priority = t->priority;
    struct thread **head = &cpu->run[priority], *first = *head;
    t->state = THREAD_READY;
    t->slice = (i64)slice_ticks;
    if (likely(!first)) {
        t->run_next = t->run_prev = t;
        *head = t;
        cpu->run_bits |= 1ull << priority;
    } else {
        t->run_next = first;
        t->run_prev = first->run_prev;
        t->run_prev->run_next = t;
        first->run_prev = t;
    }
}
static inline void thread_ready(struct thread *t)
{
    thread_ready_on(cpu_of(t->core), t);
}
void thread_block(struct thread *t, u8 state); /* out of it; own core only */
void thread_post(struct thread *t, u32 requests); /* any core: act on t soon */
void inbox_process(struct cpu *cpu);
static ALWAYS_INLINE void schedule_if_higher(struct cpu *cpu, const struct thread *t)
{
    if (!cpu->donor || t->priority > cpu->donor->priority)
        cpu->resched = 1;
}
void account(struct cpu *cpu);
void tick(struct cpu *cpu);
void wheel_insert(struct cpu *cpu, struct thread *t, u64 deadline_ns);
void wheel_remove(struct cpu *cpu, struct thread *t);
void wheel_advance(struct cpu *cpu, u64 now_ns);
u64 wheel_next_ns(const struct cpu *cpu);
void thread_init(struct thread *t, struct space *space);
i64 thread_take(struct thread *t);
/* Changes when a time ends or gets another budget: see thread.plain. */
extern u64 changes;
i64 time_check(const struct time *time, u64 core, u64 priority) MUST_USE;
void thread_bind(struct thread *t, struct time *time);
static ALWAYS_INLINE struct thread *thread_of_base(const struct frame *base)
{
    return (struct thread *)((u64)base - THREAD_BASE);
}
/* Where a frame executes, whatever frame.space says. */
static ALWAYS_INLINE struct space *frame_space(const struct frame *f)
{
    return f->kind == FRAME_BASE ? thread_of_base(f)->space : f->pool->space;
}
/* The thread whose call chain f is on (at most USER_LEVEL steps). */
struct thread *thread_of(const struct frame *f);
bool depth0_requests(struct cpu *cpu, struct thread *t); /* act on what waited for depth 0 */
void event_enter(struct cpu *cpu, struct thread *t);
/* Reads the running thread's FS and GS base into it; loads them. */
void thread_bases_sync(struct thread *t);
void bases_load(const struct thread *t);

/* ---- trace ---------------------------------------------------------------------------------- */
struct trace_entry { u64 tsc; u32 event, thread; u64 a, b; };
#define TRACE_ENTRIES 128u
extern bool trace_on, trace_loud;
void trace_write(u32 event, u64 a, u64 b);
static ALWAYS_INLINE void trace(u32 event, u64 a, u64 b)
{
    if (unlikely(trace_on))
        trace_write(event, a, b);
}
void trace_dump(void);

/* ---- notifications ----------------------------------------------------------------- */
void notification_raise(struct notification *n, u64 bits);
/* The same when nobody waits, or a thread of this core without a deadline; then there is no
 * bit yet. False: nothing done. */
static ALWAYS_INLINE bool notification_raise_usual(struct cpu *cpu, struct notification *n,
                                                   u64 bits)
{
    struct thread *t = n->waiter;
    if (unlikely(trace_on))
        return false;
    if (!t) {
        n->word |= bits;
        return true;
    }
    if (unlikely(t->core != cpu->core) || unlikely(t->wait_kind != WAIT_RESULT) ||
        unlikely(!bits))
        return false;
    struct saved *regs = t->regs;
    assert(!n->word);
    n->waiter = 0;
    t->waits_on = 0;
    regs->rax = 0;
    regs->rdx = bits;
    thread_ready_on(cpu, t);
    schedule_if_higher(cpu, t);
    return true;
}
/* Raises if the generation still matches. */
void notification_tell(struct notification *n, u64 gen, u64 bits);
void wait_end(struct thread *t, i64 status, u64 bits); /* own core: leave the wait */
i64 notification_wait(struct cpu *cpu, struct notification *n, u64 deadline_ns, u64 *bits);
void notification_reset(struct notification *n);       /* being destroyed */

/* ---- calls ---------------------------------------------------------------------------- */
extern struct pool empty_pool;
extern struct frame nil_frame;
/* Pushes stack s as the current frame of cpu, entered through gate. */
static ALWAYS_INLINE void frame_push(struct cpu *cpu, struct frame *from, struct frame *s,
                              struct gate *gate)
{
    s->prev = from;
    s->gate = gate;
    s->granted = 0;
    s->rip = s->entry;
    s->rsp = s->top;
    s->flags = 0x202;
    frame_enter(cpu, from, s);
}
/* Makes a return into f take the slow path. Not the current frame's. */
static ALWAYS_INLINE void frame_trap(struct frame *f)
{
    f->space = &trap_space;
}
struct frame *stack_find(struct cpu *cpu, struct pool *pool);
/* Ends the current frame: what entry.S does on a return, for every odd case. */
struct thread *return_slow(void);
struct thread *fault_answer(u64 answer, struct cpu *cpu);
/* Forced end of the current frame's activation, seen as status by the frame below. */
void frame_unwind(struct cpu *cpu, i64 status, u64 value, bool quarantine);
/* Pops frames of dead spaces off the running thread's chain. */
void frames_drop_dead(struct cpu *cpu);
bool service_wake(struct service *s);
bool space_close_services(struct space *space);
void thread_dequeue(struct thread *t);
i64 stacks_take(u32 pfn);
i64 pool_take(struct pool *p);
i64 service_take(struct service *s);
i64 gates_take(u32 pfn);
void gate_end(struct gate *g);
void gate_release(struct gate *g); /* a capability to it went */

/* ---- faults, interrupts ------------------------------------------------------------------ */
void fault(struct cpu *cpu, u64 vector, u64 error);
#define VECTOR_BP 3u
#define VECTOR_PF 14u
/* The same for VECTOR_PF, without the lock if it can; answers with the thread to resume. */
struct thread *page_fault(u64 vector, u64 error, struct cpu *cpu);
/* The slow return's part for a frame with a saved fault. */
void fault_return(struct cpu *cpu, struct frame *f, u64 answer);
bool line_used(u32 gsi);
extern bool panic_stopping;
void panic_regs(u64 vector, u64 error, u64 rip, u64 rsp, u64 rbp, const u64 *regs, u32 count)
    NORETURN;
/* The stack for a call through g, and then: wait arranged (-E_AGAIN) or another error. */
struct frame *call_stack(struct cpu *cpu, struct gate *g, i64 *error, u64 *value);
void thread_queue(struct thread *t, struct service *s);
#define USER_FLAGS 0x0cd5ull /* what a user may set: CF PF AF ZF SF DF OF */
void interrupt_release(struct interrupt *i);


void kernel_check_step(void);
bool kernel_check(const char **what); /* all invariants; debug builds */
