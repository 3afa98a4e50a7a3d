/* SPDX-License-Identifier: MIT */
/*
 * What a boot has cost by the time that a shell runs a program: the time-stamp counter, which
 * counts instructions from reset under icount, and memory that is still free, to programs and in
 * the root file system. Prints lines "boot NAME VALUE".
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <x86intrin.h>

int main(void)
{
    uint64_t instructions = __rdtsc();
    unsigned long free_kib = 0;
    struct statfs s;
    char line[128];
    FILE *f = fopen("/proc/meminfo", "r");

    while (f && fgets(line, sizeof line, f))
        (void)(sscanf(line, "MemFree: %lu", &free_kib));
    if (!f || !free_kib || statfs("/", &s) < 0)
        return 1;
    printf("boot instructions %llu\n", (unsigned long long)instructions);
    printf("boot free %lu\n", free_kib);
    printf("boot room %lu\n", (unsigned long)(s.f_bfree * (uint64_t)s.f_bsize / 1024));
    return 0;
}
