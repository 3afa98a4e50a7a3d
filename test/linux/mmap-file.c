/* SPDX-License-Identifier: MIT */
/* Private mappings of files: contents, copies on write, the tail of the last page, SIGBUS beyond.
 * */
#include "try.h"
#include <setjmp.h>

static sigjmp_buf back;

static void jump(int number)
{
    siglongjmp(back, number);
}

static void look(const char *what, volatile char *at)
{
    int number = sigsetjmp(back, 1);

    if (number == 0)
        say("%s: %d", what, *at);
    else
        say("%s: %s", what, signal_name(number));
}

int main(void)
{
    char *at, *other, text[8] = "";
    int fd;

    handle(SIGBUS, jump, 0), handle(SIGSEGV, jump, 0);
    put("file", "0123456789");
    fd = open("file", O_RDWR);
    at = PTR(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    say("%.10s", at);
    look("after the end, same page", at + 10);
    look("last byte of the page", at + 4095);
    look("next page", at + 4096);
    at[0] = 'X';
    TRY(pread(fd, text, 2, 0));
    STR(text);
    other = PTR(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
    look("another mapping", other);
    TRY(close(fd)); // the mapping lives on
    look("after close", at + 1);
    TRY(unlink("file"));
    look("after unlink", other + 2);
    fd = open("large", O_RDWR | O_CREAT, 0644);
    ftruncate(fd, 3 * 4096);
    pwrite(fd, "A", 1, 0), pwrite(fd, "B", 1, 4096), pwrite(fd, "C", 1, 8192);
    at = PTR(mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 4096));
    look("offset", at);
    look("offset, second page", at + 4096);
    if (sigsetjmp(back, 1) == 0)
        say("a write: %d", at[0] = 1);
    else
        say("a write fails");
    return 0;
}
