/* SPDX-License-Identifier: MIT */
/*
 * Threads of the process, and the lock under which they share the layer.
 *
 * Thread i has block i. A block is taken by the thread that makes a new one, and given back by
 * the very last instruction that the old one runs on it (thread_last). The kernel's thread is the
 * process server's to free.
 */
#include "layer.h"
#include <proto/memory_client.h>
#include <proto/process_client.h>

enum {
    CLONE_VM = 0x100, CLONE_SIGHAND = 0x800, CLONE_SETTLS = 0x80000, CLONE_PARENT_SETTID = 0x100000,
    CLONE_CHILD_CLEARTID = 0x200000, CLONE_CHILD_SETTID = 0x1000000,
};

static uint32_t lock_word;
static bool lock_kept;           /* waits do not let it go: execve ends the others */
static uint32_t blocks_made = 1; /* blocks that memory has been mapped for */
static uint32_t threads = 1;

/* ---- the lock -------------------------------------------------------------------------------- */

/* All threads run on one core and at one priority: who finds it taken lets the holder run. */
void layer_lock(void)
{
    while (__atomic_exchange_n(&lock_word, 1, __ATOMIC_ACQUIRE))
        pith_thread_yield();
}

void layer_unlock(void)
{
    __atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
}

struct pith_result rt_park_wait(uint32_t notification, uint64_t deadline_ns)
{
    if (lock_kept)
        return pith_notify_wait(notification, deadline_ns);
    layer_unlock();
    struct pith_result r = pith_notify_wait(notification, deadline_ns);
    layer_lock();
    return r;
}

struct pith_result layer_wait(uint64_t deadline)
{
    struct block *b = block_self();
    if (b->left & ~b->mask) /* known to pend, and the call has just let it through */
        return (struct pith_result){ -E_INTR, 0 };
    return rt_park_wait(rt_self()->notification, deadline);
}

uint64_t wait_deadline(uint64_t ns)
{
    struct block *b = block_self();
    uint64_t now = now_ns();
    if (!b->wait_until)
        b->wait_until = ns >= DEADLINE_NEVER - now ? DEADLINE_NEVER - 1 : now + ns;
    return b->wait_until;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static struct block *block_at(uint32_t i)
{
    return (struct block *)(LAYER_BLOCKS + (uint64_t)i * BLOCK_SIZE);
}

struct block *block_each(struct block *b)
{
    for (uint32_t i = b ? (uint32_t)block_index(b) + 1 : 0; i < blocks_made; i++)
        if (block_at(i)->busy)
            return block_at(i);
    return 0;
}

bool thread_alone(void)
{
    return threads == 1;
}

static struct block *block_take(void)
{
    uint64_t address;
    for (uint32_t i = 0; i < blocks_made; i++)
        if (!__atomic_load_n(&block_at(i)->busy, __ATOMIC_ACQUIRE))
            return block_at(i);
    if (blocks_made == BLOCKS_MAX ||
        memory_map(SLOT_MEMORY, (uint64_t)block_at(blocks_made), BLOCK_SIZE,
                   MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE,
                   MEMORY_MAP_FIXED | MEMORY_MAP_LAYER, &address))
        return 0;
    return block_at(blocks_made++);
}

/* ---- a new thread ---------------------------------------------------------------------------- */

static void block_fill(struct block *n, const struct block *b, uint32_t slot, uint64_t stack)
{
    n->site = b->site;
    n->regs = b->regs;
    n->regs.rsp = stack;
    n->regs.rax = 0;
    memset(&n->self, 0, sizeof n->self);
    n->self.magic = RT_SELF_MAGIC;
    n->self.notification = slot;
    n->self.recv_slot = SLOT_RECEIVE;
    random_fill(&n->self.number, sizeof n->self.number);
    n->self.deadline_ns = DEADLINE_NEVER;
    n->mask = b->mask;
    n->mask_saved = n->again = n->woken = false;
    n->held_count = 0;
    n->left = n->stack_base = n->stack_size = n->wait_until = 0;
    n->fault_vector = n->robust_list = n->futex_address = n->tid_address = n->child_set_tid = 0;
    n->fs_base = b->fs_base;
    n->gs_base = b->gs_base;
    n->tid = 0;
    __asm__ volatile("fxsave64 %0" : "=m"(n->fpu));
}

int64_t thread_new(
    uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid, uint64_t tls)
{
    struct block *b = block_self(), *n;
    uint32_t slot, tid = 0;
    if ((flags & (CLONE_VM | CLONE_SIGHAND)) != (CLONE_VM | CLONE_SIGHAND))
        return -EINVAL;
    if (flags & CLONE_SETTLS && !user_range(tls, 0))
        return -EPERM;
    slot = slot_take();
    n = slot ? block_take() : 0;
    if (!n) {
        if (slot)
            slot_give(slot);
        return -EAGAIN;
    }
    block_fill(n, b, slot, stack ? stack : b->regs.rsp);
    if (flags & CLONE_SETTLS)
        n->fs_base = tls;
    if (flags & CLONE_CHILD_CLEARTID)
        n->tid_address = child_tid;
    if (flags & CLONE_CHILD_SETTID)
        n->child_set_tid = child_tid;
    n->busy = 1;
    threads++;
    /* It waits for the lock until we let it go. */
    int64_t e = errno_of(process_thread(SLOT_PROCESS, LAYER_NATIVE + LAYER_ENTRY_THREAD,
                                        (uint64_t)n + BLOCK_SIZE, (uint64_t)n, slot, &tid));
    if (e) {
        threads--;
        n->busy = 0;
        slot_give(slot);
        return e;
    }
    n->tid = tid;
    n->self.lane = (uint16_t)(PROCESS_LANE_FIRST + tid);
    if (flags & CLONE_PARENT_SETTID)
        user_write(parent_tid, &tid, 4);
    return tid;
}

void layer_thread(struct block *b)
{
    layer_lock();
    block_touch(b);
    block_register(b);
    b->event.pending = 1; /* a signal for it may have come before */
    pith_thread_bases(b->fs_base, b->gs_base, 3);
    if (b->child_set_tid)
        user_write(b->child_set_tid, &b->tid, 4);
    layer_unlock();
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* The block may be another's from the store on: no stack, no memory after it. */
static _Noreturn void thread_last(struct block *b)
{
    __asm__ volatile("movl $0, (%0)\n1: mov %1, %%eax\n\tsyscall\n\tjmp 1b"
                     :: "r"(&b->busy), "i"(OP_CODE(OP_THREAD_EXIT))
                     : "rax", "rcx", "r11", "memory");
    __builtin_unreachable();
}

void thread_waiting_done(struct block *b)
{
    uint32_t zero = 0;
    robust_list_end(b);
    if (b->tid_address && user_write(b->tid_address, &zero, 4))
        futex_wake(b->tid_address, 1, UINT32_MAX);
    b->tid_address = 0;
}

int64_t sys_exit(const uint64_t *a)
{
    struct block *b = block_self();
    uint32_t code = (uint32_t)(a[0] & 0xff) << 8;
    if (thread_alone())
        process_end(code);
    thread_waiting_done(b);
    files_unhold(b);
    threads--;
    process_thread_exit(SLOT_PROCESS, b->tid, code);
    if (b->self.notification != SLOT_NOTE)
        slot_delete(b->self.notification);
    pith_thread_events(0, 0, 0, 0);
    pith_thread_upcall(0, 0, 0);
    layer_unlock();
    thread_last(b);
}

static void others_drop(void)
{
    struct block *me = block_self();
    for (struct block *b = block_each(0); b; b = block_each(b)) {
        if (b == me)
            continue;
        files_unhold(b);
        if (b->self.notification != SLOT_NOTE && b->self.notification != me->self.notification)
            slot_delete(b->self.notification);
        b->busy = 0;
    }
    futexes_clear();
    threads = 1;
}

void threads_end_others(void)
{
    struct block *b = block_self();
    if (thread_alone())
        return;
    lock_kept = true;
    while (process_threads_end(SLOT_PROCESS, b->tid) == -E_INTR)
        ;
    lock_kept = false;
    others_drop();
    b->tid = self.pid;
    b->self.lane = (uint16_t)(PROCESS_LANE_FIRST + self.pid);
}

void threads_forget(void)
{
    others_drop();
}

/* ---- robust futexes -------------------------------------------------------------------------- */

#define ROBUST_MAX 2048u

int64_t sys_set_robust_list(const uint64_t *a)
{
    if (a[1] != 24)
        return -EINVAL;
    block_self()->robust_list = a[0];
    return 0;
}

int64_t sys_get_robust_list(const uint64_t *a)
{
    struct block *b = block_self();
    uint64_t size = 24;
    if (a[0] && (uint32_t)a[0] != b->tid)
        return -ESRCH;
    return user_write(a[1], &b->robust_list, 8) && user_write(a[2], &size, 8) ? 0 : -EFAULT;
}

static void robust_died(uint64_t word, uint32_t tid)
{
    uint32_t value;
    while (user_read(&value, word, 4) && (value & FUTEX_TID) == tid) {
        uint32_t died = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
        int64_t was = user_range(word, 4) ? user_exchange(word, value, died) : -1;
        if (was >= 0 && was != value)
            continue;
        if (was >= 0 && value & FUTEX_WAITERS)
            futex_wake(word, 1, UINT32_MAX);
        return;
    }
}

/* The locks that a thread held when it ended: struct robust_list_head of futex(2). */
void robust_list_end(struct block *b)
{
    struct { uint64_t next; int64_t offset; uint64_t pending; } head;
    uint64_t entry;
    if (!b->robust_list || !user_read(&head, b->robust_list, sizeof head))
        return;
    entry = head.next & ~1ull;
    for (unsigned i = 0; i < ROBUST_MAX && entry != b->robust_list; i++) {
        uint64_t next;
        bool more = user_read(&next, entry, 8);
        if (entry != head.pending)
            robust_died(entry + (uint64_t)head.offset, b->tid);
        if (!more)
            break;
        entry = next & ~1ull;
    }
    if (head.pending)
        robust_died((head.pending & ~1ull) + (uint64_t)head.offset, b->tid);
    b->robust_list = 0;
}
