/* SPDX-License-Identifier: MIT */
/* Cancelling threads: at waits, deferred, asynchronous, disabled; clean-up handlers; keys. */
#include "try.h"
#include <pthread.h>

static int ends[2];
static volatile int ready;
static pthread_key_t key;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void clean(void *argument)
{
    say("  clean-up %s", (char *)argument);
}

static void unlock(void *argument)
{
    say("  clean-up holds the mutex: %s", pthread_mutex_trylock(argument) == EBUSY ? "yes" : "no");
    pthread_mutex_unlock(argument);
}

static void *reads(void *argument)
{
    char byte;

    pthread_cleanup_push(clean, "outer");
    pthread_cleanup_push(clean, "inner");
    ready = 1;
    if (read(ends[0], &byte, 1) == 1)
        say("  read?");
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return argument;
}

static void *waits(void *argument)
{
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    ready = 1;
    for (;;)
        pthread_cond_wait(&condition, &mutex);
    pthread_cleanup_pop(0);
    return argument;
}

static void *spins(void *argument)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    ready = 1;
    for (;;)
        ;
    return argument;
}

static void *tests(void *argument)
{
    ready = 1;
    for (;;)
        pthread_testcancel();
    return argument;
}

static void *refuses(void *argument)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    ready = 1;
    sleep_ms(80);
    say("  not cancelled yet");
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pthread_testcancel();
    say("  not reached");
    return argument;
}

static void *exits(void *argument)
{
    pthread_setspecific(key, "value");
    pthread_cleanup_push(clean, "at exit");
    pthread_exit((void *)77);
    pthread_cleanup_pop(0);
    return argument;
}

static void cancel(const char *what, void *(*function)(void *))
{
    pthread_t thread;
    void *value = NULL;

    ready = 0;
    if (pthread_create(&thread, NULL, function, NULL) != 0) {
        say("%s: no thread", what);
        return;
    }
    while (!ready)
        sleep_ms(2);
    sleep_ms(20);
    int code = pthread_cancel(thread);
    pthread_join(thread, &value);
    say("%s: %d, %s", what, code, value == PTHREAD_CANCELED ? "cancelled" : "ended by itself");
}

static void key_gone(void *value)
{
    say("  key's value \"%s\" is taken away", (char *)value);
}

int main(void)
{
    pthread_t thread;
    void *value = NULL;

    pipe(ends);
    cancel("in read", reads);
    cancel("in pthread_cond_wait", waits);
    cancel("asynchronously", spins);
    cancel("at a test", tests);
    cancel("disabled", refuses);
    CODE(pthread_key_create(&key, key_gone));
    pthread_create(&thread, NULL, exits, NULL);
    CODE(pthread_join(thread, &value));
    VAL((intptr_t)value);
    IS(pthread_getspecific(key) == NULL);
    CODE(pthread_key_delete(key));
    CODE(pthread_setcancelstate(77, NULL));
    CODE(pthread_setcanceltype(77, NULL));
    return 0;
}
