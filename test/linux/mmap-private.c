/* SPDX-License-Identifier: MIT */
/* Private mappings: a file's pages until one is written, fork's copies, protection, mremap. */
#include "try.h"

#define PAGE 4096

static char *map;

static void child_writes(void)
{
    map[0] = 'c';
    map[PAGE] = 'd';
    say("child: %c%c%c", map[0], map[PAGE], map[2 * PAGE]);
}

static void write_text(void)
{
    map[2 * PAGE] = 1;
}

static void touch_none(void)
{
    say("%d", *(volatile char *)map);
}

static void run_data(void)
{
    ((void (*)(void))(uintptr_t)map)();
}

int main(void)
{
    char page[PAGE], text[8] = "";
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    char *other;

    for (int i = 0; i < 3; i++) {
        memset(page, 'A' + i, PAGE);
        TRY(write(fd, page, PAGE));
    }
    map = PTR(mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    say("%c%c%c", map[0], map[PAGE], map[2 * PAGE]);
    map[PAGE] = 'x';
    TRY(pread(fd, text, 1, PAGE));
    STR(text);
    CHILD(child_writes);
    say("%c%c%c", map[0], map[PAGE], map[2 * PAGE]);
    TRY(pwrite(fd, "w", 1, PAGE)); // the private page hides it
    VAL(map[PAGE]);
    TRY(madvise(map + PAGE, PAGE, MADV_DONTNEED)); // now it is seen
    VAL(map[PAGE]);
    TRY(mprotect(map + 2 * PAGE, PAGE, PROT_READ));
    CHILD(write_text);
    TRY(mprotect(map + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE));
    map[2 * PAGE] = 'z';
    TRY(mprotect(map, PAGE, PROT_NONE));
    CHILD(touch_none);
    TRY(mprotect(map, PAGE, PROT_READ | PROT_WRITE));
    VAL(map[0]);
    CHILD(run_data);
    // one page out of the middle, then mapped anew
    TRY(munmap(map + PAGE, PAGE));
    TRY(mprotect(map, 3 * PAGE, PROT_READ));
    PTR(mmap(
        map + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    VAL(map[PAGE]);
    map[PAGE] = 'n';
    TRY(madvise(map + PAGE, PAGE, MADV_DONTNEED));
    VAL(map[PAGE]);
    VAL(map[2 * PAGE]);
    TRY(munmap(map, 3 * PAGE));
    // moved by mremap: the file's pages and the private one go along
    map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    map[PAGE] = 'y';
    other = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    map = PTR(mremap(map, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other + 4 * PAGE));
    IS(map == other + 4 * PAGE);
    say("%c%c%c", map[0], map[PAGE], map[2 * PAGE]);
    TRY(munmap(other, 16 * PAGE));
    PTR(mremap(other, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
    // large and sparse: only what is touched costs memory
    map = PTR(mmap(NULL, 1ul << 36, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    map[0] = 1;
    map[(1ul << 36) - 1] = 2;
    map[12345678901] = 3;
    say("%d %d %d %d", map[0], map[12345678901], map[12345678900], map[(1ul << 36) - 1]);
    TRY(munmap(map + (1ul << 30), (1ul << 36) - (2ul << 30)));
    say("%d %d", map[0], map[(1ul << 36) - 1]);
    TRY(mprotect(map, 2ul << 30, PROT_READ));
    TRY(munmap(map, 1ul << 36));
    PTR(mmap(map, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    PTR(mmap(map, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    PTR(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
    PTR(mmap(NULL, (size_t)-1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    TRY(munmap(map + 1, PAGE));
    TRY(SYS(mprotect, map + 1, PAGE, PROT_READ));
    TRY(madvise(map + 1, PAGE, MADV_DONTNEED));
    return 0;
}
