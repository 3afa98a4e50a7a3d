/* SPDX-License-Identifier: MIT */
/*
 * From descriptor to descriptor: sendfile, copy_file_range, splice, tee. All copy through scratch
 * memory of the program, a piece at a time. What was read from a pipe and cannot be written is
 * lost.
 */
#include "layer.h"
#include "ring.h"
#include <proto/file_client.h>
#include <proto/pipe_client.h>

#define PIECE SCRATCH_KEPT

static bool stream_has_end(const struct file *f)
{
    return f->kind == FILE_PIPE || f->kind == FILE_STREAM;
}

static bool may_read(const struct file *f)
{
    return f && (f->flags & O_ACCMODE) != O_WRONLY && !(f->flags & O_PATH);
}

static bool may_write(const struct file *f)
{
    return f && (f->flags & O_ACCMODE) != O_RDONLY && !(f->flags & O_PATH);
}

struct end {
    struct file *file;
    uint64_t address, at; /* of the position in the program's memory, or 0: the file's own */
};

static int64_t end_position(struct end *e)
{
    if (!e->address)
        return 0;
    if (!user_read(&e->at, e->address, 8))
        return -EFAULT;
    return (int64_t)e->at < 0 ? -EINVAL : 0;
}

static int64_t at_of(const struct end *e)
{
    return e->address ? (int64_t)e->at : -1;
}

/* Copies until enough is done, or the source ends; once only from a pipe. */
static int64_t transfer(struct end *in, struct end *out, uint64_t bytes, bool once)
{
    uint64_t buffer, done = 0;
    size_t room = bytes < PIECE ? bytes : PIECE;
    int64_t e = 0;
    if (!bytes)
        return 0;
    if (memory_scratch(room, &buffer))
        return -ENOMEM;
    while (done < bytes) {
        size_t now = bytes - done < room ? bytes - done : room;
        if (out->file->kind == FILE_PIPE && once) {
            uint64_t space = ring_room(out->file);
            now = space && space < now ? space : now;
        }
        int64_t n = e = file_read_piece(in->file, at_of(in), buffer, now);
        if (n <= 0)
            break;
        e = file_write_piece(out->file, at_of(out), buffer, (size_t)n);
        if (e < 0)
            break;
        in->at += (uint64_t)e;
        out->at += (uint64_t)e;
        done += (uint64_t)e;
        if (e < n && !in->address && in->file->kind == FILE_PLAIN && !in->file->shared)
            in->file->position -= (uint64_t)(n - e);
        if (e < n || once)
            break;
    }
    memory_scratch_free(buffer, room);
    if ((in->address && !user_write(in->address, &in->at, 8)) ||
        (out->address && !user_write(out->address, &out->at, 8)))
        return -EFAULT;
    return done ? (int64_t)done : e;
}

int64_t sys_sendfile(const uint64_t *a)
{
    struct end in = { file_hold(a[1]), a[2], 0 }, out = { file_hold(a[0]), 0, 0 };
    if (!may_read(in.file) || !may_write(out.file))
        return -EBADF;
    int64_t e = end_position(&in);
    if (e)
        return e;
    if (in.file->kind != FILE_PLAIN && in.file->kind != FILE_TEXT)
        return -EINVAL;
    return transfer(&in, &out, a[3], false);
}

int64_t sys_copy_file_range(const uint64_t *a)
{
    struct end in = { file_hold(a[0]), a[1], 0 }, out = { file_hold(a[2]), a[3], 0 };
    struct file_attributes s, t;
    if (!in.file || !out.file)
        return -EBADF;
    int64_t e = end_position(&in);
    if (!e)
        e = end_position(&out);
    if (e || a[5])
        return e ? e : -EINVAL;
    if (in.file->kind != FILE_PLAIN || out.file->kind != FILE_PLAIN)
        return in.file->kind == FILE_DIRECTORY || out.file->kind == FILE_DIRECTORY ? -EISDIR
                                                                                   : -EINVAL;
    if (!may_read(in.file) || !may_write(out.file) || out.file->flags & O_APPEND)
        return -EBADF;
    if ((e = file_attributes_of(in.file, &s)) || (e = file_attributes_of(out.file, &t)))
        return e;
    uint64_t from = in.address ? in.at : in.file->position,
             to = out.address ? out.at : out.file->position;
    if (s.node == t.node && from < to + a[4] && to < from + a[4])
        return -EINVAL;
    return transfer(&in, &out, a[4], false);
}

int64_t sys_splice(const uint64_t *a)
{
    struct end in = { file_hold(a[0]), a[1], 0 }, out = { file_hold(a[2]), a[3], 0 };
    if (a[5] & ~15ull)
        return -EINVAL;
    if (!a[4])
        return 0;
    if (!in.file || !out.file)
        return -EBADF;
    if ((stream_has_end(in.file) && in.address) || (stream_has_end(out.file) && out.address))
        return -ESPIPE;
    if (!may_read(in.file) || !may_write(out.file))
        return -EBADF;
    if (!stream_has_end(in.file) && !stream_has_end(out.file))
        return -EINVAL;
    if (out.file->flags & O_APPEND)
        return -EINVAL;
    int64_t e = end_position(&in);
    if (!e)
        e = end_position(&out);
    return e ? e : transfer(&in, &out, a[4], true);
}

int64_t sys_tee(const uint64_t *a)
{
    struct file *in = file_hold(a[0]), *out = file_hold(a[1]);
    size_t room = a[2] < PIECE ? a[2] : PIECE;
    uint64_t buffer;
    if (a[3] & ~15ull)
        return -EINVAL;
    if (!room)
        return 0;
    if (!may_read(in) || !may_write(out))
        return -EBADF;
    if (in->kind != FILE_PIPE || out->kind != FILE_PIPE)
        return -EINVAL;
    if (memory_scratch(room, &buffer))
        return -ENOMEM;
    uint64_t space = ring_room(out);
    bool cut;
    int64_t n = ring_receive(in, buffer, space && space < room ? space : room, true, &cut);
    if (n > 0)
        n = file_write_piece(out, -1, buffer, (size_t)n);
    memory_scratch_free(buffer, room);
    return n;
}
