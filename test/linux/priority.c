/* SPDX-License-Identifier: MIT */
/* nice, getpriority, setpriority; sched_* policies, affinity; ioprio is left out. */
#include "try.h"
#include <sched.h>
#include <sys/resource.h>

static void user(void)
{
    setgid(100), setuid(1000);
    TRY(SYS(setpriority, PRIO_PROCESS, 0, 5));
    TRY(SYS(getpriority, PRIO_PROCESS, 0)); // the kernel says 20 - nice
    TRY(SYS(setpriority, PRIO_PROCESS, 0, 0));
    TRY(SYS(setpriority, PRIO_PROCESS, getppid(), 10));
    TRY(SYS(sched_setscheduler, 0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}));
}

int main(void)
{
    struct sched_param parameter = {.sched_priority = 0};
    struct timespec slice;
    cpu_set_t set;

    TRY(SYS(getpriority, PRIO_PROCESS, 0));
    TRY(SYS(setpriority, PRIO_PROCESS, 0, 7));
    TRY(SYS(getpriority, PRIO_PROCESS, getpid()));
    TRY(SYS(setpriority, PRIO_PROCESS, 0, -5));
    TRY(SYS(getpriority, PRIO_PROCESS, 0));
    TRY(SYS(setpriority, PRIO_PROCESS, 0, 100));
    TRY(SYS(getpriority, PRIO_PROCESS, 0));
    TRY(SYS(setpriority, PRIO_PROCESS, 0, 0));
    TRY(SYS(getpriority, PRIO_PGRP, 0));
    TRY(SYS(getpriority, 9, 0));
    TRY(SYS(getpriority, PRIO_PROCESS, 999999));
    TRY(SYS(setpriority, 9, 0, 0));
    CHILD(user);
    TRY(SYS(sched_getscheduler, 0));
    TRY(SYS(sched_getparam, 0, &parameter));
    VAL(parameter.sched_priority);
    TRY(SYS(sched_get_priority_max, SCHED_FIFO));
    TRY(SYS(sched_get_priority_min, SCHED_FIFO));
    TRY(SYS(sched_get_priority_max, SCHED_OTHER));
    TRY(SYS(sched_get_priority_max, 77));
    TRY(SYS(sched_setscheduler, 0, 77, &parameter));
    TRY(SYS(sched_setscheduler, 0, SCHED_FIFO, &parameter)); // needs a priority
    TRY(SYS(sched_setscheduler, 999999, SCHED_OTHER, &parameter));
    TRY(SYS(sched_getscheduler, -1));
    TRY(SYS(sched_setparam, 0, &parameter));
    TRY(SYS(sched_rr_get_interval, 0, &slice));
    TRY(sched_yield());
    CPU_ZERO(&set);
    IS(SYS(sched_getaffinity, 0, sizeof set, &set) > 0);
    VAL(CPU_ISSET(0, &set) != 0);
    TRY(sched_setaffinity(0, sizeof set, &set));
    CPU_ZERO(&set);
    TRY(sched_setaffinity(0, sizeof set, &set));
    TRY(SYS(sched_getaffinity, 0, 1, &set));
    TRY(SYS(sched_getaffinity, 999999, sizeof set, &set));
    TRY(SYS(sched_getaffinity, 0, sizeof set, BAD));
    return 0;
}
