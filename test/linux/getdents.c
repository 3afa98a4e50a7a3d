/* SPDX-License-Identifier: MIT */
/* getdents64 and getdents: all names once, types, small buffers, rewinding, removal while
 * reading, errors. */
#include "try.h"
#include <dirent.h>

struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

static char buffer[4096];

// The older call's entries have no type field: it is the last byte.
struct old_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    char name[];
};

static void try_old(int fd, size_t bytes)
{
    long got, at;
    int count = 0, files = 0, folders = 0;

    TRY(lseek(fd, 0, SEEK_SET));
    while ((got = SYS(getdents, fd, buffer, bytes)) > 0)
        for (at = 0; at < got; count++) {
            struct old_entry *entry = (struct old_entry *)(buffer + at);

            files += entry->name[0] == 'f' && entry->name[1] != 'o' &&
                     buffer[at + entry->length - 1] == DT_REG;
            folders += !strcmp(entry->name, "folder") && buffer[at + entry->length - 1] == DT_DIR;
            at += entry->length;
        }
    say("%zu: %d entries, %d files, %d folders", bytes, count, files, folders);
}

static int count_all(int fd, size_t bytes)
{
    long got, at;
    int count = 0;

    while ((got = SYS(getdents64, fd, buffer, bytes)) > 0)
        for (at = 0; at < got; at += ((struct entry *)(buffer + at))->length)
            count++;
    if (got < 0)
        say("getdents64: %s", errno_name(errno));
    return count;
}

static void show_types(void)
{
    DIR *dir = opendir(".");
    struct dirent *entry;
    char types[4] = "----";

    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, "folder") == 0)
            types[0] = entry->d_type == DT_DIR ? 'd' : '?';
        if (strcmp(entry->d_name, "link") == 0)
            types[1] = entry->d_type == DT_LNK ? 'l' : '?';
        if (strcmp(entry->d_name, "f1") == 0)
            types[2] = entry->d_type == DT_REG ? 'f' : '?';
        if (strcmp(entry->d_name, ".") == 0)
            types[3] = entry->d_type == DT_DIR ? 'd' : '?';
    }
    say("types: %.4s", types);
    closedir(dir);
}

int main(void)
{
    char name[16];
    int fd, removed = 0;
    DIR *dir;
    struct dirent *entry;

    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "f%d", i);
        put(name, "");
    }
    TRY(mkdir("folder", 0755));
    TRY(symlink("x", "link"));
    fd = open(".", O_RDONLY | O_DIRECTORY);
    VAL(count_all(fd, sizeof buffer));
    TRY(SYS(getdents64, fd, buffer, sizeof buffer));
    TRY(lseek(fd, 0, SEEK_SET));
    VAL(count_all(fd, 64));
    TRY(lseek(fd, 0, SEEK_SET));
    TRY(SYS(getdents64, fd, buffer, 8));
    TRY(SYS(getdents64, fd, BAD, sizeof buffer));
    try_old(fd, sizeof buffer);
    try_old(fd, 4083);
    try_old(fd, 40);
    TRY(lseek(fd, 0, SEEK_SET));
    TRY(SYS(getdents, fd, buffer, 8));
    TRY(SYS(getdents, fd, BAD, sizeof buffer));
    TRY(SYS(getdents, -1, buffer, sizeof buffer));
    TRY(close(fd));
    show_types();
    dir = opendir(".");
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] == 'f' && entry->d_name[1] != 'o' && unlink(entry->d_name) == 0)
            removed++;
    VAL(removed);
    rewinddir(dir);
    removed = 0;
    while ((entry = readdir(dir)) != NULL)
        removed++;
    VAL(removed);
    closedir(dir);
    fd = open("folder", O_RDONLY);
    TRY(rmdir("folder"));
    TRY(SYS(getdents64, fd, buffer, sizeof buffer));
    put("file", "");
    TRY(SYS(getdents64, open("file", O_RDONLY), buffer, sizeof buffer));
    TRY(SYS(getdents64, -1, buffer, sizeof buffer));
    TRY(SYS(getdents64, 99, buffer, sizeof buffer));
    return 0;
}
