/* SPDX-License-Identifier: MIT */
/*
 * What makes the files of /proc: a table of names (paths below /proc, or below /proc/PID) and a
 * function for each, which writes the text and answers its length; 0: not there after all.
 */
#pragma once
#include "layer.h"
#include <proto/process_client.h>

#define TICK_NS 10000000ull /* times are told in hundredths of a second */
#define PRINT(...) ((size_t)snprintf(to, size, __VA_ARGS__))
#define UNUSED(x) (void)(x)

struct about {
    struct process_identity identity;
    char words[PROCESS_NAME_MAX + 1]; /* the command line, each word with a NUL */
    size_t length;
    uint32_t thread;   /* whose task/TID it is; otherwise the process's number */
    struct file *file; /* whose fdinfo it is; of ours only */
    uint32_t descriptor;
};
struct proc_file {
    const char *name;
    size_t (*make)(const struct about *a, char *to, size_t size);
};
extern const struct proc_file proc_system[], proc_process[], proc_descriptor;
extern const unsigned proc_system_count, proc_process_count;

void proc_command(const struct about *a, char out[16]); /* as /proc/PID/comm has it */
/* In the system's list as well as in each process's. */
size_t proc_net_arp(const struct about *a, char *to, size_t size);
size_t proc_net_dev(const struct about *a, char *to, size_t size);
size_t proc_net_inet(const struct about *a, char *to, size_t size); /* tcp, udp and their kin */
size_t proc_net_route(const struct about *a, char *to, size_t size);
size_t proc_net_unix(const struct about *a, char *to, size_t size);
size_t proc_mounts(const struct about *a, char *to, size_t size);
size_t proc_mountinfo(const struct about *a, char *to, size_t size);
/* Adds to a text that has n bytes, as far as there is room: the bytes that it would have. */
size_t text_add(char *to, size_t size, size_t n, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
