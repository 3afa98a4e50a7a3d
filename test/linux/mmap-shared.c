/* SPDX-License-Identifier: MIT */
/* Shared memory: anonymous between parent and child, also pages that neither had touched before
 * the fork; the same file in two processes, beside read and write. */
#include "try.h"

#define PAGES 64
#define PAGE 4096

static volatile unsigned char *area;

static void child_writes(void)
{
    for (int i = 0; i < PAGES; i++)
        area[i * PAGE] = (unsigned char)(i + 1);
}

static void child_sees(void)
{
    VAL(area[0]);
    VAL(area[5 * PAGE]);
    area[6 * PAGE] = 66;
}

static void grandchild(void)
{
    CHILD(child_sees);
    VAL(area[6 * PAGE]);
}

static void file_child(void)
{
    int fd = open("file", O_RDWR);
    volatile char *mine = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    say("child sees \"%.5s\"", (const char *)mine);
    memcpy((char *)mine, "CHILD", 5);
    TRY(pwrite(fd, "|end", 4, 8));
    TRY(munmap((void *)mine, PAGE));
    close(fd);
}

static void write_reader(void)
{
    int fd = open("file", O_RDONLY);
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

    p[0] = 1;
}

static void behind_end(void)
{
    int fd = open("file", O_RDWR);
    volatile char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    p[2 * PAGE] = 1;
}

int main(void)
{
    char text[32] = "";
    int fd, sum = 0;
    char *map, *other;

    area = PTR(mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    area[0] = 100;
    CHILD(child_writes);
    for (int i = 0; i < PAGES; i++)
        sum += area[i * PAGE];
    VAL(sum);
    area[5 * PAGE] = 55;
    CHILD(grandchild);
    VAL(area[6 * PAGE]);
    TRY(madvise((void *)area, PAGE, MADV_DONTNEED));
    VAL(area[0]); // shared pages are not lost
    area = PTR(mremap((void *)area, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE));
    VAL(area[6 * PAGE]);
    TRY(munmap((void *)area, 2 * PAGES * PAGE));

    put("file", "hello world");
    fd = open("file", O_RDWR);
    map = PTR(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    other = PTR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
    say("\"%s\" \"%s\"", map, other);
    CHILD(file_child);
    say("\"%s\" \"%s\"", map, other);
    memcpy(map, "Parent", 6);
    TRY(pread(fd, text, 12, 0));
    STR(text);
    TRY(pwrite(fd, "0", 1, 0));
    STR(map);
    STR(other);
    VAL(map[100]); // behind the end, in the last page
    TRY(ftruncate(fd, 3 * PAGE));
    TRY(pwrite(fd, "far", 3, 2 * PAGE));
    TRY(munmap(other, PAGE));
    other = PTR(mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    STR(other + 2 * PAGE);
    other[PAGE] = 'm'; // a hole
    TRY(pread(fd, text, 1, PAGE));
    VAL(text[0]);
    TRY(msync(other, PAGE, MS_SYNC));
    TRY(ftruncate(fd, PAGE));
    VAL(other[0]);
    CHILD(behind_end);
    CHILD(write_reader);
    TRY(unlink("file"));
    STR(map);
    TRY(close(fd));
    map[0] = 'x';
    STR(other);
    TRY(munmap(map, PAGE));
    TRY(munmap(other, 3 * PAGE));
    fd = open("file", O_RDONLY | O_CREAT, 0644);
    PTR(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    PTR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1));
    PTR(mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0));
    map = PTR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
    TRY(mprotect(map, PAGE, PROT_READ | PROT_WRITE));
    close(fd);
    fd = open("file", O_WRONLY);
    PTR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
    PTR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 77, 0));
    return 0;
}
