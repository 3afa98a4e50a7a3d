/* SPDX-License-Identifier: MIT */
/* futex: locks whose word is the owner's thread (LOCK_PI and its kin), and POSIX mutexes with
 * priority inheritance. */
#include "try.h"
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#define FUTEX_LOCK_PI 6
#define FUTEX_UNLOCK_PI 7
#define FUTEX_TRYLOCK_PI 8
#define FUTEX_PRIVATE_FLAG 128
#define FUTEX_TID_MASK 0x3fffffff
#define FUTEX_WAITERS 0x80000000
#define THREADS 4
#define ROUNDS 500

static uint32_t *word;
static int flags = FUTEX_PRIVATE_FLAG;
static pthread_mutex_t mutex;
static int counted;

static long lock(int operation, const struct timespec *until)
{
    return syscall(SYS_futex, word, operation | flags, 0, until, NULL, 0);
}

static uint32_t self(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

static void *others(void *unused)
{
    struct timespec until;

    (void)unused;
    TRY(lock(FUTEX_TRYLOCK_PI, NULL));
    TRY(lock(FUTEX_UNLOCK_PI, NULL));
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000)
        until.tv_sec++, until.tv_nsec -= 1000000000;
    TRY(lock(FUTEX_LOCK_PI, &until));
    until.tv_nsec = 1000000000;
    TRY(lock(FUTEX_LOCK_PI, &until));
    return NULL;
}

static void *takes(void *unused)
{
    (void)unused;
    TRY(lock(FUTEX_LOCK_PI, NULL));
    IS((*word & FUTEX_TID_MASK) == self());
    TRY(lock(FUTEX_UNLOCK_PI, NULL));
    return NULL;
}

static void handed_over(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, takes, NULL);
    while (!(*(volatile uint32_t *)word & FUTEX_WAITERS))
        sleep_ms(1);
    sleep_ms(10);
    TRY(lock(FUTEX_UNLOCK_PI, NULL));
    pthread_join(thread, NULL);
    VAL(*word);
}

static void *counts(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        int seen = counted;
        if (i % 50 == 0)
            sched_yield();
        counted = seen + 1;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void a_mutex(void)
{
    pthread_mutexattr_t attributes;
    pthread_t thread[THREADS];

    pthread_mutexattr_init(&attributes);
    VAL(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
    VAL(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK));
    VAL(pthread_mutex_init(&mutex, &attributes));
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, counts, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    VAL(counted);
    VAL(pthread_mutex_lock(&mutex));
    VAL(pthread_mutex_lock(&mutex));
    VAL(pthread_mutex_unlock(&mutex));
    VAL(pthread_mutex_unlock(&mutex));
}

/* Another process waits for it, and gets it. */
static void between_processes(void)
{
    pid_t pid;

    flags = 0;
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    TRY(lock(FUTEX_LOCK_PI, NULL));
    fflush(stdout);
    pid = fork();
    if (!pid) {
        long e = lock(FUTEX_LOCK_PI, NULL);
        _exit(e || (*word & FUTEX_TID_MASK) != self() || lock(FUTEX_UNLOCK_PI, NULL) ? 1 : 7);
    }
    while (!(*(volatile uint32_t *)word & FUTEX_WAITERS))
        sleep_ms(1);
    TRY(lock(FUTEX_UNLOCK_PI, NULL));
    int status = 0;
    waitpid(pid, &status, 0);
    VAL(WEXITSTATUS(status));
    VAL(*word & FUTEX_TID_MASK);
}

int main(void)
{
    static uint32_t own[2];
    pthread_t thread;

    word = own;
    TRY(lock(FUTEX_LOCK_PI, NULL));
    IS(*word == self());
    TRY(lock(FUTEX_LOCK_PI, NULL));
    TRY(lock(FUTEX_TRYLOCK_PI, NULL));
    pthread_create(&thread, NULL, others, NULL);
    pthread_join(thread, NULL);
    handed_over();
    TRY(lock(FUTEX_TRYLOCK_PI, NULL));
    TRY(lock(FUTEX_UNLOCK_PI, NULL));
    VAL(*word);
    TRY(lock(FUTEX_UNLOCK_PI, NULL));
    *word = 0x3ffffff0; /* of nobody */
    TRY(lock(FUTEX_LOCK_PI, NULL));
    *word = 0;
    word = (uint32_t *)((char *)own + 1);
    TRY(lock(FUTEX_LOCK_PI, NULL));
    word = NULL;
    TRY(lock(FUTEX_LOCK_PI, NULL));
    TRY(lock(FUTEX_UNLOCK_PI, NULL));
    a_mutex();
    between_processes();
    return 0;
}
