/* SPDX-License-Identifier: MIT */
/* PCI configuration by ports (PCI Local Bus 3.0, 3.2.2.3.2), as far as two devices need it. */
#include "port.h"

#define SLOTS 32u
#define VIRTIO_CONSOLE 0x10031af4u /* device and vendor of the transitional device */
#define COMMAND_IO_AND_MASTER 5u
#define BAR_IO 1u
#define IO_BASE 0xc000u            /* of the range "virtio-ports" */
#define IO_END 0xd000u

static uint32_t config(unsigned slot, unsigned offset)
{
    uint32_t pci = rt_cap("pci");
    pith_io_out(pci, 0, 4, 0x80000000u | slot << 11 | offset);
    return (uint32_t)pith_io_in(pci, 4, 4).value;
}

static void config_write(unsigned slot, unsigned offset, uint32_t value)
{
    uint32_t pci = rt_cap("pci");
    pith_io_out(pci, 0, 4, 0x80000000u | slot << 11 | offset);
    pith_io_out(pci, 4, 4, value);
}

struct device pci_console(unsigned n)
{
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        if (config(slot, 0) != VIRTIO_CONSOLE || n--)
            continue;
        uint32_t bar = config(slot, 16), base = bar & ~3u;
        if (!(bar & BAR_IO) || base < IO_BASE || base >= IO_END)
            break; /* no firmware has set it up */
        config_write(slot, 4, (config(slot, 4) & 0xffff) | COMMAND_IO_AND_MASTER);
        return (struct device){ base - IO_BASE, true };
    }
    return (struct device){ 0, false };
}
