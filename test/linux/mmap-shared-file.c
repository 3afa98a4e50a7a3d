/* SPDX-License-Identifier: MIT */
/* Shared mappings of files: writes reach the file and other processes; msync; truncation. */
#include "try.h"
#include <setjmp.h>

static sigjmp_buf back;
static char *at;

static void jump(int number)
{
    siglongjmp(back, number);
}

static void child(void)
{
    say("child sees %.5s", at);
    memcpy(at + 5, "child", 5);
}

int main(void)
{
    char text[16] = "", *second;
    int fd, number;

    handle(SIGBUS, jump, 0);
    fd = open("file", O_RDWR | O_CREAT, 0644);
    TRY(ftruncate(fd, 8192));
    at = PTR(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    memcpy(at, "hello", 5);
    TRY(pread(fd, text, 5, 0));
    STR(text);
    TRY(pwrite(fd, "J", 1, 0));
    say("%.5s", at);
    CHILD(child);
    say("%.10s", at);
    second = PTR(mmap(NULL, 4096, PROT_READ, MAP_SHARED, open("file", O_RDONLY), 0));
    say("%.10s", second);
    TRY(msync(at, 8192, MS_SYNC));
    TRY(msync(at, 8192, MS_ASYNC | MS_INVALIDATE));
    TRY(msync(at, 8192, MS_SYNC | MS_ASYNC));
    TRY(msync(at + 1, 4096, MS_SYNC));
    TRY(ftruncate(fd, 100));
    number = sigsetjmp(back, 1);
    if (number == 0)
        say("beyond the end: %d", *(volatile char *)(at + 4096));
    else
        say("beyond the end: %s", signal_name(number));
    say("%.10s", at);
    TRY(close(fd));
    at[0] = 'K';
    TRY(munmap(at, 8192));
    TRY(msync(at, 8192, MS_SYNC));
    fd = open("file", O_RDONLY);
    TRY(read(fd, text, 10));
    STR(text);
    PTR(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0));
    at = PTR(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
    TRY(mprotect(at, 4096, PROT_READ | PROT_WRITE)); // the file is open for reading only
    return 0;
}
