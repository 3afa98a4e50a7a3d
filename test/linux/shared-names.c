/* SPDX-License-Identifier: MIT */
/* shm_open and named semaphores: what lies in /dev/shm, between processes, and errors. */
#include "try.h"
#include <semaphore.h>
#include <sys/mman.h>

static volatile int *shared;
static sem_t *semaphore;

static void child(void)
{
    shared[0] += 41;
    sem_post(semaphore);
}

/* The parent waits meanwhile. */
static void posts_later(void)
{
    sleep_ms(50);
    sem_post(semaphore);
}

/* At another address than the parent's. */
static void maps_and_posts_later(void)
{
    sem_t *own = sem_open("/turn", 0);

    IS(own != SEM_FAILED);
    sleep_ms(50);
    sem_post(own);
}

static void timed_wait(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    TRY(sem_timedwait(semaphore, &until));
}

int main(void)
{
    struct stat s;
    int fd, value = -1;

    TRY(stat("/dev/shm", &s));
    VAL(s.st_mode);
    TRY(shm_open("/numbers", O_RDWR, 0));
    fd = shm_open("/numbers", O_RDWR | O_CREAT | O_EXCL, 0600);
    IS(fd >= 0);
    TRY(shm_open("/numbers", O_RDWR | O_CREAT | O_EXCL, 0600));
    TRY(fcntl(fd, F_GETFD));
    TRY(ftruncate(fd, 8192));
    TRY(fstat(fd, &s));
    VAL(s.st_mode);
    VAL(s.st_size);
    shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    IS(shared != MAP_FAILED);
    shared[0] = 1;
    semaphore = sem_open("/turn", O_CREAT | O_EXCL, 0600, 0);
    IS(semaphore != SEM_FAILED);
    IS(sem_open("/turn", O_CREAT | O_EXCL, 0600, 0) == SEM_FAILED);
    VAL(errno);
    IS(sem_open("/other", 0) == SEM_FAILED);
    VAL(errno);
    TRY(sem_trywait(semaphore));
    CHILD(child);
    TRY(sem_wait(semaphore));
    VAL(shared[0]);
    TRY(sem_getvalue(semaphore, &value));
    VAL(value);
    for (unsigned i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (i)
                maps_and_posts_later();
            else
                posts_later();
            _exit(0);
        }
        timed_wait();
        waitpid(pid, NULL, 0);
    }
    TRY(sem_unlink("/turn"));
    if (fork() == 0) {
        posts_later();
        _exit(0);
    }
    timed_wait();
    TRY(wait(NULL) > 0);
    TRY(sem_close(semaphore));
    TRY(sem_unlink("/turn"));
    TRY(shm_unlink("/numbers"));
    TRY(shm_unlink("/numbers"));
    VAL(shared[0]);
    TRY(shm_open("/a/b", O_RDWR | O_CREAT, 0600));
    return 0;
}
