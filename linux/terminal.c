/* SPDX-License-Identifier: MIT */
/*
 * Terminals: opening them, their requests (ioctl), and what job control means for a process.
 *
 * SLOT_TERMINAL holds the controlling terminal, if there is one; children inherit it, setsid drops
 * it. SLOT_TTYS is the gate to the terminals' server: the console, and where pairs are made.
 */
#include "layer.h"
#include <proto/file_client.h>
#include <proto/process_client.h>
#include <proto/terminal_client.h>

#define L_CANON 2u
#define V_TIME 5u
#define V_MIN 6u
#define MODES_BYTES 36u   /* of struct termios as the kernel has it */

/* ---- the controlling terminal ---------------------------------------------------------------- */

/* One that was hung up belongs to no session any more. */
static bool controlled(void)
{
    uint32_t group = 0, session = 0;
    return !pith_cap_identify(SLOT_TERMINAL).status &&
           !terminal_get_foreground(SLOT_TERMINAL, &group, &session) && session;
}

void terminal_drop(void)
{
    pith_cap_delete(SPACE_SELF, SLOT_TERMINAL);
}

static int64_t control_take(uint32_t gate)
{
    terminal_drop();
    int64_t e = slot_copy(gate, SLOT_TERMINAL) ? -EIO : 0;
    return e ? e : errno_of(terminal_set_session(gate, self.pid));
}

static bool is_control(uint32_t gate)
{
    struct pith_result r = pith_cap_same(gate, SLOT_TERMINAL);
    return !r.status && r.value;
}

static bool session_leader(uint32_t *group)
{
    struct process_identity i;
    size_t length = 0;
    if (process_identify(SLOT_PROCESS, 0, &i, 0, &length))
        return false;
    *group = i.group;
    return i.session == self.pid;
}

/* A session's leader that has no terminal takes the first free one that it opens. */
static void control_offer(const struct file *f, uint32_t flags)
{
    uint32_t group = 0, session = 0;
    if (flags & O_NOCTTY || f->length || controlled() || !session_leader(&group))
        return;
    if (!terminal_get_foreground(f->slot, &group, &session) && !session)
        (void)control_take(f->slot);
}

/* May this process, if it is in the background, do that? 0, or what the call returns. */
static int64_t background_check(uint32_t gate, uint32_t signal)
{
    uint32_t group = 0, foreground = 0, session = 0;
    if (!is_control(gate))
        return 0;
    (void)session_leader(&group);
    if (terminal_get_foreground(gate, &foreground, &session) || !foreground || foreground == group)
        return 0;
    if (signal_held(signal))
        return signal == SIGTTIN ? -EIO : 0;
    process_kill(SLOT_PROCESS, 0, signal);
    return -ERESTART;
}

/* ---- reading and writing --------------------------------------------------------------------- */

int64_t terminal_before_read(const struct file *f)
{
    struct terminal_modes m;
    int64_t e = f->length ? 0 : background_check(f->slot, SIGTTIN);
    if (e)
        return e;
    rt_self()->deadline_ns = f->flags & O_NONBLOCK ? DEADLINE_POLL : DEADLINE_NEVER;
    if (f->length || f->flags & O_NONBLOCK || terminal_get_modes(f->slot, &m))
        return 0;
    if (!(m.local & L_CANON) && m.chars[V_TIME] && !m.chars[V_MIN])
        rt_self()->deadline_ns = wait_deadline(m.chars[V_TIME] * (NS_PER_S / 10));
    return 0;
}

/* A write to a terminal that stops writers in the background. */
int64_t terminal_before_write(const struct file *f)
{
    return background_check(f->slot, SIGTTOU);
}

/* What a read that waited too long returns. */
int64_t terminal_read_timeout(const struct file *f)
{
    return f->flags & O_NONBLOCK ? -EAGAIN : 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

static uint32_t slave_number(const char *full)
{
    uint32_t n = 0;
    if (strncmp(full, "/dev/pts/", 9) || !full[9])
        return UINT32_MAX;
    for (const char *c = full + 9; *c; c++) {
        if (*c < '0' || *c > '9' || n > 99999)
            return UINT32_MAX;
        n = n * 10 + (uint32_t)(*c - '0');
    }
    return n;
}

static bool slave_exists(uint32_t number)
{
    uint32_t found = 0;
    return number != UINT32_MAX && !terminal_next(SLOT_TTYS, number, &found) && found == number + 1;
}

bool terminal_attributes(const char *full, struct file_attributes *a)
{
    uint32_t number = slave_number(full);
    bool folder = !strcmp(full, "/dev/pts");
    if (!folder && !slave_exists(number))
        return false;
    memset(a, 0, sizeof *a);
    a->mode = folder ? S_IFDIR | 0755 : S_IFCHR | 0620;
    a->links = folder ? 2 : 1;
    a->group = folder ? 0 : 5;
    a->node = folder ? 1 : number + 3;
    a->device = 22;
    a->special = folder ? 0 : 0x8800 | number;
    a->block_size = 1024;
    a->accessed.seconds = a->modified.seconds = a->changed.seconds =
        (int64_t)(self.realtime_ns / NS_PER_S);
    return true;
}

/* A file for a capability that is in a receive slot, or (keep) in one that stays. */
static int64_t terminal_file(
    uint32_t from, bool keep, bool master, const char *path, uint32_t flags, struct file **out)
{
    struct file *f;
    int64_t e = file_new(&f);
    if (e)
        return e;
    f->slot = (uint16_t)slot_take();
    f->kind = FILE_TERMINAL;
    f->length = master;
    f->flags = flags & ~(uint32_t)(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC | O_NOCTTY);
    f->path = layer_text(path);
    if (!f->slot || !f->path || slot_copy(from, f->slot))
        e = -ENXIO;
    if (!keep)
        pith_cap_delete(SPACE_SELF, from);
    if (e) {
        file_drop(f);
        return e;
    }
    control_offer(f, flags);
    *out = f;
    return 0;
}

static int64_t slave_open(uint32_t number, uint32_t flags, struct file **out)
{
    uint32_t slave = 0;
    char path[32];
    int64_t e = errno_of(terminal_slave(SLOT_TTYS, number, &slave));
    if (e)
        return e;
    snprintf(path, sizeof path, "/dev/pts/%u", number);
    return terminal_file(slave, false, false, path, flags, out);
}

int64_t terminal_open(const char *full, uint32_t flags, struct file **out)
{
    uint32_t master = 0, number = slave_number(full);
    if (!strcmp(full, "/dev/tty"))
        return controlled() ? terminal_file(SLOT_TERMINAL, true, false, full, flags | O_NOCTTY, out)
                            : -ENXIO;
    if (!strcmp(full, "/dev/console"))
        return terminal_file(SLOT_TTYS, true, false, full, flags, out);
    if (!strcmp(full, "/dev/ptmx") || !strcmp(full, "/dev/pts/ptmx")) {
        int64_t e = errno_of(terminal_pair(SLOT_TTYS, &master, &number));
        return e ? e : terminal_file(master, false, true, "/dev/ptmx", flags, out);
    }
    return number != UINT32_MAX ? slave_open(number, flags, out) : -ENOENT;
}

/* ---- requests -------------------------------------------------------------------------------- */

static int64_t modes_change(struct file *f, uint64_t at, bool flush)
{
    struct terminal_modes m;
    memset(&m, 0, sizeof m);
    if (!user_read(&m, at, MODES_BYTES))
        return -EFAULT;
    int64_t e = background_check(f->slot, SIGTTOU);
    return e ? e : errno_of(terminal_set_modes(f->slot, &m, flush));
}

static int64_t foreground_set(struct file *f, uint64_t at)
{
    struct process_identity i;
    uint32_t group = 0, session = 0, foreground = 0;
    size_t length = 0;
    if (!user_read(&group, at, 4))
        return -EFAULT;
    if (!is_control(f->slot) && !f->length)
        return -ENOTTY;
    if ((int32_t)group < 0)
        return -EINVAL;
    if (terminal_get_foreground(f->slot, &foreground, &session))
        return -EIO;
    int64_t e = background_check(f->slot, SIGTTOU);
    if (e)
        return e;
    /* A group of the terminal's session, as far as its leader can still tell. */
    int64_t known = process_identify(SLOT_PROCESS, group, &i, 0, &length);
    if (!known && i.session != session)
        return -EPERM;
    if (known && process_kill(SLOT_PROCESS, -(int32_t)group, 0) == PROCESS_ERROR_SRCH)
        return -ESRCH;
    return errno_of(terminal_set_foreground(f->slot, group));
}

static int64_t foreground_get(struct file *f, uint32_t request, uint64_t at)
{
    uint32_t group = 0, session = 0;
    if (!is_control(f->slot) && !f->length)
        return -ENOTTY;
    int64_t e = errno_of(terminal_get_foreground(f->slot, &group, &session));
    return e ? e : user_write(at, request == 0x540f ? &group : &session, 4) ? 0 : -EFAULT;
}

static int64_t control_set(struct file *f, uint64_t steal)
{
    uint32_t group = 0, session = 0;
    if (is_control(f->slot))
        return 0;
    if (!session_leader(&group) || controlled())
        return -EPERM;
    if (!terminal_get_foreground(f->slot, &group, &session) && session && steal != 1)
        return -EPERM;
    return control_take(f->slot);
}

static int64_t pair_request(struct file *f, uint32_t request, uint64_t at)
{
    uint32_t number = 0, locked = 0;
    struct file *slave;
    switch (request) {
    case 0x80045430: { /* TIOCGPTN */
        int64_t e = terminal_number(f->slot, &number) ? -ENOTTY : 0;
        return e ? e : user_write(at, &number, 4) ? 0 : -EFAULT;
    }
    case 0x40045431: /* TIOCSPTLCK */
        if (!user_read(&locked, at, 4))
            return -EFAULT;
        return terminal_lock(f->slot, locked != 0) ? -ENOTTY : 0;
    case 0x5441: { /* TIOCGPTPEER */
        int64_t e =
            terminal_number(f->slot, &number) ? -ENOTTY : slave_open(number, (uint32_t)at, &slave);
        return e ? e : fd_new(slave, 0, at & O_CLOEXEC);
    }
    default:
        return -ENOTTY;
    }
}

int64_t terminal_request(struct file *f, uint32_t request, uint64_t at)
{
    struct terminal_modes m;
    struct terminal_window w;
    uint32_t gate = f->slot, count = 0;
    int64_t e;
    switch (request) {
    case 0x5401: /* TCGETS */
        e = errno_of(terminal_get_modes(gate, &m));
        return e ? e : user_write(at, &m, MODES_BYTES) ? 0 : -EFAULT;
    case 0x5402: case 0x5403: /* TCSETS, W */
    case 0x5404:              /* F: what was typed is forgotten */
        return modes_change(f, at, request == 0x5404);
    case 0x5413: /* TIOCGWINSZ */
        e = errno_of(terminal_get_window(gate, &w));
        return e ? e : user_write(at, &w, sizeof w) ? 0 : -EFAULT;
    case 0x5414: /* TIOCSWINSZ */
        return user_read(&w, at, sizeof w) ? errno_of(terminal_set_window(gate, &w)) : -EFAULT;
    case 0x540e: /* TIOCSCTTY */
        return control_set(f, at);
    case 0x5422: /* TIOCNOTTY */
        if (!is_control(gate))
            return -ENOTTY;
        terminal_drop();
        return 0;
    case 0x540b: /* TCFLSH */
        if (at > 2)
            return -EINVAL;
        e = errno_of(terminal_get_modes(gate, &m));
        return e || at == 1 ? e : errno_of(terminal_set_modes(gate, &m, true));
    case 0x540a: /* TCXONC */
        return at > 3 ? -EINVAL : 0;
    case 0x5409: case 0x5425: /* TCSBRK TCSBRKP */
        return 0;
    case 0x541b: /* FIONREAD */
        e = errno_of(terminal_waiting(gate, &count));
        return e ? e : user_write(at, &count, 4) ? 0 : -EFAULT;
    case 0x5410: /* TIOCSPGRP */
        return foreground_set(f, at);
    case 0x540f: /* TIOCGPGRP */
    case 0x5429: /* TIOCGSID */
        return foreground_get(f, request, at);
    default:
        return pair_request(f, request, at);
    }
}
