/* SPDX-License-Identifier: MIT */
/* Device files that need no server, and terminal requests. */
#include "layer.h"
#include "sockets.h"
#include <proto/file_client.h>
#include <proto/supervisor.h>

static const struct device {
    const char *name;
    uint8_t kind;
    uint16_t number; /* major << 8 | minor */
    uint16_t mode;
} devices[] = {
    {"/dev/null", FILE_NULL, 0x103, 0666},
    {"/dev/zero", FILE_ZERO, 0x105, 0666},
    {"/dev/full", FILE_FULL, 0x107, 0666},
    {"/dev/random", FILE_RANDOM, 0x108, 0666},
    {"/dev/urandom", FILE_RANDOM, 0x109, 0666},
    {"/dev/tty", FILE_TERMINAL, 0x500, 0666},
    {"/dev/console", FILE_TERMINAL, 0x501, 0600},
    {"/dev/ptmx", FILE_TERMINAL, 0x502, 0666},
    {"/dev/pith", FILE_SERVERS, 0xa01, 0600},
};

static const struct device *device_find(const char *full)
{
    if (memcmp(full, "/dev/", 5))
        return 0;
    for (unsigned i = 0; i < sizeof devices / sizeof *devices; i++)
        if (!strcmp(devices[i].name, full))
            return &devices[i];
    return 0;
}

bool device_attributes(const char *full, struct file_attributes *a)
{
    if (full[0] != '/' || full[1] != 'd') /* most names are told apart at once */
        return false;
    const struct device *d = device_find(full);
    if (!d)
        return terminal_attributes(full, a);
    memset(a, 0, sizeof *a);
    a->mode = S_IFCHR | d->mode;
    a->links = 1;
    a->node = d->number;
    a->device = 5;
    a->special = d->number;
    a->block_size = PAGE;
    a->accessed.seconds = a->modified.seconds = a->changed.seconds =
        (int64_t)(self.realtime_ns / NS_PER_S);
    return true;
}

static int64_t device_start(const struct device *d, uint32_t flags, struct file **out)
{
    struct file *f;
    if (d->kind == FILE_TERMINAL)
        return terminal_open(d->name, flags, out);
    int64_t e = file_new(&f);
    if (e)
        return e;
    f->kind = d->kind;
    f->flags = flags & ~(uint32_t)(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC | O_NOCTTY);
    *out = f;
    return 0;
}

int64_t device_open_number(uint64_t number, uint32_t flags, struct file **out)
{
    for (unsigned i = 0; i < sizeof devices / sizeof *devices; i++)
        if (devices[i].number == number)
            return device_start(&devices[i], flags, out);
    return -ENXIO;
}

int64_t device_open(const char *full, uint32_t flags, struct file **out)
{
    if (full[0] != '/' || full[1] != 'd')
        return -ENOENT;
    const struct device *d = device_find(full);
    if (!d)
        return strncmp(full, "/dev/pts/", 9) ? -ENOENT : terminal_open(full, flags, out);
    if (flags & O_DIRECTORY)
        return -ENOTDIR;
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    return device_start(d, flags, out);
}

/* ---- /proc files that are made when opened --------------------------------------------------- */

#define TEXT_MOST (4u << 20)

/* The text in memory of its own, *bytes long; as large as it takes. */
static int64_t text_make(const char *full, char **made, size_t *bytes)
{
    for (size_t room = PAGE;; room *= 4) {
        char *text = layer_alloc(room);
        if (!text)
            return -ENOMEM;
        own_ready(text, room);
        int64_t n = proc_text(full, text, room);
        if (n >= 0 && ((size_t)n < room - 1 || room >= TEXT_MOST)) {
            *made = text;
            *bytes = (size_t)n;
            return 0;
        }
        layer_free(text);
        if (n < 0)
            return -ENOENT;
    }
}

int64_t text_open(const char *full, uint32_t flags, struct file **out)
{
    struct file *f;
    char *text = 0, name[PATH_MAX];
    size_t bytes = 0;
    int64_t e = proc_open(full, out);
    if (e != -ENOENT)
        return e;
    if (strncmp(full, "/proc/", 6))
        return -ENOENT;
    e = text_make(full, &text, &bytes);
    if (e)
        return e;
    (void)flags;
    e = file_new(&f);
    if (e) {
        layer_free(text);
        return e;
    }
    proc_numbered(full, name, sizeof name);
    f->kind = FILE_TEXT;
    f->value = (uint64_t)text;
    f->length = bytes;
    f->path = layer_text(name);
    if (!f->path) {
        file_drop(f);
        return -ENOMEM;
    }
    *out = f;
    return 0;
}

/* Read from its start again, it tells what is so now. */
int64_t text_read(struct file *f, uint64_t from, uint64_t to, size_t bytes)
{
    if (!from && f->reads++) {
        char *text = 0;
        size_t length = 0;
        int64_t e = text_make(f->path, &text, &length);
        if (e)
            return e == -ENOENT ? -ESRCH : e;
        layer_free((void *)f->value);
        f->value = (uint64_t)text;
        f->length = length;
    }
    size_t now = from < f->length ? f->length - from : 0;
    now = now < bytes ? now : bytes;
    return user_write(to, (const char *)f->value + from, now) ? (int64_t)now : -EFAULT;
}

/* ---- ioctl ----------------------------------------------------------------------------------- */

int64_t sys_ioctl(const uint64_t *a)
{
    struct file *f = file_hold(a[0]);
    uint32_t value;
    if (!f)
        return -EBADF;
    switch (a[1]) {
    case 0x5450: /* FIONCLEX */
    case 0x5451: /* FIOCLEX */
        fd_set_cloexec((unsigned)a[0], a[1] == 0x5451);
        return 0;
    case 0x5421: /* FIONBIO */
        if (!user_read(&value, a[2], 4))
            return -EFAULT;
        f->flags = value ? f->flags | O_NONBLOCK : f->flags & ~(uint32_t)O_NONBLOCK;
        return 0;
    }
    if (a[1] == 0x541b && (f->kind == FILE_PIPE || f->kind == FILE_SOCKET)) { /* FIONREAD */
        value = (uint32_t)(f->kind == FILE_PIPE ? ring_waiting(f) : socket_waiting(f));
        return user_write(a[2], &value, 4) ? 0 : -EFAULT;
    }
    return f->kind == FILE_TERMINAL ? terminal_request(f, (uint32_t)a[1], a[2]) : -ENOTTY;
}
