/* SPDX-License-Identifier: MIT */
/*
 * The kernel's tests: each a function with a name, run one after the other in one boot.
 *
 *     TEST("notify.raise-then-wait")
 *     {
 *         uint32_t n = make_notification();
 *         EXPECT(pith_notify_raise(n, 5), 0);
 *         CHECK(MUST(pith_notify_wait(n, 0)) == 5);
 *     }
 *
 * All that a test makes comes from an arena of pages and a range of slots. After the test
 * the harness takes every page back, whatever it became, empties the slots, and fails the
 * test when a page does not become free and its region's own, or a slot stays full: that is
 * the leak check. A watchdog of a higher priority fails a test that takes TEST_LIMIT_NS;
 * no other test judges by time.
 */
#pragma once
#include "guest.h"

struct test { const char *title; void (*run)(void); };
#define TEST_JOIN(a, b) a##b
#define TEST_ID(line) TEST_JOIN(test_at_, line)
#define TEST_ENTRY(line) TEST_JOIN(test_entry_, line)
#define TEST(title)                                                                          \
    static void TEST_ID(__LINE__)(void);                                                     \
    static const struct test TEST_ENTRY(__LINE__)                                            \
        __attribute__((section("tests"), used)) = { title, TEST_ID(__LINE__) };              \
    static void TEST_ID(__LINE__)(void)
/* A test of one answer, with one object of each kind at hand (see fx). */
#define ANSWER(title, call, error)                                                           \
    TEST(title)                                                                              \
    {                                                                                        \
        fixture();                                                                           \
        EXPECT(call, error);                                                                 \
    }

#define TEST_LIMIT_NS (120 * NS_PER_S) /* a hang; 64 emulated cores on two are slow */
#define PRIORITY 32u /* of the thread that runs the tests */
#define LAST_CORE (BOOTINFO->cores - 1)

/* Page types and thread states as page_info, cap_identify and thread_info say them. */
enum { P_NONE, P_KERNEL, P_FREE, P_FRAME, P_TABLE, P_SHADOW, P_CAPS, P_GATE, P_SPACE, P_PML4,
       P_THREAD, P_SERVICE, P_POOL, P_STACKS, P_REGION, P_TIME, P_NOTIFICATION, P_INTERRUPT,
       P_IO, P_CONTROL };
enum { T_STOPPED, T_READY, T_WAITING, T_QUEUED, T_THROTTLED };

/* Ends the test. */
void test_fail(const char *file, int line, const char *what, int64_t got, int64_t wanted)
    __attribute__((noreturn));
void test_skip(const char *reason) __attribute__((noreturn));
#define CHECK(e) ((e) ? (void)0 : test_fail(__FILE__, __LINE__, #e, 0, 0))
#define CHECK_EQUAL(a, b)                                                                    \
    ({                                                                                       \
        int64_t check_a = (int64_t)(a), check_b = (int64_t)(b);                              \
        if (check_a != check_b)                                                              \
            test_fail(__FILE__, __LINE__, #a, check_a, check_b);                             \
    })
void nap(void);
void again(void); /* a short nap */
/* The operation's answer, after the steps that E_AGAIN asks for (so the call's arguments
 * are evaluated again: no page() or where() there). */
#define EXPECT(call, error)                                                                  \
    ({                                                                                       \
        struct pith_result expect_r = (call);                                                \
        while (expect_r.status == -E_AGAIN && (error) != -E_AGAIN) {                         \
            again();                                                                         \
            expect_r = (call);                                                               \
        }                                                                                    \
        if (expect_r.status != (error))                                                      \
            test_fail(__FILE__, __LINE__, #call, expect_r.status, (error));                  \
        expect_r.value;                                                                      \
    })
#define MUST(call) EXPECT(call, 0)
/* Waits, letting others run, until the condition holds. */
#define EVENTUALLY(e)                                                                        \
    ({                                                                                       \
        while (!(e))                                                                         \
            nap();                                                                           \
    })

/* ---- what tests are made of ------------------------------------------------------------- */
uint64_t page(void);              /* index in BOOT_REGION */
uint64_t pages(uint64_t n);       /* a run, the first even */
uint64_t pages_aligned(uint64_t n, uint64_t align); /* by frame number */
bool arena_holds(uint64_t n);
uint32_t slot(void);
uint64_t where(void);             /* a place for a small object on a page of its own */
uint32_t weak(uint32_t of, uint64_t rights); /* a copy with these rights only */
uint64_t area(uint64_t bytes);    /* addresses of this space with nothing mapped */
uint64_t map(uint32_t space, uint64_t va, unsigned n); /* RW frames; the first's index */
uint32_t make_space(void);        /* with tables, slots 0..255, and this program */
uint32_t make_bare_space(void);   /* without any of that */
void give_tables(uint32_t space, unsigned pairs);
uint64_t make_stack(uint32_t space);
uint32_t make_notification(void);
uint32_t make_region(unsigned count); /* an inner region of free pages; index 0 is its first */
extern uint64_t region_base;      /* where in BOOT_REGION the last one begins */
uint32_t make_time(uint64_t cores, unsigned priority);
uint32_t make_thread(uint32_t space, void (*f)(uint64_t), uint64_t argument, unsigned core,
                     unsigned priority);
uint32_t make_stopped(uint32_t space); /* a thread that never ran */
uint64_t last_page(void);         /* of the last single page given out */
struct server {
    uint32_t service, pool, gate, space;
    uint64_t service_page, pool_page, gate_where;
};
struct server make_server(uint32_t space, unsigned level, void (*entry)(void), unsigned stacks,
                          uint64_t badge);
uint32_t make_pool(uint32_t service, uint32_t space, void (*entry)(void), unsigned stacks);
uint32_t make_gate(uint32_t service, uint64_t badge, uint64_t *where_it_is);
void give(uint32_t space, uint32_t s); /* the same slot there */
uint64_t state_of(uint32_t thread);
struct pith_thread_info info_of(uint32_t thread);
void stop(uint32_t thread);
void wait_stopped(uint32_t thread);

/* One object of each kind. */
struct fixture {
    uint32_t empty, region, space, time, thread, service, pool, gate, notification, interrupt;
    uint32_t ports, memory;
    struct server server;
    uint64_t thread_page, page, odd, where; /* page: free and even, odd: the next one */
    uint64_t buffer, bad; /* addresses: one mapped page, none */
};
extern struct fixture fx;
void fixture(void);

/* Any operation by number. */
struct pith_result raw_op(uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                          uint64_t f);
/* A server's handlers: uint64_t f(a, b, c, d, badge); this answers a + b + c + badge. */
void echo_entry(void);
/* Runs operation a with arguments b, c, d; answers its status; the value in server_value. */
void operate_entry(void);
extern volatile uint64_t server_value, server_args[3];
/* Waits on notification slot a with deadline b; answers the status. */
void wait_entry(void);
/* Calls gate a with b, c; answers its reply; the status in server_value. */
void forward_entry(void);
/* Spins while spin_flag. */
void spin_entry(void);
extern volatile uint64_t spin_flag, spin_count;
/* Writes to address a. */
void poke_entry(void);
/* The stub of op_call_x, which like every call keeps no register but rsp. */
struct pith_result call_x(uint64_t transfer);
int64_t call(uint32_t gate, uint64_t a, uint64_t b, uint64_t c, uint64_t *reply);
