/* SPDX-License-Identifier: MIT */
/* Mutexes: exclusion, recursive, error-checking, timed, across processes; reader-writer locks. */
#include "try.h"
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long counter;

static void *count(void *argument)
{
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&mutex);
        long was = counter;
        if (i % 64 == 0)
            sched_yield();
        counter = was + 1;
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

static void *try_lock(void *argument)
{
    return (void *)(intptr_t)pthread_mutex_trylock(argument);
}

static void *timed(void *argument)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_nsec += 50000000;
    if (time.tv_nsec >= 1000000000)
        time.tv_nsec -= 1000000000, time.tv_sec++;
    return (void *)(intptr_t)pthread_mutex_timedlock(argument, &time);
}

static void *unlock_it(void *argument)
{
    return (void *)(intptr_t)pthread_mutex_unlock(argument);
}

static void *write_lock(void *argument)
{
    (void)argument;
    return (void *)(intptr_t)pthread_rwlock_trywrlock(&rwlock);
}

static void *read_lock(void *argument)
{
    int code = pthread_rwlock_tryrdlock(&rwlock);

    (void)argument;
    if (code == 0)
        pthread_rwlock_unlock(&rwlock);
    return (void *)(intptr_t)code;
}

static void in_thread(const char *what, void *(*function)(void *), void *argument)
{
    pthread_t thread;
    void *value = NULL;

    if (pthread_create(&thread, NULL, function, argument) != 0) {
        say("%s: no thread", what);
        return;
    }
    pthread_join(thread, &value);
    say("%s: %s", what, value ? errno_name((int)(intptr_t)value) : "0");
}

int main(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutex_t other, *shared;
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    VAL(counter);
    CODE(pthread_mutex_lock(&mutex));
    CODE(pthread_mutex_trylock(&mutex));
    in_thread("trylock", try_lock, &mutex);
    in_thread("timedlock", timed, &mutex);
    CODE(pthread_mutex_unlock(&mutex));
    CODE(pthread_mutexattr_init(&attributes));
    CODE(pthread_mutexattr_settype(&attributes, 77));
    CODE(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE));
    CODE(pthread_mutex_init(&other, &attributes));
    CODE(pthread_mutex_lock(&other));
    CODE(pthread_mutex_lock(&other));
    CODE(pthread_mutex_unlock(&other));
    in_thread("recursive, another", try_lock, &other);
    CODE(pthread_mutex_unlock(&other));
    CODE(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK));
    CODE(pthread_mutex_init(&other, &attributes));
    CODE(pthread_mutex_lock(&other));
    CODE(pthread_mutex_lock(&other));
    in_thread("not the owner", unlock_it, &other);
    CODE(pthread_mutex_unlock(&other));
    CODE(pthread_mutex_unlock(&other));
    CODE(pthread_rwlock_rdlock(&rwlock));
    in_thread("second reader", read_lock, NULL);
    in_thread("writer", write_lock, NULL);
    CODE(pthread_rwlock_unlock(&rwlock));
    CODE(pthread_rwlock_wrlock(&rwlock));
    in_thread("reader", read_lock, NULL);
    CODE(pthread_rwlock_unlock(&rwlock));
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CODE(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_NORMAL));
    CODE(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    CODE(pthread_mutex_init(shared, &attributes));
    volatile long *number = (volatile long *)(shared + 1);
    for (int child = 0; child < 2; child++)
        if (fork() == 0) {
            for (int i = 0; i < 500; i++) {
                pthread_mutex_lock(shared);
                long was = *number;
                if (i % 50 == 0)
                    sched_yield();
                *number = was + 1;
                pthread_mutex_unlock(shared);
            }
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    VAL(*number);
    return 0;
}
