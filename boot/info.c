// SPDX-License-Identifier: MIT
/*
 * What the boot loader tells: PVH start info or Multiboot2 information, copied into the
 * handoff, so that the loader's memory may be overwritten afterwards.
 *
 * Addresses come from the loader and are trusted to be readable below 4 GiB; sizes are
 * checked. Does not interpret memory map or ACPI tables.
 */
#include "glue.h"

/* Xen public/arch-x86/hvm/start_info.h, version 1. */
struct start_info {
    u32 magic, version, flags, nr_modules;
    u64 modlist, cmdline, rsdp, memmap;
    u32 memmap_entries, reserved;
};
struct pvh_module {
    u64 base, size, cmdline, reserved;
};
struct memory_entry {
    u64 base, size;
    u32 type, reserved;
};
enum { PVH_MAGIC = 0x336ec578 };

/* Multiboot2 specification, 3.6. Tags are 8-aligned and seen as words: type, size, body.
 * An entry of the memory map has the layout of PVH's. */
enum { MB2_MAGIC = 0x36d76289, WORD = 4 };
enum { TAG_END = 0, TAG_CMDLINE = 1, TAG_MODULE = 3, TAG_MAP = 6, TAG_RSDP1 = 14, TAG_RSDP2 = 15 };

u8 info_rsdp[36];
u64 info_rsdp_address;

static void cmdline_set(const char *s, u64 room)
{
    for (u64 i = 0; i < room && s[i]; i++) {
        if (i == HANDOFF_CMDLINE - 1)
            glue_fail("command line: longer than %u bytes", HANDOFF_CMDLINE - 1);
        handoff.cmdline[i] = s[i];
    }
}

static void module_add(u64 base, u64 length, const char *name, u64 room)
{
    struct handoff_module *m = &handoff.modules[handoff.module_count];

    if (handoff.module_count == HANDOFF_MAX_MODULES)
        glue_fail("more than %u modules", HANDOFF_MAX_MODULES);
    if (base >= IDENTITY_END || length > IDENTITY_END - base)
        glue_fail("module %u is above 4 GiB", handoff.module_count);
    m->base = base;
    m->length = length;
    for (u64 i = 0; i < room && i < sizeof(m->name) - 1 && name[i]; i++)
        m->name[i] = name[i];
    handoff.module_count++;
}

static void pvh_parse(const struct start_info *info)
{
    const struct pvh_module *modules = at(info->modlist);
    const struct memory_entry *map = at(info->memmap);

    if (info->version < 1 || !info->memmap)
        glue_fail("the boot loader gave no memory map");
    if (info->cmdline)
        cmdline_set(at(info->cmdline), HANDOFF_CMDLINE);
    for (u32 i = 0; i < info->nr_modules; i++)
        module_add(modules[i].base, modules[i].size, at(modules[i].cmdline),
            modules[i].cmdline ? HANDOFF_CMDLINE : 0);
    for (u32 i = 0; i < info->memmap_entries; i++)
        memory_add(map[i].base, map[i].size, map[i].type);
    if (info->rsdp && info->rsdp < IDENTITY_END - sizeof(info_rsdp)) {
        info_rsdp_address = info->rsdp;
        memcpy(info_rsdp, at(info->rsdp), sizeof(info_rsdp));
    }
}

/* Body of a memory map: entry size, version, entries. */
static void map_parse(const u32 *body, u64 bytes)
{
    u64 size = body[0];

    for (u64 p = 2 * WORD; size >= sizeof(struct memory_entry) && p + size <= bytes; p += size) {
        const struct memory_entry *entry = (const void *)((const u8 *)body + p);
        memory_add(entry->base, entry->size, entry->type);
    }
}

static void tag_parse(u32 type, const u32 *body, u64 bytes)
{
    if (type == TAG_CMDLINE)
        cmdline_set((const char *)body, bytes);
    else if (type == TAG_MODULE && bytes >= 2 * WORD && body[1] >= body[0])
        module_add(body[0], body[1] - body[0], (const char *)&body[2], bytes - 2 * WORD);
    else if (type == TAG_MAP && bytes >= 2 * WORD)
        map_parse(body, bytes);
    else if (type == TAG_RSDP2 || (type == TAG_RSDP1 && !info_rsdp[0])) /* the newer one wins */
        memcpy(info_rsdp, body, min_u64(bytes, sizeof(info_rsdp)));
}

static void mb2_parse(u64 info)
{
    u64 end = info + *(const u32 *)at(info);

    for (u64 p = info + 2 * WORD; p + 2 * WORD <= end;) {
        const u32 *tag = at(p);
        if (tag[0] == TAG_END || tag[1] < 2 * WORD || tag[1] > end - p)
            break;
        tag_parse(tag[0], &tag[2], tag[1] - 2 * WORD);
        p += (tag[1] + 7ull) & ~7ull;
    }
}

void info_parse(u32 magic, u64 info)
{
    const struct start_info *start = at(info);

    if (magic == MB2_MAGIC)
        mb2_parse(info);
    else if (info && start->magic == PVH_MAGIC)
        pvh_parse(start);
    else
        glue_fail("started by something that is neither PVH nor Multiboot2");
}
