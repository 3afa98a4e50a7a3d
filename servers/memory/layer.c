/* SPDX-License-Identifier: MIT */
/*
 * The Linux layer: its pages, once for all spaces (each holds a reference for this list).
 *
 * All of it lies in the first leaf at LAYER_BASE. The read-only pages stay mapped in the
 * kernel's tables of a space over all its uses, because they are the same for all programs.
 */
#include "memory.h"
#include <rt/string.h>

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum;
};
struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

void template_load(void)
{
    if (!memory->zero_page)
        __atomic_store_n(&memory->zero_page, page_take(true), __ATOMIC_RELEASE);
    const uint8_t *elf = (const uint8_t *)STARTUP->modules[0][0];
    if (memory->template_made || !elf)
        return;
    const struct elf_header *h = (const void *)elf;
    const struct elf_segment *g = (const void *)(elf + h->phoff);
    if (memcmp(h->ident, "\177ELF", 4) || h->phnum > 8) {
        rt_log("the Linux layer is damaged");
        return;
    }
    uint32_t n = 0;
    for (unsigned i = 0; i < h->phnum; i++) {
        if (g[i].type != 1 || !g[i].memsz)
            continue;
        uint64_t base = g[i].vaddr & ~(PAGE - 1), end = g[i].vaddr + g[i].memsz;
        if (base < MEMORY_LAYER_BASE || end > MEMORY_LAYER_BASE + SLOTS * PAGE)
            rt_panic("the Linux layer is larger than 2 MiB");
        for (uint64_t va = base; va < end; va += PAGE) {
            uint32_t page = n < TEMPLATE_MAX ? page_take(true) : 0;
            if (!page)
                rt_panic("no room for the Linux layer");
            uint64_t from = va < g[i].vaddr ? g[i].vaddr : va;
            uint64_t stop =
                g[i].vaddr + g[i].filesz < va + PAGE ? g[i].vaddr + g[i].filesz : va + PAGE;
            if (from < stop)
                memcpy((uint8_t *)page_view(page) + (from - va),
                    elf + g[i].offset + from - g[i].vaddr, stop - from);
            uint32_t rights =
                ENTRY_READ | (g[i].flags & 1 ? ENTRY_EXEC : 0) | (g[i].flags & 2 ? ENTRY_WRITE : 0);
            memory->templates[n++] = (struct template){va, page, rights | ENTRY_VALID};
        }
    }
    memory->template_count = n;
    __atomic_store_n(&memory->template_made, 1, __ATOMIC_RELEASE);
}

bool template_enter(struct space_record *s)
{
    struct node *leaf = map_leaf(&s->root, LAYER_PAGE);
    for (uint32_t i = 0; leaf && i < memory->template_count; i++) {
        const struct template *t = &memory->templates[i];
        unsigned at = (unsigned)(t->address / PAGE % SLOTS);
        page_more(t->page);
        leaf->slot[at] = t->entry | t->page;
        BIT_SET(leaf->used, at);
        if (!(t->entry & ENTRY_WRITE))
            BIT_SET(leaf->mapped, at);
        s->resident++;
    }
    return leaf != 0;
}

bool template_map(struct space_record *s)
{
    for (uint32_t i = 0; i < memory->template_count; i++) {
        const struct template *t = &memory->templates[i];
        if (!(t->entry & ENTRY_WRITE) &&
            !map_page(s, t->address, t->page, map_rights(t->entry, false, false)))
            return false;
    }
    return true;
}

void template_mask(const struct node *leaf, uint64_t mask[SLOTS / 64])
{
    memset(mask, 0, SLOTS / 8);
    for (uint32_t i = 0; i < memory->template_count; i++) {
        const struct template *t = &memory->templates[i];
        unsigned at = (unsigned)(t->address / PAGE % SLOTS);
        if (!(t->entry & ENTRY_WRITE) && leaf->slot[at] == (t->entry | t->page))
            BIT_SET(mask, at);
    }
}
