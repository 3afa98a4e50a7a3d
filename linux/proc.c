/* SPDX-License-Identifier: MIT */
/*
 * /proc: which names there are. The texts are made (proc_text.c) when a file is opened, out of what
 * the process and memory servers say; "self" is the calling process. Of other processes there is
 * less: no descriptors, no maps, no links.
 */
#include "proc.h"
#include "entries.h"
#include "sockets.h"
#include <proto/file_client.h>

enum kind { NONE, DIRECTORY, FILE_MADE, LINK };

static const char *const links_of_process[] = { "cwd", "exe", "root" };
static const char *const folders[] = { "/proc", "/proc/pith", "/proc/sys", "/proc/sys/kernel" };

/* "/proc/PID" or "/proc/self", and what follows; 0: not such a path. */
static uint32_t pid_named(const char *full, const char **rest)
{
    uint32_t pid = 0;
    const char *c = full + 6;
    if (strncmp(full, "/proc/", 6))
        return 0;
    if (!strncmp(c, "self", 4) && (!c[4] || c[4] == '/')) {
        pid = self.pid;
        c += 4;
    }
    for (; *c >= '0' && *c <= '9' && pid < 1000000 && full[6] != 's'; c++)
        pid = pid * 10 + (uint32_t)(*c - '0');
    if (*c && *c != '/')
        return 0;
    *rest = *c ? c + 1 : c;
    return pid;
}

static bool about(uint32_t pid, struct about *a)
{
    memset(a, 0, sizeof *a);
    if (pid == PROCESS_INIT) { /* the server is everybody's first parent */
        a->identity.process = PROCESS_INIT;
        a->identity.group = a->identity.session = PROCESS_INIT;
        a->identity.state = PROCESS_STATE_RUNNING;
        a->identity.threads = 1;
        a->length = strlcpy(a->words, "init", sizeof a->words) + 1;
        return true;
    }
    own_ready(a, sizeof *a);
    return !process_identify(SLOT_PROCESS, pid, &a->identity, PROCESS_NAME_MAX, &a->length);
}

static const struct proc_file *find(const struct proc_file *list, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (!strcmp(list[i].name, name))
            return &list[i];
    return 0;
}

static bool listed(const char *const *list, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (!strcmp(list[i], name))
            return true;
    return false;
}
#define LISTED(list, name) listed(list, sizeof list / sizeof *list, name)

static const struct proc_file *file_named(const char *full, struct about *a)
{
    const char *rest;
    uint32_t pid = pid_named(full, &rest);
    if (!pid)
        return strncmp(full, "/proc/", 6) ? 0 : find(proc_system, proc_system_count, full + 6);
    const struct proc_file *f = find(proc_process, proc_process_count, rest);
    return f && about(pid, a) ? f : 0;
}

/* The number of a descriptor of ours that a name like "fd/7" names; -1: none. */
static int descriptor(uint32_t pid, const char *rest)
{
    unsigned fd = 0;
    if (pid != self.pid || strncmp(rest, "fd/", 3) || !rest[3])
        return -1;
    for (const char *c = rest + 3; *c; c++) {
        if (*c < '0' || *c > '9' || fd >= FDS_MAX)
            return -1;
        fd = fd * 10 + (unsigned)(*c - '0');
    }
    return file_of(fd) ? (int)fd : -1;
}

static enum kind kind_of(const char *full, uint32_t *pid)
{
    const char *rest = "";
    struct about a;
    *pid = 0;
    if (LISTED(folders, full))
        return DIRECTORY;
    if (!strcmp(full, "/proc/self"))
        return DIRECTORY; /* a link, but everybody goes through it */
    *pid = pid_named(full, &rest);
    if (!*pid)
        return file_named(full, &a) ? FILE_MADE : NONE;
    if (!about(*pid, &a))
        return NONE;
    if (!*rest || (*pid == self.pid && !strcmp(rest, "fd")))
        return DIRECTORY;
    if (*pid == self.pid && (LISTED(links_of_process, rest) || descriptor(*pid, rest) >= 0))
        return LINK;
    return find(proc_process, proc_process_count, rest) ? FILE_MADE : NONE;
}

bool proc_is(const char *full)
{
    return full[0] == '/' && full[1] == 'p' &&
           (!strcmp(full, "/proc") || !strncmp(full, "/proc/", 6));
}

bool proc_attributes(const char *full, struct file_attributes *a)
{
    uint32_t pid, hash = 5381;
    enum kind kind = strncmp(full, "/proc", 5) ? NONE : kind_of(full, &pid);
    if (kind == NONE)
        return false;
    for (const char *c = full; *c; c++)
        hash = hash * 33 + (uint8_t)*c;
    memset(a, 0, sizeof *a);
    a->mode = kind == DIRECTORY ? S_IFDIR | 0555 : kind == LINK ? S_IFLNK | 0777 : S_IFREG | 0444;
    a->links = kind == DIRECTORY ? 2 : 1;
    a->node = hash;
    a->device = 4;
    a->block_size = 1024;
    a->accessed.seconds = a->modified.seconds = a->changed.seconds =
        (int64_t)(realtime_ns() / NS_PER_S);
    return true;
}

size_t proc_text(const char *full, char *to, size_t size)
{
    struct about a;
    const struct proc_file *f = file_named(full, &a);
    size_t n = f ? f->make(&a, to, size) : 0;
    return n < size ? n : size - 1;
}

/* ---- links ----------------------------------------------------------------------------------- */

static size_t descriptor_target(int fd, char *to, size_t size)
{
    struct file *f = file_of((unsigned)fd);
    struct file_attributes a;
    switch (f->kind) {
    case FILE_PLAIN:
    case FILE_PATH:
    case FILE_DIRECTORY:
        if (f->path && !file_attributes_of(f, &a) && !a.links)
            return (size_t)snprintf(to, size, "%s (deleted)", full_shown(f->path));
        return f->path ? strlcpy(to, full_shown(f->path), size) : 0;
    case FILE_PROC:
    case FILE_TERMINAL:
        return f->path ? strlcpy(to, f->path, size) : 0;
    case FILE_PIPE:
        if (f->path)
            return strlcpy(to, full_shown(f->path), size);
        /* fall through */
    case FILE_STREAM:
        return (size_t)snprintf(to, size, "pipe:[%u]", f->slot);
    case FILE_SOCKET:
        return (size_t)snprintf(to, size, "socket:[%lu]", socket_number(f));
    case FILE_EVENT:
        return strlcpy(to, "anon_inode:[eventfd]", size);
    case FILE_EPOLL:
        return strlcpy(to, "anon_inode:[eventpoll]", size);
    case FILE_TIMER:
        return strlcpy(to, "anon_inode:[timerfd]", size);
    case FILE_SIGNAL:
        return strlcpy(to, "anon_inode:[signalfd]", size);
    case FILE_NULL:
        return strlcpy(to, "/dev/null", size);
    case FILE_ZERO:
        return strlcpy(to, "/dev/zero", size);
    case FILE_FULL:
        return strlcpy(to, "/dev/full", size);
    case FILE_RANDOM:
        return strlcpy(to, "/dev/urandom", size);
    default:
        return 0;
    }
}

size_t proc_link(const char *full, char *to, size_t size)
{
    const char *rest;
    if (!strcmp(full, "/proc/self"))
        return (size_t)snprintf(to, size, "%u", self.pid);
    if (!strcmp(full, "/dev/fd"))
        return strlcpy(to, "/proc/self/fd", size);
    if (!strcmp(full, "/dev/stdin"))
        return strlcpy(to, "/proc/self/fd/0", size);
    if (!strcmp(full, "/dev/stdout"))
        return strlcpy(to, "/proc/self/fd/1", size);
    if (!strcmp(full, "/dev/stderr"))
        return strlcpy(to, "/proc/self/fd/2", size);
    char named[40];
    if (!strncmp(full, "/dev/fd/", 8)) { /* /dev/fd is a link */
        if (snprintf(named, sizeof named, "/proc/self/fd/%s", full + 8) >= (int)sizeof named)
            return 0;
        full = named;
    }
    uint32_t pid = pid_named(full, &rest);
    if (pid != self.pid)
        return 0;
    int fd = descriptor(pid, rest);
    if (fd >= 0)
        return descriptor_target(fd, to, size);
    return !strcmp(rest, "exe")    ? strlcpy(to, self.executable, size)
           : !strcmp(rest, "cwd")  ? strlcpy(to, full_shown(self.cwd), size)
           : !strcmp(rest, "root") ? strlcpy(to, "/", size)
                                   : 0;
}

/* ---- directories ----------------------------------------------------------------------------- */

enum { TYPE_DIRECTORY = 4, TYPE_FILE = 8, TYPE_LINK = 10 };
#define PIDS 4096u /* positions from here on stand for processes */

struct proc_name {
    uint8_t type;
    char text[45];
};

static bool give(struct proc_name *d, const char *name, uint8_t type)
{
    strlcpy(d->text, name, sizeof d->text);
    d->type = type;
    return true;
}

/* The index-th name of a list that is right below a folder ("" is /proc itself). */
static bool name_below(const struct proc_file *list, unsigned count, const char *folder,
    unsigned index, struct proc_name *d)
{
    size_t n = strlen(folder);
    for (unsigned i = 0; i < count; i++) {
        const char *name = list[i].name;
        if (strncmp(name, folder, n) || strchr(name + n, '/') || index--)
            continue;
        return give(d, name + n, TYPE_FILE);
    }
    return false;
}

static bool process_entry(uint32_t pid, const char *rest, unsigned index, struct proc_name *d)
{
    const unsigned links = sizeof links_of_process / sizeof *links_of_process;
    char number[12];
    if (!strcmp(rest, "fd")) {
        for (unsigned fd = 0; fd < FDS_MAX; fd++)
            if (file_of(fd) && !index--) {
                snprintf(number, sizeof number, "%u", fd);
                return give(d, number, TYPE_LINK);
            }
        return false;
    }
    if (index < proc_process_count)
        return give(d, proc_process[index].name, TYPE_FILE);
    index -= proc_process_count;
    if (pid != self.pid)
        return false;
    if (index < links)
        return give(d, links_of_process[index], TYPE_LINK);
    return index == links && give(d, "fd", TYPE_DIRECTORY);
}

/* Positions count names; behind PIDS they are one more than a process's number. */
static bool entry_at(const char *full, uint64_t *position, struct proc_name *d)
{
    static const char *const top[] = { "pith", "sys" };
    const char *rest = "";
    char number[12];
    if (*position < 2)
        return give(d, *position ? ".." : ".", TYPE_DIRECTORY), ++*position;
    uint32_t pid = pid_named(full, &rest);
    unsigned index = (unsigned)*position - 2;
    if (pid)
        return process_entry(pid, rest, index, d) && ++*position;
    if (strcmp(full, "/proc")) {
        char folder[32];
        snprintf(folder, sizeof folder, "%s/", full + 6);
        if (!strcmp(full, "/proc/sys"))
            return !index && give(d, "kernel", TYPE_DIRECTORY) && ++*position;
        return name_below(proc_system, proc_system_count, folder, index, d) && ++*position;
    }
    if (*position < PIDS) {
        if (index < 2)
            return give(d, top[index], TYPE_DIRECTORY), ++*position;
        if (index == 2)
            return give(d, "self", TYPE_LINK), ++*position;
        if (name_below(proc_system, proc_system_count, "", index - 3, d))
            return ++*position;
        *position = PIDS + PROCESS_INIT;
        return give(d, "1", TYPE_DIRECTORY);
    }
    if (process_next(SLOT_PROCESS, (uint32_t)*position - PIDS, &pid))
        return false;
    snprintf(number, sizeof number, "%u", pid);
    *position = PIDS + pid;
    return give(d, number, TYPE_DIRECTORY);
}

int64_t proc_entries(struct file *f, struct entries *out)
{
    for (;;) {
        struct proc_name name;
        uint64_t position = f->position;
        if (!entry_at(f->path, &position, &name))
            return 0;
        int64_t e = entry_out(out, &(struct entry){.inode = PIDS + position,
                                       .next = position,
                                       .type = name.type,
                                       .name = name.text,
                                       .name_bytes = strlen(name.text)});
        if (e)
            return e;
        f->position = position;
    }
}

/* A directory of /proc as an open file; -ENOENT: not one. */
int64_t proc_open(const char *full, struct file **out)
{
    struct file_attributes a;
    struct file *f;
    if (strncmp(full, "/proc", 5) || !proc_attributes(full, &a) || (a.mode & S_IFMT) != S_IFDIR)
        return -ENOENT;
    int64_t e = file_new(&f);
    if (e)
        return e;
    f->kind = FILE_PROC;
    f->path = layer_text(full);
    *out = f;
    return f->path ? 0 : -ENOMEM;
}
