/* SPDX-License-Identifier: MIT */
/* Many threads: a hundred at a time, again and again; their stacks, their own data, errno. */
#include "try.h"
#include <pthread.h>

static __thread int own;
static volatile int wrong;
static int total;

static void *work(void *argument)
{
    int number = (int)(intptr_t)argument;
    char *memory = malloc((size_t)(number % 7 + 1) * 1000);

    own = number;
    errno = number + 1;
    memory[0] = (char)number;
    sched_yield();
    if (own != number || errno != number + 1 || memory[0] != (char)number)
        wrong++;
    free(memory);
    if (close(-1) != -1 || errno != EBADF)
        wrong++;
    __atomic_fetch_add(&total, number, __ATOMIC_SEQ_CST);
    return (void *)(intptr_t)(number * 2);
}

int main(void)
{
    pthread_t threads[100];
    void *value;
    int made, sum = 0;

    for (int round = 0; round < 5; round++) {
        made = 0;
        for (int i = 0; i < 100; i++)
            if (pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i) == 0)
                made++;
            else
                break;
        for (int i = 0; i < made; i++) {
            pthread_join(threads[i], &value);
            sum += (int)(intptr_t)value;
        }
        VAL(made);
    }
    VAL(sum);
    VAL(total);
    VAL(wrong);
    TRY(SYS(tgkill, getpid(), 999999, 0));
    TRY(SYS(set_robust_list, 0, 1));
    TRY(SYS(get_robust_list, 999999, &value, &value));
    return 0;
}
