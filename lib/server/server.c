/* SPDX-License-Identifier: MIT */
/* The server's side of calls: see server/server.h. */
#include <rt/string.h>
#include <server/capsule.h>
#include <server/server.h>

void server_run(
    uint64_t badge, struct msg *m, uint64_t caps, uint64_t (*handle)(uint64_t, struct msg *));

/* The request in which this incarnation is to die has come. Keeps all registers: it is called
 * ahead of the service's entry. */
__attribute__((naked, used)) void rt_request_crash(void);
void rt_request_crash(void)
{
    __asm__("push %%rax\n"
            "movl %c0, %%eax\n"
            "incl %%eax\n"
            "movb %%al, rt_dying(%%rip)\n"
            "decl %%eax\n"
            "pop %%rax\n"
            "jnz 1f\n"
            "int3\n"
            "1: ret"
            :
            : "i"(STARTUP_ADDRESS + offsetof(struct rt_startup, crash_where)));
}

bool rt_gate_unheld(uint32_t slot, uint32_t service, uint64_t *badge)
{
    struct pith_result of = pith_gate_badge(slot, service), held = pith_gate_info(slot);
    *badge = of.value;
    return !of.status && !held.status && held.value <= 1;
}

static void caps_drop(struct rt_self *self)
{
    for (unsigned i = 0; i < self->call_caps; i++)
        pith_cap_delete(SPACE_SELF, self->recv_slot + i);
}

/* Apart from server_run, which most calls leave without it. */
static void __attribute__((noinline)) caps_finish(struct rt_self *self, struct msg *m)
{
    if (self->call_caps)
        caps_drop(self);
    if (!self->reply_cap_count)
        return;
    struct pith_transfer t;
    memset(&t, 0, sizeof t);
    for (unsigned i = 0; i < 6; i++)
        t.words[i] = m->w[i];
    t.cap_count = self->reply_cap_count;
    for (unsigned i = 0; i < self->reply_cap_count; i++)
        t.caps[i] = self->reply_caps[i];
    struct pith_result r;
    do
        r = pith_return_x((uint64_t)&t);
    while (r.status == -E_AGAIN);
    for (unsigned i = 0; i < self->reply_cap_count; i++)
        rt_undelivered(self->reply_caps[i]);
    m->w[0] = RPC_BAD_CAPABILITY; /* the caller had no room for them */
}

__attribute__((weak)) void rt_undelivered(uint32_t slot)
{
    (void)slot;
}

void server_run(
    uint64_t badge, struct msg *m, uint64_t caps, uint64_t (*handle)(uint64_t, struct msg *))
{
    struct rt_self *self = rt_self();
    if (badge == BADGE_ALIVE)
        return;
    self->call_caps = (uint32_t)caps;
    self->reply_cap_count = 0;
    m->w[0] = handle(badge, m);
    if (self->call_caps || self->reply_cap_count)
        caps_finish(self, m);
}

static inline struct pith_result copy_once(bool in, uint64_t offset, uint64_t at, uint64_t length)
{
    return in ? pith_copy_in(0, offset, at, length) : pith_copy_out(1, offset, at, length);
}

/* One copy ends with a page: what is longer takes several. */
static __attribute__((noinline)) bool copy_on(
    bool in, uint64_t offset, uint64_t at, uint64_t length, uint64_t done)
{
    while (done < length) {
        struct pith_result r = copy_once(in, offset + done, at + done, length - done);
        if (r.status || !r.value)
            return false;
        done += r.value;
    }
    return true;
}

static inline __attribute__((always_inline)) bool copy(
    bool in, uint64_t offset, uint64_t at, uint64_t length)
{
    if (!length)
        return true;
    struct pith_result r = copy_once(in, offset, at, length);
    if (r.status || !r.value)
        return false;
    return r.value == length || copy_on(in, offset, at, length, r.value);
}

bool rt_copy_from_client(uint64_t offset, void *to, uint64_t length)
{
    return copy(true, offset, (uint64_t)to, length);
}

bool rt_copy_to_client(uint64_t offset, const void *from, uint64_t length)
{
    return copy(false, offset, (uint64_t)from, length);
}

uint32_t rt_received_cap(unsigned i)
{
    struct rt_self *self = rt_self();
    return i < self->call_caps ? self->recv_slot + i : 0;
}

uint32_t rt_keep_cap(unsigned i)
{
    uint32_t from = rt_received_cap(i), slot = from ? rt_slot_alloc() : 0;
    struct pith_result r;
    if (!slot)
        return 0;
    do
        r = pith_cap_copy(from, SPACE_SELF, slot, RIGHT_ALL);
    while (r.status == -E_AGAIN);
    if (!r.status)
        return slot;
    rt_slot_free(slot);
    return 0;
}

void rt_reply_cap(unsigned i, uint32_t slot)
{
    struct rt_self *self = rt_self();
    if (i >= 4)
        return;
    self->reply_caps[i] = slot;
    if (self->reply_cap_count <= i)
        self->reply_cap_count = (uint16_t)(i + 1);
}

bool rt_gate_is(uint32_t slot, uint32_t service, uint64_t badge)
{
    struct pith_result r = pith_gate_badge(slot, service);
    return !r.status && r.value == badge;
}

bool rt_closed(uint32_t service, uint64_t *badge)
{
    for (;;) {
        struct pith_result r = pith_service_closed(service);
        if (!r.status && r.value != BADGE_ALIVE) {
            *badge = r.value;
            return true;
        }
        if (r.status && r.status != -E_AGAIN)
            return false;
    }
}
