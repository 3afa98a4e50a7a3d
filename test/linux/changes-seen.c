/* SPDX-License-Identifier: MIT */
/* What one process learnt of a file, and what another changes then: sizes, contents, attributes, by
 * writing, cutting, mapping, renaming; read in pieces that invite to read ahead. */
#include "try.h"

static int order[2], answer[2];
static const char *const changes[] = {"write", "append", "truncate", "extend", "mode", "link",
    "unlink", "map", "map again", "punch", "reopen", "times", "owner", "replace"};
#define CHANGES (sizeof changes / sizeof *changes)

static void change(unsigned which, int fd, char *map)
{
    struct timespec t[2] = {{1000, 0}, {2000, 5}};
    int other;

    switch (which) {
    case 0:
        pwrite(fd, "WRITTEN", 7, 10);
        break;
    case 1:
        pwrite(fd, "appended", 8, 20000);
        break;
    case 2:
        ftruncate(fd, 5000);
        break;
    case 3:
        ftruncate(fd, 30000);
        break;
    case 4:
        fchmod(fd, 0640);
        break;
    case 5:
        link("file", "second");
        break;
    case 6:
        unlink("second");
        break;
    case 7:
        map[11] = '1';
        break;
    case 8:
        map[12] = '2';
        break;
    case 9:
        fallocate(fd, 3, 4100, 700);
        break;
    case 10:
        close(open("file", O_WRONLY | O_TRUNC));
        pwrite(fd, "short", 5, 0);
        break;
    case 11:
        futimens(fd, t);
        break;
    case 12:
        fchown(fd, 7, 8);
        break;
    default:
        other = open("other", O_RDWR | O_CREAT, 0600);
        pwrite(other, "another file", 12, 0);
        close(other);
        rename("other", "file");
        break;
    }
}

/* Another process, which does what it is told and says when it is done. */
static void changer(void)
{
    int fd = open("file", O_RDWR);
    char *map = NULL;
    unsigned char which;

    while (read(order[0], &which, 1) == 1) {
        if (which == 7)
            map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        change(which, fd, map);
        write(answer[1], &which, 1);
    }
    _exit(0);
}

static void told(unsigned char which)
{
    write(order[1], &which, 1);
    read(answer[0], &which, 1);
}

static unsigned sum(const char *data, ssize_t n)
{
    unsigned h = 5381;

    for (ssize_t i = 0; i < n; i++)
        h = h * 33 + (unsigned char)data[i];
    return h;
}

static void look(int fd)
{
    static char data[40000];
    char text[16] = "";
    struct stat s;
    ssize_t n = 0, now;

    fstat(fd, &s);
    pread(fd, text, 12, 8);
    for (unsigned i = 0; i < sizeof text; i++)
        if (text[i] && (text[i] < ' ' || text[i] > '~'))
            text[i] = '?';
    lseek(fd, 0, SEEK_SET);
    while ((now = read(fd, data + n, 700)) > 0)
        n += now;
    say("  size %ld mode %o links %d owner %d.%d blocks %ld end %ld: \"%s\" %zd %08x",
        (long)s.st_size, (unsigned)s.st_mode & 07777, (int)s.st_nlink, (int)s.st_uid, (int)s.st_gid,
        (long)s.st_blocks, (long)lseek(fd, 0, SEEK_END), text, n, sum(data, n));
}

/* Who writes and reads in turn finds what it wrote. */
static void alone(void)
{
    char piece[64];
    unsigned good = 0;
    int fd = open("own", O_RDWR | O_CREAT, 0600);

    for (int i = 0; i < 300; i++)
        write(fd, "0123456789", 10);
    lseek(fd, 0, SEEK_SET);
    for (int i = 0; i < 100; i++) {
        read(fd, piece, 10);
        good += !memcmp(piece, "0123456789", 10);
        pwrite(fd, "abcdefghij", 10, (i + 1) * 30);
        lseek(fd, (i + 1) * 30, SEEK_SET);
        read(fd, piece, 10);
        good += !memcmp(piece, "abcdefghij", 10);
    }
    VAL(good);
    lseek(fd, 0, SEEK_END);
    TRY(read(fd, piece, 10));
    TRY(pwrite(fd, "more", 4, lseek(fd, 0, SEEK_END)));
    TRY(read(fd, piece, 10));
    TRY(read(fd, piece, 10));
    TRY(read(fd, BAD, 10));
    lseek(fd, 0, SEEK_SET);
    TRY(read(fd, piece, 10));
    TRY(read(fd, BAD, 10));
    TRY(read(fd, piece, 10));
    /* A read that is cut short by the program's memory is not the end of the file. */
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(pages + 4096, 4096);
    pwrite(fd, "changed", 7, 0);
    lseek(fd, 0, SEEK_SET);
    TRY(read(fd, pages + 4096 - 10, 20));
    TRY(read(fd, piece, 10));
    TRY(read(fd, piece, 10));
    close(fd);
}

int main(void)
{
    char line[32];
    int fd = open("file", O_RDWR | O_CREAT, 0600), reader;

    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof line, "line %5d.\n", i);
        write(fd, line, strlen(line));
    }
    close(fd);
    pipe(order);
    pipe(answer);
    if (!fork()) {
        close(order[1]);
        changer();
    }
    close(order[0]);
    reader = open("file", O_RDONLY);
    look(reader);
    look(reader);
    for (unsigned i = 0; i < CHANGES; i++) {
        told((unsigned char)i);
        say("%s", changes[i]);
        look(reader);
        look(reader);
    }
    close(order[1]);
    wait(NULL);
    show_file("file");
    alone();
    return 0;
}
