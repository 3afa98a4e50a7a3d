/* SPDX-License-Identifier: MIT */
/* dup, fcntl, close, pipes. */
#include "layer.h"
#include <proto/file_client.h>
#include <proto/pipe_client.h>

int64_t sys_close(const uint64_t *a)
{
    return a[0] < FDS_MAX ? fd_close((unsigned)a[0]) : -EBADF;
}

int64_t sys_close_range(const uint64_t *a)
{
    uint32_t first = (uint32_t)a[0], last = (uint32_t)a[1];
    if (first > last || a[2] & ~6ull)
        return -EINVAL;
    for (uint32_t fd = first; fd <= last && fd < FDS_MAX; fd++)
        if (!file_of(fd))
            continue;
        else if (a[2] & 4)
            fd_set_cloexec(fd, true);
        else
            fd_close(fd);
    return 0;
}

static int64_t dup_from(uint64_t fd, uint64_t from, bool cloexec)
{
    struct file *f = file_of(fd);
    if (!f)
        return -EBADF;
    if (from >= limit_of(LIMIT_NOFILE))
        return -EINVAL;
    f->users++;
    return fd_new(f, (unsigned)from, cloexec);
}

int64_t sys_dup(const uint64_t *a)
{
    return dup_from(a[0], 0, false);
}

static int64_t dup_to(uint64_t fd, uint64_t to, bool cloexec)
{
    struct file *f = file_of(fd);
    if (!f || to >= limit_of(LIMIT_NOFILE))
        return -EBADF;
    if (fd == to)
        return (int64_t)to;
    return fd_replace(f, (unsigned)to, cloexec);
}

int64_t sys_dup2(const uint64_t *a)
{
    return dup_to((uint32_t)a[0], (uint32_t)a[1], false);
}

int64_t sys_dup3(const uint64_t *a)
{
    if (a[2] & ~(uint64_t)O_CLOEXEC || (uint32_t)a[0] == (uint32_t)a[1])
        return -EINVAL;
    return dup_to((uint32_t)a[0], (uint32_t)a[1], a[2]);
}

/* Made by other calls than open, which says that large files are no problem. */
static bool anonymous(const struct file *f)
{
    return f->kind == FILE_PIPE || f->kind == FILE_SOCKET || f->kind == FILE_EVENT ||
           f->kind == FILE_EPOLL || f->kind == FILE_TIMER || f->kind == FILE_SIGNAL;
}

uint32_t fd_flags(const struct file *f)
{
    return f->flags | (anonymous(f) ? 0 : O_LARGEFILE);
}

/* F_SETPIPE_SZ: pages, a power of two of them, as many as /proc/sys/fs/pipe-max-size says. */
static int64_t pipe_limit(struct file *f, uint64_t bytes)
{
    uint64_t limit = PAGE;
    if (bytes > 1ull << 31)
        return -EINVAL;
    while (limit < bytes)
        limit *= 2;
    return limit > PIPE_CAPACITY ? -EPERM : ring_limit(f, limit);
}

int64_t sys_fcntl(const uint64_t *a)
{
    struct file *f = file_hold(a[0]);
    if (!f)
        return -EBADF;
    switch (a[1]) {
    case 0:    /* DUPFD */
    case 1030: /* DUPFD_CLOEXEC */
        return dup_from(a[0], a[2], a[1] == 1030);
    case 1:
        return fd_cloexec((unsigned)a[0]);
    case 2:
        fd_set_cloexec((unsigned)a[0], a[2] & 1);
        return 0;
    case 3:
        return fd_flags(f);
    case 4: {
        if (f->flags & O_PATH)
            return -EBADF;
        const uint32_t may = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;
        f->flags = (f->flags & ~may) | ((uint32_t)a[2] & may);
        return 0;
    }
    case 5: case 6: case 7:
    case 36: case 37: case 38:
        return locks_control(f, a[1], a[2]);
    case 8: case 10: /* SETOWN, SETSIG */
        return 0;
    case 9:
        return 0;
    case 1031:
        return f->kind == FILE_PIPE ? pipe_limit(f, a[2]) : -EBADF;
    case 1032:
        return f->kind == FILE_PIPE ? (int64_t)ring_capacity(f) : -EBADF;
    case 1033:
        return seals_add(f, a[2]);
    case 1034:
        return seals_get(f);
    default:
        return -EINVAL;
    }
}

static int64_t pipe_make(uint64_t to, uint32_t flags)
{
    static const uint32_t modes[2] = { O_RDONLY, O_WRONLY };
    struct file *f[2];
    int32_t fd[2] = { -1, -1 };
    int64_t e = file_new(&f[0]);
    if (e)
        return e;
    if ((e = file_new(&f[1])) || (e = pipe_files(f))) {
        for (unsigned i = 0; i < 2 - (e == -ENFILE); i++)
            file_drop(f[i]);
        return e;
    }
    for (unsigned i = 0; i < 2; i++) {
        f[i]->kind = FILE_PIPE;
        f[i]->flags = modes[i] | (flags & (O_NONBLOCK | O_DIRECT));
    }
    fd[0] = (int32_t)fd_new(f[0], 0, flags & O_CLOEXEC);
    fd[1] = (int32_t)fd_new(f[1], 0, flags & O_CLOEXEC);
    if (fd[0] >= 0 && fd[1] >= 0 && user_write(to, fd, sizeof fd))
        return 0;
    e = fd[0] < 0 || fd[1] < 0 ? -EMFILE : -EFAULT;
    for (unsigned i = 0; i < 2; i++)
        if (fd[i] >= 0)
            fd_close((unsigned)fd[i]);
    return e;
}

int64_t sys_pipe(const uint64_t *a)
{
    return pipe_make(a[0], 0);
}

int64_t sys_pipe2(const uint64_t *a)
{
    if (a[1] & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    return pipe_make(a[0], (uint32_t)a[1]);
}
