/* SPDX-License-Identifier: MIT */
/* fork, wait, exit, and who a process is. */
#include "layer.h"
#include <proto/memory_client.h>
#include <proto/process_client.h>

enum {
    CLONE_VM = 0x100,
    CLONE_FS = 0x200,
    CLONE_SIGHAND = 0x800,
    CLONE_NEWNS = 0x20000,
    CLONE_PIDFD = 0x1000,
    CLONE_VFORK = 0x4000,
    CLONE_THREAD = 0x10000,
    CLONE_SETTLS = 0x80000,
    CLONE_PARENT_SETTID = 0x100000,
    CLONE_CHILD_CLEARTID = 0x200000,
    CLONE_CHILD_SETTID = 0x1000000,
    CLONE_NAMESPACES = 0x7e020000,
};

/* vfork: the parent goes on when the child has another program or is gone. */
static void child_await(uint32_t child)
{
    while (process_released(SLOT_PROCESS, child) == -E_INTR)
        ;
}

/* RLIMIT_NPROC, as the server wants it. */
static uint32_t processes_max(void)
{
    uint64_t most = limit_of(LIMIT_NPROC);
    return most > UINT32_MAX ? 0 : most ? (uint32_t)most : 1;
}

/* A copy of this process. The child resumes from a copy of this block (layer_child), so what
 * it shall find there is put in before and taken out again after. */
static int64_t fork_with(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid,
                         uint64_t tls)
{
    struct block *b = block_self();
    uint64_t rsp = b->regs.rsp, fs = b->fs_base, tid_address = b->tid_address;
    uint32_t child = 0;
    if ((flags & CLONE_SIGHAND && !(flags & CLONE_VM)) || (flags & CLONE_NEWNS && flags & CLONE_FS))
        return -EINVAL;
    if (flags & CLONE_NAMESPACES)
        return -EPERM;
    if (flags & CLONE_THREAD)
        return thread_new(flags, stack, parent_tid, child_tid, tls);
    if (flags & CLONE_PIDFD)
        return -EINVAL;
    files_share();
    if (stack)
        b->regs.rsp = stack;
    if (flags & CLONE_SETTLS)
        b->fs_base = tls;
    b->tid_address = flags & CLONE_CHILD_CLEARTID ? child_tid : 0;
    b->child_set_tid = flags & CLONE_CHILD_SETTID ? child_tid : 0;
    __asm__ volatile("fxsave64 %0" : "=m"(b->fpu));
    int64_t status =
        process_fork(SLOT_PROCESS, LAYER_NATIVE + LAYER_ENTRY_CHILD, (uint64_t)b + BLOCK_SIZE,
            (uint64_t)b, slots_end(), processes_max(), flags & CLONE_VFORK ? rsp : 0, &child);
    b->regs.rsp = rsp;
    b->fs_base = fs;
    b->tid_address = tid_address;
    if (status)
        return errno_of(status);
    if (flags & CLONE_PARENT_SETTID)
        user_write(parent_tid, &child, 4);
    if (flags & CLONE_VFORK)
        child_await(child);
    return child;
}

int64_t sys_fork(const uint64_t *a)
{
    (void)a;
    return fork_with(0, 0, 0, 0, 0);
}

int64_t sys_vfork(const uint64_t *a)
{
    (void)a;
    return fork_with(CLONE_VFORK, 0, 0, 0, 0);
}

int64_t sys_clone(const uint64_t *a)
{
    return fork_with(a[0], a[1], a[2], a[3], a[4]);
}

int64_t sys_clone3(const uint64_t *a)
{
    struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; } c;
    if (a[1] < sizeof c)
        return -EINVAL;
    if (a[1] > PAGE)
        return -E2BIG;
    if (!user_read(&c, a[0], sizeof c))
        return -EFAULT;
    if (c.exit_signal > SIGNALS || (!c.stack && c.stack_size) || (c.stack && !c.stack_size))
        return -EINVAL;
    return fork_with(
        c.flags, c.stack ? c.stack + c.stack_size : 0, c.parent_tid, c.child_tid, c.tls);
}

_Noreturn void process_end(uint32_t code)
{
    struct block *b = block_self();
    robust_list_end(b);
    files_unhold(b);
    fd_close_all();
    if (self.cwd_slot != SLOT_ROOT)
        slot_delete(self.cwd_slot);
    process_exit(SLOT_PROCESS, code);
    for (;;)
        pith_thread_exit();
}

int64_t sys_exit_group(const uint64_t *a)
{
    process_end((uint32_t)(a[0] & 0xff) << 8);
}

struct rusage {
    int64_t user_s, user_us, system_s, system_us, resident_kib, sizes[3], minor_faults, rest[9];
};
_Static_assert(sizeof(struct rusage) == 144, "size");

static int64_t usage_out(uint64_t to, uint64_t run_ns, const struct memory_usage *m)
{
    struct rusage u = { .user_s = (int64_t)(run_ns / NS_PER_S),
                        .user_us = (int64_t)(run_ns % NS_PER_S / 1000) };
    if (m) {
        u.resident_kib = (int64_t)(m->resident * PAGE / 1024);
        u.minor_faults = (int64_t)m->faults;
    }
    return user_write(to, &u, sizeof u) ? 0 : -EFAULT;
}

int64_t sys_wait4(const uint64_t *a)
{
    uint32_t child = 0, code = 0, user = 0;
    uint64_t run_ns = 0;
    if (a[2] & ~(uint64_t)(1 | 2 | 8 | 0xe0000000))
        return -EINVAL;
    int64_t e = errno_of(process_wait(SLOT_PROCESS, (int32_t)a[0],
        (uint32_t)((a[2] & 3) | (a[2] & 8)) | PROCESS_WAIT_EXITED, &child, &code, &run_ns, &user));
    if (e)
        return e;
    self.deaths += child != 0;
    if (child && a[1] && !user_write(a[1], &code, 4))
        return -EFAULT;
    if (child && a[3] && usage_out(a[3], run_ns, 0))
        return -EFAULT;
    return child;
}

/* si_code and si_status of what wait says. */
static void waited_info(uint32_t code, int32_t *why, int32_t *status)
{
    enum { EXITED = 1, KILLED, STOPPED = 5, CONTINUED };
    bool stopped = (code & 0xff) == 0x7f, killed = !stopped && code & 0x7f;
    *why = code == 0xffff ? CONTINUED : stopped ? STOPPED : killed ? KILLED : EXITED;
    *status = code == 0xffff ? SIGCONT : (int32_t)(killed ? code & 0x7f : code >> 8 & 0xff);
}

/* waitid: type 0 all, 1 a process, 2 a group. */
int64_t sys_waitid(const uint64_t *a)
{
    static const int32_t sign[3] = { 0, 1, -1 };
    uint32_t child = 0, code = 0, user = 0;
    uint64_t run_ns = 0;
    int32_t info[32] = { 0 };
    const uint32_t known = 0x100000f,
                   of_threads = 0xe0000000; /* __WALL and its kin: all are ours */
    if (a[0] > 2 || !(a[3] & 14) || (uint32_t)a[3] & ~(known | of_threads))
        return -EINVAL;
    int32_t which = a[0] ? sign[a[0]] * (int32_t)a[1] : -1;
    int64_t e = errno_of(
        process_wait(SLOT_PROCESS, which, (uint32_t)a[3] & known, &child, &code, &run_ns, &user));
    if (e)
        return e;
    self.deaths += child != 0;
    if (child) {
        info[0] = SIGCHLD;
        info[4] = (int32_t)child;
        info[5] = (int32_t)user;
        waited_info(code, &info[2], &info[6]);
    }
    if (a[2] && !user_write(a[2], info, sizeof info))
        return -EFAULT;
    return a[4] && usage_out(a[4], run_ns, 0) ? -EFAULT : 0;
}

static int64_t identity(uint64_t pid, struct process_identity *i)
{
    size_t length = 0;
    return errno_of(process_identify(SLOT_PROCESS, (uint32_t)pid, i, 0, &length));
}

int64_t sys_getpid(const uint64_t *a)
{
    (void)a;
    return self.pid;
}

int64_t sys_gettid(const uint64_t *a)
{
    (void)a;
    return block_self()->tid;
}

int64_t sys_getppid(const uint64_t *a)
{
    struct process_identity i;
    (void)a;
    int64_t e = identity(0, &i);
    return e ? e : i.parent;
}

int64_t sys_getpgid(const uint64_t *a)
{
    struct process_identity i;
    int64_t e = identity((uint32_t)a[0], &i);
    return e ? e : i.group;
}

int64_t sys_getpgrp(const uint64_t *a)
{
    static const uint64_t own[1];
    (void)a;
    return sys_getpgid(own);
}

int64_t sys_getsid(const uint64_t *a)
{
    struct process_identity i;
    int64_t e = identity((uint32_t)a[0], &i);
    return e ? e : i.session;
}

int64_t sys_setpgid(const uint64_t *a)
{
    if ((int32_t)a[0] < 0 || (int32_t)a[1] < 0)
        return -EINVAL;
    return errno_of(process_set_group(SLOT_PROCESS, (uint32_t)a[0], (uint32_t)a[1]));
}

int64_t sys_setsid(const uint64_t *a)
{
    uint32_t session = 0;
    (void)a;
    int64_t e = errno_of(process_set_session(SLOT_PROCESS, &session));
    if (!e)
        terminal_drop();
    return e ? e : session;
}

int64_t sys_set_tid_address(const uint64_t *a)
{
    block_self()->tid_address = a[0];
    return block_self()->tid;
}

int64_t sys_getrusage(const uint64_t *a)
{
    struct process_identity i;
    if ((int32_t)a[0] < -1 || (int32_t)a[0] > 1)
        return -EINVAL;
    int64_t e = identity(0, &i);
    if (e || (int32_t)a[0] == -1)
        return e ? e : usage_out(a[1], i.children_ns, 0);
    struct memory_usage m;
    own_ready(&m, sizeof m);
    e = errno_of(memory_usage(SLOT_MEMORY, &m));
    return e ? e : usage_out(a[1], i.run_ns, &m);
}

int64_t sys_times(const uint64_t *a)
{
    struct process_identity i;
    int64_t e = identity(0, &i);
    if (e)
        return e;
    int64_t t[4] = { (int64_t)(i.run_ns / 10000000), 0, (int64_t)(i.children_ns / 10000000), 0 };
    if (a[0] && !user_write(a[0], t, sizeof t))
        return -EFAULT;
    return (int64_t)(now_ns() / 10000000);
}

int64_t sys_arch_prctl(const uint64_t *a)
{
    struct block *b = block_self();
    switch (a[0]) {
    case 0x1001: /* ARCH_SET_GS */
        if (!user_range(a[1], 0) || pith_thread_bases(0, a[1], 2).status)
            return -EPERM;
        b->gs_base = a[1];
        return 0;
    case 0x1004: /* ARCH_GET_GS */
        return user_write(a[1], &b->gs_base, 8) ? 0 : -EFAULT;
    case 0x1002: /* ARCH_SET_FS */
        if (!user_range(a[1], 0) || pith_thread_bases(a[1], 0, 1).status)
            return -EPERM;
        b->fs_base = a[1];
        return 0;
    case 0x1003: /* ARCH_GET_FS */
        return user_write(a[1], &b->fs_base, 8) ? 0 : -EFAULT;
    default:
        return -EINVAL;
    }
}

int64_t machine_end(uint32_t code)
{
    return errno_of(process_power(SLOT_PROCESS, code));
}
