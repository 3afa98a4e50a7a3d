/* SPDX-License-Identifier: MIT */
/* Thousands of mappings at once, of shared memory and of a file: they go to a child, end with it,
 * are unmapped together, and end with the process. */
#include "try.h"

#define MANY 4000
#define PAGE 4096

static unsigned char *at[MANY];

static int map_many(int flags, int fd)
{
    int n = 0;

    for (; n < MANY; n++) {
        at[n] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
        if (at[n] == MAP_FAILED)
            break;
        at[n][0] = (unsigned char)n;
    }
    return n;
}

static void child_sees(void)
{
    int wrong = 0;

    for (int n = 0; n < MANY; n++)
        wrong += at[n][0] != (unsigned char)n;
    VAL(wrong);
    at[17][0] = 99;
}

static void child_ends(void)
{
    VAL(map_many(MAP_SHARED | MAP_ANONYMOUS, -1));
    CHILD(child_sees);
    VAL(at[17][0]);
}

int main(void)
{
    int fd = open("file", O_RDWR | O_CREAT, 0600);

    CHILD(child_ends);
    TRY(ftruncate(fd, PAGE));
    VAL(map_many(MAP_SHARED, fd));
    VAL(at[0][0] == (unsigned char)(MANY - 1));
    TRY(munmap(at[MANY - 1], (size_t)(at[0] - at[MANY - 1]) + PAGE));
    TRY(msync(at[5], PAGE, MS_SYNC));
    TRY(munmap(at[5] + 1, PAGE));
    TRY((long)mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0));
    return 0;
}
