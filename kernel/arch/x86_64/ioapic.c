/* SPDX-License-Identifier: MIT */
/*
 * IO-APIC lines and the two 8259s, which are remapped out of the way and masked.
 *
 * A line (GSI) belongs to the IO-APIC whose range [gsi_base, gsi_base + lines) holds it.
 * Every line is masked at boot. Callers hold the kernel lock: a register access is two
 * steps, index then data. Intel 82093AA, 3.1 and 3.2; 8259A.
 */
#include <arch/apic.h>
#include <arch/platform.h>
#include <arch/x86.h>

#define REG_VERSION 1u
#define REG_LINE 0x10u /* two words a line */
#define LINE_LEVEL 0x8000u
#define LINE_LOW 0x2000u

#define PIC1 0x20u
#define PIC2 0xa0u
/* A spurious 8259 interrupt (line 7 of either) arrives at VEC_SPURIOUS. */
#define PIC_VECTOR (VEC_SPURIOUS - 7)

static struct ioapic {
    u64 va;
    u32 gsi_base, lines;
} ioapics[MAX_IOAPICS];
static u32 ioapic_count;

static u32 ioapic_read(const struct ioapic *io, u32 reg)
{
    mmio_write32(io->va, reg);
    return mmio_read32(io->va + 0x10);
}

static void ioapic_write(const struct ioapic *io, u32 reg, u32 value)
{
    mmio_write32(io->va, reg);
    mmio_write32(io->va + 0x10, value);
}

static void pic_disable(void)
{
    outb(PIC1, 0x11); /* initialise, edge, cascade, ICW4 follows */
    outb(PIC2, 0x11);
    outb(PIC1 + 1, PIC_VECTOR);
    outb(PIC2 + 1, PIC_VECTOR);
    outb(PIC1 + 1, 4); /* slave on line 2 */
    outb(PIC2 + 1, 2);
    outb(PIC1 + 1, 1); /* 8086 mode */
    outb(PIC2 + 1, 1);
    outb(PIC1 + 1, 0xff);
    outb(PIC2 + 1, 0xff);
}

void ioapic_init(const struct handoff *h)
{
    pic_disable();
    ioapic_count = h->ioapic_count;
    for (u32 i = 0; i < ioapic_count; i++) {
        struct ioapic *io = &ioapics[i];
        io->va = MMIO_BASE + PAGE_SIZE * (i + 1) + (h->ioapics[i].base & (PAGE_SIZE - 1));
        io->gsi_base = h->ioapics[i].gsi_base;
        io->lines = (ioapic_read(io, REG_VERSION) >> 16 & 0xff) + 1;
        for (u32 line = 0; line < io->lines; line++)
            ioapic_write(io, REG_LINE + 2 * line, LINE_MASKED);
    }
}

static const struct ioapic *ioapic_of(u32 gsi)
{
    for (u32 i = 0; i < ioapic_count; i++) {
        if (gsi >= ioapics[i].gsi_base && gsi - ioapics[i].gsi_base < ioapics[i].lines)
            return &ioapics[i];
    }
    return NULL;
}

bool ioapic_valid(u32 gsi)
{
    return ioapic_of(gsi) != NULL;
}

struct line ioapic_route(u32 gsi, u8 vector, u32 core, bool level, bool low)
{
    const struct ioapic *io = ioapic_of(gsi);

    if (!io)
        return (struct line){ 0 };
    u32 reg = REG_LINE + 2 * (gsi - io->gsi_base);
    ioapic_write(io, reg, LINE_MASKED);
    ioapic_write(io, reg + 1, apic_id_of(core) << 24);
    struct line line = { io->va, reg, (level ? LINE_LEVEL : 0) | (low ? LINE_LOW : 0) | vector };
    line_mask(&line, true);
    return line;
}
