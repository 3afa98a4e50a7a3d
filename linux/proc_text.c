/* SPDX-License-Identifier: MIT */
/* The texts of /proc. Formats: Linux's Documentation/filesystems/proc.rst and proc(5). */
#include "heap.h"
#include "proc.h"
#include <proto/file_client.h>
#include <proto/memory_client.h>

static char state_letter(const struct process_identity *i)
{
    return i->state == PROCESS_STATE_ZOMBIE ? 'Z' : i->state == PROCESS_STATE_STOPPED ? 'T'
           : i->process == self.pid ? 'R' : 'S';
}

/* The last part of the first word, 15 bytes; our own as prctl has set it. */
void proc_command(const struct about *a, char out[16])
{
    if (a->identity.process == self.pid) {
        memcpy(out, self.command, 16);
        out[15] = 0;
        return;
    }
    const char *last = strrchr(a->words, '/');
    strlcpy(out, last ? last + 1 : a->words, 16);
}

/* ---- of a process ---------------------------------------------------------------------------- */

static size_t make_cmdline(const struct about *a, char *to, size_t size)
{
    size_t n = a->length < size ? a->length : size;
    if (a->identity.process == PROCESS_INIT)
        n = strlen(a->words) + 1;
    memcpy(to, a->words, n);
    return n;
}

static size_t make_comm(const struct about *a, char *to, size_t size)
{
    char name[16];
    proc_command(a, name);
    return PRINT("%s\n", name);
}

/* Pages: all that is mapped, and what is there; of ourselves only. */
static void pages_of(const struct about *a, uint64_t *mapped, uint64_t *resident)
{
    struct memory_usage u;
    *mapped = *resident = a->identity.memory;
    if (a->identity.process != self.pid)
        return;
    own_ready(&u, sizeof u);
    if (!memory_usage(SLOT_MEMORY, &u)) {
        *mapped = pages_counted(&u);
        *resident = u.resident;
    }
}

static size_t make_statm(const struct about *a, char *to, size_t size)
{
    uint64_t mapped, resident;
    pages_of(a, &mapped, &resident);
    return PRINT("%lu %lu 0 0 0 %lu 0\n", (unsigned long)mapped, (unsigned long)resident,
                 (unsigned long)mapped);
}

static size_t make_stat(const struct about *a, char *to, size_t size)
{
    const struct process_identity *i = &a->identity;
    uint64_t mapped, resident;
    char name[16];
    proc_command(a, name);
    pages_of(a, &mapped, &resident);
    return PRINT("%u (%s) %c %u %u %u 0 -1 0 0 0 0 0 %lu 0 %lu 0 20 0 %u 0 %lu %lu %lu "
                 "18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 %u\n",
        a->thread, name, state_letter(i), i->parent, i->group, i->session,
        (unsigned long)(i->run_ns / TICK_NS), (unsigned long)(i->children_ns / TICK_NS),
        i->threads ? i->threads : 1, (unsigned long)(i->started_ns / TICK_NS),
        (unsigned long)(mapped * PAGE), (unsigned long)resident, i->status);
}

/* Only a process itself knows what it does with signals. */
static size_t add_signals(char *to, size_t size, size_t n)
{
    struct signal_sets s;
    signals_sets(&s);
    return text_add(to, size, n,
        "SigQ:\t0/%lu\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\n"
        "SigCgt:\t%016lx\n",
        (unsigned long)limit_of(LIMIT_SIGPENDING), 0ul, (unsigned long)s.pending,
        (unsigned long)s.blocked, (unsigned long)s.ignored, (unsigned long)s.caught);
}

static size_t make_status(const struct about *a, char *to, size_t size)
{
    const struct process_identity *i = &a->identity;
    char letter = state_letter(i), name[16];
    uint64_t mapped, resident;
    struct { struct process_ids ids; uint32_t groups[PROCESS_GROUPS_MAX]; } who;
    size_t bytes = 0;
    proc_command(a, name);
    pages_of(a, &mapped, &resident);
    own_ready(&who, sizeof who);
    memset(&who.ids, 0, sizeof who.ids);
    (void)process_ids(SLOT_PROCESS, i->process, &who.ids, sizeof who.groups, &bytes);
    const struct process_ids ids = who.ids;
    size_t n =
        PRINT("Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\n"
              "TracerPid:\t0\nUid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%u\nGroups:\t",
            name, self.umask, letter,
            letter == 'R'   ? "running"
            : letter == 'S' ? "sleeping"
            : letter == 'T' ? "stopped"
                            : "zombie",
            i->process, a->thread, i->parent, ids.real_user, ids.user, ids.saved_user,
            ids.file_user, ids.real_group, ids.group, ids.saved_group, ids.file_group, FDS_MAX);
    for (size_t g = 0; g < bytes / sizeof *who.groups; g++)
        n = text_add(to, size, n, "%u ", who.groups[g]);
    n = text_add(to, size, n,
        "%s\nVmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nThreads:\t%u\n",
        bytes ? "" : " ", (unsigned long)mapped * 4, (unsigned long)mapped * 4,
        (unsigned long)resident * 4, (unsigned long)resident * 4, i->threads ? i->threads : 1);
    if (i->process == self.pid)
        n = add_signals(to, size, n);
    unsigned long all = ids.user ? 0 : 0x1ffffffffff; /* capabilities */
    return text_add(to, size, n,
        "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%016lx\n"
        "Seccomp:\t0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n",
        0ul, all, all, 0x1fffffffffful, 0ul);
}

static size_t make_environ(const struct about *a, char *to, size_t size)
{
    uint64_t from, bytes;
    if (a->identity.process != self.pid)
        return 0;
    exec_environment(&from, &bytes);
    if (bytes >= size)
        bytes = size - 1;
    return user_read(to, from, bytes) ? bytes : 0;
}

static const char *area_name(uint64_t first, uint64_t end)
{
    uint64_t low, high;
    exec_extent(&low, &high);
    if (self.stack_low < end && first < self.stack_high)
        return "[stack]";
    if (first < high && low < end)
        return self.executable;
    if (first < self.brk_mapped && self.brk_start < end)
        return "[heap]";
    return "";
}

static size_t make_maps(const struct about *a, char *to, size_t size)
{
    uint64_t first = 0, length = 0;
    uint8_t p = 0;
    uint16_t flags = 0;
    size_t n = 0;
    if (a->identity.process != self.pid)
        return 0;
    for (uint64_t at = 0; n < size && !memory_area(SLOT_MEMORY, at, &first, &length, &p, &flags) &&
                          first < LAYER_BASE_ADDRESS; at = first + length)
        n += (size_t)snprintf(to + n, size - n, "%08lx-%08lx %c%c%c%c 00000000 00:00 0 %18s%s\n",
            (unsigned long)first, (unsigned long)(first + length),
            p & MEMORY_PROTECTION_READ ? 'r' : '-', p & MEMORY_PROTECTION_WRITE ? 'w' : '-',
            p & MEMORY_PROTECTION_EXEC ? 'x' : '-', flags & MEMORY_MAP_SHARED ? 's' : 'p', "",
            area_name(first, first + length));
    return n < size ? n : size - 1;
}

static size_t make_limits(const struct about *a, char *to, size_t size)
{
    static const struct {
        uint32_t which;
        const char *name, *unit;
    } shown[] = {
        {LIMIT_CPU, "Max cpu time", "seconds"},
        {LIMIT_FSIZE, "Max file size", "bytes"},
        {LIMIT_DATA, "Max data size", "bytes"},
        {LIMIT_STACK, "Max stack size", "bytes"},
        {LIMIT_CORE, "Max core file size", "bytes"},
        {LIMIT_RSS, "Max resident set", "bytes"},
        {LIMIT_NPROC, "Max processes", "processes"},
        {LIMIT_NOFILE, "Max open files", "files"},
        {LIMIT_MEMLOCK, "Max locked memory", "bytes"},
        {LIMIT_AS, "Max address space", "bytes"},
        {LIMIT_LOCKS, "Max file locks", "locks"},
        {LIMIT_SIGPENDING, "Max pending signals", "signals"},
        {LIMIT_MSGQUEUE, "Max msgqueue size", "bytes"},
        {LIMIT_NICE, "Max nice priority", ""},
        {LIMIT_RTPRIO, "Max realtime priority", ""},
        {LIMIT_RTTIME, "Max realtime timeout", "us"},
    };
    if (a->identity.process != self.pid)
        return 0;
    size_t n = PRINT("%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        uint64_t value[2] = {limit_of(shown[i].which), limit_most(shown[i].which)};
        char text[2][21];
        for (unsigned k = 0; k < 2; k++)
            if (value[k] == UINT64_MAX)
                strlcpy(text[k], "unlimited", sizeof text[k]);
            else
                snprintf(text[k], sizeof text[k], "%lu", (unsigned long)value[k]);
        n = text_add(to, size, n, "%-25s %-20s %-20s %-10s\n", shown[i].name, text[0], text[1],
            shown[i].unit);
    }
    return n;
}

static size_t make_fdinfo(const struct about *a, char *to, size_t size)
{
    struct file *f = a->file;
    struct file_attributes s;
    uint32_t cloexec = fd_cloexec(a->descriptor) ? O_CLOEXEC : 0;
    if (file_attributes_of(f, &s))
        s.node = 0;
    return PRINT("pos:\t%lu\nflags:\t0%o\nmnt_id:\t1\nino:\t%lu\n", (unsigned long)file_position(f),
        fd_flags(f) | cloexec, (unsigned long)s.node);
}
const struct proc_file proc_descriptor = {"fdinfo", make_fdinfo};

/* Names with the same folder stand together. */
const struct proc_file proc_process[] = {
    {"cmdline", make_cmdline},
    {"comm", make_comm},
    {"environ", make_environ},
    {"limits", make_limits},
    {"maps", make_maps},
    {"mountinfo", proc_mountinfo},
    {"mounts", proc_mounts},
    {"stat", make_stat},
    {"statm", make_statm},
    {"status", make_status},
    {"net/arp", proc_net_arp},
    {"net/dev", proc_net_dev},
    {"net/route", proc_net_route},
    {"net/tcp", proc_net_inet},
    {"net/tcp6", proc_net_inet},
    {"net/udp", proc_net_inet},
    {"net/udp6", proc_net_inet},
    {"net/unix", proc_net_unix},
};
const unsigned proc_process_count = sizeof proc_process / sizeof *proc_process;
