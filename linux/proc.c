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
static const char *const folders_of_process[] = {"fd", "fdinfo", "task"};

/* What a path below /proc/PID names: of a process, or of one of its threads. */
struct place {
    uint32_t pid, thread;
    const char *rest; /* behind /proc/PID/ or /proc/PID/task/TID/ */
};

/* Skips a number that a '/' or the end follows. */
static bool number_at(const char **at, uint32_t *number)
{
    const char *c = *at;
    uint32_t n = 0;
    while (*c >= '0' && *c <= '9' && n < 100000000)
        n = n * 10 + (uint32_t)(*c++ - '0');
    if (c == *at || (**at == '0' && c - *at > 1) || (*c && *c != '/'))
        return false;
    *number = n;
    *at = *c ? c + 1 : c;
    return true;
}

/* Skips a word that a '/' or the end follows. */
static bool word_at(const char **at, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(*at, word, n) || ((*at)[n] && (*at)[n] != '/'))
        return false;
    *at += (*at)[n] ? n + 1 : n;
    return true;
}

static bool thread_exists(uint32_t pid, uint32_t thread)
{
    if (pid != self.pid)
        return thread == pid;
    for (struct block *b = block_each(0); b; b = block_each(b))
        if (b->tid == thread)
            return true;
    return false;
}

static bool place_named(const char *full, struct place *p)
{
    const char *at = full + 6;
    if (strncmp(full, "/proc/", 6))
        return false;
    *p = (struct place){0};
    if (word_at(&at, "thread-self"))
        *p = (struct place){self.pid, block_self()->tid, at};
    else if (word_at(&at, "self"))
        *p = (struct place){self.pid, self.pid, at};
    else if (number_at(&at, &p->pid) && p->pid)
        *p = (struct place){p->pid, p->pid, at};
    else
        return false;
    if (word_at(&at, "task") && *at) {
        bool named = number_at(&at, &p->thread);
        p->rest = at;
        return named && thread_exists(p->pid, p->thread);
    }
    return true;
}

static bool about(const struct place *p, struct about *a)
{
    uint32_t pid = p->pid;
    memset(a, 0, sizeof *a);
    a->thread = p->thread;
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

/* The number of a descriptor of ours that a name like "fd/7" names; -1: none. */
static int descriptor(const struct place *p, const char *folder)
{
    const char *at = p->rest;
    uint32_t fd;
    return p->pid == self.pid && word_at(&at, folder) && number_at(&at, &fd) && !*at && file_of(fd)
               ? (int)fd
               : -1;
}

size_t text_add(char *to, size_t size, size_t n, const char *format, ...)
{
    va_list arguments;
    if (n >= size)
        return n;
    va_start(arguments, format);
    n += (size_t)vsnprintf(to + n, size - n, format, arguments);
    va_end(arguments);
    return n;
}

struct file *descriptor_leading(const char *full, const char **rest)
{
    struct place p;
    uint32_t fd;
    *rest = "";
    if (!place_named(full, &p) || p.pid != self.pid || !word_at(&p.rest, "fd") ||
        !number_at(&p.rest, &fd))
        return 0;
    *rest = p.rest;
    return file_of(fd);
}

struct file *descriptor_named(const char *full)
{
    const char *rest;
    struct file *f = descriptor_leading(full, &rest);
    return *rest ? 0 : f;
}

const char *proc_leading(const char *full, const char **rest)
{
    struct place p;
    if (!place_named(full, &p) || p.pid != self.pid)
        return 0;
    const char *to = word_at(&p.rest, "exe")    ? self.executable
                     : word_at(&p.rest, "cwd")  ? "."
                     : word_at(&p.rest, "root") ? "/"
                                                : 0;
    *rest = p.rest;
    return to;
}

static const struct proc_file *file_named(const char *full, struct about *a)
{
    struct place p;
    if (!place_named(full, &p))
        return strncmp(full, "/proc/", 6) ? 0 : find(proc_system, proc_system_count, full + 6);
    int fd = descriptor(&p, "fdinfo");
    const struct proc_file *f =
        fd < 0 ? find(proc_process, proc_process_count, p.rest) : &proc_descriptor;
    if (!f || !about(&p, a))
        return 0;
    if (fd >= 0) {
        a->descriptor = (uint32_t)fd;
        a->file = file_of(a->descriptor);
    }
    return f;
}

/* Does a name of the list lie below that folder? */
static bool is_folder(const struct proc_file *list, unsigned count, const char *name)
{
    size_t n = strlen(name);
    for (unsigned i = 0; i < count; i++)
        if (!strncmp(list[i].name, name, n) && list[i].name[n] == '/')
            return true;
    return false;
}

static enum kind kind_of_process(const struct place *p)
{
    struct about a;
    if (!about(p, &a))
        return NONE;
    if (!*p->rest || is_folder(proc_process, proc_process_count, p->rest))
        return DIRECTORY;
    if (find(proc_process, proc_process_count, p->rest) || descriptor(p, "fdinfo") >= 0)
        return FILE_MADE;
    if (!strcmp(p->rest, "task"))
        return DIRECTORY;
    if (p->pid != self.pid)
        return strcmp(p->rest, "exe") || p->pid == PROCESS_INIT ? NONE : LINK;
    if (LISTED(folders_of_process, p->rest))
        return DIRECTORY;
    return LISTED(links_of_process, p->rest) || descriptor(p, "fd") >= 0 ? LINK : NONE;
}

static enum kind kind_of(const char *full)
{
    struct place p;
    if (!strcmp(full, "/proc"))
        return DIRECTORY;
    if (strncmp(full, "/proc/", 6))
        return NONE;
    if (place_named(full, &p)) /* self is a link, but everybody goes through it */
        return kind_of_process(&p);
    return find(proc_system, proc_system_count, full + 6)        ? FILE_MADE
           : is_folder(proc_system, proc_system_count, full + 6) ? DIRECTORY
                                                                 : NONE;
}

bool proc_is(const char *full)
{
    return full[0] == '/' && full[1] == 'p' &&
           (!strcmp(full, "/proc") || !strncmp(full, "/proc/", 6));
}

bool proc_attributes(const char *full, struct file_attributes *a)
{
    uint32_t hash = 5381;
    enum kind kind = kind_of(full);
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

void proc_numbered(const char *full, char *to, size_t size)
{
    struct place p;
    if (!place_named(full, &p))
        strlcpy(to, full, size);
    else if (p.thread == p.pid)
        snprintf(to, size, "/proc/%u/%s", p.pid, p.rest);
    else
        snprintf(to, size, "/proc/%u/task/%u/%s", p.pid, p.thread, p.rest);
}

int64_t proc_text(const char *full, char *to, size_t size)
{
    struct about a;
    const struct proc_file *f = file_named(full, &a);
    if (!f)
        return -1;
    size_t n = f->make(&a, to, size);
    return (int64_t)(n < size ? n : size - 1);
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
    case FILE_TEXT:
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

/* `to` must be there already (own_ready). */
static size_t other_executable(uint32_t pid, char *to, size_t size)
{
    size_t length = 0;
    size = size < PROCESS_EXECUTABLE_MAX ? size : PROCESS_EXECUTABLE_MAX;
    return process_executable(SLOT_PROCESS, pid, to, size, &length) ? 0 : length;
}

size_t proc_link(const char *full, char *to, size_t size)
{
    struct place p;
    if (!strcmp(full, "/proc/self"))
        return (size_t)snprintf(to, size, "%u", self.pid);
    if (!strcmp(full, "/proc/thread-self"))
        return (size_t)snprintf(to, size, "%u/task/%u", self.pid, block_self()->tid);
    if (!place_named(full, &p))
        return 0;
    if (p.pid != self.pid)
        return strcmp(p.rest, "exe") ? 0 : other_executable(p.pid, to, size);
    int fd = descriptor(&p, "fd");
    if (fd >= 0)
        return descriptor_target(fd, to, size);
    return !strcmp(p.rest, "exe")    ? strlcpy(to, self.executable, size)
           : !strcmp(p.rest, "cwd")  ? strlcpy(to, full_shown(self.cwd), size)
           : !strcmp(p.rest, "root") ? strlcpy(to, "/", size)
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

/* The index-th of the names and folders right below a folder ("" is the list's own). What is in
 * one folder stands together in a list. */
static bool name_below(const struct proc_file *list, unsigned count, const char *folder,
    unsigned index, struct proc_name *d)
{
    size_t n = strlen(folder), last = 0;
    const char *before = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *name = list[i].name;
        if (strncmp(name, folder, n) || (n && name[n] != '/'))
            continue;
        name += n ? n + 1 : 0;
        size_t part = (size_t)(strchrnul(name, '/') - name);
        bool same = before && part == last && !memcmp(before, name, part);
        before = name;
        last = part;
        if (same || index--)
            continue;
        give(d, name, name[part] ? TYPE_DIRECTORY : TYPE_FILE);
        d->text[part] = 0;
        return true;
    }
    return false;
}

static bool give_number(struct proc_name *d, uint32_t number, uint8_t type)
{
    char text[12];
    snprintf(text, sizeof text, "%u", number);
    return give(d, text, type);
}

/* Descriptors stand at their own numbers, so that one that is closed meanwhile moves no other. */
static bool descriptor_entry(uint64_t *position, uint8_t type, struct proc_name *d)
{
    for (uint64_t fd = *position - 2; fd < FDS_MAX; fd++)
        if (file_of(fd)) {
            *position = fd + 3;
            return give_number(d, (uint32_t)fd, type);
        }
    return false;
}

/* So do threads, at their blocks'. */
static bool thread_entry(uint32_t pid, uint64_t *position, struct proc_name *d)
{
    if (pid != self.pid)
        return *position == 2 && give_number(d, pid, TYPE_DIRECTORY) && ++*position;
    for (struct block *b = block_each(0); b; b = block_each(b))
        if (b->tid && block_index(b) >= *position - 2) {
            *position = block_index(b) + 3;
            return give_number(d, b->tid, TYPE_DIRECTORY);
        }
    return false;
}

static bool process_entry(const struct place *p, uint64_t *position, struct proc_name *d)
{
    const unsigned links = sizeof links_of_process / sizeof *links_of_process;
    const unsigned folders = sizeof folders_of_process / sizeof *folders_of_process;
    if (!strcmp(p->rest, "fd"))
        return descriptor_entry(position, TYPE_LINK, d);
    if (!strcmp(p->rest, "fdinfo"))
        return descriptor_entry(position, TYPE_FILE, d);
    if (!strcmp(p->rest, "task"))
        return thread_entry(p->pid, position, d);
    unsigned index = (unsigned)(*position)++ - 2;
    if (name_below(proc_process, proc_process_count, p->rest, index, d))
        return true;
    if (*p->rest)
        return false;
    for (unsigned i = 0; name_below(proc_process, proc_process_count, "", i, d); i++)
        index--;
    if (p->pid != self.pid)
        return !index ? give(d, "task", TYPE_DIRECTORY)
                      : index == 1 && p->pid != PROCESS_INIT && give(d, "exe", TYPE_LINK);
    if (index < links)
        return give(d, links_of_process[index], TYPE_LINK);
    return index - links < folders && give(d, folders_of_process[index - links], TYPE_DIRECTORY);
}

/* Of /proc itself positions count names; behind PIDS they are one more than a process's number. */
static bool top_entry(uint64_t *position, struct proc_name *d)
{
    static const char *const links[] = {"self", "thread-self"};
    uint32_t pid = 0;
    if (*position < PIDS) {
        unsigned index = (unsigned)(*position)++ - 2;
        if (index < 2)
            return give(d, links[index], TYPE_LINK);
        if (name_below(proc_system, proc_system_count, "", index - 2, d))
            return true;
        *position = PIDS + PROCESS_INIT;
        return give(d, "1", TYPE_DIRECTORY);
    }
    if (process_next(SLOT_PROCESS, (uint32_t)*position - PIDS, &pid))
        return false;
    *position = PIDS + pid;
    return give_number(d, pid, TYPE_DIRECTORY);
}

/* The entry at a position, which moves to the next one's. */
static bool entry_at(const char *full, uint64_t *position, struct proc_name *d)
{
    struct place p;
    if (*position < 2)
        return give(d, *position ? ".." : ".", TYPE_DIRECTORY), ++*position;
    if (!strcmp(full, "/proc"))
        return top_entry(position, d);
    if (place_named(full, &p))
        return process_entry(&p, position, d);
    return name_below(proc_system, proc_system_count, full + 6, (unsigned)(*position)++ - 2, d);
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
