/* SPDX-License-Identifier: MIT */
/*
 * What makes the files of /proc: a table of names (paths below /proc, or below /proc/PID) and a
 * function for each, which writes the text and answers its length; 0: not there after all.
 */
#pragma once
#include "layer.h"
#include <proto/process_client.h>

struct about {
    struct process_identity identity;
    char words[PROCESS_NAME_MAX + 1]; /* the command line, each word with a NUL */
    size_t length;
};
struct proc_file {
    const char *name;
    size_t (*make)(const struct about *a, char *to, size_t size);
};
extern const struct proc_file proc_system[], proc_process[];
extern const unsigned proc_system_count, proc_process_count;

void proc_command(const struct about *a, char out[16]); /* as /proc/PID/comm has it */
