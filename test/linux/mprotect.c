/* SPDX-License-Identifier: MIT */
/* mprotect: reading, writing, executing, splitting; over holes; errors. */
#include "try.h"
#include <setjmp.h>

static sigjmp_buf back;
static char *at;

static void jump(int number)
{
    siglongjmp(back, number);
}

static void try_read(int page)
{
    if (sigsetjmp(back, 1) == 0)
        say("  page %d: reads %d", page, *(volatile char *)(at + page * 4096));
    else
        say("  page %d: no reading", page);
}

static void try_write(int page)
{
    if (sigsetjmp(back, 1) == 0) {
        *(volatile char *)(at + page * 4096) = 9;
        say("  page %d: writes", page);
    } else {
        say("  page %d: no writing", page);
    }
}

static void try_run(int page)
{
    if (sigsetjmp(back, 1) == 0)
        say("  page %d: returns %d", page, ((int (*)(void))(void *)(at + page * 4096))());
    else
        say("  page %d: no executing", page);
}

int main(void)
{
    static const char code[] = "\xb8\x2a\0\0\0\xc3"; // mov eax, 42; ret

    handle(SIGSEGV, jump, 0);
    at = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int page = 0; page < 4; page++)
        memcpy(at + page * 4096, code, sizeof code);
    try_run(0);
    TRY(mprotect(at, 4096, PROT_READ | PROT_EXEC));
    try_run(0), try_write(0);
    TRY(mprotect(at + 4096, 2 * 4096, PROT_NONE));
    try_read(0), try_read(1), try_read(2), try_read(3);
    try_write(3);
    TRY(mprotect(at, 4 * 4096, PROT_READ));
    try_read(1), try_write(1), try_run(0);
    TRY(mprotect(at, 4 * 4096, PROT_READ | PROT_WRITE));
    try_write(0), try_write(2), try_read(2);
    TRY(SYS(mprotect, at + 1, 4096, PROT_READ));
    TRY(mprotect(at, 0, PROT_READ));
    TRY(mprotect(at, 4096, 0x100));
    munmap(at + 4096, 4096);
    TRY(mprotect(at, 4 * 4096, PROT_READ));
    try_write(0); // the part before the hole was done
    try_write(2);
    TRY(mprotect((void *)0x10000, 4096, PROT_READ));
    TRY(mprotect(at, SIZE_MAX - 8191, PROT_READ));
    return 0;
}
