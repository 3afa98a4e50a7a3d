// SPDX-License-Identifier: MIT
/*
 * ACPI: RSDP → XSDT or RSDT → MADT (processors, IO-APICs, ISA overrides), HPET, FADT (PM
 * timer). ACPI specification 6.4, chapter 5.2.
 *
 * Nothing in the tables is trusted: every table must lie below 4 GiB, have a sane length
 * and a right checksum, every entry must fit its table; what does not is left out. Without
 * usable tables there is one processor and no IO-APIC.
 *
 * The boot processor is in the handoff already and stays number 0. Identifiers above 254
 * are left out: without interrupt remapping neither MSI nor IO-APIC could address them.
 */
#include "glue.h"

enum { HEADER = 36, TABLE_MAX = 1 << 20 };

u64 acpi_hpet;
u32 acpi_pm_timer;

static u32 read32(const u8 *p)
{
    return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static u64 read64(const u8 *p)
{
    return read32(p) | (u64)read32(p + 4) << 32;
}

static bool sum_is_zero(const u8 *p, u64 bytes)
{
    u8 sum = 0;

    for (u64 i = 0; i < bytes; i++)
        sum = (u8)(sum + p[i]);
    return sum == 0;
}

/* A table with a good header and checksum, or null. */
static const u8 *table_at(u64 address)
{
    const u8 *t = at(address);

    if (!address || address > IDENTITY_END - HEADER)
        return 0;
    u64 length = read32(t + 4);
    if (length < HEADER || length > TABLE_MAX || length > IDENTITY_END - address)
        return 0;
    return sum_is_zero(t, length) ? t : 0;
}

static bool rsdp_valid(const u8 *r)
{
    return bytes_equal(r, "RSD PTR ", 8) && sum_is_zero(r, 20);
}

/* The RSDP's own address: Multiboot2 gives a copy only. Searches [base, end) for a valid
 * one, equal to the copy if there is one. UEFI firmware aligns it to 4 only. */
static u64 rsdp_search(u64 base, u64 end)
{
    end = min_u64(end, IDENTITY_END);
    for (u64 p = (base + 3) & ~3ull; p + sizeof(info_rsdp) <= end; p += 4) {
        if (rsdp_valid(at(p)) && (!info_rsdp[0] || bytes_equal(at(p), info_rsdp, 20)))
            return p;
    }
    return 0;
}

/* Where firmware puts it: BIOS area, extended BIOS data area, ACPI memory under UEFI. */
static u64 rsdp_find(void)
{
    u64 found = info_rsdp_address;

    found = found ? found : rsdp_search(0xe0000, 0x100000);
    found = found ? found : rsdp_search(0x80000, 0xa0000);
    for (u32 i = 0; i < handoff.range_count && !found; i++) {
        const struct handoff_range *r = &handoff.ranges[i];
        if (r->type == MEM_ACPI || r->type == MEM_NVS)
            found = rsdp_search(r->base, r->base + r->length);
    }
    return found;
}

static void processor_add(u32 id, u32 flags)
{
    if (!(flags & 1) || id > 254 || handoff.cpu_count >= options.cpus)
        return;
    for (u32 i = 0; i < handoff.cpu_count; i++) {
        if (handoff.apic_ids[i] == id)
            return;
    }
    handoff.apic_ids[handoff.cpu_count++] = id;
}

static void ioapic_add(u32 id, u32 base, u32 gsi_base)
{
    if (base && handoff.ioapic_count < MAX_IOAPICS)
        handoff.ioapics[handoff.ioapic_count++] = (struct handoff_ioapic){base, gsi_base, id};
}

static void madt_entry(const u8 *e, u32 length)
{
    if (e[0] == 0 && length >= 8)
        processor_add(e[3], read32(e + 4));
    else if (e[0] == 1 && length >= 12)
        ioapic_add(e[2], read32(e + 4), read32(e + 8));
    else if (e[0] == 2 && length >= 10 && e[3] < ARRAY_LEN(handoff.overrides))
        handoff.overrides[e[3]] = (struct handoff_override){read32(e + 4), e[8], 1, {0}};
    else if (e[0] == 9 && length >= 16)
        processor_add(read32(e + 4), read32(e + 8));
}

static void madt_parse(const u8 *t, u32 length)
{
    for (u32 p = HEADER + 8; p + 2 <= length && t[p + 1] >= 2 && t[p + 1] <= length - p;)
        madt_entry(t + p, t[p + 1]), p += t[p + 1];
}

static void fadt_parse(const u8 *t, u32 length)
{
    if (length >= 92 && t[91] == 4)
        acpi_pm_timer = read32(t + 76);
    if (!acpi_pm_timer && length >= 220 && t[208] == 1) /* I/O space */
        acpi_pm_timer = read32(t + 212);
    if (acpi_pm_timer > 0xfffc)
        acpi_pm_timer = 0;
}

static void table_parse(u64 address)
{
    const u8 *t = table_at(address);

    if (!t)
        return;
    u32 length = read32(t + 4);
    if (bytes_equal(t, "APIC", 4) && length >= HEADER + 8)
        madt_parse(t, length);
    else if (bytes_equal(t, "HPET", 4) && length >= 56 && t[40] == 0) /* memory space */
        acpi_hpet = read64(t + 44);
    else if (bytes_equal(t, "FACP", 4))
        fadt_parse(t, length);
}

void acpi_parse(void)
{
    const u8 *root = 0;
    u32 width = 8;

    handoff.rsdp = rsdp_find();
    if (!info_rsdp[0] && handoff.rsdp)
        memcpy(info_rsdp, at(handoff.rsdp), sizeof(info_rsdp));
    if (!rsdp_valid(info_rsdp)) {
        handoff.rsdp = 0;
        return;
    }
    if (info_rsdp[15] >= 2)
        root = table_at(read64(info_rsdp + 24));
    if (!root) {
        root = table_at(read32(info_rsdp + 16));
        width = 4;
    }
    for (u32 p = HEADER; root && p + width <= read32(root + 4); p += width)
        table_parse(width == 8 ? read64(root + p) : read32(root + p));
}
