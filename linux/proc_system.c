/* SPDX-License-Identifier: MIT */
/* The texts of /proc that are the system's. Formats: as in proc_text.c. */
#include "proc.h"
#include <proto/memory_client.h>


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

struct load {
    uint64_t busy_ns; /* that programs have run, those that have ended too; all on the first core */
    unsigned threads;
};

/* Of what servers do for programs as much as is counted for those who asked. */
static struct load load_now(void)
{
    struct load l = {0, 0};
    struct process_identity i;
    uint32_t pid = 0;
    size_t length = 0;
    own_ready(&i, sizeof i);
    while (!process_next(SLOT_PROCESS, pid, &pid)) {
        if (process_identify(SLOT_PROCESS, pid, &i, 0, &length))
            continue; /* it has gone meanwhile */
        l.busy_ns += i.run_ns + i.children_ns;
        l.threads += i.threads;
    }
    return l;
}

static uint64_t idle_of(const struct load *l, uint64_t now)
{
    return l->busy_ns < now ? now - l->busy_ns : 0;
}

static size_t make_system_stat(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    uint64_t now = now_ns();
    struct load l = load_now();
    unsigned long busy = (unsigned long)(l.busy_ns / TICK_NS);
    unsigned long first = (unsigned long)(idle_of(&l, now) / TICK_NS);
    unsigned long others = (unsigned long)((self.cores - 1) * (now / TICK_NS));
    size_t n = PRINT("cpu  %lu 0 0 %lu 0 0 0 0 0 0\n", busy, first + others);
    for (uint32_t core = 0; core < self.cores; core++)
        n = text_add(to, size, n, "cpu%u %lu 0 0 %lu 0 0 0 0 0 0\n", core, core ? 0 : busy,
            core ? (unsigned long)(now / TICK_NS) : first);
    return text_add(to, size, n,
        "intr 0\nctxt 0\nbtime %lu\nprocesses %u\nprocs_running 1\nprocs_blocked 0\n",
        (unsigned long)(self.realtime_ns / NS_PER_S), self.pid);
}

static void cpu_words(uint32_t leaf, uint32_t out[4])
{
    out[0] = leaf;
    out[2] = 0;
    __asm__ volatile("cpuid" : "+a"(out[0]), "=b"(out[1]), "+c"(out[2]), "=d"(out[3]));
}

static size_t make_cpuinfo(const struct about *a, char *to, size_t size)
{
    static const struct {
        uint8_t word, bit;
        const char *name;
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
    uint64_t now = now_ns();
    struct load l = load_now();
    unsigned long up = (unsigned long)(now / TICK_NS);
    unsigned long idle = (unsigned long)((idle_of(&l, now) + (self.cores - 1) * now) / TICK_NS);
    return PRINT("%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
}

static size_t make_loadavg(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT("0.00 0.00 0.00 1/%u %u\n", load_now().threads, self.pid);
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

#define FIXED(name, text)                                                                          \
    static size_t make_##name(const struct about *a, char *to, size_t size)                        \
    {                                                                                              \
        UNUSED(a);                                                                                 \
        return strlcpy(to, text "\n", size);                                                       \
    }
FIXED(cap_last_cap, "40")
FIXED(ngroups_max, "65536")
FIXED(osrelease, "6.1.0-pith")
FIXED(ostype, "Linux")
FIXED(pid_max, "32768")
FIXED(kernel_version, "#1 SMP Pith")

FIXED(fs_file_max, "9223372036854775807")
FIXED(fs_nr_open, "4096")
FIXED(fs_pipe_max_size, "65536")
FIXED(domainname, "(none)")
FIXED(core_pattern, "core")
FIXED(threads_max, "4096")
FIXED(max_map_count, "65530")
FIXED(overcommit_memory, "0")
FIXED(swappiness, "60")

static size_t make_nothing(const struct about *a, char *to, size_t size)
{
    UNUSED(a), UNUSED(to), UNUSED(size);
    return 0;
}

static size_t make_swaps(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
}

static size_t uuid(const uint8_t from[16], char *to, size_t size)
{
    size_t n = 0;
    for (unsigned i = 0; i < 16; i++)
        n += (size_t)snprintf(to + n, size - n, "%s%02x",
            i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
            i == 6   ? (from[i] & 15u) | 64u
            : i == 8 ? (from[i] & 63u) | 128u
                     : from[i]);
    return n + (size_t)snprintf(to + n, size - n, "\n");
}

static size_t make_uuid(const struct about *a, char *to, size_t size)
{
    uint8_t bytes[16];
    UNUSED(a);
    random_fill(bytes, sizeof bytes);
    return uuid(bytes, to, size);
}

/* ---- network: none yet ----------------------------------------------------------------------- */

size_t proc_net_arp(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT(
        "IP address       HW type     Flags       HW address            Mask     Device\n");
}

size_t proc_net_dev(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT(
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets"
        " errs drop fifo colls carrier compressed\n");
}

size_t proc_net_inet(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
                 "  timeout inode\n");
}

size_t proc_net_route(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow"
                 "\tIRTT\n");
}

size_t proc_net_unix(const struct about *a, char *to, size_t size)
{
    UNUSED(a);
    return PRINT("Num       RefCount Protocol Flags    Type St Inode Path\n");
}

/* Names with the same folder stand together. */
const struct proc_file proc_system[] = {
    {"cpuinfo", make_cpuinfo},
    {"diskstats", make_nothing},
    {"filesystems", make_filesystems},
    {"loadavg", make_loadavg},
    {"meminfo", make_meminfo},
    {"modules", make_nothing},
    {"mounts", proc_mounts},
    {"partitions", make_nothing},
    {"stat", make_system_stat},
    {"swaps", make_swaps},
    {"uptime", make_uptime},
    {"version", make_version},
    {"net/arp", proc_net_arp},
    {"net/dev", proc_net_dev},
    {"net/route", proc_net_route},
    {"net/tcp", proc_net_inet},
    {"net/tcp6", proc_net_inet},
    {"net/udp", proc_net_inet},
    {"net/udp6", proc_net_inet},
    {"net/unix", proc_net_unix},
    {"pith/log", make_log},
    {"pith/servers", make_servers},
    {"sys/fs/file-max", make_fs_file_max},
    {"sys/fs/nr_open", make_fs_nr_open},
    {"sys/fs/pipe-max-size", make_fs_pipe_max_size},
    {"sys/kernel/cap_last_cap", make_cap_last_cap},
    {"sys/kernel/core_pattern", make_core_pattern},
    {"sys/kernel/domainname", make_domainname},
    {"sys/kernel/hostname", make_hostname},
    {"sys/kernel/ngroups_max", make_ngroups_max},
    {"sys/kernel/osrelease", make_osrelease},
    {"sys/kernel/ostype", make_ostype},
    {"sys/kernel/pid_max", make_pid_max},
    {"sys/kernel/random/uuid", make_uuid},
    {"sys/kernel/threads-max", make_threads_max},
    {"sys/kernel/version", make_kernel_version},
    {"sys/vm/max_map_count", make_max_map_count},
    {"sys/vm/overcommit_memory", make_overcommit_memory},
    {"sys/vm/swappiness", make_swappiness},
};
const unsigned proc_system_count = sizeof proc_system / sizeof *proc_system;
