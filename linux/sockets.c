/* SPDX-License-Identifier: MIT */
/*
 * Sockets: connected pairs (AF_UNIX), each end a file over two rings. There are no others yet.
 *
 * An end's two ring files are held by it alone and have no descriptors. shutdown() is a mark in the
 * ring, so that it holds for all processes that share the pair.
 */
#include "sockets.h"
#include "layer.h"
#include <proto/pipe.h>

enum {
    AF_UNIX = 1,
    AF_MAX = 46,
    SOCK_STREAM = 1,
    SOCK_DGRAM = 2,
    SOCK_RAW = 3,
    SOCK_SEQPACKET = 5,
    SOCK_TYPE_MAX = 10,
    SOCK_TYPE = 0xf
};
enum {
    SOL_SOCKET = 1,
    SO_DEBUG = 1,
    SO_REUSEADDR = 2,
    SO_TYPE = 3,
    SO_ERROR = 4,
    SO_SNDBUF = 7,
    SO_RCVBUF = 8,
    SO_KEEPALIVE = 9,
    SO_PASSCRED = 16,
    SO_PEERCRED = 17,
    SO_ACCEPTCONN = 30,
    SO_SNDBUFFORCE = 32,
    SO_RCVBUFFORCE = 33,
    SO_PROTOCOL = 38,
    SO_DOMAIN = 39
};
enum {
    MSG_OOB = 1,
    MSG_PEEK = 2,
    MSG_TRUNC = 0x20,
    MSG_DONTWAIT = 0x40,
    MSG_WAITALL = 0x100,
    MSG_NOSIGNAL = 0x4000
};
#define IOV_MAX 1024u
#define RECORD_MAX (PIPE_CAPACITY - 4u)

struct socket {
    struct file *in, *out;
    uint32_t type, pair_pid; /* who made the pair */
};

static struct socket *socket_of(const struct file *f)
{
    return (struct socket *)f->value;
}

/* A descriptor of a socket, held, or why not. */
static int64_t socket_hold(uint64_t fd, struct file **f)
{
    *f = file_hold((uint32_t)fd);
    return !*f ? -EBADF : (*f)->kind != FILE_SOCKET ? -ENOTSOCK : 0;
}

/* ---- making ---------------------------------------------------------------------------------- */

void socket_drop(struct file *f)
{
    struct socket *s = socket_of(f);
    if (s->in)
        file_drop(s->in);
    if (s->out)
        file_drop(s->out);
    layer_free(s);
}

/* A ring's two files; both or neither. */
static int64_t ring_make(struct file **reader, struct file **writer)
{
    struct file *f[2];
    int64_t e = file_new(&f[0]);
    if (e)
        return e;
    if ((e = file_new(&f[1]))) {
        file_drop(f[0]);
        return e;
    }
    if ((e = pipe_files(f))) {
        file_drop(f[0]);
        file_drop(f[1]);
        return e;
    }
    f[0]->kind = f[1]->kind = FILE_PIPE;
    *reader = f[0];
    *writer = f[1];
    return 0;
}

static int64_t end_new(uint32_t type, struct file **f)
{
    int64_t e = file_new(f);
    if (e)
        return e;
    struct socket *s = layer_alloc(sizeof *s);
    if (!s) {
        file_drop(*f);
        return -ENOMEM;
    }
    s->type = type & SOCK_TYPE;
    s->pair_pid = self.pid;
    (*f)->kind = FILE_SOCKET;
    (*f)->flags = O_RDWR | (type & O_NONBLOCK);
    (*f)->value = (uint64_t)s;
    return 0;
}

static int64_t pair_make(uint32_t type, struct file *f[2])
{
    int64_t e = end_new(type, &f[0]);
    if (e)
        return e;
    if ((e = end_new(type, &f[1]))) {
        file_drop(f[0]);
        return e;
    }
    struct socket *a = socket_of(f[0]), *b = socket_of(f[1]);
    e = ring_make(&a->in, &b->out);
    if (!e)
        e = ring_make(&b->in, &a->out);
    if (e) {
        file_drop(f[0]);
        file_drop(f[1]);
        return e;
    }
    if (a->type != SOCK_STREAM) {
        ring_records(a->in);
        ring_records(b->in);
    }
    return 0;
}

static int64_t kind_check(uint64_t family, uint64_t type)
{
    if ((uint32_t)type & ~(uint32_t)(SOCK_TYPE | O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    if ((uint32_t)family >= AF_MAX)
        return -EAFNOSUPPORT;
    return (type & SOCK_TYPE) > SOCK_TYPE_MAX ? -EINVAL : 0;
}

int64_t sys_socket(const uint64_t *a)
{
    int64_t e = kind_check(a[0], a[1]);
    return e ? e : -EAFNOSUPPORT;
}

int64_t sys_socketpair(const uint64_t *a)
{
    struct file *f[2];
    int32_t fd[2] = {-1, -1};
    uint32_t type = a[1] & SOCK_TYPE;
    int64_t e = kind_check(a[0], a[1]);
    if (e)
        return e;
    if ((uint32_t)a[0] != AF_UNIX)
        return -EAFNOSUPPORT;
    if ((uint32_t)a[2] != 0 && (uint32_t)a[2] != AF_UNIX)
        return -EPROTONOSUPPORT;
    if (type == SOCK_RAW)
        type = SOCK_DGRAM; /* as Linux takes it */
    if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
        return -ESOCKTNOSUPPORT;
    if (!user_write(a[3], fd, sizeof fd))
        return -EFAULT;
    e = pair_make(type | (a[1] & O_NONBLOCK), f);
    if (e)
        return e;
    for (unsigned i = 0; i < 2; i++)
        fd[i] = (int32_t)fd_new(f[i], 0, a[1] & O_CLOEXEC);
    if (fd[0] >= 0 && fd[1] >= 0 && user_write(a[3], fd, sizeof fd))
        return 0;
    e = fd[0] < 0 || fd[1] < 0 ? -EMFILE : -EFAULT;
    for (unsigned i = 0; i < 2; i++)
        if (fd[i] >= 0)
            fd_close((unsigned)fd[i]);
    return e;
}

/* ---- data ------------------------------------------------------------------------------------ */

static struct file *blocking_as(const struct file *f, struct file *ring, uint32_t flags)
{
    bool at_once = f->flags & O_NONBLOCK || flags & MSG_DONTWAIT;
    ring->flags = at_once ? O_NONBLOCK : 0;
    return ring;
}

static int64_t receive(struct file *f, uint64_t to, size_t bytes, uint32_t flags, bool *cut)
{
    const struct socket *s = socket_of(f);
    int64_t n, done = 0;
    if (flags & MSG_OOB)
        return s->type == SOCK_STREAM ? -EINVAL : -EOPNOTSUPP;
    if (!bytes && s->type == SOCK_STREAM)
        return 0;
    do {
        n = ring_receive(blocking_as(f, s->in, flags), to + (uint64_t)done, bytes - (size_t)done,
            flags & MSG_PEEK, cut);
        done += n > 0 ? n : 0;
    } while (n > 0 && flags & MSG_WAITALL && !(flags & MSG_PEEK) && s->type == SOCK_STREAM &&
             (size_t)done < bytes);
    return done ? done : n;
}

static int64_t send(struct file *f, uint64_t from, size_t bytes, uint32_t flags)
{
    const struct socket *s = socket_of(f);
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (!bytes && s->type == SOCK_STREAM)
        return 0;
    int64_t n = ring_send(blocking_as(f, s->out, flags), from, bytes);
    if (n == -EPIPE && s->type != SOCK_DGRAM && !(flags & MSG_NOSIGNAL))
        signal_self(SIGPIPE);
    return n == -EPIPE && s->type == SOCK_DGRAM ? -ECONNREFUSED : n;
}

int64_t socket_read(struct file *f, uint64_t to, size_t bytes)
{
    bool cut = false;
    return receive(f, to, bytes, 0, &cut);
}

int64_t socket_write(struct file *f, uint64_t from, size_t bytes)
{
    return send(f, from, bytes, 0);
}

uint64_t socket_waiting(const struct file *f)
{
    return ring_first(socket_of(f)->in);
}

uint64_t socket_number(const struct file *f)
{
    return socket_of(f)->in->slot;
}

int64_t sys_sendto(const uint64_t *a)
{
    struct file *f;
    int64_t e = socket_hold(a[0], &f);
    if (e)
        return e;
    return a[4] && a[5] ? -EISCONN : send(f, a[1], a[2], (uint32_t)a[3]);
}

int64_t sys_recvfrom(const uint64_t *a)
{
    struct file *f;
    bool cut = false;
    uint32_t none = 0;
    int64_t e = socket_hold(a[0], &f);
    if (!e)
        e = receive(f, a[1], a[2], (uint32_t)a[3], &cut);
    if (e >= 0 && a[4] && a[5] && !user_write(a[5], &none, sizeof none))
        return -EFAULT;
    return e;
}

/* ---- messages -------------------------------------------------------------------------------- */

struct message {
    uint64_t name;
    uint32_t name_bytes, pad;
    uint64_t vectors, count, control, control_bytes;
    uint32_t flags, pad2;
};

static int64_t vectors_read(const struct message *m, struct linux_iovec *v, uint64_t *total)
{
    *total = 0;
    if (m->count > IOV_MAX)
        return -EMSGSIZE;
    if (!user_read(v, m->vectors, m->count * sizeof *v))
        return -EFAULT;
    for (uint64_t i = 0; i < m->count; i++) {
        if ((int64_t)v[i].length < 0)
            return -EINVAL;
        *total += v[i].length;
    }
    return 0;
}

/* Between the vectors and one piece of the program's memory. */
static bool gather(
    const struct linux_iovec *v, uint64_t count, uint64_t piece, uint64_t bytes, bool out)
{
    uint8_t block[512];
    for (uint64_t i = 0; i < count && bytes; i++)
        for (uint64_t at = 0; at < v[i].length && bytes;) {
            uint64_t now = v[i].length - at < sizeof block ? v[i].length - at : sizeof block;
            now = now < bytes ? now : bytes;
            if (!user_read(block, out ? piece : v[i].base + at, now) ||
                !user_write(out ? v[i].base + at : piece, block, now))
                return false;
            at += now;
            piece += now;
            bytes -= now;
        }
    return true;
}

static int64_t message_send(struct file *f, uint64_t at, uint32_t flags)
{
    struct linux_iovec v[IOV_MAX];
    struct message m;
    uint64_t total, piece;
    if (!user_read(&m, at, sizeof m))
        return -EFAULT;
    int64_t e = vectors_read(&m, v, &total);
    if (e)
        return e;
    if (m.name && m.name_bytes)
        return -EISCONN;
    if (m.control_bytes)
        return -EOPNOTSUPP;
    if (m.count == 1)
        return send(f, v[0].base, v[0].length, flags);
    if (socket_of(f)->type != SOCK_STREAM && total > RECORD_MAX)
        return -EMSGSIZE;
    if (!total)
        return send(f, at, 0, flags);
    total = total < PIPE_CAPACITY ? total : PIPE_CAPACITY;
    if (memory_scratch(total, &piece))
        return -ENOMEM;
    e = gather(v, m.count, piece, total, false) ? send(f, piece, total, flags) : -EFAULT;
    memory_scratch_free(piece, total);
    return e;
}

static int64_t message_receive(struct file *f, uint64_t at, uint32_t flags)
{
    struct linux_iovec v[IOV_MAX];
    struct message m;
    uint64_t total, piece = 0;
    bool cut = false;
    if (!user_read(&m, at, sizeof m))
        return -EFAULT;
    int64_t e = vectors_read(&m, v, &total);
    if (e)
        return e;
    if (m.count == 1 || !total) {
        e = receive(f, m.count ? v[0].base : at, total, flags, &cut);
    } else {
        total = total < PIPE_CAPACITY ? total : PIPE_CAPACITY;
        if (memory_scratch(total, &piece))
            return -ENOMEM;
        e = receive(f, piece, total, flags, &cut);
        if (e > 0 && !gather(v, m.count, piece, (uint64_t)e, true))
            e = -EFAULT;
        memory_scratch_free(piece, total);
    }
    if (e < 0)
        return e;
    m.name_bytes = 0;
    m.control_bytes = 0;
    m.flags = cut ? MSG_TRUNC : 0;
    return user_write(at, &m, sizeof m) ? e : -EFAULT;
}

int64_t sys_sendmsg(const uint64_t *a)
{
    struct file *f;
    int64_t e = socket_hold(a[0], &f);
    return e ? e : message_send(f, a[1], (uint32_t)a[2]);
}

int64_t sys_recvmsg(const uint64_t *a)
{
    struct file *f;
    int64_t e = socket_hold(a[0], &f);
    return e ? e : message_receive(f, a[1], (uint32_t)a[2]);
}

#define MESSAGE_STEP (sizeof(struct message) + 8) /* struct mmsghdr: the length comes after it */

static int64_t messages(const uint64_t *a, int64_t (*each)(struct file *, uint64_t, uint32_t))
{
    enum { MSG_WAITFORONE = 0x10000 };
    struct file *f;
    int64_t e = socket_hold(a[0], &f);
    uint32_t done = 0, flags = (uint32_t)a[3];
    for (; !e && done < (uint32_t)a[2] && done < IOV_MAX; done++) {
        uint64_t at = a[1] + done * MESSAGE_STEP;
        int64_t n = each(f, at, flags & ~(uint32_t)MSG_WAITFORONE);
        uint32_t bytes = (uint32_t)n;
        if (n < 0)
            return done ? (int64_t)done : n;
        if (!user_write(at + sizeof(struct message), &bytes, sizeof bytes))
            return done ? (int64_t)done : -EFAULT;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
    }
    return e ? e : done;
}

int64_t sys_sendmmsg(const uint64_t *a)
{
    return messages(a, message_send);
}

int64_t sys_recvmmsg(const uint64_t *a)
{
    return a[4] ? -EOPNOTSUPP : messages(a, message_receive);
}

/* ---- readiness ------------------------------------------------------------------------------- */

uint32_t socket_ready(struct file *f, struct look *look)
{
    const struct socket *s = socket_of(f);
    uint32_t in = ring_ready(s->in, look), changes = look->changes;
    uint32_t out = ring_ready(s->out, look);
    look->changes += changes;
    uint32_t found = (in & POLLIN) | (out & (POLLOUT | POLLERR) ? POLLOUT : 0);
    if (in & POLLHUP)
        found |= POLLIN | POLLRDHUP;
    if (in & POLLHUP && out & POLLERR)
        found |= POLLHUP;
    return found;
}

/* ---- control --------------------------------------------------------------------------------- */

int64_t sys_shutdown(const uint64_t *a)
{
    struct file *f;
    uint32_t how = (uint32_t)a[1];
    int64_t e = socket_hold(a[0], &f);
    if (e || how > 2)
        return e ? e : -EINVAL;
    if (how != 1)
        ring_end(socket_of(f)->in);
    if (how != 0)
        ring_end(socket_of(f)->out);
    return 0;
}

/* At most the room that the program says; the length that there is goes back to it. */
static int64_t give(uint64_t to, uint64_t length_at, const void *value, uint32_t bytes)
{
    int32_t room;
    if (!user_read(&room, length_at, sizeof room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    uint32_t most = (uint32_t)room, now = most < bytes ? most : bytes;
    return user_write(to, value, now) && user_write(length_at, &now, sizeof now) ? 0 : -EFAULT;
}

int64_t sys_getsockopt(const uint64_t *a)
{
    struct file *f;
    uint32_t value = 0, credentials[3] = {0};
    int64_t e = socket_hold(a[0], &f);
    if (e)
        return e;
    if ((uint32_t)a[1] != SOL_SOCKET)
        return -EOPNOTSUPP;
    switch ((uint32_t)a[2]) {
    case SO_TYPE:
        value = socket_of(f)->type;
        break;
    case SO_DOMAIN:
        value = AF_UNIX;
        break;
    case SO_SNDBUF:
    case SO_RCVBUF:
        value = PIPE_CAPACITY;
        break;
    case SO_PEERCRED:
        credentials[0] = socket_of(f)->pair_pid;
        return give(a[3], a[4], credentials, sizeof credentials);
    case SO_DEBUG:
    case SO_REUSEADDR:
    case SO_KEEPALIVE:
    case SO_PASSCRED:
    case SO_ERROR:
    case SO_ACCEPTCONN:
    case SO_PROTOCOL:
        break;
    default:
        return -ENOPROTOOPT;
    }
    return give(a[3], a[4], &value, sizeof value);
}

/* Sizes are hints, which a ring of one size need not follow. */
int64_t sys_setsockopt(const uint64_t *a)
{
    struct file *f;
    uint32_t value;
    int64_t e = socket_hold(a[0], &f);
    if (e)
        return e;
    if ((uint32_t)a[1] != SOL_SOCKET)
        return -EOPNOTSUPP;
    if ((int32_t)a[4] < (int32_t)sizeof value)
        return -EINVAL;
    if (!user_read(&value, a[3], sizeof value))
        return -EFAULT;
    switch ((uint32_t)a[2]) {
    case SO_REUSEADDR:
    case SO_SNDBUF:
    case SO_RCVBUF:
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
    case SO_KEEPALIVE:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* Neither end of a pair has a name. */
int64_t sys_getsockname(const uint64_t *a)
{
    static const uint16_t family = AF_UNIX;
    struct file *f;
    int64_t e = socket_hold(a[0], &f);
    return e ? e : give(a[1], a[2], &family, sizeof family);
}

/* bind, listen, accept: a pair is connected, and there is nothing to connect to. */
int64_t sys_connected(const uint64_t *a)
{
    struct file *f;
    int64_t e = socket_hold(a[0], &f);
    return e ? e : socket_of(f)->type == SOCK_DGRAM ? -EOPNOTSUPP : -EINVAL;
}

int64_t sys_connect(const uint64_t *a)
{
    struct file *f;
    int64_t e = socket_hold(a[0], &f);
    return e ? e : -EISCONN;
}
