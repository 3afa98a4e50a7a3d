/* SPDX-License-Identifier: MIT */
/* The texts of /proc. Formats: Linux's Documentation/filesystems/proc.rst and proc(5). */
#include "proc.h"
#include "heap.h"
#include <proto/memory_client.h>

#define TICK_NS 10000000ull
#define PRINT(...) ((size_t)snprintf(to, size, __VA_ARGS__))
#define UNUSED(x) (void)(x)

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
                 i->process, name, state_letter(i), i->parent, i->group, i->session,
                 (unsigned long)(i->run_ns / TICK_NS), (unsigned long)(i->children_ns / TICK_NS),
                 i->threads ? i->threads : 1, (unsigned long)(i->started_ns / TICK_NS),
                 (unsigned long)(mapped * PAGE), (unsigned long)resident, i->status);
}

/* Adds to a text of n bytes; what does not fit is left out. */
__attribute__((format(printf, 4, 5))) static size_t add(
    char *to, size_t size, size_t n, const char *format, ...)
{
    va_list arguments;
    if (n >= size)
        return n;
    va_start(arguments, format);
    n += (size_t)vsnprintf(to + n, size - n, format, arguments);
    va_end(arguments);
    return n;
}

/* Only a process itself knows what it does with signals. */
static size_t add_signals(char *to, size_t size, size_t n)
{
    struct signal_sets s;
    signals_sets(&s);
    return add(to, size, n,
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
    size_t n = PRINT(
        "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\n"
        "TracerPid:\t0\nUid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%u\nGroups:\t",
        name, self.umask, letter,
        letter == 'R'   ? "running"
        : letter == 'S' ? "sleeping"
        : letter == 'T' ? "stopped"
                        : "zombie",
        i->process, i->process, i->parent, ids.real_user, ids.user, ids.saved_user, ids.file_user,
        ids.real_group, ids.group, ids.saved_group, ids.file_group, FDS_MAX);
    for (size_t g = 0; g < bytes / sizeof *who.groups; g++)
        n = add(to, size, n, "%u ", who.groups[g]);
    n = add(to, size, n,
        "%s\nVmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nThreads:\t%u\n",
        bytes ? "" : " ", (unsigned long)mapped * 4, (unsigned long)mapped * 4,
        (unsigned long)resident * 4, (unsigned long)resident * 4, i->threads ? i->threads : 1);
    if (i->process == self.pid)
        n = add_signals(to, size, n);
    unsigned long all = ids.user ? 0 : 0x1ffffffffff; /* capabilities */
    return add(to, size, n,
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

static size_t make_mountinfo(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT("1 1 0:1 / / rw - tmpfs ramfs rw\n2 1 0:4 / /proc rw - proc proc rw\n"
                 "3 1 0:5 / /dev rw - devtmpfs devtmpfs rw\n");
}

static size_t make_mounts(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT("ramfs / tmpfs rw 0 0\nproc /proc proc rw 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n");
}

const struct proc_file proc_process[] = {
    { "cmdline", make_cmdline }, { "comm", make_comm },           { "environ", make_environ },
    { "maps", make_maps },       { "mountinfo", make_mountinfo }, { "mounts", make_mounts },
    { "stat", make_stat },       { "statm", make_statm },         { "status", make_status },
};
const unsigned proc_process_count = sizeof proc_process / sizeof *proc_process;

/* ---- of the system --------------------------------------------------------------------------- */

static size_t make_meminfo(const struct about *a, char *to, size_t size)
{
    struct memory_totals t;
    UNUSED(a);
    own_ready(&t, sizeof t);
    if (memory_totals(SLOT_MEMORY, &t))
        return 0;
    return PRINT("MemTotal:   %12lu kB\nMemFree:    %12lu kB\nMemAvailable: %10lu kB\n"
                 "Buffers:    %12u kB\nCached:     %12u kB\nSwapTotal:  %12u kB\n"
                 "SwapFree:   %12u kB\nShmem:      %12lu kB\nSReclaimable: %10u kB\n",
        (unsigned long)t.pages * 4, (unsigned long)t.free * 4, (unsigned long)t.free * 4, 0, 0, 0,
        0, (unsigned long)t.shared * 4, 0);
}

static size_t make_system_stat(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    unsigned long idle = (unsigned long)(now_ns() / TICK_NS);
    return PRINT("cpu  0 0 0 %lu 0 0 0 0 0 0\ncpu0 0 0 0 %lu 0 0 0 0 0 0\nintr 0\nctxt 0\n"
                 "btime %lu\nprocesses %u\nprocs_running 1\nprocs_blocked 0\n",
                 idle, idle, (unsigned long)(self.realtime_ns / NS_PER_S), self.pid);
}

static void cpu_words(uint32_t leaf, uint32_t out[4])
{
    out[0] = leaf;
    out[2] = 0;
    __asm__ volatile("cpuid" : "+a"(out[0]), "=b"(out[1]), "+c"(out[2]), "=d"(out[3]));
}

static size_t make_cpuinfo(const struct about *a, char *to, size_t size)
{
    static const struct { uint8_t word, bit; const char *name;
    } flags[] = {
        {3, 0, "fpu"},
        {3, 4, "tsc"},
        {3, 5, "msr"},
        {3, 6, "pae"},
        {3, 8, "cx8"},
        {3, 15, "cmov"},
        {3, 23, "mmx"},
        {3, 24, "fxsr"},
        {3, 25, "sse"},
        {3, 26, "sse2"},
        {2, 0, "pni"},
        {2, 9, "ssse3"},
        {2, 13, "cx16"},
        {2, 19, "sse4_1"},
        {2, 20, "sse4_2"},
        {2, 23, "popcnt"},
        {2, 28, "avx"},
        {2, 30, "rdrand"},
    };
    uint32_t vendor[4], features[4], text[3];
    size_t n = 0;
    UNUSED(a);
    cpu_words(0, vendor);
    cpu_words(1, features);
    text[0] = vendor[1], text[1] = vendor[3], text[2] = vendor[2];
    for (uint32_t cpu = 0; cpu < self.cores && n < size; cpu++) {
        n += (size_t)snprintf(to + n, size - n,
            "processor\t: %u\nvendor_id\t: %.12s\ncpu family\t: %u\nmodel\t\t: %u\n"
            "model name\t: x86_64\ncpu MHz\t\t: %lu.000\nflags\t\t:",
            cpu, (const char *)text, features[0] >> 8 & 15, features[0] >> 4 & 15,
            (unsigned long)(self.tsc_hz / 1000000));
        for (unsigned i = 0; i < sizeof flags / sizeof *flags && n < size; i++)
            if (features[flags[i].word] >> flags[i].bit & 1)
                n += (size_t)snprintf(to + n, size - n, " %s", flags[i].name);
        n += n < size ? (size_t)snprintf(to + n, size - n, "\n\n") : 0;
    }
    return n;
}

static size_t make_uptime(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    unsigned long s = (unsigned long)(now_ns() / NS_PER_S);
    unsigned long hundredths = (unsigned long)(now_ns() % NS_PER_S / TICK_NS);
    return PRINT("%lu.%02lu %lu.%02lu\n", s, hundredths, s, hundredths);
}

static size_t make_loadavg(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT("0.00 0.00 0.00 1/1 %u\n", self.pid);
}

static size_t make_version(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT("Linux version 6.1.0-pith (Pith)\n");
}

static size_t make_filesystems(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT("nodev\tproc\nnodev\ttmpfs\nnodev\tdevtmpfs\n");
}

static size_t make_servers(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return servers_text(to, size);
}

static size_t make_log(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return servers_log(to, size);
}

static size_t make_hostname(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT("%s\n", host_name());
}

#define FIXED(name, text)                                                                    \
    static size_t make_##name(const struct about *a, char *to, size_t size)                  \
    {                                                                                        \
        UNUSED(a);                                                                           \
        return strlcpy(to, text "\n", size);                                                 \
    }
FIXED(cap_last_cap, "40")
FIXED(ngroups_max, "65536")
FIXED(osrelease, "6.1.0-pith")
FIXED(ostype, "Linux")
FIXED(pid_max, "32768")
FIXED(kernel_version, "#1 SMP Pith")

const struct proc_file proc_system[] = {
    {"cpuinfo", make_cpuinfo},
    {"filesystems", make_filesystems},
    {"loadavg", make_loadavg},
    {"meminfo", make_meminfo},
    {"mounts", make_mounts},
    {"stat", make_system_stat},
    {"uptime", make_uptime},
    {"version", make_version},
    {"pith/log", make_log},
    {"pith/servers", make_servers},
    {"sys/kernel/cap_last_cap", make_cap_last_cap},
    {"sys/kernel/hostname", make_hostname},
    {"sys/kernel/ngroups_max", make_ngroups_max},
    {"sys/kernel/osrelease", make_osrelease},
    {"sys/kernel/ostype", make_ostype},
    {"sys/kernel/pid_max", make_pid_max},
    {"sys/kernel/version", make_kernel_version},
};
const unsigned proc_system_count = sizeof proc_system / sizeof *proc_system;
