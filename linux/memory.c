/* SPDX-License-Identifier: MIT */
/* mmap and its kin. The memory server keeps the mappings; we keep brk. */
#include "layer.h"
#include <proto/file_client.h>
#include <proto/memory_client.h>

static uint64_t pages_up(uint64_t n)
{
    return (n + PAGE - 1) & ~(PAGE - 1);
}

static uint8_t protection_of(uint64_t prot)
{
    return (uint8_t)((prot & PROT_READ ? MEMORY_PROTECTION_READ : 0) |
                     (prot & PROT_WRITE ? MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE : 0) |
                     (prot & PROT_EXEC ? MEMORY_PROTECTION_READ | MEMORY_PROTECTION_EXEC : 0));
}

/* One piece is kept for the next call that wants one; where the program unmaps what it never
 * mapped, it is forgotten. */
static uint64_t kept;
static bool kept_busy;

int64_t memory_scratch(uint64_t bytes, uint64_t *address)
{
    bool keep = bytes <= SCRATCH_KEPT && !kept_busy;
    if (keep && kept) {
        kept_busy = true;
        *address = kept;
        return 0;
    }
    int64_t e = errno_of(memory_map(SLOT_MEMORY, 0, keep ? SCRATCH_KEPT : pages_up(bytes),
        MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE, 0, address));
    if (!e && keep) {
        kept = *address;
        kept_busy = true;
    }
    return e;
}

void memory_scratch_free(uint64_t address, uint64_t bytes)
{
    if (address == kept)
        kept_busy = false;
    else
        memory_unmap(SLOT_MEMORY, address, pages_up(bytes), 0);
}

void memory_scratch_forget(void)
{
    kept = 0;
    kept_busy = false;
}

void memory_scratch_idle(void)
{
    kept_busy = false;
}

/* The program maps or unmaps a range itself. */
static void scratch_meets(uint64_t address, uint64_t bytes)
{
    if (kept && address < kept + SCRATCH_KEPT && kept < address + bytes)
        memory_scratch_forget();
}

/* Fills a fresh mapping from a file; what lies behind its end stays zero. */
int64_t map_fill(struct file *f, uint64_t address, uint64_t bytes, uint64_t offset)
{
    for (uint64_t done = 0; done < bytes;) {
        size_t now = bytes - done < 256 * 1024 ? bytes - done : 256 * 1024;
        now = user_ready(address + done, now, true);
        int64_t n = now ? file_read_at(f, offset + done, (void *)(address + done), now) : -EFAULT;
        if (n <= 0)
            return n;
        done += (uint64_t)n;
        if ((size_t)n < now)
            break;
    }
    return 0;
}

int64_t map_file(struct file *f, uint64_t address, uint64_t bytes, uint64_t offset, uint64_t prot,
                 bool shared)
{
    return errno_of(
        file_map(f->slot, SLOT_MEMORY, address, bytes, offset, protection_of(prot), shared));
}

/* A file's pages in a mapping that was just made: the file's own, or, of files that cannot be
 * mapped, a copy for reading. */
static int64_t map_content(struct file *f, uint64_t address, uint64_t bytes, uint64_t offset,
                           uint64_t prot, bool shared)
{
    int64_t e = map_file(f, address, bytes, offset, prot, shared);
    if (e != -ENODEV || (shared && prot & PROT_WRITE))
        return e;
    e = errno_of(
        memory_protect(SLOT_MEMORY, address, bytes, protection_of(PROT_READ | PROT_WRITE), 0));
    if (!e)
        e = map_fill(f, address, bytes, offset);
    return e ? e : errno_of(memory_protect(SLOT_MEMORY, address, bytes, protection_of(prot), 0));
}

int64_t sys_mmap(const uint64_t *a)
{
    uint64_t address = a[0], bytes = pages_up(a[1]), prot = a[2], how = a[3], offset = a[5];
    uint16_t flags = 0;
    struct file *f = how & MAP_ANONYMOUS ? 0 : file_of((uint32_t)a[4]);
    if (!a[1] || offset & (PAGE - 1) || !(how & 3) || (how & MAP_ANONYMOUS && (how & 3) == 3))
        return -EINVAL;
    if (bytes < a[1])
        return -ENOMEM;
    if (!(how & MAP_ANONYMOUS) && !f)
        return -EBADF;
    if (f && f->flags & O_PATH)
        return -EBADF;
    if (f && f->kind != FILE_PLAIN && f->kind != FILE_ZERO)
        return -ENODEV;
    if (f && (f->flags & O_ACCMODE) == O_WRONLY)
        return -EACCES;
    if (f && f->kind == FILE_PLAIN && how & 1 && prot & PROT_WRITE &&
        (how & 3) == MAP_SHARED_LINUX && (f->flags & O_ACCMODE) != O_RDWR)
        return -EACCES;
    if (f && how & MAP_SHARED_LINUX && prot & PROT_WRITE && seals_forbid_write(f))
        return -EPERM;
    if (how & (MAP_FIXED_LINUX | MAP_FIXED_NOREPLACE)) {
        if (address & (PAGE - 1))
            return -EINVAL;
        if (!user_range(address, bytes))
            return -ENOMEM;
        flags |= MEMORY_MAP_FIXED | (how & MAP_FIXED_NOREPLACE ? MEMORY_MAP_NO_REPLACE : 0);
    } else {
        address &= ~(PAGE - 1);
        if (!user_range(address, bytes))
            address = 0;
    }
    bool shared = how & MAP_SHARED_LINUX && (how & 3) != 2, plain = f && f->kind == FILE_PLAIN;
    if (shared && !plain)
        flags |= MEMORY_MAP_SHARED;
    if (how & MAP_POPULATE_LINUX && !plain)
        flags |= MEMORY_MAP_POPULATE;
    if (how & MAP_NORESERVE_LINUX)
        flags |= MEMORY_MAP_NO_RESERVE;
    if (how & MAP_32BIT)
        flags |= MEMORY_MAP_LOW;
    if (!limit_memory(bytes))
        return -ENOMEM;
    self.shares_memory |= shared;
    if (flags & MEMORY_MAP_FIXED)
        scratch_meets(address, bytes);
    uint64_t got = 0;
    int64_t e = errno_of(memory_map(SLOT_MEMORY, address, bytes, protection_of(prot), flags, &got));
    if (!e && plain) {
        e = map_content(f, got, bytes, offset, prot, shared);
        if (e)
            memory_unmap(SLOT_MEMORY, got, bytes, 0);
    }
    return e ? e : (int64_t)got;
}

int64_t sys_munmap(const uint64_t *a)
{
    if (a[0] & (PAGE - 1) || !a[1] || !user_range(a[0], pages_up(a[1])))
        return -EINVAL;
    scratch_meets(a[0], pages_up(a[1]));
    return errno_of(memory_unmap(SLOT_MEMORY, a[0], pages_up(a[1]), 0));
}

/* Up to the first hole, as Linux does before it says ENOMEM. */
static void protect_before_hole(uint64_t address, uint64_t end, uint8_t wanted)
{
    uint64_t first = 0, length = 0, at = address;
    uint8_t protection;
    uint16_t flags;
    while (at < end && !memory_area(SLOT_MEMORY, at, &first, &length, &protection, &flags) &&
           first <= at)
        at = first + length;
    if (at > address)
        (void)memory_protect(SLOT_MEMORY, address, (at < end ? at : end) - address, wanted, 0);
}

int64_t sys_mprotect(const uint64_t *a)
{
    const uint64_t grows = 0x3000000; /* PROT_GROWSDOWN, PROT_GROWSUP: as if they were not there */
    if (a[0] & (PAGE - 1) || a[2] & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC | grows))
        return -EINVAL;
    if (!a[1])
        return 0;
    if (!user_range(a[0], pages_up(a[1])))
        return -ENOMEM;
    int64_t e = errno_of(memory_protect(SLOT_MEMORY, a[0], pages_up(a[1]), protection_of(a[2]), 0));
    if (e == -EFAULT || e == -ENOMEM) {
        protect_before_hole(a[0], a[0] + pages_up(a[1]), protection_of(a[2]));
        return -ENOMEM;
    }
    return e == -EPERM ? -EACCES : e;
}

int64_t sys_mremap(const uint64_t *a)
{
    uint64_t got = 0;
    if (a[0] & (PAGE - 1) || !a[2] || a[3] & ~3ull || !user_range(a[0], pages_up(a[1])))
        return -EINVAL;
    if (!user_range(0, a[2]))
        return -ENOMEM;
    scratch_meets(a[0], pages_up(a[1]));
    if (a[3] & 2)
        scratch_meets(a[4], pages_up(a[2]));
    int64_t e = errno_of(memory_remap(SLOT_MEMORY, a[0], pages_up(a[1]), pages_up(a[2]), a[3] & 1,
                                      a[4], a[3] & 2, &got));
    return e ? e : (int64_t)got;
}

/* Is every page of a range mapped? */
static bool all_mapped(uint64_t at, uint64_t bytes)
{
    uint64_t end = at + bytes, first = 0, length = 0;
    uint8_t protection;
    uint16_t flags;
    if (end < at)
        return false;
    for (; at < end; at = first + length)
        if (memory_area(SLOT_MEMORY, at, &first, &length, &protection, &flags) || first > at)
            return false;
    return true;
}

static bool advice_known(uint64_t advice)
{
    return advice <= 4 || (advice >= 8 && advice <= 25) || advice == 100 || advice == 101;
}

int64_t sys_madvise(const uint64_t *a)
{
    uint64_t bytes = pages_up(a[1]);
    if (a[0] & (PAGE - 1) || !advice_known((uint32_t)a[2]) || (a[1] && !bytes))
        return -EINVAL;
    if (!bytes)
        return 0;
    if (!user_range(a[0], bytes))
        return -ENOMEM;
    bool whole = all_mapped(a[0], bytes);
    if (a[2] == 4 /* MADV_DONTNEED */) {
        int64_t e = errno_of(memory_discard(SLOT_MEMORY, a[0], bytes));
        if (e && whole)
            return e;
    }
    return whole ? 0 : -ENOMEM;
}

/* Files' pages are the server's own: there is nothing to write back. */
int64_t sys_msync(const uint64_t *a)
{
    if (a[0] & (PAGE - 1) || a[2] & ~7ull || (a[2] & 5) == 5)
        return -EINVAL;
    return all_mapped(a[0], pages_up(a[1])) ? 0 : -ENOMEM;
}

/* Which pages are in memory: without swap all that are mapped may as well be. */
int64_t sys_mincore(const uint64_t *a)
{
    uint64_t pages = pages_up(a[1]) / PAGE;
    if (a[0] & (PAGE - 1))
        return -EINVAL;
    if (!user_range(a[0], a[1]) || !all_mapped(a[0], pages * PAGE))
        return -ENOMEM;
    for (uint64_t i = 0; i < pages; i += 64) {
        uint8_t told[64];
        uint64_t bits = 0, now = pages - i < 64 ? pages - i : 64;
        int64_t e = errno_of(memory_resident(SLOT_MEMORY, a[0] + i * PAGE, &bits));
        if (e)
            return e;
        for (uint64_t k = 0; k < now; k++)
            told[k] = bits >> k & 1;
        if (!user_write(a[2] + i, told, now))
            return -EFAULT;
    }
    return 0;
}

/* Nothing is ever taken out of memory. */
int64_t sys_mlock(const uint64_t *a)
{
    uint64_t first = a[0] & ~(PAGE - 1);
    return all_mapped(first, pages_up(a[0] + a[1] - first)) ? 0 : -ENOMEM;
}

int64_t sys_mlock2(const uint64_t *a)
{
    return a[2] & ~1ull ? -EINVAL : sys_mlock(a);
}

int64_t sys_munlock(const uint64_t *a)
{
    return sys_mlock(a);
}

int64_t sys_mlockall(const uint64_t *a)
{
    return !a[0] || a[0] & ~7ull || a[0] == 4 ? -EINVAL : 0;
}

int64_t sys_munlockall(const uint64_t *a)
{
    (void)a;
    return 0;
}

int64_t sys_brk(const uint64_t *a)
{
    uint64_t end = a[0], mapped = pages_up(end), got = 0;
    if (end < self.brk_start || !user_range(end, 0) || end - self.brk_start > 1ull << 40)
        return (int64_t)self.brk_end;
    if (mapped > self.brk_mapped && !limit_memory(mapped - self.brk_mapped))
        return (int64_t)self.brk_end;
    if (mapped > self.brk_mapped &&
        memory_map(SLOT_MEMORY, self.brk_mapped, mapped - self.brk_mapped,
                   MEMORY_PROTECTION_READ | MEMORY_PROTECTION_WRITE,
                   MEMORY_MAP_FIXED | MEMORY_MAP_NO_REPLACE, &got))
        return (int64_t)self.brk_end;
    if (mapped < self.brk_mapped)
        memory_unmap(SLOT_MEMORY, mapped, self.brk_mapped - mapped, 0);
    self.brk_mapped = mapped;
    self.brk_end = end;
    return (int64_t)end;
}
