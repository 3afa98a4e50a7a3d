/* SPDX-License-Identifier: MIT */
/* Reading and writing. */
#include "layer.h"
#include "sockets.h"
#include <proto/file_client.h>

#define CHUNK (256u * 1024)

static bool readable(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_WRONLY && !(f->flags & O_PATH);
}

static bool writable(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_RDONLY && !(f->flags & O_PATH);
}

static void wait_bound(const struct file *f)
{
    rt_self()->deadline_ns = f->flags & O_NONBLOCK ? DEADLINE_POLL : DEADLINE_NEVER;
}

/* A call that failed because a page went between our touch and the server's copy. */
#define LEND(status, call)                                                                   \
    do {                                                                                     \
        unsigned tries_ = 8;                                                                 \
        do                                                                                   \
            status = (call);                                                                 \
        while (status == RPC_BAD_BUFFER && --tries_);                                        \
    } while (0)

/* From the server into memory that is ready; at the file's position (at < 0) or at. */
static int64_t read_server(struct file *f, int64_t at, uint64_t to, size_t bytes)
{
    size_t got = 0;
    uint64_t end;
    int64_t status;
    if (at >= 0) {
        LEND(status, file_read(f->slot, (uint64_t)at, (void *)to, bytes, &got));
    } else if (f->kind == FILE_PLAIN && !f->shared) {
        LEND(status, file_read(f->slot, f->position, (void *)to, bytes, &got));
        if (!status)
            f->position += got;
    } else {
        wait_bound(f);
        int64_t e = f->kind == FILE_TERMINAL ? terminal_before_read(f) : 0;
        if (e)
            return e;
        LEND(status, file_read_next(f->slot, (void *)to, bytes, &got, &end));
        rt_self()->deadline_ns = DEADLINE_NEVER;
        if (status == -E_TIME && f->kind == FILE_TERMINAL)
            return terminal_read_timeout(f);
    }
    return status ? errno_of(status) : (int64_t)got;
}

int64_t file_read_at(struct file *f, uint64_t position, void *to, size_t bytes)
{
    own_ready(to, bytes); /* the layer's, or the program's and ready already */
    return read_server(f, (int64_t)position, (uint64_t)to, bytes);
}

static int64_t read_pages(struct file *f, int64_t at, uint64_t to, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        size_t now = user_ready(to + done, bytes - done < CHUNK ? bytes - done : CHUNK, true);
        if (!now)
            return done ? (int64_t)done : -EFAULT;
        int64_t n = read_server(f, at < 0 ? at : at + (int64_t)done, to + done, now);
        if (n < 0)
            return done ? (int64_t)done : n;
        done += (size_t)n;
        if ((size_t)n < now || f->kind != FILE_PLAIN)
            break;
    }
    return (int64_t)done;
}

static int64_t read_plain(struct file *f, int64_t at, uint64_t to, size_t bytes)
{
    int64_t n;
    if (at < 0 && f->shared)
        return read_pages(f, at, to, bytes);
    uint64_t from = at < 0 ? f->position : (uint64_t)at;
    if (seen_read(f, from, to, bytes, &n)) {
        if (at < 0 && n > 0)
            f->position += (uint64_t)n;
        return n;
    }
    n = read_pages(f, at, to, bytes);
    seen_after(f, from, n);
    return n;
}

static int64_t read_at(struct file *f, int64_t at, uint64_t to, size_t bytes)
{
    if (!readable(f))
        return -EBADF;
    if (bytes > 0x7ffff000)
        bytes = 0x7ffff000;
    switch (f->kind) {
    case FILE_DIRECTORY:
        return -EISDIR;
    case FILE_NULL:
    case FILE_SERVERS:
        return 0;
    case FILE_ZERO:
    case FILE_FULL:
        return user_zero(to, bytes) ? (int64_t)bytes : -EFAULT;
    case FILE_RANDOM: {
        uint8_t block[64];
        for (size_t done = 0; done < bytes; done += sizeof block) {
            size_t now = bytes - done < sizeof block ? bytes - done : sizeof block;
            random_fill(block, now);
            if (!user_write(to + done, block, now))
                return -EFAULT;
        }
        return (int64_t)bytes;
    }
    case FILE_TEXT: {
        int64_t n = text_read(f, at < 0 ? f->position : (uint64_t)at, to, bytes);
        if (at < 0 && n > 0)
            f->position += (uint64_t)n;
        return n;
    }
    case FILE_PIPE:
        return bytes ? ring_read(f, to, bytes) : 0;
    case FILE_SOCKET:
        return socket_read(f, to, bytes);
    case FILE_EVENT:
    case FILE_TIMER:
    case FILE_SIGNAL:
        return event_read(f, to, bytes);
    case FILE_EPOLL:
        return -EINVAL;
    case FILE_PLAIN:
        return bytes ? read_plain(f, at, to, bytes) : 0;
    case FILE_STREAM:
    case FILE_TERMINAL:
        return bytes ? read_pages(f, at, to, bytes) : 0;
    default:
        return -EBADF;
    }
}

int64_t file_read_piece(struct file *f, int64_t at, uint64_t to, size_t bytes)
{
    return read_at(f, at, to, bytes);
}

int64_t file_read_user(struct file *f, uint64_t to, size_t bytes)
{
    return read_at(f, -1, to, bytes);
}

static int64_t write_server(struct file *f, int64_t at, uint64_t from, size_t bytes)
{
    uint32_t written = 0;
    uint64_t end = 0, position = at >= 0 ? (uint64_t)at
        : f->kind == FILE_PLAIN && !f->shared ? f->position : FILE_SHARED_POSITION;
    uint32_t flags = f->flags & O_APPEND ? FILE_WRITE_APPEND : 0;
    int64_t status;
    wait_bound(f);
    LEND(status, file_write(f->slot, position, flags, (const void *)from, bytes, &written, &end));
    if (status == FILE_ERROR_BUSY && f->kind == FILE_TERMINAL) {
        int64_t e = terminal_before_write(f);
        if (e)
            return e;
        LEND(status, file_write(f->slot, position, flags | FILE_WRITE_ALLOWED, (const void *)from,
                         bytes, &written, &end));
    }
    rt_self()->deadline_ns = DEADLINE_NEVER;
    if (status)
        return errno_of(status);
    if (at < 0 && f->kind == FILE_PLAIN && !f->shared)
        f->position = end;
    return written;
}

uint64_t file_position(struct file *f)
{
    uint64_t position = 0;
    if (!f->shared)
        return f->position;
    return file_seek(f->slot, 0, FILE_WHENCE_CURRENT, &position) ? 0 : position;
}

/* Where a write to a plain file will begin. */
static uint64_t write_position(struct file *f, int64_t at)
{
    struct file_attributes s;
    if (f->flags & O_APPEND)
        return file_attributes_of(f, &s) ? 0 : s.size;
    return at >= 0 ? (uint64_t)at : file_position(f);
}

static int64_t write_at(struct file *f, int64_t at, uint64_t from, size_t bytes)
{
    size_t done = 0;
    if (!writable(f))
        return -EBADF;
    if (seals_forbid_write(f))
        return -EPERM;
    if (bytes > 0x7ffff000)
        bytes = 0x7ffff000;
    switch (f->kind) {
    case FILE_NULL:
    case FILE_ZERO:
    case FILE_RANDOM:
        return (int64_t)bytes;
    case FILE_FULL:
        return -ENOSPC;
    case FILE_SERVERS:
        return servers_command(from, bytes);
    case FILE_PIPE: {
        int64_t n = bytes ? ring_write(f, from, bytes) : 0;
        if (n == -EPIPE)
            signal_self(SIGPIPE);
        return n;
    }
    case FILE_SOCKET:
        return socket_write(f, from, bytes);
    case FILE_EVENT:
    case FILE_TIMER:
    case FILE_SIGNAL:
        return event_write(f, from, bytes);
    case FILE_EPOLL:
        return -EINVAL;
    case FILE_PLAIN:
        if (limit_of(LIMIT_FSIZE) != UINT64_MAX) {
            int64_t most = limit_file(write_position(f, at), bytes);
            if (most < 0)
                return most;
            bytes = (size_t)most;
        }
        break;
    case FILE_STREAM:
    case FILE_TERMINAL:
        break;
    default:
        return -EBADF;
    }
    while (done < bytes) {
        size_t now = user_ready(from + done, bytes - done < CHUNK ? bytes - done : CHUNK, false);
        if (!now)
            return done ? (int64_t)done : -EFAULT;
        int64_t n = write_server(f, at < 0 ? at : at + (int64_t)done, from + done, now);
        if (n == -EPIPE) {
            signal_self(SIGPIPE);
            return done ? (int64_t)done : n;
        }
        if (n < 0)
            return done ? (int64_t)done : n;
        done += (size_t)n;
        if (!n)
            break;
    }
    return (int64_t)done;
}

int64_t file_write_piece(struct file *f, int64_t at, uint64_t from, size_t bytes)
{
    return write_at(f, at, from, bytes);
}

int64_t file_write_user(struct file *f, uint64_t from, size_t bytes)
{
    return write_at(f, -1, from, bytes);
}

int64_t sys_read(const uint64_t *a)
{
    struct file *f = file_hold(a[0]);
    return f ? read_at(f, -1, a[1], a[2]) : -EBADF;
}

int64_t sys_write(const uint64_t *a)
{
    struct file *f = file_hold(a[0]);
    return f ? write_at(f, -1, a[1], a[2]) : -EBADF;
}

static struct file *positioned(uint64_t fd, int64_t at, int64_t *e)
{
    struct file *f = file_hold(fd);
    *e = !f ? -EBADF : at < 0 ? -EINVAL : file_streams(f) ? -ESPIPE : 0;
    return *e ? 0 : f;
}

int64_t sys_pread64(const uint64_t *a)
{
    int64_t e;
    struct file *f = positioned(a[0], (int64_t)a[3], &e);
    return f ? read_at(f, (int64_t)a[3], a[1], a[2]) : e;
}

int64_t sys_pwrite64(const uint64_t *a)
{
    int64_t e;
    struct file *f = positioned(a[0], (int64_t)a[3], &e);
    return f ? write_at(f, (int64_t)a[3], a[1], a[2]) : e;
}

#define VECTORS_MAX 1024u

static int64_t vector(struct file *f, int64_t at, uint64_t vectors, uint64_t count,
                      int64_t (*each)(struct file *, int64_t, uint64_t, size_t))
{
    int64_t done = 0;
    struct linux_iovec v;
    if (count > VECTORS_MAX)
        return -EINVAL;
    for (uint64_t i = 0; i < count; i++) {
        if (!user_read(&v, vectors + i * sizeof v, sizeof v))
            return -EFAULT;
        if (v.length > INT64_MAX)
            return -EINVAL;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!user_read(&v, vectors + i * sizeof v, sizeof v))
            return done ? done : -EFAULT;
        if (!v.length)
            continue;
        int64_t n = each(f, at < 0 ? at : at + done, v.base, v.length);
        if (n < 0)
            return done ? done : n;
        done += n;
        if ((uint64_t)n < v.length)
            break;
    }
    return done;
}

int64_t sys_readv(const uint64_t *a)
{
    struct file *f = file_hold(a[0]);
    return f ? vector(f, -1, a[1], a[2], read_at) : -EBADF;
}

/* Small vectors for streams go as one, so that they arrive as one. */
int64_t sys_writev(const uint64_t *a)
{
    struct file *f = file_hold(a[0]);
    return f ? vector(f, -1, a[1], a[2], write_at) : -EBADF;
}

int64_t sys_preadv(const uint64_t *a)
{
    int64_t e;
    struct file *f = positioned(a[0], (int64_t)a[3], &e);
    return f ? vector(f, (int64_t)a[3], a[1], a[2], read_at) : e;
}

int64_t sys_pwritev(const uint64_t *a)
{
    int64_t e;
    struct file *f = positioned(a[0], (int64_t)a[3], &e);
    return f ? vector(f, (int64_t)a[3], a[1], a[2], write_at) : e;
}

/* Of RWF_ flags those are known that ask for what is so anyway: HIPRI, DSYNC, SYNC. */
#define RWF_KNOWN 7u

/* Offset -1: the file's own position. */
int64_t sys_preadv2(const uint64_t *a)
{
    if (a[5] & ~(uint64_t)RWF_KNOWN)
        return -EOPNOTSUPP;
    return a[3] == UINT64_MAX ? sys_readv(a) : sys_preadv(a);
}

int64_t sys_pwritev2(const uint64_t *a)
{
    if (a[5] & ~(uint64_t)RWF_KNOWN)
        return -EOPNOTSUPP;
    return a[3] == UINT64_MAX ? sys_writev(a) : sys_pwritev(a);
}

int64_t sys_lseek(const uint64_t *a)
{
    struct file *f = file_of(a[0]);
    struct file_attributes at;
    int64_t offset = (int64_t)a[1], base = 0;
    uint64_t position = 0;
    if (!f)
        return -EBADF;
    if (f->flags & O_PATH)
        return -EBADF;
    if (file_streams(f))
        return -ESPIPE;
    if (a[2] > FILE_WHENCE_HOLE)
        return -EINVAL;
    if (f->kind == FILE_PLAIN && (f->shared || a[2] > 2)) {
        if (!f->shared && file_seek(f->slot, (int64_t)f->position, FILE_WHENCE_START, &position))
            return -EIO;
        int64_t status = errno_of(file_seek(f->slot, offset, (uint8_t)a[2], &position));
        if (status)
            return status;
        f->position = position;
        return (int64_t)position;
    }
    if (f->kind != FILE_PLAIN && f->kind != FILE_DIRECTORY && f->kind != FILE_TEXT &&
        f->kind != FILE_PROC)
        return 0;
    if (a[2] == 1)
        base = (int64_t)f->position;
    if (a[2] == 2 && f->kind == FILE_TEXT)
        base = (int64_t)f->length;
    else if (a[2] == 2) {
        int64_t e = file_attributes_of(f, &at);
        if (e)
            return e;
        base = (int64_t)at.size;
    }
    if (base + offset < 0)
        return -EINVAL;
    f->position = (uint64_t)(base + offset);
    return (int64_t)f->position;
}

/* RLIMIT_FSIZE where a file would grow to a size. */
static int64_t growth_check(struct file *f, uint64_t size)
{
    struct file_attributes now;
    if (limit_of(LIMIT_FSIZE) >= size || file_attributes_of(f, &now) || size <= now.size)
        return 0;
    signal_self(SIGXFSZ);
    return -EFBIG;
}

int64_t sys_ftruncate(const uint64_t *a)
{
    struct file *f = file_of(a[0]);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if (!writable(f) || f->kind != FILE_PLAIN || (int64_t)a[1] < 0)
        return -EINVAL;
    int64_t e = seals_size(f, a[1]);
    if (!e)
        e = growth_check(f, a[1]);
    return e ? e : errno_of(file_truncate(f->slot, a[1]));
}

int64_t sys_truncate(const uint64_t *a)
{
    struct path p;
    struct file *f;
    if ((int64_t)a[1] < 0)
        return -EINVAL;
    int64_t e = path_user(&p, AT_FDCWD, a[0]);
    if (!e)
        e = open_path(&p, O_WRONLY | O_NONBLOCK, 0, &f); /* a fifo is not waited for */
    if (e)
        return e == -ENXIO ? -EINVAL : e;
    e = f->kind == FILE_PLAIN ? growth_check(f, a[1]) : -EINVAL;
    if (!e)
        e = errno_of(file_truncate(f->slot, a[1]));
    file_drop(f);
    return e;
}

int64_t sys_fallocate(const uint64_t *a)
{
    struct file *f = file_of(a[0]);
    if (!f || !writable(f))
        return -EBADF;
    if (f->kind != FILE_PLAIN)
        return f->kind == FILE_STREAM || f->kind == FILE_PIPE ? -ESPIPE : -ENODEV;
    if ((int64_t)a[2] < 0 || (int64_t)a[3] <= 0)
        return -EINVAL;
    if (a[1] & ~(uint64_t)FILE_ALLOCATE_ALL)
        return -EOPNOTSUPP;
    int64_t e = a[1] & FILE_ALLOCATE_KEEP_SIZE ? 0 : growth_check(f, a[2] + a[3]);
    return e ? e : errno_of(file_allocate(f->slot, a[2], a[3], (uint32_t)a[1]));
}

static int64_t sync_file(struct file *f, bool data_only)
{
    if (!f)
        return -EBADF;
    if (f->kind != FILE_PLAIN && f->kind != FILE_DIRECTORY)
        return -EINVAL;
    int64_t e = errno_of(file_sync(f->slot, data_only));
    return e == -EBADF ? 0 : e;
}

int64_t sys_fsync(const uint64_t *a)
{
    return sync_file(file_of(a[0]), false);
}

int64_t sys_fdatasync(const uint64_t *a)
{
    return sync_file(file_of(a[0]), true);
}

int64_t sys_syncfs(const uint64_t *a)
{
    return file_of(a[0]) ? 0 : -EBADF;
}

int64_t sys_sync_file_range(const uint64_t *a)
{
    struct file *f = file_of(a[0]);
    if (!f)
        return -EBADF;
    if ((int64_t)a[1] < 0 || (int64_t)a[2] < 0 || a[1] + a[2] > INT64_MAX || a[3] & ~7ull)
        return -EINVAL;
    return file_streams(f) ? -ESPIPE : 0; /* nothing is behind the memory that files are in */
}

int64_t sys_fadvise64(const uint64_t *a)
{
    struct file *f = file_of(a[0]);
    if (!f || f->flags & O_PATH)
        return -EBADF;
    if (f->kind == FILE_PIPE || f->kind == FILE_STREAM)
        return -ESPIPE;
    return (int64_t)a[2] < 0 || a[3] > 5 ? -EINVAL : 0;
}

int64_t sys_sync(const uint64_t *a)
{
    (void)a;
    return 0;
}
