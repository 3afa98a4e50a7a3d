/* SPDX-License-Identifier: MIT */
/*
 * /proc: made from what the process and memory servers say, when it is opened or listed.
 * Formats: Linux's Documentation/filesystems/proc.rst. "self" is the calling process.
 */
#include "layer.h"
#include <proto/file_client.h>
#include <proto/memory_client.h>
#include <proto/process_client.h>

#define TICK_NS 10000000ull

static const char *const plain[] = { "cpuinfo", "filesystems", "loadavg", "meminfo", "mounts", "stat",
                                     "uptime", "version" };
static const char *const of_process[] = { "cmdline", "comm", "stat", "statm", "status" };

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

static bool listed(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i], name))
            return true;
    return false;
}
#define LISTED(list, name) listed(list, sizeof list / sizeof *list, name)

struct about { struct process_identity identity; char name[PROCESS_NAME_MAX]; };

static bool about(uint32_t pid, struct about *a, size_t *length)
{
    own_ready(a, sizeof *a);
    return !process_identify(SLOT_PROCESS, pid, &a->identity, sizeof a->name, length);
}

static char state_letter(const struct process_identity *i)
{
    return i->state == PROCESS_STATE_ZOMBIE ? 'Z' : i->state == PROCESS_STATE_STOPPED ? 'T'
           : i->process == self.pid ? 'R' : 'S';
}

/* The program's name as /proc/PID/comm has it: the last part of the first word, 15 bytes. */
static void command_name(const struct about *a, size_t length, char out[16])
{
    char word[PROCESS_NAME_MAX + 1];
    memcpy(word, a->name, length);
    word[length] = 0;
    const char *last = strrchr(word, '/');
    strlcpy(out, last ? last + 1 : word, 16);
}

static size_t process_text(uint32_t pid, const char *what, char *to, size_t size)
{
    struct about a;
    size_t length = 0;
    char name[16];
    if (!about(pid, &a, &length))
        return 0;
    const struct process_identity *i = &a.identity;
    command_name(&a, length, name);
    if (!strcmp(what, "cmdline")) {
        memcpy(to, a.name, length);
        return length;
    }
    if (!strcmp(what, "comm"))
        return (size_t)snprintf(to, size, "%s\n", name);
    if (!strcmp(what, "statm"))
        return (size_t)snprintf(to, size, "0 0 0 0 0 0 0\n");
    if (!strcmp(what, "stat"))
        return (size_t)snprintf(to, size,
                                "%u (%s) %c %u %u %u 1281 %u 0 0 0 0 0 %lu 0 0 0 20 0 1 0 %lu 0 0 "
                                "18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 "
                                "0 0 %u\n",
                                i->process, name, state_letter(i), i->parent, i->group, i->session,
                                i->group, (unsigned long)(i->run_ns / TICK_NS),
                                (unsigned long)(i->started_ns / TICK_NS), i->status);
    return (size_t)snprintf(to, size,
                            "Name:\t%s\nState:\t%c\nTgid:\t%u\nPid:\t%u\nPPid:\t%u\n"
                            "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nThreads:\t1\n",
                            name, state_letter(i), pid, pid, i->parent);
}

static size_t system_text(const char *what, char *to, size_t size)
{
    struct memory_totals t;
    if (!strcmp(what, "meminfo")) {
        own_ready(&t, sizeof t);
        if (memory_totals(SLOT_MEMORY, &t))
            return 0;
        return (size_t)snprintf(to, size,
                                "MemTotal: %12lu kB\nMemFree: %13lu kB\nMemAvailable: %8lu kB\n"
                                "Buffers: %13u kB\nCached: %14u kB\nSwapTotal: %11u kB\n"
                                "SwapFree: %12u kB\n",
                                (unsigned long)t.pages * 4, (unsigned long)t.free * 4,
                                (unsigned long)t.free * 4, 0, 0, 0, 0);
    }
    if (!strcmp(what, "stat"))
        return (size_t)snprintf(to, size,
                                "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nintr 0\nctxt 0\n"
                                "btime %lu\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n",
                                (unsigned long)(self.realtime_ns / NS_PER_S));
    if (!strcmp(what, "cpuinfo"))
        return (size_t)snprintf(to, size, "processor\t: 0\nvendor_id\t: unknown\nmodel name\t: x86_64\n\n");
    return 0;
}

size_t proc_text(const char *full, char *to, size_t size)
{
    const char *rest;
    uint32_t pid = pid_named(full, &rest);
    if (pid)
        return LISTED(of_process, rest) ? process_text(pid, rest, to, size) : 0;
    return strncmp(full, "/proc/", 6) ? 0 : system_text(full + 6, to, size);
}

bool proc_attributes(const char *full, struct file_attributes *a)
{
    const char *rest = "";
    struct about who;
    size_t length;
    uint32_t pid = 0;
    bool directory = !strcmp(full, "/proc"), file = false;
    if (!directory && (pid = pid_named(full, &rest))) {
        if (!about(pid, &who, &length))
            return false;
        directory = !*rest;
        file = LISTED(of_process, rest);
    } else if (!directory && !strncmp(full, "/proc/", 6)) {
        file = LISTED(plain, full + 6);
    }
    if (!directory && !file)
        return false;
    memset(a, 0, sizeof *a);
    a->mode = directory ? S_IFDIR | 0555 : S_IFREG | 0444;
    a->links = directory ? 2 : 1;
    a->node = 4096 + pid * 16 + file;
    a->device = 4;
    a->block_size = 1024;
    a->accessed.seconds = a->modified.seconds = a->changed.seconds =
        (int64_t)(realtime_ns() / NS_PER_S);
    return true;
}

/* ---- directories: position N < 64 is a fixed name, 64 + PID a process ------------------------ */

struct dirent64 { uint64_t inode; int64_t next; uint16_t length; uint8_t type; char name[21]; };

static bool entry_next(const struct file *f, uint64_t *position, char name[21], uint8_t *type)
{
    const char *rest;
    bool top = !strcmp(f->path, "/proc");
    const char *const *list = top ? plain : of_process;
    size_t count = top ? sizeof plain / sizeof *plain : sizeof of_process / sizeof *of_process;
    uint32_t pid = 0;
    *type = 4;
    if (*position < 2) {
        strlcpy(name, *position ? ".." : ".", 21);
    } else if (*position - 2 < count) {
        *type = 8;
        strlcpy(name, list[*position - 2], 21);
    } else if (!top || pid_named(f->path, &rest) ||
               process_next(SLOT_PROCESS, *position < 64 ? 0 : (uint32_t)*position - 64, &pid)) {
        return false;
    } else {
        snprintf(name, 21, "%u", pid);
        *position = 64 + pid;
        return true;
    }
    ++*position;
    return true;
}

int64_t proc_entries(struct file *f, uint64_t to, size_t room)
{
    size_t done = 0;
    for (;;) {
        struct dirent64 d;
        uint64_t position = f->position;
        memset(&d, 0, sizeof d);
        if (!entry_next(f, &position, d.name, &d.type))
            return (int64_t)done;
        size_t need = (offsetof(struct dirent64, name) + strlen(d.name) + 1 + 7) & ~(size_t)7;
        if (done + need > room)
            return done ? (int64_t)done : -EINVAL;
        d.inode = 4096 + position;
        d.next = (int64_t)position;
        d.length = (uint16_t)need;
        if (!user_write(to + done, &d, need))
            return -EFAULT;
        done += need;
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
