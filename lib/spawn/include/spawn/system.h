/* SPDX-License-Identifier: MIT */
/*
 * The system description in the form that tools/sysc makes of system/NAME.sys: an array of
 * these in the boot archive's member "system". Checked by sysc; sizes by its reader.
 */
#pragma once
#include <stdint.h>

#define SYSTEM_MAGIC 0x6d65747379536950ull
#define SYSTEM_VERSION 4u
#define SYSTEM_COMPONENTS_MAX 48u
#define SYSTEM_OFFERS 4u
#define SYSTEM_USES 16u
#define SYSTEM_DEVICES 4u
#define SYSTEM_MODULES 4u

enum system_flags {
    SYSTEM_RESTART = 1,    /* start again when it dies; else its death is recorded only */
    SYSTEM_RAM = 2,        /* gets all memory that is left as region "ram" */
    SYSTEM_CONTROL = 4,    /* gets "control": trace, interrupts, power */
    SYSTEM_SUPERVISES = 8, /* may list, kill, restart and replace components */
    SYSTEM_BUS = 16,       /* gets all ports and device memory ("ports", "device-memory") */
    SYSTEM_VITAL = 32      /* the machine stops when it cannot be kept running */
};

struct system_offer { char name[24]; uint32_t level, stacks; uint64_t limit_ns; };
struct system_use { char name[24], as[24]; uint64_t badge; }; /* as: what it is called there */
struct system_range { char name[24]; uint64_t first, count; };
struct system_irq { char name[24]; uint64_t source; }; /* as in interrupt_create */

struct system_component {
    char name[32], binary[32];
    uint32_t flags, priority;
    uint64_t heartbeat_ns; /* period; 0: not watched */
    uint32_t capsule_pages, log_pages, heap_pages, object_pages, volatile_pages;
    uint32_t offer_count, use_count, port_count, memory_count, irq_count, module_count;
    uint32_t modules_first; /* bits by module: no more once the component has been ready */
    struct system_offer offers[SYSTEM_OFFERS];
    struct system_use uses[SYSTEM_USES];
    struct system_range ports[SYSTEM_DEVICES], memory[SYSTEM_DEVICES];
    struct system_irq irqs[SYSTEM_DEVICES];
    char modules[SYSTEM_MODULES][32];
    char arguments[512];
};

struct system_header {
    uint64_t magic;
    uint32_t version, count;
    struct system_component components[];
};
