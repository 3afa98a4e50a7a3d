/* SPDX-License-Identifier: MIT */
/*
 * Signals. The process server keeps what pends; handlers and masks are ours.
 *
 * An event (entry.S) or the way out of a call with event.pending set brings us to
 * signals_deliver(), which takes what pends and is not blocked, and lays frames as Linux does
 * (arch/x86/kernel/signal_64.c: struct rt_sigframe) for handlers to return through.
 */
#include "layer.h"
#include <proto/memory_client.h>
#include <proto/process_client.h>

struct action { uint64_t handler, flags, restorer, mask; };
enum {
    SA_NOCLDSTOP = 1, SA_SIGINFO = 4, SA_ONSTACK = 0x08000000, SA_RESTART = 0x10000000,
    SA_NODEFER = 0x40000000, SA_RESTORER = 0x04000000, SA_NOCLDWAIT = 2,
};
#define SA_RESETHAND 0x80000000u
#define BIT(signal) (1ull << ((signal)-1))
#define UNBLOCKABLE (BIT(SIGKILL) | BIT(SIGSTOP))
#define DEFAULT_IGNORED (BIT(SIGCHLD) | BIT(SIGURG) | BIT(SIGWINCH) | BIT(SIGCONT))
#define DEFAULT_STOP (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))

static struct action actions[SIGNALS + 1];

/* A signal that was taken, as siginfo_t tells of it. */
struct taken { uint32_t signal, process, user; int32_t code; uint64_t value; };
enum { SI_KERNEL = 0x80 };

struct sigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
        flags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, vector, old_mask, address, fpstate, reserved[8];
};
struct frame {
    uint64_t restorer;
    struct {
        uint64_t flags, link, stack_base;
        uint32_t stack_flags, pad;
        uint64_t stack_size;
        struct sigcontext c;
        uint64_t mask;
    } u;
    int32_t info[32];
};
_Static_assert(sizeof(struct frame) == 440, "rt_sigframe");

/* ---- vector state ------------------------------------------------------------------------- */

#define FPU_MAX 4096u
#define FPU_MASK 0xe7u /* x87, SSE, AVX, AVX-512 */
static TABLE uint8_t fpu_area[FPU_MAX + 64] __attribute__((aligned(64)));

static uint32_t fpu_bytes(void)
{
    static uint32_t size;
    uint32_t a = 1, b, c = 0, d;
    if (size)
        return size;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (!(c >> 27 & 1))
        return size = 512;
    a = 13;
    c = 0;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return size = b <= FPU_MAX ? b : 512;
}

/* Parts that are in their initial state are not written: what lies there is the process's own. */
static void fpu_save(void)
{
    if (fpu_bytes() == 512) {
        __asm__ volatile("fxsave64 %0" : "=m"(fpu_area));
        return;
    }
    memset(fpu_area + 512, 0, 64); /* the header */
    __asm__ volatile("xsave64 %0" : "=m"(fpu_area) : "a"(FPU_MASK), "d"(0));
    uint32_t *software = (uint32_t *)(fpu_area + 464);
    software[0] = 0x46505853;
    software[1] = fpu_bytes() + 4;
    memcpy(&software[2], fpu_area + 512, 8);
    software[4] = fpu_bytes();
    *(uint32_t *)(fpu_area + fpu_bytes()) = 0x46505845;
}

static bool fpu_restore(uint64_t from)
{
    if (!from || !user_read(fpu_area, from, fpu_bytes()))
        return false;
    *(uint32_t *)(fpu_area + 24) &= 0xffff; /* MXCSR: reserved bits fault */
    if (fpu_bytes() == 512) {
        __asm__ volatile("fxrstor64 %0" : : "m"(fpu_area));
        return true;
    }
    memset(fpu_area + 520, 0, 56);
    *(uint64_t *)(fpu_area + 512) &= FPU_MASK;
    __asm__ volatile("xrstor64 %0" : : "m"(fpu_area), "a"(FPU_MASK), "d"(0));
    return true;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static bool on_stack(const struct block *b, uint64_t sp)
{
    return b->stack_size && sp > b->stack_base && sp - b->stack_base <= b->stack_size;
}

static bool frame_push(
    struct block *b, struct pith_regs *r, const struct taken *t, uint64_t old_mask)
{
    const struct action *act = &actions[t->signal];
    struct frame f;
    uint64_t sp = r->rsp - 128;
    memset(&f, 0, sizeof f);
    f.u.stack_base = b->stack_base;
    f.u.stack_size = b->stack_size;
    f.u.stack_flags = !b->stack_size ? 2 : on_stack(b, r->rsp) ? 1 : 0;
    if (act->flags & SA_ONSTACK && b->stack_size && !on_stack(b, r->rsp))
        sp = b->stack_base + b->stack_size;
    fpu_save();
    sp = (sp - (fpu_bytes() + 4)) & ~63ull;
    f.u.c.fpstate = sp;
    if (!user_write(sp, fpu_area, fpu_bytes() + (fpu_bytes() > 512 ? 4 : 0)))
        return false;
    sp = ((sp - sizeof f) & ~15ull) - 8;
    f.restorer = act->restorer;
    f.u.flags = 6 | (fpu_bytes() > 512);
    f.u.mask = old_mask;
    f.u.c = (struct sigcontext){
        .r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11, .r12 = r->r12, .r13 = r->r13,
        .r14 = r->r14, .r15 = r->r15, .rdi = r->rdi, .rsi = r->rsi, .rbp = r->rbp, .rbx = r->rbx,
        .rdx = r->rdx, .rax = r->rax, .rcx = r->rcx, .rsp = r->rsp, .rip = r->rip,
        .flags = r->flags, .cs = 0x33, .ss = 0x2b, .old_mask = old_mask, .fpstate = f.u.c.fpstate,
        .error = b->fault_error, .vector = b->fault_vector, .address = b->fault_address,
    };
    f.info[0] = (int32_t)t->signal;
    f.info[2] = t->code;
    f.info[4] = (int32_t)t->process;
    f.info[5] = (int32_t)t->user;
    memcpy(&f.info[6], &t->value, 8);
    if (b->fault_vector &&
        t->code != SI_KERNEL) /* the address lies where otherwise the sender does */
        memcpy(&f.info[4],
            t->signal == SIGSEGV || t->signal == SIGBUS ? &b->fault_address : &r->rip, 8);
    b->fault_vector = 0;
    if (!user_write(sp, &f, sizeof f))
        return false;
    r->rsp = sp;
    r->rip = act->handler;
    r->rdi = t->signal;
    r->rsi = sp + offsetof(struct frame, info);
    r->rdx = sp + offsetof(struct frame, u);
    r->rax = 0;
    r->flags = 0x202;
    return true;
}

static uint64_t ignored_now = DEFAULT_IGNORED; /* by the actions as they are */

/* Whether the action that a signal has now ignores it. */
static bool ignored_note(uint32_t signal)
{
    bool ignored = actions[signal].handler == 1 ||
                   (!actions[signal].handler && DEFAULT_IGNORED & BIT(signal));
    ignored_now = ignored ? ignored_now | BIT(signal) : ignored_now & ~BIT(signal);
    return ignored;
}

/* What a signal does; true when a handler was set up. */
static bool signal_act(struct block *b, struct pith_regs *r, const struct taken *t)
{
    struct action *act = &actions[t->signal];
    uint64_t bit = BIT(t->signal);
    if (act->handler == 1 || (!act->handler && DEFAULT_IGNORED & bit))
        return false;
    if (!act->handler && DEFAULT_STOP & bit) {
        process_stop(SLOT_PROCESS, t->signal);
        return false;
    }
    uint64_t old = b->mask_saved ? b->old_mask : b->mask;
    b->mask_saved = false;
    if (!act->handler || !frame_push(b, r, t, old))
        process_end(act->handler ? SIGSEGV : t->signal); /* nobody writes core files */
    b->mask |= act->mask | (act->flags & SA_NODEFER ? 0 : bit);
    b->mask &= ~UNBLOCKABLE;
    if (act->flags & SA_RESETHAND) {
        act->handler = 0;
        ignored_note(t->signal);
    }
    return true;
}

/* The registers of a call as Linux would show them. */
static void regs_of_call(struct block *b, struct pith_regs *r)
{
    *r = b->regs;
    r->rip = r->rcx = b->site.rip;
    r->flags = r->r11 = b->site.flags;
}

/* Signals for the process that this thread blocks and another does not. */
static void others_nudge(const struct block *b, uint64_t shared)
{
    for (struct block *o = block_each(0); o && shared; o = block_each(o))
        if (o != b && o->tid && (shared & (~o->mask | o->wait_set) || o->polling)) {
            process_nudge(SLOT_PROCESS, o->tid);
            shared &= o->mask & ~o->wait_set;
        }
}

static bool signal_take(struct block *b, uint64_t blocked, struct taken *t)
{
    uint64_t shared = 0;
    memset(t, 0, sizeof *t);
    if (process_take_signals(SLOT_PROCESS, b->tid, blocked, &t->signal, &t->code, &t->process,
            &t->user, &t->value, &b->left, &shared))
        return false;
    if (!t->signal && shared)
        others_nudge(b, shared);
    return t->signal;
}

/* Takes what pends and acts on it. interrupted: 0, or the call's -ERESTART… result. */
static void take_and_act(struct block *b, struct pith_regs *r, int64_t interrupted)
{
    struct taken t;
    bool more = true;
    while (more && signal_take(b, b->mask, &t)) {
        bool restart = interrupted == -ERESTART_ALWAYS ||
                       (actions[t.signal].flags & SA_RESTART && interrupted == -ERESTART);
        struct pith_regs before = *r;
        if (interrupted && restart) {
            r->rip -= 2;
            r->rax = b->number;
        } else if (interrupted) {
            r->rax = (uint64_t)-EINTR;
        }
        if (signal_act(b, r, &t))
            interrupted = 0;
        else
            *r = before;
        more = b->left & ~b->mask; /* what comes later comes with an event of its own */
    }
    if (interrupted) { /* nothing for a handler: the call goes on */
        r->rip -= 2;
        r->rax = b->number;
        b->again = true;
    }
}

void signals_deliver(struct block *b, int64_t interrupted)
{
    struct pith_regs r;
    regs_of_call(b, &r);
    take_and_act(b, &r, interrupted);
    b->regs = r;
    b->site.rip = r.rip;
    b->site.flags = r.flags;
    if (b->mask_saved && !b->again)
        signals_unmask(b);
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* The signal of a processor exception and its code: arch/x86/kernel/traps.c, fault.c of Linux. */
static void fault_describe(const struct pith_event *e, struct taken *t)
{
    static const struct { uint8_t signal, code; } of[32] = {
        [0] = { SIGFPE, 1 },          [1] = { SIGTRAP, 1 },  [3] = { SIGTRAP, SI_KERNEL },
        [4] = { SIGSEGV, SI_KERNEL }, [6] = { SIGILL, 2 },   [16] = { SIGFPE, 7 },
        [17] = { SIGBUS, 1 },         [19] = { SIGFPE, 7 },
    };
    uint64_t first = 0, length = 0;
    uint8_t protection = 0;
    uint16_t flags = 0;
    memset(t, 0, sizeof *t);
    t->signal = SIGSEGV;
    t->code = SI_KERNEL;
    if (e->vector < 32 && of[e->vector].signal) {
        t->signal = of[e->vector].signal;
        t->code = of[e->vector].code;
    } else if (e->vector == 14) { /* mapped, but not for this: SEGV_ACCERR; else SEGV_MAPERR */
        bool mapped = !memory_area(SLOT_MEMORY, e->address & ~(PAGE - 1), &first, &length,
                          &protection, &flags) &&
                      first <= e->address;
        uint8_t wanted = e->error & 16 ? MEMORY_PROTECTION_EXEC
                         : e->error & 2 ? MEMORY_PROTECTION_WRITE : MEMORY_PROTECTION_READ;
        t->code = mapped ? 2 : 1;
        if (mapped && protection & wanted && e->address < MEMORY_LAYER_BASE) {
            /* It may, but there is no page: behind a file's end, or no memory is left. */
            t->signal = flags & MEMORY_MAP_FILE ? SIGBUS : SIGKILL;
            t->code = 2;
        }
    }
}

static void fault_act(struct block *b)
{
    struct pith_event *e = &b->event;
    struct taken t;
    e->fault = 0;
    fault_describe(e, &t);
    b->fault_vector = e->vector;
    b->fault_error = e->error;
    b->fault_address = e->vector == 14 ? e->address : 0;
    if (self.log_calls || self.log_unknown)
        layer_print("[linux] %u %s: signal %u at %lx, address %lx\n", self.pid, self.command,
            t.signal, e->regs.rip, e->address);
    if (t.signal == SIGKILL) {
        layer_print("[linux] %u %s: killed: out of memory\n", self.pid, self.command);
        process_end(SIGKILL);
    }
    if (b->mask & BIT(t.signal) || actions[t.signal].handler <= 1) /* cannot be put off */
        process_end(t.signal);
    signal_act(b, &e->regs, &t);
}

/* The program was interrupted: by a signal or by a fault of its own. */
void layer_event(struct block *b)
{
    layer_lock();
    bool fault = b->event.fault;
    if (fault)
        fault_act(b);
    if (!fault || b->event.pending)
        take_and_act(b, &b->event.regs, 0);
    layer_unlock();
    pith_event_done();
}

int64_t sys_rt_sigreturn(const uint64_t *a)
{
    struct block *b = block_self();
    struct frame f;
    (void)a;
    if (!user_read(&f, b->regs.rsp - 8, sizeof f) || f.u.c.rip >= LAYER_NATIVE)
        process_end(SIGSEGV);
    const struct sigcontext *c = &f.u.c;
    fpu_restore(c->fpstate);
    b->event.regs = (struct pith_regs){
        .rax = c->rax, .rbx = c->rbx, .rcx = c->rcx, .rdx = c->rdx, .rsi = c->rsi, .rdi = c->rdi,
        .rbp = c->rbp, .r8 = c->r8, .r9 = c->r9, .r10 = c->r10, .r11 = c->r11, .r12 = c->r12,
        .r13 = c->r13, .r14 = c->r14, .r15 = c->r15, .rip = c->rip, .rsp = c->rsp,
        .flags = c->flags, .fs_base = b->fs_base, .gs_base = b->gs_base,
    };
    b->mask = f.u.mask & ~UNBLOCKABLE;
    b->again = false;
    if (b->left & ~b->mask)
        take_and_act(b, &b->event.regs, 0);
    layer_unlock();
    pith_event_done();
    process_end(SIGSEGV); /* the frame was not one */
}

/* ---- calls ----------------------------------------------------------------------------------- */

void signals_sets(struct signal_sets *s)
{
    const struct block *b = block_self();
    *s = (struct signal_sets){ .pending = b->left, .blocked = b->mask };
    for (unsigned signal = 1; signal <= SIGNALS; signal++)
        if (actions[signal].handler == 1)
            s->ignored |= BIT(signal);
        else if (actions[signal].handler)
            s->caught |= BIT(signal);
}

/* Which signals need not reach us at all: ignored, and blocked nowhere, since a handler may be
 * set before they are unblocked. */
static uint64_t ignored_told = DEFAULT_IGNORED;

static void ignored_tell(uint64_t drop)
{
    static bool no_zombies_told, no_stops_told;
    bool no_zombies = actions[SIGCHLD].handler == 1 || actions[SIGCHLD].flags & SA_NOCLDWAIT;
    bool no_stops = actions[SIGCHLD].flags & SA_NOCLDSTOP;
    uint64_t ignored = ignored_now;
    for (struct block *o = block_each(0); o && ignored; o = block_each(o))
        ignored &= ~o->mask;
    /* That more is ignored need not be told: what comes is dropped here. */
    if (!(ignored_told & ~ignored) && no_zombies == no_zombies_told && no_stops == no_stops_told &&
        !drop)
        return;
    process_ignore(SLOT_PROCESS, ignored, drop, no_zombies, no_stops);
    ignored_told = ignored;
    no_zombies_told = no_zombies;
    no_stops_told = no_stops;
}

int64_t sys_rt_sigaction(const uint64_t *a)
{
    struct action new;
    if (!a[0] || a[0] > SIGNALS || a[3] != 8)
        return -EINVAL;
    if (a[1] && !user_read(&new, a[1], sizeof new))
        return -EFAULT;
    if (a[1] && (a[0] == SIGKILL || a[0] == SIGSTOP))
        return -EINVAL;
    if (a[2] && !user_write(a[2], &actions[a[0]], sizeof new))
        return -EFAULT;
    if (a[1]) {
        actions[a[0]] = new;
        actions[a[0]].mask &= ~UNBLOCKABLE;
        bool dropped = ignored_note((uint32_t)a[0]);
        ignored_tell(dropped ? block_self()->left & BIT(a[0]) : 0);
    }
    return 0;
}

static void mask_set(struct block *b, uint64_t mask)
{
    uint64_t newly = mask & ~b->mask;
    b->mask = mask & ~UNBLOCKABLE;
    if (newly & ignored_told)
        ignored_tell(0);
    if (b->left & ~b->mask)
        b->event.pending = 1; /* looked at on the way out */
}

void signals_mask(struct block *b, uint64_t set)
{
    if (!b->mask_saved) {
        b->old_mask = b->mask;
        b->mask_saved = true;
    }
    mask_set(b, set);
}

void signals_unmask(struct block *b)
{
    if (!b->mask_saved)
        return;
    b->mask_saved = false;
    mask_set(b, b->old_mask);
}

int64_t sys_rt_sigprocmask(const uint64_t *a)
{
    struct block *b = block_self();
    uint64_t old = b->mask, set;
    if (a[3] != 8)
        return -EINVAL;
    if (a[1]) {
        if (!user_read(&set, a[1], 8))
            return -EFAULT;
        if (a[0] > 2)
            return -EINVAL;
        mask_set(b, a[0] == 0 ? b->mask | set : a[0] == 1 ? b->mask & ~set : set);
    }
    return a[2] && !user_write(a[2], &old, 8) ? -EFAULT : 0;
}

int64_t sys_rt_sigpending(const uint64_t *a)
{
    struct block *b = block_self();
    struct taken t;
    if (a[1] > 8)
        return -EINVAL;
    (void)signal_take(b, UINT64_MAX, &t);
    uint64_t set = b->left & b->mask;
    return user_write(a[0], &set, a[1]) ? 0 : -EFAULT;
}

static int64_t pause_here(void)
{
    struct pith_result r;
    do
        r = layer_wait(DEADLINE_NEVER);
    while (!r.status);
    return -ERESTART_NO_HANDLER;
}

int64_t sys_pause(const uint64_t *a)
{
    (void)a;
    return pause_here();
}

int64_t sys_rt_sigsuspend(const uint64_t *a)
{
    struct block *b = block_self();
    uint64_t set;
    if (a[1] != 8)
        return -EINVAL;
    if (!user_read(&set, a[0], 8))
        return -EFAULT;
    signals_mask(b, set);
    if (b->left & ~b->mask)
        return -ERESTART_NO_HANDLER;
    return pause_here();
}

static int64_t info_out(uint64_t to, const struct taken *t)
{
    int32_t info[32] = { [0] = (int32_t)t->signal, [2] = t->code, [4] = (int32_t)t->process,
                         [5] = (int32_t)t->user };
    memcpy(&info[6], &t->value, 8);
    return !to || user_write(to, info, sizeof info) ? 0 : -EFAULT;
}

int64_t sys_rt_sigtimedwait(const uint64_t *a)
{
    struct block *b = block_self();
    uint64_t set, ns, deadline = DEADLINE_NEVER;
    struct taken t;
    if (a[3] != 8)
        return -EINVAL;
    if (!user_read(&set, a[0], 8))
        return -EFAULT;
    if (a[2]) {
        int64_t e = timespec_read(a[2], &ns);
        if (e)
            return e;
        deadline = wait_deadline(ns);
    }
    set &= ~UNBLOCKABLE;
    uint64_t mask = b->mask; /* what is waited for must reach us even if it is ignored */
    b->mask |= set;
    ignored_tell(0);
    b->mask = mask;
    for (;;) {
        if (signal_take(b, ~set, &t)) {
            int64_t e = info_out(a[1], &t);
            return e ? e : t.signal;
        }
        b->wait_set = set;
        struct pith_result r = layer_wait(deadline);
        b->wait_set = 0;
        if (r.status == -E_TIME)
            return -EAGAIN;
        if (r.status == -E_INTR && b->left & ~b->mask & ~set)
            return -ERESTART_NO_HANDLER;
    }
}

int64_t sys_sigaltstack(const uint64_t *a)
{
    struct block *b = block_self();
    struct { uint64_t base; uint32_t flags, pad; uint64_t size; } s, old;
    bool active = on_stack(b, b->regs.rsp);
    memset(&old, 0, sizeof old);
    old.base = b->stack_base;
    old.size = b->stack_size;
    old.flags = !b->stack_size ? 2 : active;
    if (a[0]) {
        if (!user_read(&s, a[0], sizeof s))
            return -EFAULT;
        if (active)
            return -EPERM;
        if (s.flags & ~3u)
            return -EINVAL;
        if (!(s.flags & 2) && s.size < 2048)
            return -ENOMEM;
        b->stack_base = s.flags & 2 ? 0 : s.base;
        b->stack_size = s.flags & 2 ? 0 : s.size;
    }
    return a[1] && !user_write(a[1], &old, sizeof old) ? -EFAULT : 0;
}

bool signal_held(uint32_t signal)
{
    return block_self()->mask & BIT(signal) || actions[signal].handler == 1;
}

void signal_self(uint32_t signal)
{
    struct block *b = block_self();
    process_queue(SLOT_PROCESS, self.pid, b->tid, signal, SI_KERNEL, 0);
}

int64_t sys_kill(const uint64_t *a)
{
    if (a[1] > SIGNALS)
        return -EINVAL;
    if ((int32_t)a[0] == INT32_MIN)
        return -ESRCH;
    return errno_of(process_kill(SLOT_PROCESS, (int32_t)a[0], (uint32_t)a[1]));
}

static int64_t thread_kill(uint64_t process, uint64_t thread, uint64_t signal)
{
    if ((int32_t)thread <= 0 || signal > SIGNALS)
        return -EINVAL;
    return errno_of(process_queue(
        SLOT_PROCESS, (uint32_t)process, (uint32_t)thread, (uint32_t)signal, -6 /* SI_TKILL */, 0));
}

int64_t sys_tkill(const uint64_t *a)
{
    return thread_kill(0, a[0], a[1]);
}

int64_t sys_tgkill(const uint64_t *a)
{
    return (int32_t)a[0] <= 0 ? -EINVAL : thread_kill(a[0], a[1], a[2]);
}

static int64_t queue_info(uint64_t process, uint64_t thread, uint64_t signal, uint64_t info)
{
    int32_t in[8];
    uint64_t value;
    if (signal > SIGNALS)
        return -EINVAL;
    if (!user_read(in, info, sizeof in))
        return -EFAULT;
    memcpy(&value, &in[6], 8);
    return errno_of(process_queue(
        SLOT_PROCESS, (uint32_t)process, (uint32_t)thread, (uint32_t)signal, in[2], value));
}

int64_t sys_rt_sigqueueinfo(const uint64_t *a)
{
    return queue_info(a[0], 0, a[1], a[2]);
}

int64_t sys_rt_tgsigqueueinfo(const uint64_t *a)
{
    if ((int32_t)a[0] <= 0 || (int32_t)a[1] <= 0)
        return -EINVAL;
    return queue_info(a[0], a[1], a[2], a[3]);
}

/* ---- signalfd: event.c ----------------------------------------------------------------------- */

bool signals_pend(uint64_t set)
{
    return block_self()->left & set;
}

int64_t signal_read(uint64_t set, uint64_t to)
{
    struct block *b = block_self();
    struct taken t;
    struct {
        uint32_t signal;
        int32_t error, code;
        uint32_t pid, uid;
        int32_t fd;
        uint32_t timer, band, overrun, trap;
        int32_t status, integer;
        uint64_t pointer, rest[9];
    } out;
    _Static_assert(sizeof out == 128, "signalfd_siginfo");
    if (!signal_take(b, ~set, &t))
        return 0;
    memset(&out, 0, sizeof out);
    out.signal = t.signal;
    out.code = t.code;
    out.pid = t.process;
    out.uid = t.user;
    if (t.signal == SIGCHLD)
        out.status = (int32_t)t.value;
    out.integer = (int32_t)t.value;
    out.pointer = t.value;
    if (t.code == -2) { /* SI_TIMER */
        out.timer = t.process;
        out.overrun = t.user;
    }
    return user_write(to, &out, sizeof out) ? (int64_t)sizeof out : -EFAULT;
}

/* ---- changes of program and process ---------------------------------------------------------- */

void signals_exec(void)
{
    for (uint32_t s = 1; s <= SIGNALS; s++) {
        uint64_t handler = actions[s].handler == 1;
        memset(&actions[s], 0, sizeof actions[s]);
        actions[s].handler = handler;
        ignored_note(s);
    }
    block_self()->stack_size = block_self()->stack_base = 0;
    ignored_tell(0);
}

void signals_child(struct block *b)
{
    b->event.pending = 0;
    b->mask_saved = false;
    b->left = 0;
}
