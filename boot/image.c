// SPDX-License-Identifier: MIT
/*
 * The boot image: module 0, a cpio archive ("newc": a header of 110 bytes in ASCII, name and
 * contents each padded to 4). Its first member is `root`, the first program: a static ELF64.
 *
 * Checks the whole archive's structure and everything about root that the kernel relies on:
 * segments in user addresses, page-disjoint, never writable and executable; entry inside an
 * executable one. Copies root into fresh zeroed pages outside the kernel's run.
 * Does not look into the other members.
 */
#include "glue.h"

enum { CPIO_HEADER = 110, CPIO_FILESIZE = 54, CPIO_NAMESIZE = 94 };
enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3, PF_X = 1, PF_W = 2 };

/* ELF-64 Object File Format, version 1.5. */
struct elf_header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, phoff, shoff;
    u32 flags;
    u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment {
    u32 type, flags;
    u64 offset, vaddr, paddr, filesz, memsz, align;
};

struct member {
    const char *name;
    const u8 *data;
    u64 size, next;
};

static u64 hex8(const u8 *p)
{
    u64 value = 0;

    for (u32 i = 0; i < 8; i++) {
        u32 c = p[i], digit = c - '0';
        if (digit > 9)
            digit = (c | 0x20) - 'a' + 10;
        if (digit > 15 || (digit > 9 && c < 'A'))
            glue_fail("boot image: damaged header");
        value = value << 4 | digit;
    }
    return value;
}

/* The member whose header is at byte p of the module. */
static struct member member_at(const struct handoff_module *m, u64 p)
{
    const u8 *h = (const u8 *)at(m->base) + p;

    if (p > m->length || m->length - p < CPIO_HEADER)
        glue_fail("boot image: truncated");
    if (!bytes_equal(h, "070701", 6))
        glue_fail("boot image: not a cpio archive (newc) at byte %lu", p);
    u64 name_size = hex8(h + CPIO_NAMESIZE), size = hex8(h + CPIO_FILESIZE);
    u64 data = (p + CPIO_HEADER + name_size + 3) & ~3ull;
    if (data > m->length || size > m->length - data)
        glue_fail("boot image: truncated");
    if (!name_size || h[CPIO_HEADER + name_size - 1])
        glue_fail("boot image: damaged header");
    return (struct member){(const char *)h + CPIO_HEADER, (const u8 *)at(m->base) + data, size,
        (data + size + 3) & ~3ull};
}

static void archive_check(const struct handoff_module *m)
{
    struct member member = member_at(m, 0);

    if (!bytes_equal(member.name, "root", 5))
        glue_fail("boot image: the first member is \"%s\", not \"root\"", member.name);
    while (!bytes_equal(member.name, "TRAILER!!!", 11))
        member = member_at(m, member.next);
}

static void elf_check(const struct elf_header *e, u64 size)
{
    static const u8 ident[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1}; /* 64 bits, little-endian */

    if (size < sizeof(*e) || !bytes_equal(e->ident, ident, sizeof(ident)) || e->machine != 62)
        glue_fail("boot image: root: not an ELF64 program for x86_64");
    if (e->type != 2)
        glue_fail("boot image: root: not a static program (ELF type %u)", (u32)e->type);
    if (e->phentsize != sizeof(struct elf_segment) || e->phoff > size || e->phoff % 8 ||
        e->phnum > (size - e->phoff) / sizeof(struct elf_segment))
        glue_fail("boot image: root: damaged segment table");
}

static void segment_check(const struct elf_segment *s, u32 i, u64 size, u64 first, u64 end)
{
    if (s->filesz > s->memsz || s->offset > size || s->filesz > size - s->offset)
        glue_fail("boot image: root: segment %u is truncated", i);
    if (s->vaddr < PAGE_SIZE || s->vaddr >= USER_TOP || s->memsz > USER_TOP - s->vaddr)
        glue_fail("boot image: root: segment %u is outside user addresses", i);
    if (s->flags & PF_W && s->flags & PF_X)
        glue_fail("boot image: root: segment %u is writable and executable", i);
    for (u32 k = 0; k < handoff.segment_count; k++) {
        const struct handoff_segment *o = &handoff.segments[k];
        if (first < o->vaddr + o->pages * PAGE_SIZE && o->vaddr < end)
            glue_fail("boot image: root: segment %u shares a page with another", i);
    }
    if (handoff.segment_count == HANDOFF_MAX_SEGMENTS)
        glue_fail("boot image: root: more than %u segments", HANDOFF_MAX_SEGMENTS);
}

static void segment_load(const struct member *root, const struct elf_segment *s, u32 i)
{
    u64 first = PAGE_DOWN(s->vaddr), end = PAGE_UP(s->vaddr + s->memsz), bytes = end - first;

    if (s->type == PT_INTERP || s->type == PT_DYNAMIC)
        glue_fail("boot image: root: not a static program");
    if (s->type != PT_LOAD || !s->memsz)
        return;
    segment_check(s, i, root->size, first, end);
    u64 to = memory_take(bytes, PAGE_SIZE, MIB, IDENTITY_END);
    if (!to)
        glue_fail("too little memory: root's segment %u needs %lu KiB", i, bytes / 1024);
    memset(at(to), 0, bytes);
    memcpy(at(to + s->vaddr - first), root->data + s->offset, s->filesz);
    handoff.segments[handoff.segment_count++] = (struct handoff_segment){
        first, to, bytes / PAGE_SIZE, !!(s->flags & PF_W), !!(s->flags & PF_X)};
}

static void entry_check(u64 entry)
{
    for (u32 i = 0; i < handoff.segment_count; i++) {
        const struct handoff_segment *s = &handoff.segments[i];
        if (s->executable && entry >= s->vaddr && entry - s->vaddr < s->pages * PAGE_SIZE)
            return;
    }
    glue_fail("boot image: root: the entry 0x%lx is not in an executable segment", entry);
}

void image_load(void)
{
    if (!handoff.module_count)
        glue_fail("boot image: missing (module 0)");
    archive_check(&handoff.modules[0]);
    struct member root = member_at(&handoff.modules[0], 0);
    const struct elf_header *e = (const void *)root.data;
    elf_check(e, root.size);
    const struct elf_segment *table = (const void *)(root.data + e->phoff);
    for (u32 i = 0; i < e->phnum; i++)
        segment_load(&root, &table[i], i);
    entry_check(e->entry);
    handoff.root_entry = e->entry;
}
