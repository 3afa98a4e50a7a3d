/* SPDX-License-Identifier: MIT */
/* Queues and buffers of one device: see port.h. */
#include "port.h"
#include <rt/string.h>

/* Registers of the legacy interface. */
enum { GUEST_FEATURES = 4, QUEUE_PAGE = 8, QUEUE_SIZE = 12, QUEUE_SELECT = 14, QUEUE_NOTIFY = 16,
       DEVICE_STATUS = 18, DEVICE_ISR = 19 };
enum { STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_DRIVER_OK = 4 };
enum { QUEUE_CONTROL = 3, QUEUE_IN = 4, QUEUE_OUT = 5 };
#define MULTIPORT 2u /* feature */
enum { DEVICE_READY = 0, PORT_READY = 3, PORT_OPEN = 6 };
#define PORT 1u
#define DESCRIPTOR_WRITE 2u
#define NO_INTERRUPT 1u

/* In the stream's input: ESCAPE ESCAPE is that byte, ESCAPE and STREAM_END the end of file
 * (tools/feed). */
#define ESCAPE 0xffu
#define STREAM_END 4u

struct descriptor { uint64_t address; uint32_t length; uint16_t flags, next; };
struct available { uint16_t flags, index, ring[RING_SIZE], event; };
struct used { uint16_t flags, index; struct { uint32_t id, length; } ring[RING_SIZE]; };

/* What each incarnation finds out anew. */
static struct { struct port *port; struct port_memory *memory; struct device device; } links[2];

static unsigned link_of(const struct port *p)
{
    return links[1].port == p;
}

static struct port_memory *memory_of(const struct port *p)
{
    return links[link_of(p)].memory;
}

static struct descriptor *descriptors(uint8_t *ring)
{
    return (struct descriptor *)ring;
}

static volatile struct available *available(uint8_t *ring)
{
    return (volatile struct available *)(ring + RING_SIZE * sizeof(struct descriptor));
}

static volatile struct used *used(uint8_t *ring)
{
    return (volatile struct used *)(ring + RING_BYTES / 2);
}

static uint32_t in(const struct port *p, unsigned offset, unsigned width)
{
    return (uint32_t)pith_io_in(rt_cap("virtio-ports"), links[link_of(p)].device.registers + offset,
                                width).value;
}

static void out(const struct port *p, unsigned offset, unsigned width, uint32_t value)
{
    pith_io_out(rt_cap("virtio-ports"), links[link_of(p)].device.registers + offset, width, value);
}

/* The capsule is a run of pages in the persistent region: see lib/spawn. */
static uint64_t physical(const void *address)
{
    static uint64_t base;
    if (!base)
        base = ((pith_region_info(SLOT_PERSISTENT).value >> 32) + RT_CAP_PAGES) * 4096;
    return base + (uint64_t)address - CAPSULE_BASE;
}

/* ---- offering buffers ----------------------------------------------------------------------- */

static void offer(unsigned queue, uint8_t *ring, uint64_t base, uint64_t n,
                  uint8_t *buffer, uint32_t length)
{
    unsigned at = (unsigned)(n % TX_BUFFERS); /* as many on both sides */
    descriptors(ring)[at] = (struct descriptor){ physical(buffer), length,
                                                 queue == QUEUE_IN ? DESCRIPTOR_WRITE : 0, 0 };
    available(ring)->ring[(n - base) % RING_SIZE] = (uint16_t)at;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    available(ring)->index = (uint16_t)(n - base + 1);
}

void port_offer(struct port *p)
{
    struct port_memory *m = memory_of(p);
    uint64_t next =
        p->out_done + (uint16_t)(available(m->out_ring)->index - (p->out_done - p->out_base));
    bool any = next < p->out_filled;
    for (; next < p->out_filled; next++)
        offer(QUEUE_OUT, m->out_ring, p->out_base, next, m->out[next % TX_BUFFERS],
              p->out_length[next % TX_BUFFERS]);
    if (any)
        out(p, QUEUE_NOTIFY, 2, QUEUE_OUT);
    next = p->in_taken + (uint16_t)(available(m->in_ring)->index - (p->in_taken - p->in_base));
    any = next < p->in_taken + RX_BUFFERS;
    for (; next < p->in_taken + RX_BUFFERS; next++)
        offer(QUEUE_IN, m->in_ring, p->in_base, next, m->in[next % RX_BUFFERS], RX_BYTES);
    if (any)
        out(p, QUEUE_NOTIFY, 2, QUEUE_IN);
}

/* ---- taking them back ------------------------------------------------------------------------ */

static void decode(struct port *p, const uint8_t *from, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        bool escaped = p->escaped;
        TX_SET(p->escaped, !escaped && from[i] == ESCAPE);
        if (!escaped && from[i] == ESCAPE)
            continue;
        if (escaped && from[i] == STREAM_END) {
            TX_SET(p->ended, true);
            continue;
        }
        p->input[(p->input_head + p->input_count) % INPUT_MAX] = from[i];
        TX_SET(p->input_count, p->input_count + 1);
    }
}

/* Plain runs need no decoding: the usual case. */
static void input_add(struct port *p, const uint8_t *from, uint32_t length)
{
    while (length) {
        const uint8_t *stop = p->escaped ? from : memchr(from, ESCAPE, length);
        uint32_t run = stop ? (uint32_t)(stop - from) : length;
        for (uint32_t done = 0; done < run;) {
            uint32_t at = (uint32_t)((p->input_head + p->input_count) % INPUT_MAX),
                     now = INPUT_MAX - at;
            now = now < run - done ? now : run - done;
            memcpy(p->input + at, from + done, now);
            TX_SET(p->input_count, p->input_count + now);
            done += now;
        }
        uint32_t odd = stop ? length - run < 2 ? length - run : p->escaped ? 1 : 2 : 0;
        decode(p, from + run, odd);
        from += run + odd;
        length -= run + odd;
    }
}

void port_collect(struct port *p)
{
    struct port_memory *m = memory_of(p);
    uint16_t sent = (uint16_t)(used(m->out_ring)->index - (p->out_done - p->out_base));
    if (sent) {
        TX_SET(p->out_done, p->out_done + sent);
        TX_SET(p->changes, p->changes + 1);
        park_wake(&p->writers);
    }
    while ((uint16_t)(p->in_taken - p->in_base) != used(m->in_ring)->index &&
           INPUT_MAX - p->input_count >= RX_BYTES) {
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        uint32_t length = used(m->in_ring)->ring[(p->in_taken - p->in_base) % RING_SIZE].length;
        input_add(p, m->in[p->in_taken % RX_BUFFERS], length < RX_BYTES ? length : RX_BYTES);
        TX_SET(p->in_taken, p->in_taken + 1);
        TX_SET(p->changes, p->changes + 1);
        park_wake(&p->readers);
    }
}

uint8_t *port_buffer(struct port *p)
{
    if (p->out_filled - p->out_done == TX_BUFFERS)
        return 0;
    return memory_of(p)->out[p->out_filled % TX_BUFFERS];
}

void port_want_room(struct port *p)
{
    available(memory_of(p)->out_ring)->flags = 0;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void port_acknowledge(struct port *p)
{
    (void)in(p, DEVICE_ISR, 1);
    available(memory_of(p)->out_ring)->flags = NO_INTERRUPT;
}

/* ---- start ----------------------------------------------------------------------------------- */

static bool queue_set(struct port *p, unsigned queue, uint8_t *ring, uint32_t size)
{
    out(p, QUEUE_SELECT, 2, queue);
    if (in(p, QUEUE_SIZE, 2) != size)
        return false;
    memset(ring, 0, RING_BYTES);
    out(p, QUEUE_PAGE, 4, (uint32_t)(physical(ring) >> 12));
    return true;
}

/* Tells the device that the port is used. It needs no answers. */
static void port_announce(struct port *p, struct port_memory *m)
{
    static const uint16_t events[] = { DEVICE_READY, PORT_READY, PORT_OPEN };
    struct { uint32_t port; uint16_t event, value; } *message = (void *)m->control;
    volatile uint16_t *ring =
        (volatile uint16_t *)(m->control_ring + CONTROL_SIZE * sizeof(struct descriptor));
    for (unsigned i = 0; i < 3; i++) {
        message[i].port = PORT;
        message[i].event = events[i];
        message[i].value = 1;
        descriptors(m->control_ring)[i] = (struct descriptor){ physical(&message[i]), 8, 0, 0 };
        ring[2 + i] = (uint16_t)i;
    }
    __atomic_thread_fence(__ATOMIC_RELEASE);
    ring[1] = 3;
    out(p, QUEUE_NOTIFY, 2, QUEUE_CONTROL);
}

/* Do the rings, as a dead incarnation left them, hold together? Then the device may go on. */
static bool rings_good(const struct port *p, struct port_memory *m)
{
    uint16_t out_offered = (uint16_t)(available(m->out_ring)->index - (p->out_done - p->out_base));
    uint16_t in_offered = (uint16_t)(available(m->in_ring)->index - (p->in_taken - p->in_base));
    return p->started && out_offered <= TX_BUFFERS && in_offered <= RX_BUFFERS &&
           p->out_filled - p->out_done <= TX_BUFFERS &&
           in(p, DEVICE_STATUS, 1) == (STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
}

static bool device_start(struct port *p, struct port_memory *m)
{
    out(p, DEVICE_STATUS, 1, 0);
    p->started = 0;
    tx_begin();
    TX_SET(p->out_base, p->out_done);
    TX_SET(p->in_base, p->in_taken);
    tx_commit();
    out(p, DEVICE_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    out(p, GUEST_FEATURES, 4, MULTIPORT);
    if (!queue_set(p, QUEUE_IN, m->in_ring, RING_SIZE) ||
        !queue_set(p, QUEUE_OUT, m->out_ring, RING_SIZE) ||
        !queue_set(p, QUEUE_CONTROL, m->control_ring, CONTROL_SIZE))
        return false;
    available(m->out_ring)->flags = NO_INTERRUPT;
    out(p, DEVICE_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
    port_announce(p, m);
    p->started = 1;
    return true;
}

bool port_open(struct port *p, struct port_memory *m, unsigned n)
{
    links[n].port = p;
    links[n].memory = m;
    links[n].device = pci_console(n);
    if (!links[n].device.there)
        return false;
    if (!rings_good(p, m) && !device_start(p, m)) {
        rt_log("console %u: queues of another size", n);
        return false;
    }
    port_offer(p);
    out(p, QUEUE_NOTIFY, 2, QUEUE_OUT); /* the last incarnation may have died before it did */
    out(p, QUEUE_NOTIFY, 2, QUEUE_IN);
    return true;
}
