/* SPDX-License-Identifier: MIT */
/* Robust mutexes: the owner dies, by thread and by process; EOWNERDEAD, consistent, lost for
 * good. */
#include "try.h"
#include <pthread.h>

static pthread_mutex_t *mutex;

static void *dies(void *argument)
{
    pthread_mutex_lock(mutex);
    return argument;
}

static void process_dies(void)
{
    pthread_mutex_lock(mutex);
    kill(getpid(), SIGKILL);
}

static void waits(void)
{
    CODE(pthread_mutex_lock(mutex));
    CODE(pthread_mutex_consistent(mutex));
    CODE(pthread_mutex_unlock(mutex));
}

int main(void)
{
    pthread_mutexattr_t attributes;
    pthread_t thread;
    pid_t holder, waiter;

    mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&attributes);
    CODE(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    CODE(pthread_mutexattr_setrobust(&attributes, 77));
    CODE(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    CODE(pthread_mutex_init(mutex, &attributes));
    if (pthread_create(&thread, NULL, dies, NULL) != 0)
        return 1;
    pthread_join(thread, NULL);
    CODE(pthread_mutex_lock(mutex));
    CODE(pthread_mutex_consistent(mutex));
    CODE(pthread_mutex_consistent(mutex));
    CODE(pthread_mutex_unlock(mutex));
    CODE(pthread_mutex_lock(mutex));
    CODE(pthread_mutex_unlock(mutex));
    CHILD(process_dies);
    CODE(pthread_mutex_trylock(mutex));
    CODE(pthread_mutex_consistent(mutex));
    CODE(pthread_mutex_unlock(mutex));
    holder = fork();
    if (holder == 0) {
        pthread_mutex_lock(mutex);
        sleep_ms(100);
        _exit(0);
    }
    sleep_ms(40);
    waiter = fork();
    if (waiter == 0) {
        waits(); // is woken by the other's death
        _exit(0);
    }
    reap("holder", holder);
    reap("waiter", waiter);
    CHILD(process_dies);
    CODE(pthread_mutex_lock(mutex));
    CODE(pthread_mutex_unlock(mutex)); // not made consistent: lost for good
    CODE(pthread_mutex_lock(mutex));
    return 0;
}
