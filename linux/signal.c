/* SPDX-License-Identifier: MIT */
/*
 * Signals. The process server keeps what pends; handlers and masks are ours.
 *
 * An event (entry.S) or the way out of a call with event.pending set brings us to
 * signals_deliver(), which takes what pends and is not blocked, and lays frames as Linux does
 * (arch/x86/kernel/signal_64.c: struct rt_sigframe) for handlers to return through.
 */
#include "layer.h"
#include <proto/process_client.h>

struct action { uint64_t handler, flags, restorer, mask; };
enum {
    SA_NOCLDSTOP = 1, SA_SIGINFO = 4, SA_ONSTACK = 0x08000000, SA_RESTART = 0x10000000,
    SA_NODEFER = 0x40000000, SA_RESTORER = 0x04000000,
};
#define SA_RESETHAND 0x80000000u
#define BIT(signal) (1ull << ((signal)-1))
#define UNBLOCKABLE (BIT(SIGKILL) | BIT(SIGSTOP))
#define DEFAULT_IGNORED (BIT(SIGCHLD) | BIT(SIGURG) | BIT(SIGWINCH) | BIT(SIGCONT))
#define DEFAULT_STOP (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))
#define DEFAULT_CORE (BIT(SIGQUIT) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGABRT) | BIT(SIGBUS) | \
                      BIT(SIGFPE) | BIT(SIGSEGV) | BIT(24) | BIT(25) | BIT(31))

static struct action actions[SIGNALS + 1];
static uint64_t left; /* pending at the server when we last asked, all blocked then */

struct sigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, flags;
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
static uint8_t fpu_area[FPU_MAX + 64] __attribute__((aligned(64)));

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

static void fpu_save(void)
{
    memset(fpu_area, 0, sizeof fpu_area);
    if (fpu_bytes() == 512) {
        __asm__ volatile("fxsave64 %0" : "=m"(fpu_area));
        return;
    }
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

static bool frame_push(struct block *b, struct pith_regs *r, uint32_t signal, uint32_t sender,
                       uint64_t old_mask)
{
    const struct action *act = &actions[signal];
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
    f.info[0] = (int32_t)signal;
    if (b->fault_vector) {
        f.info[2] = signal == SIGSEGV ? 1 + (b->fault_error & 1) : 1;
        memcpy(&f.info[4], signal == SIGSEGV ? &b->fault_address : &r->rip, 8);
        b->fault_vector = 0;
    } else {
        f.info[4] = (int32_t)sender;
    }
    if (!user_write(sp, &f, sizeof f))
        return false;
    r->rsp = sp;
    r->rip = act->handler;
    r->rdi = signal;
    r->rsi = sp + offsetof(struct frame, info);
    r->rdx = sp + offsetof(struct frame, u);
    r->rax = 0;
    r->flags = 0x202;
    return true;
}

/* What a signal does; true when a handler was set up. */
static bool signal_act(struct block *b, struct pith_regs *r, uint32_t signal, uint32_t sender)
{
    struct action *act = &actions[signal];
    if (act->handler == 1 || (!act->handler && DEFAULT_IGNORED & BIT(signal)))
        return false;
    if (!act->handler && DEFAULT_STOP & BIT(signal)) {
        process_stop(SLOT_PROCESS, signal);
        return false;
    }
    uint64_t old = b->mask_saved ? b->old_mask : b->mask;
    b->mask_saved = false;
    if (!act->handler || !frame_push(b, r, signal, sender, old))
        process_end(act->handler ? SIGSEGV : signal | (DEFAULT_CORE & BIT(signal) ? 0x80 : 0));
    b->mask |= act->mask | (act->flags & SA_NODEFER ? 0 : BIT(signal));
    b->mask &= ~UNBLOCKABLE;
    if (act->flags & SA_RESETHAND)
        act->handler = 0;
    return true;
}

/* The registers of a call as Linux would show them. */
static void regs_of_call(struct block *b, struct pith_regs *r)
{
    *r = b->regs;
    r->rip = r->rcx = b->site.rip;
    r->flags = r->r11 = b->site.flags;
}

/* Takes what pends and acts on it. interrupted: 0, or the call's -ERESTART… result. */
static void take_and_act(struct block *b, struct pith_regs *r, int64_t interrupted)
{
    for (;;) {
        uint64_t taken = 0;
        uint32_t sender = 0;
        if (process_take_signals(SLOT_PROCESS, b->mask, &taken, &left, &sender) || !taken) {
            if (interrupted) { /* nothing for a handler: the call goes on */
                r->rip -= 2;
                r->rax = b->number;
            }
            return;
        }
        uint32_t signal = (uint32_t)__builtin_ctzll(taken) + 1;
        bool restart = actions[signal].flags & SA_RESTART && interrupted != -ERESTART_NO_HANDLER;
        struct pith_regs before = *r;
        if (interrupted) {
            if (restart) {
                r->rip -= 2;
                r->rax = b->number;
            } else {
                r->rax = (uint64_t)-EINTR;
            }
        }
        if (signal_act(b, r, signal, sender))
            interrupted = 0;
        else
            *r = before;
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
    if (b->mask_saved && !interrupted) {
        b->mask = b->old_mask;
        b->mask_saved = false;
    }
}

void layer_event(struct block *b)
{
    take_and_act(b, &b->event.regs, 0);
    pith_event_done();
}

void layer_fault(struct block *b)
{
    static const uint8_t signal_of[32] = { [0] = SIGFPE, [1] = SIGTRAP, [3] = SIGTRAP, [6] = SIGILL,
                                           [16] = SIGFPE, [17] = SIGBUS, [19] = SIGFPE };
    struct pith_fault f;
    size_t length = 0;
    if (process_fault(SLOT_PROCESS, &f, sizeof f, &length) || length != sizeof f)
        process_end(SIGKILL);
    memcpy(&b->event.regs, f.regs, sizeof f.regs);
    b->event.regs.fs_base = b->fs_base;
    b->event.regs.gs_base = 0;
    uint32_t signal = f.vector < 32 && signal_of[f.vector] ? signal_of[f.vector] : SIGSEGV;
    b->fault_vector = f.vector;
    b->fault_error = f.error;
    b->fault_address = f.address;
    if (self.log_calls || self.log_unknown)
        layer_print("[linux] %u %s: signal %u at %lx, address %lx\n", self.pid, self.command, signal,
                    b->event.regs.rip, f.address);
    if (b->mask & BIT(signal) || actions[signal].handler <= 1) /* cannot be put off */
        process_end(signal | 0x80);
    signal_act(b, &b->event.regs, signal, 0);
    b->event.pending = 1; /* one may have come while we were stopped */
    pith_event_done();
}

int64_t sys_rt_sigreturn(const uint64_t *a)
{
    struct block *b = block_self();
    struct frame f;
    (void)a;
    if (!user_read(&f, b->regs.rsp - 8, sizeof f) || !user_range(f.u.c.rip, 0))
        process_end(SIGSEGV);
    const struct sigcontext *c = &f.u.c;
    fpu_restore(c->fpstate);
    b->event.regs = (struct pith_regs){
        .rax = c->rax, .rbx = c->rbx, .rcx = c->rcx, .rdx = c->rdx, .rsi = c->rsi, .rdi = c->rdi,
        .rbp = c->rbp, .r8 = c->r8, .r9 = c->r9, .r10 = c->r10, .r11 = c->r11, .r12 = c->r12,
        .r13 = c->r13, .r14 = c->r14, .r15 = c->r15, .rip = c->rip, .rsp = c->rsp,
        .flags = c->flags, .fs_base = b->fs_base,
    };
    b->mask = f.u.mask & ~UNBLOCKABLE;
    if (left & ~b->mask)
        take_and_act(b, &b->event.regs, 0);
    pith_event_done();
    process_end(SIGSEGV); /* the frame was not one */
}

/* ---- calls -------------------------------------------------------------------------------------- */

/* Which signals need not reach us at all. */
static void ignored_tell(void)
{
    static uint64_t told = DEFAULT_IGNORED;
    uint64_t ignored = 0;
    for (uint32_t s = 1; s <= SIGNALS; s++)
        if (actions[s].handler == 1 || (!actions[s].handler && DEFAULT_IGNORED & BIT(s)))
            ignored |= BIT(s);
    if (ignored != told)
        process_ignore(SLOT_PROCESS, ignored);
    told = ignored;
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
        ignored_tell();
    }
    return 0;
}

static void mask_changed(struct block *b)
{
    b->mask &= ~UNBLOCKABLE;
    if (left & ~b->mask)
        b->event.pending = 1; /* looked at on the way out */
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
        b->mask = a[0] == 0 ? b->mask | set : a[0] == 1 ? b->mask & ~set : set;
        mask_changed(b);
    }
    return a[2] && !user_write(a[2], &old, 8) ? -EFAULT : 0;
}

int64_t sys_rt_sigpending(const uint64_t *a)
{
    uint64_t taken;
    uint32_t sender;
    process_take_signals(SLOT_PROCESS, UINT64_MAX, &taken, &left, &sender);
    return user_write(a[0], &left, 8) ? 0 : -EFAULT;
}

static int64_t pause_here(void)
{
    struct pith_result r;
    do
        r = pith_notify_wait(SLOT_NOTE, DEADLINE_NEVER);
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
    if (!b->mask_saved) {
        b->old_mask = b->mask;
        b->mask_saved = true;
    }
    b->mask = set & ~UNBLOCKABLE;
    if (left & ~b->mask)
        return -ERESTART_NO_HANDLER;
    return pause_here();
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

void signal_self(uint32_t signal)
{
    process_kill(SLOT_PROCESS, (int32_t)self.pid, signal);
}

int64_t sys_kill(const uint64_t *a)
{
    if (a[1] > SIGNALS)
        return -EINVAL;
    return errno_of(process_kill(SLOT_PROCESS, (int32_t)a[0], (uint32_t)a[1]));
}

int64_t sys_tkill(const uint64_t *a)
{
    return (int32_t)a[0] <= 0 ? -EINVAL : sys_kill(a);
}

int64_t sys_tgkill(const uint64_t *a)
{
    return (int32_t)a[1] <= 0 || (int32_t)a[0] <= 0 ? -EINVAL : sys_kill(a + 1);
}

/* ---- changes of program and process ---------------------------------------------------------------- */

void signals_exec(void)
{
    for (uint32_t s = 1; s <= SIGNALS; s++) {
        uint64_t handler = actions[s].handler == 1;
        memset(&actions[s], 0, sizeof actions[s]);
        actions[s].handler = handler;
    }
    block_self()->stack_size = block_self()->stack_base = 0;
    ignored_tell();
}

void signals_child(struct block *b)
{
    b->event.pending = 0;
    b->mask_saved = false;
    left = 0;
}
