/* SPDX-License-Identifier: MIT */
/* sigaltstack: handlers on it, overflow of the real stack survived, flags, errors. */
#include "try.h"
#include <setjmp.h>

static char *stack;
static size_t stack_bytes = 65536;
static sigjmp_buf back;

static bool on_stack(void)
{
    char here;

    return &here >= stack && &here < stack + stack_bytes;
}

static void plain(int number)
{
    stack_t now, other = {.ss_sp = stack, .ss_size = stack_bytes};

    (void)number;
    IS(on_stack());
    TRY(sigaltstack(NULL, &now));
    VAL(now.ss_flags);
    if (on_stack())
        TRY(sigaltstack(&other, NULL)); // not while on it
}

static void overflow(int number)
{
    (void)number;
    say("overflow caught on the other stack: %s", on_stack() ? "yes" : "no");
    siglongjmp(back, 1);
}

static int __attribute__((noinline)) deeper(int depth)
{
    volatile char room[10000];

    room[0] = (char)depth;
    return depth > 1000000 ? room[0] : deeper(depth + 1) + room[0];
}

static void child(void)
{
    stack_t now;

    TRY(sigaltstack(NULL, &now));
    IS(now.ss_sp == stack);
}

int main(void)
{
    stack_t wanted, now;

    stack = mmap(NULL, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TRY(sigaltstack(NULL, &now));
    VAL(now.ss_flags == SS_DISABLE);
    wanted = (stack_t){.ss_sp = stack, .ss_size = stack_bytes};
    TRY(sigaltstack(&wanted, NULL));
    handle(SIGUSR1, plain, 0);
    raise(SIGUSR1);
    handle(SIGUSR1, plain, SA_ONSTACK);
    raise(SIGUSR1);
    TRY(sigaltstack(NULL, &now));
    IS(now.ss_sp == stack && now.ss_size == stack_bytes && now.ss_flags == 0);
    CHILD(child);
    handle(SIGSEGV, overflow, SA_ONSTACK);
    if (sigsetjmp(back, 1) == 0)
        say("%d", deeper(0));
    say("goes on");
    wanted.ss_size = 100;
    TRY(SYS(sigaltstack, &wanted, NULL));
    wanted.ss_flags = 0x77;
    wanted.ss_size = stack_bytes;
    TRY(SYS(sigaltstack, &wanted, NULL));
    TRY(SYS(sigaltstack, BAD, NULL));
    TRY(SYS(sigaltstack, NULL, BAD));
    wanted.ss_flags = SS_DISABLE;
    TRY(sigaltstack(&wanted, NULL));
    handle(SIGUSR1, plain, SA_ONSTACK);
    raise(SIGUSR1);
    return 0;
}
