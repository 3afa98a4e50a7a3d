/* SPDX-License-Identifier: MIT */
/* uname, random bytes, and other small answers. */
#include "layer.h"
#include <proto/memory_client.h>
#include <proto/process_client.h>

/* ---- random: ChaCha20 (RFC 8439), key from the process server, never a constant ------------ */

static uint32_t rotate(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static void quarter(uint32_t *s, unsigned a, unsigned b, unsigned c, unsigned d)
{
    s[a] += s[b]; s[d] = rotate(s[d] ^ s[a], 16);
    s[c] += s[d]; s[b] = rotate(s[b] ^ s[c], 12);
    s[a] += s[b]; s[d] = rotate(s[d] ^ s[a], 8);
    s[c] += s[d]; s[b] = rotate(s[b] ^ s[c], 7);
}

static void chacha(const uint64_t key[4], uint64_t counter, uint32_t out[16])
{
    uint32_t s[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
    memcpy(&s[4], key, 32);
    memcpy(&s[12], &counter, 8);
    memcpy(out, s, 64);
    for (unsigned i = 0; i < 10; i++) {
        quarter(out, 0, 4, 8, 12); quarter(out, 1, 5, 9, 13);
        quarter(out, 2, 6, 10, 14); quarter(out, 3, 7, 11, 15);
        quarter(out, 0, 5, 10, 15); quarter(out, 1, 6, 11, 12);
        quarter(out, 2, 7, 8, 13); quarter(out, 3, 4, 9, 14);
    }
    for (unsigned i = 0; i < 16; i++)
        out[i] += s[i];
}

/* Each block's first half becomes the next key, so that what was given cannot be found again. */
void random_fill(void *to, size_t bytes)
{
    uint8_t *at = to;
    while (bytes) {
        uint32_t block[16];
        size_t now = bytes < 32 ? bytes : 32;
        chacha(self.random, now_ns(), block);
        memcpy(self.random, block, 32);
        memcpy(at, &block[8], now);
        at += now;
        bytes -= now;
    }
}

int64_t sys_getrandom(const uint64_t *a)
{
    uint8_t block[256];
    if (a[2] & ~7ull || (a[2] & 6) == 6)
        return -EINVAL;
    for (uint64_t done = 0; done < a[1]; done += sizeof block) {
        size_t now = a[1] - done < sizeof block ? a[1] - done : sizeof block;
        random_fill(block, now);
        if (!user_write(a[0] + done, block, now))
            return done ? (int64_t)done : -EFAULT;
    }
    return (int64_t)a[1];
}

/* ---- names --------------------------------------------------------------------------------- */

/* The process server keeps it for all. */
const char *host_name(void)
{
    static char name[PROCESS_HOST_NAME_MAX + 1];
    size_t n = 0;
    if (!process_host_name(SLOT_PROCESS, "", 0, name, PROCESS_HOST_NAME_MAX, &n))
        name[n] = 0;
    return name;
}

int64_t sys_uname(const uint64_t *a)
{
    static const char fixed[6][65] = {"Linux", "", "6.1.0-pith", "#1 SMP Pith", "x86_64", "(none)"};
    char u[6][65];
    memcpy(u, fixed, sizeof u);
    strlcpy(u[1], host_name(), 65);
    return user_write(a[0], u, sizeof u) ? 0 : -EFAULT;
}

int64_t sys_sethostname(const uint64_t *a)
{
    char name[PROCESS_HOST_NAME_MAX], now[PROCESS_HOST_NAME_MAX];
    size_t n = 0;
    if (!a[1] || a[1] > sizeof name)
        return -EINVAL;
    if (!user_read(name, a[0], a[1]))
        return -EFAULT;
    return errno_of(process_host_name(SLOT_PROCESS, name, a[1], now, sizeof now, &n));
}

int64_t sys_sysinfo(const uint64_t *a)
{
    struct memory_totals t;
    struct {
        int64_t uptime; uint64_t loads[3], total, free, shared, buffer, swap, swap_free;
        uint16_t processes; uint64_t high, high_free; uint32_t unit, pad;
    } s;
    memset(&s, 0, sizeof s);
    s.uptime = (int64_t)(now_ns() / NS_PER_S);
    s.unit = 1;
    s.processes = 1;
    if (!memory_totals(SLOT_MEMORY, &t)) {
        s.total = t.pages * PAGE;
        s.free = t.free * PAGE;
    }
    return user_write(a[0], &s, 112) ? 0 : -EFAULT;
}

static int64_t name_set(uint64_t from)
{
    char name[16];
    size_t n = 0;
    for (; n < 15; n++)
        if (!user_read(name + n, from + n, 1))
            return -EFAULT;
        else if (!name[n])
            break;
    name[n] = 0;
    memcpy(self.command, name, sizeof name);
    return 0;
}

/* What a process has set for itself and a fork's child gets; exec puts some back. */
static struct {
    uint32_t death_signal;
    bool adopts, no_new_privileges, keeps, closed;
} settings;

void settings_exec(void)
{
    settings.keeps = settings.closed = false;
}

void settings_child(void)
{
    settings.death_signal = 0;
    settings.adopts = false;
}

static int64_t number_out(uint64_t to, uint32_t value)
{
    return user_write(to, &value, sizeof value) ? 0 : -EFAULT;
}

int64_t sys_prctl(const uint64_t *a)
{
    enum {
        SET_PDEATHSIG = 1,
        GET_PDEATHSIG,
        GET_DUMPABLE,
        SET_DUMPABLE,
        GET_KEEPCAPS = 7,
        SET_KEEPCAPS,
        SET_NAME = 15,
        GET_NAME,
        GET_SECCOMP = 21,
        CAPBSET_READ = 23,
        SET_CHILD_SUBREAPER = 36,
        GET_CHILD_SUBREAPER,
        SET_NO_NEW_PRIVS,
        GET_NO_NEW_PRIVS,
        CAP_AMBIENT = 47,
        LAST_CAPABILITY = 40,
    };
    switch (a[0]) {
    case SET_NAME:
        return name_set(a[1]);
    case GET_NAME:
        return user_write(a[1], self.command, 16) ? 0 : -EFAULT;
    case SET_PDEATHSIG:
        if (a[1] > SIGNALS)
            return -EINVAL;
        settings.death_signal = (uint32_t)a[1];
        return errno_of(process_set_death_signal(SLOT_PROCESS, (uint32_t)a[1]));
    case GET_PDEATHSIG:
        return number_out(a[1], settings.death_signal);
    case SET_CHILD_SUBREAPER:
        settings.adopts = a[1] != 0;
        return errno_of(process_adopt_orphans(SLOT_PROCESS, settings.adopts));
    case GET_CHILD_SUBREAPER:
        return number_out(a[1], settings.adopts);
    case GET_DUMPABLE:
        return !settings.closed;
    case SET_DUMPABLE:
        if (a[1] > 1)
            return -EINVAL;
        settings.closed = !a[1];
        return 0;
    case GET_KEEPCAPS:
        return settings.keeps;
    case SET_KEEPCAPS:
        if (a[1] > 1)
            return -EINVAL;
        settings.keeps = a[1];
        return 0;
    case SET_NO_NEW_PRIVS: /* no program gives any: set-id bits are not honoured */
        if (a[1] != 1 || a[2] || a[3] || a[4])
            return -EINVAL;
        settings.no_new_privileges = true;
        return 0;
    case GET_NO_NEW_PRIVS:
        return a[1] || a[2] || a[3] || a[4] ? -EINVAL : settings.no_new_privileges;
    case GET_SECCOMP:
        return 0;
    case CAP_AMBIENT: /* nothing is in this set, and nothing can be put there */
        return a[1] == 2 ? -EPERM : a[1] < 1 || a[1] > 4 || a[2] > LAST_CAPABILITY ? -EINVAL : 0;
    case CAPBSET_READ:
        return a[1] <= LAST_CAPABILITY ? 1 : -EINVAL;
    default:
        return -EINVAL;
    }
}

int64_t sys_getcpu(const uint64_t *a)
{
    uint32_t zero = 0;
    if ((a[0] && !user_write(a[0], &zero, 4)) || (a[1] && !user_write(a[1], &zero, 4)))
        return -EFAULT;
    return 0;
}

/* How the program wants to be run: kept, and nothing more. */
int64_t sys_personality(const uint64_t *a)
{
    static uint32_t personality;
    uint32_t old = personality;
    if ((uint32_t)a[0] != UINT32_MAX)
        personality = (uint32_t)a[0];
    return old;
}

int64_t sys_restart_syscall(const uint64_t *a)
{
    (void)a;
    return -EINTR;
}

int64_t sys_reboot(const uint64_t *a)
{
    if (a[0] != 0xfee1dead)
        return -EINVAL;
    if (a[2] == 0 || a[2] == 0x89abcdef) /* CAD off, on */
        return 0;
    if (self.ids.user)
        return -EPERM;
    return machine_end(0);
}
