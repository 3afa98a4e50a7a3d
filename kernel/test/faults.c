/* SPDX-License-Identifier: MIT */
/* Faults: handlers' answers, nesting, faults nobody handles, faults inside servers. */
#include "test.h"

static volatile uint64_t seen, handled, answer, map_page, map_at, vector_of, address_of, own_bits;
static volatile int64_t inner_status;
static volatile uint32_t raise_slot;

static void toucher(uint64_t va)
{
    seen = 1;
    uint64_t v = *(volatile uint64_t *)va;
    seen = 2 + v;
    pith_thread_exit();
}
static void trapper(uint64_t breakpoint)
{
    seen = 1;
    if (breakpoint)
        __asm__ volatile("int3");
    else
        __asm__ volatile("ud2");
    seen = 2;
    pith_thread_exit();
}

/* Maps map_page at map_at in the space of slot 20 of its own, then answers `answer`. */
uint64_t pager(uint64_t vector, uint64_t address, uint64_t rip, uint64_t rsp, uint64_t badge);
GUEST_ENTRY(pager);
uint64_t pager(uint64_t vector, uint64_t address, uint64_t rip, uint64_t rsp, uint64_t badge)
{
    (void)rip, (void)rsp, (void)badge;
    handled++;
    vector_of = vector & 0xff;
    address_of = address;
    if (map_page && answer == FAULT_RESUME)
        inner_status = pith_space_map(20, map_at, 21, map_page, 1 | MAP_READ | MAP_WRITE).status;
    return answer;
}

struct paged { uint32_t space, thread; struct server pager; };
static struct paged paged(void (*entry)(void), unsigned stacks)
{
    struct paged p;
    uint32_t at = make_space();
    p.space = make_space();
    p.pager = make_server(at, 3, entry, stacks, 0);
    MUST(pith_cap_copy(p.space, at, 20, RIGHT_ALL));
    MUST(pith_cap_copy(BOOT_REGION, at, 21, RIGHT_ALL));
    MUST(pith_space_handler(p.space, p.pager.gate));
    seen = handled = map_page = 0;
    answer = FAULT_RESUME;
    return p;
}
static uint32_t fault_thread(uint32_t space, void (*f)(uint64_t), uint64_t argument)
{
    return make_thread(space, f, argument, 0, PRIORITY - 1);
}

TEST("faults.a-handler-maps-and-resumes")
{
    struct paged p = paged(pager_entry, 1);
    map_page = page();
    map_at = area(4096);
    uint32_t t = fault_thread(p.space, toucher, map_at);
    wait_stopped(t);
    CHECK_EQUAL(seen, 2);
    CHECK_EQUAL(handled, 1);
    CHECK_EQUAL(inner_status, 0);
    CHECK_EQUAL(vector_of, 14);
    CHECK_EQUAL(address_of, map_at);
}
TEST("faults.a-handler-that-does-nothing-is-asked-again")
{
    struct paged p = paged(pager_entry, 1);
    uint32_t t = fault_thread(p.space, toucher, map_at = area(4096));
    EVENTUALLY(handled > 3);
    map_page = page();
    wait_stopped(t);
    CHECK_EQUAL(seen, 2);
}
TEST("faults.unwind-stops-the-thread-as-faulted")
{
    struct paged p = paged(pager_entry, 1);
    static struct pith_fault f;
    answer = FAULT_UNWIND;
    uint64_t va = area(4096);
    uint32_t t = fault_thread(p.space, toucher, va);
    wait_stopped(t);
    CHECK_EQUAL(seen, 1);
    CHECK_EQUAL(MUST(pith_space_fault(p.space, (uint64_t)&f)), 1);
    CHECK_EQUAL(f.vector, 14);
    CHECK_EQUAL(f.address, va);
    CHECK_EQUAL(f.depth, 0);
    CHECK_EQUAL(f.thread_id, info_of(t).id);
}
/* At an event entry: tells and waits to be stopped. Its system calls would be foreign. */
__attribute__((naked)) static void fault_event_entry(void)
{
    __asm__("movq $2, seen(%rip)\n1: pause\n jmp 1b");
}
static void fault_event_toucher(uint64_t at)
{
    MUST(pith_thread_events((uint64_t)fault_event_entry, at, 0, 0));
    MUST(pith_thread_upcall(0x1000, at + 4096, 1ull << 46)); /* no code is native from here on */
    __asm__ volatile("movb $1, (%0)" ::"D"(at + 8192 + 5) : "memory");
    seen = 3;
}
TEST("faults.an-event-tells-the-thread-itself")
{
    struct paged p = paged(pager_entry, 1);
    uint64_t va = area(3 * 4096), event = page(), data = page();
    const struct pith_event *e = (const struct pith_event *)va;
    MUST(pith_space_map(SPACE_SELF, va, BOOT_REGION, event, 1 | MAP_READ | MAP_WRITE));
    MUST(pith_space_map(p.space, va, BOOT_REGION, event, 1 | MAP_READ | MAP_WRITE));
    MUST(pith_space_map(p.space, va + 4096, BOOT_REGION, data, 1 | MAP_READ | MAP_WRITE));
    answer = FAULT_EVENT;
    uint32_t t = fault_thread(p.space, fault_event_toucher, va);
    EVENTUALLY(seen == 2);
    CHECK_EQUAL(handled, 1);
    CHECK_EQUAL(e->fault, 1);
    CHECK_EQUAL(e->vector, 14);
    CHECK_EQUAL(e->error & 2, 2);
    CHECK_EQUAL(e->address, va + 8192 + 5);
    CHECK_EQUAL(e->regs.rdi, va + 8192 + 5);
    CHECK(e->regs.rip >= (uint64_t)fault_event_toucher);
    while (pith_thread_stop(t).status == -E_AGAIN)
        pith_thread_yield();
}
TEST("faults.an-event-without-an-entry-unwinds")
{
    struct paged p = paged(pager_entry, 1);
    static struct pith_fault f;
    answer = FAULT_EVENT;
    wait_stopped(fault_thread(p.space, toucher, area(4096)));
    CHECK_EQUAL(seen, 1);
    CHECK_EQUAL(MUST(pith_space_fault(p.space, (uint64_t)&f)), 1);
}
TEST("faults.an-unknown-answer-unwinds")
{
    struct paged p = paged(pager_entry, 1);
    answer = 77;
    wait_stopped(fault_thread(p.space, toucher, area(4096)));
    CHECK_EQUAL(seen, 1);
}
TEST("faults.wait-waits-for-the-own-notification-and-repeats")
{
    struct paged p = paged(pager_entry, 1);
    uint32_t n = make_notification();
    answer = FAULT_WAIT;
    map_at = area(4096);
    uint32_t t = make_stopped(p.space);
    uint64_t top = make_stack(p.space);
    MUST(pith_thread_notification(t, n));
    MUST(pith_thread_start(t, BOOT_TIME, (PRIORITY + 1) << 8, (uint64_t)toucher, top - 8, map_at));
    CHECK_EQUAL(state_of(t), T_WAITING);
    uint64_t q = page();
    MUST(pith_space_map(p.space, map_at, BOOT_REGION, q, 1 | MAP_READ));
    MUST(pith_notify_raise(n, 4));
    wait_stopped(t);
    CHECK_EQUAL(seen, 2);
    CHECK_EQUAL(handled, 1);
    CHECK_EQUAL(MUST(pith_notify_wait(n, 0)), 4); /* a fault's wait takes nothing */
}
TEST("faults.wait-without-a-notification-unwinds")
{
    struct paged p = paged(pager_entry, 1);
    answer = FAULT_WAIT;
    wait_stopped(fault_thread(p.space, toucher, area(4096)));
    CHECK_EQUAL(seen, 1);
}
TEST("faults.wait-ends-when-the-notification-is-destroyed")
{
    struct paged p = paged(pager_entry, 1);
    uint64_t at = where();
    uint32_t n = slot(), t = make_stopped(p.space);
    MUST(pith_notification_create(BOOT_REGION, at, n));
    answer = FAULT_WAIT;
    uint64_t top = make_stack(p.space);
    MUST(pith_thread_notification(t, n));
    MUST(pith_thread_start(
        t, BOOT_TIME, (PRIORITY + 1) << 8, (uint64_t)toucher, top - 8, area(4096)));
    CHECK_EQUAL(state_of(t), T_WAITING);
    MUST(pith_object_destroy(BOOT_REGION, at));
    wait_stopped(t); /* asked again, there is nothing to wait on */
    CHECK_EQUAL(handled, 2);
}
TEST("faults.without-a-handler-are-recorded-and-told")
{
    uint32_t s = make_space(), n = make_notification();
    static struct pith_fault f;
    MUST(pith_space_owner(s, n, 32));
    uint32_t t = fault_thread(s, trapper, 0);
    CHECK_EQUAL(MUST(pith_notify_wait(n, DEADLINE_NEVER)), 32);
    wait_stopped(t);
    CHECK_EQUAL(MUST(pith_space_fault(s, (uint64_t)&f)), 1);
    CHECK_EQUAL(f.vector, 6);
    CHECK_EQUAL(f.sequence, 1);
    CHECK(f.regs[15] >= (uint64_t)trapper && f.regs[15] < (uint64_t)trapper + 64);
}
TEST("faults.a-renewed-space-shows-none-of-before")
{
    uint32_t s = make_space(), t = make_stopped(s);
    static struct pith_fault f;
    uint64_t thread_page = last_page(), top = make_stack(s);
    MUST(pith_thread_start(t, BOOT_TIME, (PRIORITY - 1) << 8, (uint64_t)trapper, top - 8, 0));
    wait_stopped(t);
    CHECK_EQUAL(MUST(pith_space_fault(s, (uint64_t)&f)), 1);
    MUST(pith_space_kill(s));
    MUST(pith_page_take(BOOT_REGION, thread_page));
    MUST(pith_space_renew(s, 0));
    CHECK_EQUAL(MUST(pith_space_fault(s, (uint64_t)&f)), 0);
    CHECK_EQUAL(f.sequence | f.vector | f.address | f.thread_id | f.regs[15] | f.regs[16], 0);
}
TEST("faults.the-thread-can-go-on-after-its-registers-were-changed")
{
    uint32_t s = make_space();
    static struct pith_regs r;
    uint32_t t = fault_thread(s, trapper, 0);
    wait_stopped(t);
    MUST(pith_thread_regs_read(t, (uint64_t)&r));
    r.rip += 2; /* past ud2 */
    MUST(pith_thread_regs_write(t, (uint64_t)&r));
    MUST(pith_thread_resume(t));
    wait_stopped(t);
    CHECK_EQUAL(seen, 2);
}
TEST("faults.a-dead-handler-is-no-handler")
{
    struct paged p = paged(pager_entry, 1);
    MUST(pith_object_destroy(BOOT_REGION, p.pager.gate_where));
    wait_stopped(fault_thread(p.space, toucher, area(4096)));
    CHECK_EQUAL(handled, 0);
    CHECK_EQUAL(MUST(pith_space_fault(p.space, (uint64_t)&(struct pith_fault){ 0 })), 1);
}
TEST("faults.a-paused-handler-is-waited-for")
{
    struct paged p = paged(pager_entry, 1);
    MUST(pith_service_pause(p.pager.service));
    map_page = page();
    uint32_t t = make_thread(p.space, toucher, map_at = area(4096), 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(t), T_QUEUED);
    MUST(pith_service_open(p.pager.service));
    wait_stopped(t);
    CHECK_EQUAL(seen, 2);
}
uint64_t editor(uint64_t vector, uint64_t address, uint64_t rip, uint64_t rsp, uint64_t badge);
GUEST_ENTRY(editor);
static struct pith_regs edited;
static volatile int64_t edit_status[4];
uint64_t editor(uint64_t vector, uint64_t address, uint64_t rip, uint64_t rsp, uint64_t badge)
{
    (void)vector, (void)address, (void)rip, (void)rsp, (void)badge;
    edit_status[0] = pith_fault_regs_read((uint64_t)&edited).status;
    edit_status[1] = pith_fault_regs_read(1ull << 40).status;
    edit_status[2] = pith_fault_regs_write(1ull << 40).status;
    edited.rip = 1ull << 60;
    edit_status[3] = pith_fault_regs_write((uint64_t)&edited).status;
    pith_fault_regs_read((uint64_t)&edited);
    edited.rip += 2;
    edited.flags = ~0ull;
    pith_fault_regs_write((uint64_t)&edited);
    pith_fault_regs_read((uint64_t)&edited);
    return FAULT_RESUME;
}
TEST("faults.a-handler-reads-and-writes-registers")
{
    struct paged p = paged(editor_entry, 1);
    wait_stopped(fault_thread(p.space, trapper, 0));
    CHECK_EQUAL(seen, 2);
    CHECK_EQUAL(edit_status[0], 0);
    CHECK_EQUAL(edit_status[1], -E_MEMORY);
    CHECK_EQUAL(edit_status[2], -E_MEMORY);
    CHECK_EQUAL(edit_status[3], -E_ARG);
    CHECK_EQUAL(edited.flags & ~0xed7ull, 0);
}
TEST("faults.registers-answer-e-depth-outside-a-handler")
{
    fixture();
    uint64_t reply;
    EXPECT(pith_fault_regs_read(fx.buffer), -E_DEPTH);
    EXPECT(pith_fault_regs_write(fx.buffer), -E_DEPTH);
    struct server s = make_server(make_space(), 3, operate_entry, 1, 0);
    CHECK_EQUAL(call(s.gate, OP_FAULT_REGS_READ, 0, 0, &reply), 0);
    CHECK_EQUAL((int64_t)reply, -E_DEPTH);
    CHECK_EQUAL(call(s.gate, OP_FAULT_REGS_WRITE, 0, 0, &reply), 0);
    CHECK_EQUAL((int64_t)reply, -E_DEPTH);
}
TEST("faults.every-register-survives")
{
    extern void register_check(uint64_t);
    struct paged p = paged(pager_entry, 1);
    map_page = page();
    map_at = area(4096);
    wait_stopped(fault_thread(p.space, register_check, map_at));
    CHECK_EQUAL(seen, 0x600d);
    CHECK_EQUAL(handled, 1);
}
void register_check(uint64_t);
__asm__(".text\n.globl register_check\nregister_check:\n"
        "mov $1, %rax\nmov $2, %rbx\nmov $3, %rcx\nmov $4, %rdx\nmov $5, %rsi\nmov $6, %rbp\n"
        "mov $8, %r8\nmov $9, %r9\nmov $10, %r10\nmov $11, %r11\nmov $12, %r12\nmov $13, %r13\n"
        "mov $14, %r14\nmov $15, %r15\nstc\n"
        "mov (%rdi), %rdi\n" /* faults; reads 0 then */
        "jnc 1f\n"
        "lea (%rdi,%rax), %rdi\nadd %rbx, %rdi\nadd %rcx, %rdi\nadd %rdx, %rdi\nadd %rsi, %rdi\n"
        "add %rbp, %rdi\nadd %r8, %rdi\nadd %r9, %rdi\nadd %r10, %rdi\nadd %r11, %rdi\n"
        "add %r12, %rdi\nadd %r13, %rdi\nadd %r14, %rdi\nadd %r15, %rdi\n"
        "cmp $113, %rdi\njne 1f\nmovq $0x600d, fault_seen(%rip)\n"
        "1: mov $0x80000000 + 42, %eax\nsyscall\nud2\n");
extern volatile uint64_t fault_seen __attribute__((alias("seen")));

/* A handler that faults itself, once, in a page that the second handler maps. */
static volatile uint64_t nested_at, nested_page, outer_handled;
uint64_t faulty(uint64_t vector, uint64_t address, uint64_t rip, uint64_t rsp, uint64_t badge);
GUEST_ENTRY(faulty);
uint64_t faulty(uint64_t vector, uint64_t address, uint64_t rip, uint64_t rsp, uint64_t badge)
{
    (void)vector, (void)address, (void)rip, (void)rsp, (void)badge;
    outer_handled++;
    uint64_t v = *(volatile uint64_t *)nested_at;
    inner_status = pith_space_map(22, nested_page >> 32, 21, nested_page & 0xffffffff,
                                  1 | MAP_READ | MAP_WRITE).status;
    return v;
}
TEST("faults.nest-in-handlers")
{
    struct paged p = paged(pager_entry, 1); /* p.space: where the faulty handler runs */
    struct server outer = make_server(p.space, 6, faulty_entry, 1, 0);
    uint32_t client = make_space();
    MUST(pith_cap_copy(BOOT_REGION, p.space, 21, RIGHT_ALL));
    MUST(pith_cap_copy(client, p.space, 22, RIGHT_ALL));
    MUST(pith_space_handler(client, outer.gate));
    outer_handled = 0;
    map_page = page();
    map_at = nested_at = area(4096);
    uint64_t va = area(4096);
    nested_page = va << 32 | page();
    wait_stopped(fault_thread(client, toucher, va));
    CHECK_EQUAL(outer_handled, 1);
    CHECK_EQUAL(handled, 1);
    CHECK_EQUAL(seen, 2);
}
TEST("faults.a-handler-above-its-client-is-no-handler")
{
    /* E_ORDER: the pager is of level 3, the faulting server of level 2. */
    struct paged p = paged(pager_entry, 1);
    struct server low = make_server(p.space, 2, poke_entry, 1, 0);
    uint32_t n = make_notification();
    void poking(uint64_t);
    MUST(pith_space_owner(p.space, n, 1));
    uint32_t t = make_thread(SPACE_SELF, poking, low.gate | area(4096) << 32, 0, PRIORITY - 1);
    MUST(pith_notify_wait(n, DEADLINE_NEVER));
    EVENTUALLY(state_of(t) == T_QUEUED);
    CHECK_EQUAL(handled, 0);
}
static volatile int64_t poke_status;
void poking(uint64_t x);
void poking(uint64_t x)
{
    uint64_t reply = 0;
    poke_status = 99;
    poke_status = call((uint32_t)x, x >> 32, 5, 0, &reply);
    pith_thread_exit();
}
TEST("faults.a-handler-serves-faults-inside-servers")
{
    struct paged p = paged(pager_entry, 1);
    struct server s = make_server(p.space, 6, poke_entry, 1, 0);
    map_page = page();
    map_at = area(4096);
    uint32_t t = make_thread(SPACE_SELF, poking, s.gate | map_at << 32, 0, PRIORITY - 1);
    wait_stopped(t);
    CHECK_EQUAL(poke_status, 0);
    CHECK_EQUAL(handled, 1);
}
TEST("faults.a-faulting-server-holds-its-caller-until-it-is-killed")
{
    uint32_t space = make_space(), n = make_notification();
    struct server s = make_server(space, 3, poke_entry, 1, 0);
    static struct pith_fault f;
    MUST(pith_space_owner(space, n, 1));
    uint32_t t =
        make_thread(SPACE_SELF, poking, s.gate | area(4096) << 32, LAST_CORE, PRIORITY - 1);
    CHECK_EQUAL(MUST(pith_notify_wait(n, DEADLINE_NEVER)), 1);
    EVENTUALLY(state_of(t) == T_QUEUED);
    MUST(pith_space_fault(space, (uint64_t)&f));
    CHECK_EQUAL(f.depth, 1);
    MUST(pith_space_kill(space));
    wait_stopped(t);
    CHECK_EQUAL(poke_status, -E_RESTART);
}
TEST("faults.a-stuck-activation-does-not-take-the-wake-of-a-queued-caller")
{
    /* One stack faulted, one waits, a third caller queues: the return of the second must
     * wake the third, not the faulted one. */
    uint32_t space = make_space(), n = make_notification(), m = make_notification();
    struct server s = make_server(space, 3, operate_entry, 2, 0);
    void operating(uint64_t);
    give(space, m);
    MUST(pith_space_owner(space, n, 1));
    server_args[0] = server_args[1] = server_args[2] = 0;
    struct server poke = make_server(space, 3, poke_entry, 1, 0);
    (void)poke;
    /* operate: op number a with b, c; the faulting one is entered with rsp broken by hand. */
    uint32_t pool = make_pool(s.service, space, wait_entry, 2);
    MUST(pith_service_pause(s.service));
    MUST(pith_service_bind(s.service, pool));
    MUST(pith_service_open(s.service));
    uint32_t b = make_thread(SPACE_SELF, operating, s.gate | (uint64_t)m << 32, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(b), T_WAITING);
    uint32_t a =
        make_thread(SPACE_SELF, operating, s.gate | (uint64_t)(m + 1000) << 32, 0, PRIORITY + 1);
    wait_stopped(a); /* bad slot: came back at once */
    uint32_t c = make_thread(SPACE_SELF, operating, s.gate | (uint64_t)m << 32, 0, PRIORITY + 1);
    wait_stopped(c); /* E_BUSY: a second waiter */
    MUST(pith_notify_raise(m, 1));
    wait_stopped(b);
}
void operating(uint64_t x);
void operating(uint64_t x)
{
    uint64_t reply = 0;
    call((uint32_t)x, x >> 32, DEADLINE_NEVER, 0, &reply);
    pith_thread_exit();
}
/* Faults when a is 0, else waits on slot a. */
uint64_t mixed(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge);
GUEST_ENTRY(mixed);
uint64_t mixed(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t badge)
{
    (void)c, (void)d, (void)badge;
    if (!a)
        __asm__ volatile("ud2");
    return a == 1 ? 7 : (uint64_t)pith_notify_wait((uint32_t)a, b).status;
}
TEST("faults.a-return-wakes-a-queued-caller-past-a-faulted-one")
{
    uint32_t space = make_space(), m = make_notification();
    struct server s = make_server(space, 3, mixed_entry, 2, 0);
    give(space, m);
    uint32_t a = make_thread(SPACE_SELF, operating, s.gate, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(a), T_QUEUED); /* faulted */
    uint32_t b = make_thread(SPACE_SELF, operating, s.gate | (uint64_t)m << 32, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(b), T_WAITING);
    uint32_t c = make_thread(SPACE_SELF, operating, s.gate | 1ull << 32, 0, PRIORITY + 1);
    CHECK_EQUAL(state_of(c), T_QUEUED);
    MUST(pith_notify_raise(m, 1));
    wait_stopped(b);
    wait_stopped(c);
    CHECK_EQUAL(MUST(pith_space_fault(space, (uint64_t)&(struct pith_fault){ 0 })), 1);
    MUST(pith_space_kill(space));
    wait_stopped(a);
}
TEST("faults.unwind-inside-a-server-holds-the-frame")
{
    struct paged p = paged(pager_entry, 1);
    struct server s = make_server(p.space, 6, poke_entry, 1, 0);
    answer = FAULT_UNWIND;
    uint32_t t = make_thread(SPACE_SELF, poking, s.gate | area(4096) << 32, 0, PRIORITY - 1);
    EVENTUALLY(state_of(t) == T_QUEUED);
    MUST(pith_thread_unwind(t, s.service));
    wait_stopped(t);
    CHECK_EQUAL(poke_status, -E_UNWOUND);
}
TEST("faults.the-death-of-a-handler-repeats-the-instruction")
{
    uint32_t at = make_space(), next = make_space();
    struct paged p = paged(pager_entry, 1);
    struct server h = make_server(at, 3, spin_entry, 1, 0);
    MUST(pith_space_handler(p.space, h.gate));
    MUST(pith_cap_copy(p.space, next, 20, RIGHT_ALL));
    MUST(pith_cap_copy(BOOT_REGION, next, 21, RIGHT_ALL));
    map_page = page();
    spin_flag = 1, spin_count = 0;
    uint32_t t = fault_thread(p.space, toucher, map_at = area(4096));
    EVENTUALLY(spin_count);
    uint32_t pool = make_pool(h.service, next, pager_entry, 1);
    MUST(pith_space_kill(at)); /* pauses the service */
    MUST(pith_service_bind(h.service, pool));
    MUST(pith_service_open(h.service));
    wait_stopped(t);
    CHECK_EQUAL(seen, 2);
}
TEST("faults.the-death-of-a-handler-repeats-a-breakpoint")
{
    static struct pith_fault f;
    uint32_t at = make_space(), next = make_space();
    struct paged p = paged(pager_entry, 1);
    struct server h = make_server(at, 3, spin_entry, 1, 0);
    MUST(pith_space_handler(p.space, h.gate));
    spin_flag = 1, spin_count = 0;
    uint32_t t = fault_thread(p.space, trapper, 1);
    EVENTUALLY(spin_count);
    answer = FAULT_UNWIND;
    uint32_t pool = make_pool(h.service, next, pager_entry, 1);
    MUST(pith_space_kill(at));
    MUST(pith_service_bind(h.service, pool));
    MUST(pith_service_open(h.service));
    wait_stopped(t);
    CHECK_EQUAL(seen, 1);
    CHECK_EQUAL(handled, 1);
    CHECK_EQUAL(vector_of, 3);
    MUST(pith_space_fault(p.space, (uint64_t)&f));
    CHECK_EQUAL(*(const uint8_t *)f.regs[15], 0xcc); /* the instruction, not what is behind it */
}
TEST("faults.privileged-instructions-fault")
{
    extern void privileged(uint64_t);
    for (uint64_t i = 0; i < 6; i++) {
        uint32_t s = make_space();
        static struct pith_fault f;
        wait_stopped(fault_thread(s, privileged, i));
        CHECK_EQUAL(MUST(pith_space_fault(s, (uint64_t)&f)), 1);
        CHECK_EQUAL(f.vector, 13);
    }
}
void privileged(uint64_t);
void privileged(uint64_t which)
{
    switch (which) {
    case 0: __asm__ volatile("cli"); break;
    case 1: __asm__ volatile("hlt"); break;
    case 2: __asm__ volatile("mov %%cr3, %%rax" ::: "rax"); break;
    case 3: __asm__ volatile("in $0x60, %%al" ::: "rax"); break;
    case 4: __asm__ volatile("int $0xf1"); break;
    default: __asm__ volatile("rdmsr" ::: "rax", "rdx"); break;
    }
    pith_thread_exit();
}
TEST("faults.kernel-memory-faults")
{
    uint32_t s = make_space();
    static struct pith_fault f;
    wait_stopped(fault_thread(s, toucher, 0xffffffff80000000));
    CHECK_EQUAL(MUST(pith_space_fault(s, (uint64_t)&f)), 1);
    CHECK_EQUAL(f.vector, 14);
    wait_stopped(fault_thread(s, toucher, 1ull << 60)); /* not canonical */
    CHECK_EQUAL(MUST(pith_space_fault(s, (uint64_t)&f)), 2);
    CHECK_EQUAL(f.vector, 13);
}
static void bad_stack(uint64_t unused)
{
    (void)unused;
    __asm__ volatile("mov $0xdead000000000000, %rsp\npush %rax");
}
TEST("faults.a-broken-stack-pointer-hurts-itself-only")
{
    uint32_t s = make_space();
    static struct pith_fault f;
    wait_stopped(fault_thread(s, bad_stack, 0));
    MUST(pith_space_fault(s, (uint64_t)&f));
    CHECK(f.vector == 12 || f.vector == 13); /* #SS; QEMU: #GP */
}
static void call_with_bad_stack(uint64_t unused)
{
    (void)unused;
    __asm__ volatile("mov $0xdead000000000000, %rsp\nmov $0x80000000 + 43, %eax\nsyscall\n"
                     "mov $0x80000000 + 42, %eax\nsyscall");
}
TEST("faults.operations-need-no-stack-pointer")
{
    uint32_t s = make_space();
    wait_stopped(fault_thread(s, call_with_bad_stack, 0));
    CHECK_EQUAL(MUST(pith_space_fault(s, (uint64_t)&(struct pith_fault){ 0 })), 0);
}
static void writer(uint64_t va)
{
    seen = 1;
    *(volatile uint8_t *)va = 1;
    seen = 2;
    pith_thread_exit();
}
static void runner(uint64_t va)
{
    seen = 1;
    ((void (*)(void))va)();
    seen = 2;
    pith_thread_exit();
}
TEST("faults.writing-read-only-memory")
{
    uint32_t s = make_space();
    static struct pith_fault f;
    wait_stopped(fault_thread(s, writer, (uint64_t)writer));
    CHECK_EQUAL(seen, 1);
    MUST(pith_space_fault(s, (uint64_t)&f));
    CHECK_EQUAL(f.error & 7, 7);
}
TEST("faults.executing-data")
{
    if (!(BOOTINFO->features & FEATURE_NX))
        test_skip("this processor has no NX");
    uint32_t s = make_space();
    static struct pith_fault f;
    static uint8_t code[] = { 0xc3 };
    wait_stopped(fault_thread(s, runner, (uint64_t)code));
    CHECK_EQUAL(seen, 1);
    MUST(pith_space_fault(s, (uint64_t)&f));
    CHECK_EQUAL(f.error & 0x10, 0x10);
}
