/* SPDX-License-Identifier: MIT */
/*
 * Port 1 of a virtio console device as a stream of bytes to the host and back. (Port 0 would be
 * a console, whose bytes QEMU drops when the host does not take them at once.)
 *
 * main.c   the protocols file and ready
 * port.c   queues and buffers
 * pci.c    finding the devices
 *
 * Everything is in the capsule, the device's rings and buffers too, so that a new incarnation
 * goes on where the last one was, and the device never stops: a reset would lose what QEMU has
 * in its hands. Only rings that do not hold together are begun anew. Counters count buffers for
 * ever; buffer n lies at n modulo their number.   out_done <= out_filled: buffers the device has
 * sent, the client has filled   in_taken: buffers taken from the device; in_taken … + RX_BUFFERS
 * are offered to it Reference: Virtual I/O Device (VIRTIO) 1.2, sections 2.7 (split virtqueues),
 * 4.1.4.10 (legacy interface of the PCI transport), 5.3 (console device).
 */
#pragma once
#include <server/capsule.h>
#include <server/server.h>

#define TX_BUFFERS 16u
#define TX_BYTES 16384u
#define RX_BUFFERS 16u
#define RX_BYTES 4096u
#define INPUT_MAX 65536u
#define RING_SIZE 128u  /* what QEMU offers; a device with another size is not used */
#define CONTROL_SIZE 32u
#define RING_BYTES 8192u

struct port {
    uint64_t out_filled, out_done, out_base; /* base: buffer of ring index 0 */
    uint64_t in_taken, in_base;
    uint32_t out_length[TX_BUFFERS];
    uint64_t input_head;                     /* ring of decoded input */
    uint32_t input_count, changes;
    bool escaped, ended;
    struct park_list readers, writers;
    uint8_t input[INPUT_MAX];
    uint32_t started;                        /* by some incarnation: the rings mean something */
};

/* Memory that the device sees: pages in a row. */
struct port_memory {
    uint8_t in_ring[RING_BYTES], out_ring[RING_BYTES], control_ring[RING_BYTES], control[4096];
    uint8_t in[RX_BUFFERS][RX_BYTES], out[TX_BUFFERS][TX_BYTES];
};

struct device {
    uint32_t registers; /* first port, from the start of the range granted */
    bool there;
};
/* The n-th console device; there: false if there is none. */
struct device pci_console(unsigned n);

/* All but port_open inside a transaction. */
bool port_open(struct port *p, struct port_memory *m, unsigned n);
void port_collect(struct port *p);          /* takes what came in and what was sent */
void port_offer(struct port *p);            /* after the commit: new buffers to the device */
uint8_t *port_buffer(struct port *p);       /* to be filled next; NULL: none is free */
void port_want_room(struct port *p);        /* the device shall interrupt when one is */
void port_acknowledge(struct port *p);      /* its interrupt */
