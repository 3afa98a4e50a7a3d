/* SPDX-License-Identifier: MIT */
/*
 * Files in address spaces: the memory server maps our own data pages, so that read, write
 * and mappings see the same bytes.
 *
 * It is told of a file's pages when the file is mapped first, and from then on (exported) of
 * each change: of pages that are new before the transaction commits, of pages that go before
 * they are freed. If we die between telling and committing the two disagree; so each
 * incarnation tells all of it anew before it serves, and before any page is used again.
 */
#include "ramfs.h"
#include <proto/memory_client.h>
#include <rt/string.h>

static bool region_told;

static uint32_t page_number(const uint8_t *page)
{
    return page ? RT_CAP_PAGES + (uint32_t)(((uint64_t)page - CAPSULE_BASE) / PAGE) : 0;
}

static int64_t region_tell(void)
{
    int64_t status = region_told ? 0 : memory_pager_open(rt_cap("memory"), SLOT_PERSISTENT);
    region_told |= !status;
    return status;
}

/* Tells of pages [first, first + count), and of the size. */
static int64_t supply(struct node *n, uint64_t first, uint64_t count)
{
    static uint32_t list[MEMORY_SUPPLY_MAX]; /* under the transaction's lock */
    for (;;) {
        uint64_t now = count < MEMORY_SUPPLY_MAX ? count : MEMORY_SUPPLY_MAX;
        for (uint64_t i = 0; i < now; i++)
            list[i] = page_number(node_page(n, first + i));
        int64_t status =
            memory_supply(rt_cap("memory"), n->number, n->size, first, list, now * sizeof list[0]);
        first += now;
        count -= now;
        if (status || !count)
            return status;
    }
}

static uint64_t pages_of(const struct node *n)
{
    return (n->size + PAGE - 1) / PAGE;
}

void share_changed(struct node *n, uint64_t first, uint64_t end)
{
    if (n->exported)
        (void)supply(n, first, end > first ? end - first : 0);
}

void share_cut(struct node *n, uint64_t first)
{
    uint32_t mappings;
    if (n->exported)
        (void)memory_withdraw(rt_cap("memory"), n->number, first, UINT64_MAX, &mappings);
}

bool share_release(struct node *n)
{
    uint32_t mappings = 0;
    if (!n->exported)
        return true;
    if (memory_withdraw(rt_cap("memory"), n->number, 0, 0, &mappings) || mappings)
        return false;
    share_cut(n, 0);
    for (struct node **link = &fs->exported; *link; link = &(*link)->next_exported)
        if (*link == n) {
            TX_SET(*link, n->next_exported);
            break;
        }
    TX_SET(n->exported, false);
    return true;
}

void share_resume(void)
{
    if (fs->exported && region_tell())
        rt_log("the memory server does not take our pages");
    tx_begin();
    for (struct node *n = fs->exported; n; n = n->next_exported) {
        (void)supply(n, 0, pages_of(n)); /* first: a program may touch them meanwhile */
        share_cut(n, pages_of(n));
    }
    tx_commit();
}

/* A shared mapping may be written anywhere: no holes there. */
static bool holes_fill(struct node *n, uint64_t first, uint64_t end)
{
    uint64_t had = n->pages;
    for (uint64_t i = first; i < end && i < pages_of(n); i++)
        if (!node_page_make(n, i))
            return false;
    if (n->pages != had)
        share_changed(n, first, end < pages_of(n) ? end : pages_of(n));
    return true;
}

static int64_t node_export(struct node *n)
{
    int64_t status = region_tell();
    if (!status)
        status = supply(n, 0, pages_of(n));
    if (!status && !n->exported) {
        TX_SET(n->exported, true);
        TX_SET(n->next_exported, fs->exported);
        TX_SET(fs->exported, n);
    }
    return status;
}

static uint32_t error_of(int64_t status)
{
    switch (status) {
    case 0: return 0;
    case MEMORY_ERROR_INVAL: return FILE_ERROR_INVAL;
    case MEMORY_ERROR_PERM: return FILE_ERROR_ACCES;
    case MEMORY_ERROR_NOMEM: return FILE_ERROR_NOMEM;
    default: return FILE_ERROR_IO;
    }
}

uint32_t share_map(struct node *n, const struct share_request *r)
{
    uint16_t flags = (r->shared ? MEMORY_MAP_SHARED : 0) |
                     (r->address >= MEMORY_LAYER_BASE ? MEMORY_MAP_LAYER : 0);
    if (!rt_cap("memory"))
        return FILE_ERROR_NODEV;
    if (r->shared && r->writable && (n->mode & S_TYPE) == S_REGULAR)
        node_changes_unseen(n);
    if (r->shared && r->protection & MEMORY_PROTECTION_WRITE &&
        !holes_fill(n, r->offset / PAGE, (r->offset + r->length + PAGE - 1) / PAGE))
        return FILE_ERROR_NOMEM;
    int64_t status = n->exported ? 0 : node_export(n);
    for (unsigned tries = 0; !status; tries++) {
        status = memory_map_file(rt_cap("memory"), r->memory, n->number, r->address, r->length,
            r->offset, r->protection, flags, r->writable);
        if (status != MEMORY_ERROR_NOENT || tries)
            break;
        status = node_export(n); /* forgotten meanwhile */
    }
    return error_of(status);
}
