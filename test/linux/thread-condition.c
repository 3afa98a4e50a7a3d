/* SPDX-License-Identifier: MIT */
/* Condition variables, barriers, semaphores, once: waking one, all, time-outs; a bounded queue. */
#include "try.h"
#include <pthread.h>
#include <semaphore.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t semaphore;
static int queue[4], used, serial, once_runs, waiting;

static void *produce(void *argument)
{
    for (int i = 1; i <= 500; i++) {
        pthread_mutex_lock(&mutex);
        while (used == 4)
            pthread_cond_wait(&emptied, &mutex);
        queue[used++] = i;
        pthread_cond_signal(&filled);
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

static void *consume(void *argument)
{
    long sum = 0;

    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&mutex);
        while (used == 0)
            pthread_cond_wait(&filled, &mutex);
        sum += queue[--used];
        pthread_cond_signal(&emptied);
        pthread_mutex_unlock(&mutex);
    }
    (void)argument;
    return (void *)sum;
}

static void *wait_all(void *argument)
{
    pthread_mutex_lock(&mutex);
    waiting++;
    while (used != 99)
        pthread_cond_wait(&filled, &mutex);
    waiting--;
    pthread_mutex_unlock(&mutex);
    return argument;
}

static void *meet(void *argument)
{
    (void)argument;
    for (int i = 0; i < 10; i++)
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            serial++;
    return NULL;
}

static void run_once(void)
{
    once_runs++;
}

static void *call_once(void *argument)
{
    pthread_once(&once, run_once);
    return argument;
}

static void *post(void *argument)
{
    sleep_ms(30);
    sem_post(&semaphore);
    return argument;
}

static struct timespec soon(int clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    time.tv_nsec += 40000000;
    if (time.tv_nsec >= 1000000000)
        time.tv_nsec -= 1000000000, time.tv_sec++;
    return time;
}

int main(void)
{
    pthread_condattr_t attributes;
    pthread_t threads[5];
    pthread_cond_t other;
    struct timespec time;
    void *sum = NULL;
    int value = 0;

    pthread_create(&threads[0], NULL, produce, NULL);
    pthread_create(&threads[1], NULL, consume, NULL);
    CODE(pthread_join(threads[0], NULL));
    CODE(pthread_join(threads[1], &sum));
    VAL((long)sum);
    for (int i = 0; i < 5; i++)
        pthread_create(&threads[i], NULL, wait_all, NULL);
    for (;;) {
        pthread_mutex_lock(&mutex);
        if (waiting == 5)
            break;
        pthread_mutex_unlock(&mutex);
        sleep_ms(5);
    }
    used = 99;
    CODE(pthread_cond_broadcast(&filled));
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    VAL(waiting);
    pthread_mutex_lock(&mutex);
    time = soon(CLOCK_REALTIME);
    CODE(pthread_cond_timedwait(&emptied, &mutex, &time));
    CODE(pthread_condattr_init(&attributes));
    CODE(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    CODE(pthread_condattr_setclock(&attributes, CLOCK_PROCESS_CPUTIME_ID));
    CODE(pthread_cond_init(&other, &attributes));
    time = soon(CLOCK_MONOTONIC);
    CODE(pthread_cond_timedwait(&other, &mutex, &time));
    time.tv_nsec = 2000000000;
    CODE(pthread_cond_timedwait(&other, &mutex, &time));
    pthread_mutex_unlock(&mutex);
    CODE(pthread_barrier_init(&barrier, NULL, 0));
    CODE(pthread_barrier_init(&barrier, NULL, 4));
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, meet, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    VAL(serial);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, call_once, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    VAL(once_runs);
    TRY(sem_init(&semaphore, 0, 2));
    TRY(sem_wait(&semaphore));
    TRY(sem_trywait(&semaphore));
    TRY(sem_trywait(&semaphore));
    time = soon(CLOCK_REALTIME);
    TRY(sem_timedwait(&semaphore, &time));
    pthread_create(&threads[0], NULL, post, NULL);
    TRY(sem_wait(&semaphore));
    pthread_join(threads[0], NULL);
    TRY(sem_post(&semaphore));
    TRY(sem_getvalue(&semaphore, &value));
    VAL(value);
    return 0;
}
