/* SPDX-License-Identifier: MIT */
/* many open files and pipes that end all at once, with their process: how many, EMFILE, again. */
#include "try.h"
#include <sys/resource.h>

#define FILES 600
#define PIPES 150

static int opened, piped;

static void open_all(void)
{
    char name[64];
    int ends[2];

    for (opened = 0; opened < FILES; opened++) {
        snprintf(name, sizeof name, "/tmp/many-%d", opened % 50);
        if (open(name, O_RDWR | O_CREAT, 0600) < 0)
            break;
    }
    for (piped = 0; piped < PIPES; piped++)
        if (pipe(ends) || write(ends[1], "x", 1) != 1)
            break;
}

int main(void)
{
    struct rlimit small = {64, 1024};
    int status, good = 0;
    char name[64];

    for (int round = 0; round < 6; round++) {
        pid_t child = fork();
        if (!child) {
            open_all();
            if (round % 2)
                kill(getpid(), SIGKILL);
            _exit(opened == FILES && piped == PIPES ? 0 : 1);
        }
        if (waitpid(child, &status, 0) == child &&
            (round % 2 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                       : WIFEXITED(status) && !WEXITSTATUS(status)))
            good++;
    }
    VAL(good);
    TRY(setrlimit(RLIMIT_NOFILE, &small));
    open_all();
    IS(opened > 50 && opened < 64);
    TRY(open("/tmp/many-0", O_RDONLY));
    VAL(piped);
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    TRY(open("/tmp/many-0", O_RDONLY));
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "/tmp/many-%d", i);
        if (unlink(name))
            say("unlink: errno %d", errno);
    }
    TRY(unlink("/tmp/many-0"));
    return 0;
}
