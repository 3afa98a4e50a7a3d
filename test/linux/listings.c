/* SPDX-License-Identifier: MIT */
/* Who reads a directory and looks at its names sees each as it is at that moment: another process
 * adds, removes, replaces and changes files meanwhile, and puts another directory in the place of
 * the one that is read. What it looks like is compared with a model in shared memory. */
#include "try.h"
#include <dirent.h>
#include <sys/mount.h>

#define NAMES 60
#define ROUNDS 150

enum { NOTHING, PLAIN, FOLDER, LINK };

struct model {
    unsigned long random;
    int wrong, looks;
    int there; /* which of the two directories is called "dir" */
    int link;  /* and which "link" leads to */
    struct {
        int type, size;
        unsigned mode;
    } name[2][NAMES];
};

static struct model *m;
static int order[2], answer[2];
static char here[200];

static unsigned next(unsigned below)
{
    m->random = m->random * 6364136223846793005ul + 1442695040888963407ul;
    return (unsigned)(m->random >> 33) % below;
}

/* The directory is called "dir" if it is there, "away" if it is not. */
static const char *name_in(int which, int i)
{
    static char text[2][300];
    static int turn;

    turn = !turn;
    snprintf(text[turn], sizeof text[0], "%s/%s/n%d", here, which == m->there ? "dir" : "away", i);
    return text[turn];
}

static void make(int which, int i)
{
    const char *name = name_in(which, i);
    int size = (int)next(5000), fd;

    m->name[which][i].size = size;
    m->name[which][i].mode = 0600;
    switch (m->name[which][i].type = 1 + (int)next(3)) {
    case PLAIN:
        fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
        ftruncate(fd, size);
        close(fd);
        break;
    case FOLDER:
        mkdir(name, 0600);
        break;
    default:
        m->name[which][i].size = 5;
        symlink("there", name);
        m->name[which][i].mode = 0777;
        break;
    }
}

static void take_away(int which, int i)
{
    if (m->name[which][i].type == FOLDER)
        rmdir(name_in(which, i));
    else
        unlink(name_in(which, i));
    m->name[which][i].type = NOTHING;
}

static void change(void)
{
    int which = (int)next(2), i = (int)next(NAMES), k = (int)next(NAMES);

    switch (next(8)) {
    case 0: /* the directories change places */
        rename("dir", "third");
        rename("away", "dir");
        rename("third", "away");
        m->there = !m->there;
        m->link = !m->link;
        break;
    case 1:
        unlink("link");
        m->link = (int)next(2);
        symlink(m->link == m->there ? "dir" : "away", "link");
        break;
    case 2:
        if (m->name[which][i].type == PLAIN && m->name[which][k].type == PLAIN && i != k) {
            rename(name_in(which, i), name_in(which, k));
            m->name[which][k] = m->name[which][i];
            m->name[which][i].type = NOTHING;
        }
        break;
    case 3:
        if (m->name[which][i].type == PLAIN) {
            m->name[which][i].mode ^= 0044;
            chmod(name_in(which, i), m->name[which][i].mode);
        }
        break;
    case 4:
        if (m->name[which][i].type == PLAIN) {
            m->name[which][i].size += 7;
            truncate(name_in(which, i), m->name[which][i].size);
        }
        break;
    case 5:
        if (m->name[which][i].type != NOTHING)
            take_away(which, i);
        break;
    default:
        if (m->name[which][i].type == NOTHING)
            make(which, i);
        break;
    }
}

static void changer(void)
{
    char c;

    while (read(order[0], &c, 1) == 1) {
        change();
        write(answer[1], &c, 1);
    }
    _exit(0);
}

static void compare(int which, int i, int error, const struct stat *s)
{
    int type = error ? NOTHING : S_ISREG(s->st_mode) ? PLAIN : S_ISDIR(s->st_mode) ? FOLDER : LINK;
    bool good = type == m->name[which][i].type;

    if (good && type == PLAIN)
        good = s->st_size == m->name[which][i].size;
    if (good && type != NOTHING && type != FOLDER)
        good = (s->st_mode & 0777) == m->name[which][i].mode;
    m->looks++;
    if (!good && m->wrong++ < 5)
        say("n%d of %d: type %d, not %d; size %ld, not %d", i, which, type, m->name[which][i].type,
            (long)s->st_size, m->name[which][i].size);
}

static void read_once(const char *path, bool by_descriptor, bool through_link)
{
    DIR *d = opendir(path);
    int opened = through_link ? m->link : m->there, i;
    struct dirent *e;
    char c = 0, text[600];

    while (d && (e = readdir(d))) {
        struct stat s = {0};

        if (sscanf(e->d_name, "n%d", &i) != 1)
            continue;
        if (next(12) == 0) {
            write(order[1], &c, 1);
            read(answer[0], &c, 1);
        }
        snprintf(text, sizeof text, "%s/%s", path, e->d_name);
        /* By its path what is called so now is meant, by the descriptor what was opened. */
        if (by_descriptor)
            compare(opened, i, fstatat(dirfd(d), e->d_name, &s, AT_SYMLINK_NOFOLLOW), &s);
        else
            compare(through_link ? m->link : m->there, i, lstat(text, &s), &s);
    }
    if (d)
        closedir(d);
}

/* What a name shows: of what it leads to, and of what is mounted there. */
static void shown(void)
{
    struct stat s, t;
    struct dirent *e;
    DIR *d;

    mkdir("shown", 0755);
    put("shown/file", "twelve bytes");
    symlink("file", "shown/a-link");
    symlink("nowhere", "shown/b-link");
    mkdir("shown/on", 0755);
    TRY(mount("none", "shown/on", "tmpfs", 0, "mode=700"));
    d = opendir("shown");
    stat("shown", &t);
    for (int i = 0; i < 2; i++, rewinddir(d))
        while ((e = readdir(d)))
            if (*e->d_name != '.' && !fstatat(dirfd(d), e->d_name, &s, 0) && i)
                say("%s: mode %o size %ld device %d", e->d_name, s.st_mode,
                    S_ISDIR(s.st_mode) ? 0 : (long)s.st_size, s.st_dev == t.st_dev);
    TRY(umount("shown/on"));
    TRY(stat("shown/on", &s));
    VAL(s.st_mode & 07777);
    closedir(d);
}

/* Who may not search the directory any more may not look. */
static void denied(void)
{
    struct stat s;
    struct dirent *e;
    DIR *d;
    int seen = 0, refused = 0;

    chown("shown", 1000, 1000);
    if (fork()) {
        wait(NULL);
        return;
    }
    TRY(setuid(1000));
    d = opendir("shown");
    while ((e = readdir(d)))
        seen += !fstatat(dirfd(d), e->d_name, &s, AT_SYMLINK_NOFOLLOW);
    VAL(seen);
    rewinddir(d);
    TRY(chmod("shown", 0600));
    while ((e = readdir(d)))
        refused += fstatat(dirfd(d), e->d_name, &s, AT_SYMLINK_NOFOLLOW) && errno == EACCES;
    VAL(refused);
    _exit(0);
}

int main(void)
{
    char absolute[300];

    m = mmap(NULL, sizeof *m, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    m->random = 7;
    if (!getcwd(here, sizeof here))
        return 1;
    mkdir("dir", 0755);
    mkdir("away", 0755);
    symlink("dir", "link");
    for (int which = 0; which < 2; which++)
        for (int i = 0; i < NAMES; i += 2)
            make(which, i);
    TRY(pipe(order));
    TRY(pipe(answer));
    if (!fork()) {
        close(order[1]);
        changer();
    }
    snprintf(absolute, sizeof absolute, "%s/dir", here);
    for (int round = 0; round < ROUNDS; round++) {
        bool link = next(4) == 0;

        read_once(link ? "link" : next(2) ? "dir" : next(2) ? "./dir" : absolute, next(2), link);
    }
    close(order[1]);
    wait(NULL);
    IS(m->looks > 2000);
    VAL(m->wrong);
    shown();
    denied();
    return 0;
}
