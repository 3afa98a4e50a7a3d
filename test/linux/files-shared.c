/* SPDX-License-Identifier: MIT */
/* Four processes with long-lived descriptors change eight files in turn, at random, and each time
 * all of what they see must be what the model in shared memory says: nobody works with what was. */
#include "try.h"

#define PROCESSES 4
#define FILES 8
#define MOST 24000
#define TURNS 2500

struct model {
    unsigned long random;
    int wrong;
    struct {
        int size;
        unsigned mode;
        char data[MOST];
    } file[FILES];
};

static struct model *m;
static int fds[FILES];

static unsigned next(unsigned below)
{
    m->random = m->random * 6364136223846793005ul + 1442695040888963407ul;
    return (unsigned)(m->random >> 33) % below;
}

static void complain(const char *what, int file, int turn)
{
    if (m->wrong++ < 5)
        say("turn %d: %s of file %d", turn, what, file);
}

static void check(int i, int turn)
{
    static char data[MOST + 10];
    struct stat s;
    int size = m->file[i].size, at = size ? (int)next((unsigned)size) : 0;
    int most = 1 + (int)next(next(2) ? 600 : 9000);
    int expected = size - at < most ? size - at : most;

    if (fstat(fds[i], &s) || s.st_size != size || (s.st_mode & 0777) != m->file[i].mode)
        complain("attributes", i, turn);
    if (next(3) == 0) { /* all of it, in pieces */
        int n = 0, now;

        lseek(fds[i], 0, SEEK_SET);
        while ((now = (int)read(fds[i], data + n, 1 + next(1500))) > 0 && n <= MOST)
            n += now;
        if (n != size || memcmp(data, m->file[i].data, (size_t)n))
            complain("contents", i, turn);
    } else if (pread(fds[i], data, (size_t)most, at) != expected ||
               memcmp(data, m->file[i].data + at, (size_t)expected)) {
        complain("a piece", i, turn);
    }
}

static void change(int i)
{
    char name[16], data[5000];
    int at = (int)next(MOST - (int)sizeof data), n = 1 + (int)next(sizeof data), fd;
    int size = m->file[i].size;

    snprintf(name, sizeof name, "f%d", i);
    memset(data, 'a' + (int)next(26), sizeof data);
    switch (next(6)) {
    case 0:
    case 1:
        pwrite(fds[i], data, (size_t)n, at);
        memcpy(m->file[i].data + at, data, (size_t)n);
        m->file[i].size = at + n > size ? at + n : size;
        break;
    case 2:
        ftruncate(fds[i], at);
        if (at < size)
            memset(m->file[i].data + at, 0, (size_t)(size - at));
        m->file[i].size = at;
        break;
    case 3:
        close(open(name, O_WRONLY | O_TRUNC));
        memset(m->file[i].data, 0, MOST);
        m->file[i].size = 0;
        break;
    case 4:
        m->file[i].mode ^= 0040;
        fchmod(fds[i], m->file[i].mode);
        break;
    default: /* one that is opened anew sees it too */
        if (size + n > MOST)
            break;
        fd = open(name, O_WRONLY | O_APPEND);
        write(fd, data, (size_t)n);
        close(fd);
        memcpy(m->file[i].data + size, data, (size_t)n);
        m->file[i].size = size + n;
        break;
    }
}

static void take_turns(int from, int to)
{
    int turn;

    for (int i = 0; i < FILES; i++) {
        char name[16];

        snprintf(name, sizeof name, "f%d", i);
        fds[i] = open(name, O_RDWR);
    }
    while (read(from, &turn, sizeof turn) == (ssize_t)sizeof turn && turn < TURNS) {
        check((int)next(FILES), turn);
        check((int)next(FILES), turn);
        for (unsigned k = next(3); k; k--)
            change((int)next(FILES));
        check((int)next(FILES), turn);
        turn++;
        write(to, &turn, sizeof turn);
    }
    write(to, &turn, sizeof turn);
    _exit(0);
}

int main(void)
{
    int pipes[PROCESSES][2], turn = 0;

    m = mmap(NULL, sizeof *m, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    m->random = 42;
    for (int i = 0; i < FILES; i++) {
        char name[16];

        snprintf(name, sizeof name, "f%d", i);
        close(open(name, O_RDWR | O_CREAT, 0600));
        m->file[i].mode = 0600;
    }
    for (int i = 0; i < PROCESSES; i++)
        TRY(pipe(pipes[i]));
    for (int i = 0; i < PROCESSES; i++)
        if (!fork())
            take_turns(pipes[i][0], pipes[(i + 1) % PROCESSES][1]);
    write(pipes[0][1], &turn, sizeof turn);
    for (int i = 0; i < PROCESSES; i++)
        wait(NULL);
    VAL(m->wrong);
    return 0;
}
