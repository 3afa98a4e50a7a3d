/* SPDX-License-Identifier: MIT */
/* Threads: create, join, detach, results, ids, stacks, attributes, errors. */
#include "try.h"
#include <pthread.h>

static volatile int shared;
static __thread int own = 5;

static void *add(void *argument)
{
    shared += (int)(intptr_t)argument;
    own++;
    return (void *)(intptr_t)(own * 100);
}

static void *ids(void *argument)
{
    pid_t *result = argument;

    result[0] = getpid();
    result[1] = (pid_t)SYS(gettid);
    return NULL;
}

static void *deep(void *argument)
{
    volatile char room[200000];

    room[0] = room[199999] = 3;
    shared = room[0] + room[199999];
    return argument;
}

static void *chdir_root(void *argument)
{
    return chdir("/") == 0 ? argument : NULL;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread, more[10];
    pid_t got[2];
    void *value = NULL;
    char path[100];
    size_t bytes;

    CODE(pthread_create(&thread, NULL, add, (void *)3));
    CODE(pthread_join(thread, &value));
    VAL((intptr_t)value);
    VAL(shared);
    VAL(own);
    for (int i = 0; i < 10; i++)
        pthread_create(&more[i], NULL, add, (void *)1);
    for (int i = 0; i < 10; i++)
        pthread_join(more[i], NULL);
    VAL(shared);
    CODE(pthread_create(&thread, NULL, ids, got));
    CODE(pthread_join(thread, NULL));
    IS(got[0] == getpid());
    IS(got[1] != getpid());
    IS(SYS(gettid) == getpid());
    CODE(pthread_attr_init(&attributes));
    CODE(pthread_attr_setstacksize(&attributes, 1 << 20));
    CODE(pthread_attr_getstacksize(&attributes, &bytes));
    VAL(bytes);
    CODE(pthread_create(&thread, &attributes, deep, NULL));
    CODE(pthread_join(thread, NULL));
    VAL(shared);
    CODE(pthread_attr_setstacksize(&attributes, 10));
    CODE(pthread_attr_setdetachstate(&attributes, 77));
    CODE(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED));
    shared = 0;
    CODE(pthread_create(&thread, &attributes, add, (void *)9));
    while (shared == 0)
        sleep_ms(5);
    VAL(shared);
    CODE(pthread_create(&thread, NULL, chdir_root, NULL));
    CODE(pthread_join(thread, NULL));
    STR(getcwd(path, sizeof path)); // threads share the working folder
    IS(pthread_equal(pthread_self(), pthread_self()));
    return 0;
}
