/* SPDX-License-Identifier: MIT */
/*
 * costs: a plugin for QEMU's emulator (TCG) that sees what the guest cannot see of itself.
 *
 *   -plugin build/host/costs.so,out=FILE[,symbols=FILE]
 *
 * 1. Costly instructions beside each figure. The measuring program marks its samples with
 *    no-operations that no compiler emits (nopl MARK+n(%rax)): 1 begins a sample, 2 ends it,
 *    3 closes the figure. For each figure a line
 *      COSTS samples instructions cr3 wrmsr iretq locked invlpg invpcid xsave xrstor
 *    with sums over its samples. A sample begun twice counts from the second time.
 * 2. The longest time with interrupts off: the longest run of instructions at kernel
 *    addresses. It starts anew at each user instruction, and where interrupts come on: at sti
 *    and behind iretq and sysretq, because an interrupt may wait there already. It is
 *    watched from core_loop on, which ends the boot. Needs symbols, as nm prints them, and
 *    one CPU. One line for each entry point that was seen, the longest first:
 *      LONGEST instructions entry-point
 *
 * A repeated string instruction counts as often as it repeats, as under icount.
 * QEMU 7.2's plugin interface (version 1); Debian ships no header for it, so what is used of
 * it is declared here. Everything runs in one vCPU's thread when instructions are counted.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CB_NO_REGS = 0 };
typedef void translate_function(uint64_t id, struct qemu_plugin_tb *tb);
typedef void execute_function(unsigned cpu, void *data);
typedef void exit_function(uint64_t id, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translate_function *f);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, execute_function *f,
                                          int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, execute_function *f,
                                            int flags, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, exit_function *f, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

#define MARK 0x4b420000u
#define KERNEL_ADDRESSES 0xffff800000000000u
#define MAX_SYMBOLS 4096

enum cost { NONE, CR3, WRMSR, IRETQ, LOCKED, INVLPG, INVPCID, XSAVE, XRSTOR, COSTS };
struct symbol { uint64_t address, longest; char name[56]; };

static FILE *out;
static struct symbol symbols[MAX_SYMBOLS];
static size_t symbol_count;
static uint64_t core_loop;

static uint64_t executed;
static uint64_t begun_at, begun[COSTS], counted[COSTS];
static uint64_t figure_samples, figure_executed, figure[COSTS];

static bool watching;
static uint64_t streak;
static struct symbol *entry;

/* ---- decoding ------------------------------------------------------------------- */

static bool is_prefix(uint8_t b)
{
    return b == 0x66 || b == 0xf2 || b == 0xf3 || b == 0xf0 || b == 0x2e || b == 0x36 ||
           b == 0x3e || b == 0x26 || b == 0x64 || b == 0x65;
}

static enum cost two_byte_cost(const uint8_t *b, size_t left)
{
    uint8_t modrm = left > 1 ? b[1] : 0, reg = modrm >> 3 & 7;
    bool memory = modrm < 0xc0;

    switch (b[0]) {
    case 0x22:
        return reg == 3 ? CR3 : NONE;
    case 0x30:
        return WRMSR;
    case 0x01:
        return reg == 7 && memory ? INVLPG : NONE;
    case 0x38:
        return modrm == 0x82 ? INVPCID : NONE;
    case 0xae: /* fxsave fxrstor - - xsave xrstor xsaveopt */
        if (!memory)
            return NONE;
        return reg == 0 || reg == 4 || reg == 6 ? XSAVE : reg == 1 || reg == 5 ? XRSTOR : NONE;
    case 0xc7: /* xrstors xsavec xsaves */
        return !memory ? NONE : reg == 4 || reg == 5 ? XSAVE : reg == 3 ? XRSTOR : NONE;
    default:
        return NONE;
    }
}

static enum cost cost_of(const uint8_t *b, size_t n)
{
    size_t i = 0;
    bool lock = false;

    for (; i < n && is_prefix(b[i]); i++)
        lock |= b[i] == 0xf0;
    if (i < n && (b[i] & 0xf0) == 0x40)
        i++;
    if (lock)
        return LOCKED;
    if (i + 1 < n && (b[i] == 0x86 || b[i] == 0x87) && b[i + 1] < 0xc0)
        return LOCKED; /* xchg with memory */
    if (i < n && b[i] == 0xcf)
        return IRETQ;
    if (i + 1 < n && b[i] == 0x0f)
        return two_byte_cost(b + i + 1, n - i - 1);
    return NONE;
}

static bool lets_interrupts_in(const uint8_t *b, size_t n)
{
    static const uint8_t sti[] = {0xfb}, iretq[] = {0x48, 0xcf}, sysretq[] = {0x48, 0x0f, 0x07};

    return (n == 1 && !memcmp(b, sti, 1)) || (n == 2 && !memcmp(b, iretq, 2)) ||
           (n == 3 && !memcmp(b, sysretq, 3));
}

static unsigned mark_of(const uint8_t *b, size_t n)
{
    uint32_t value;

    if (n != 7 || b[0] != 0x0f || b[1] != 0x1f || b[2] != 0x80)
        return 0;
    memcpy(&value, b + 3, 4);
    return (value & 0xffff0000u) == MARK ? value & 0xffffu : 0;
}

/* ---- what happens when the guest executes ----------------------------------------- */

static void on_cost(unsigned cpu, void *data)
{
    (void)cpu;
    counted[(uintptr_t)data]++;
}

static void on_begin(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    begun_at = executed;
    memcpy(begun, counted, sizeof begun);
}

static void on_end(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    figure_samples++;
    figure_executed += executed - begun_at;
    for (int i = 0; i < COSTS; i++)
        figure[i] += counted[i] - begun[i];
}

static void on_figure(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    fprintf(out, "COSTS %" PRIu64 " %" PRIu64, figure_samples, figure_executed);
    for (int i = CR3; i < COSTS; i++)
        fprintf(out, " %" PRIu64, figure[i]);
    fputc('\n', out);
    fflush(out);
    figure_samples = figure_executed = 0;
    memset(figure, 0, sizeof figure);
}

static void on_interrupts(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    streak = 0;
    entry = NULL;
}

static void on_instruction(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    executed++;
}

static void on_kernel_block(unsigned cpu, void *data)
{
    (void)cpu;
    streak += (uintptr_t)data;
    if (entry && streak > entry->longest && watching)
        entry->longest = streak;
}

static void on_user_block(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    streak = 0;
    entry = NULL;
}

static void on_symbol(unsigned cpu, void *data)
{
    struct symbol *s = data;

    (void)cpu;
    if (s->address == core_loop) {
        watching = true;
        streak = 0;
    }
    if (!entry)
        entry = s;
}

/* ---- translation -------------------------------------------------------------------- */

static struct symbol *symbol_at(uint64_t address)
{
    for (size_t i = 0; i < symbol_count; i++)
        if (symbols[i].address == address)
            return &symbols[i];
    return NULL;
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb);
    uint64_t address = qemu_plugin_tb_vaddr(tb);
    static execute_function *const marks[] = { NULL, on_begin, on_end, on_figure };

    (void)id;
    if (address >= KERNEL_ADDRESSES) {
        struct symbol *s = symbol_at(address);
        if (s)
            qemu_plugin_register_vcpu_tb_exec_cb(tb, on_symbol, CB_NO_REGS, s);
        qemu_plugin_register_vcpu_tb_exec_cb(tb, on_kernel_block, CB_NO_REGS, (void *)n);
    } else {
        qemu_plugin_register_vcpu_tb_exec_cb(tb, on_user_block, CB_NO_REGS, NULL);
    }
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *bytes = qemu_plugin_insn_data(insn);
        size_t size = qemu_plugin_insn_size(insn);
        enum cost cost = cost_of(bytes, size);
        unsigned mark = mark_of(bytes, size);

        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction, CB_NO_REGS, NULL);
        if (cost != NONE)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_cost, CB_NO_REGS,
                                                   (void *)(uintptr_t)cost);
        if (mark && mark < sizeof marks / sizeof marks[0])
            qemu_plugin_register_vcpu_insn_exec_cb(insn, marks[mark], CB_NO_REGS, NULL);
        if (address >= KERNEL_ADDRESSES && lets_interrupts_in(bytes, size))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_interrupts, CB_NO_REGS, NULL);
    }
}

/* ---- start and end -------------------------------------------------------------------- */

static int by_longest(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    return (x->longest < y->longest) - (x->longest > y->longest);
}

static void on_exit_(uint64_t id, void *data)
{
    (void)id;
    (void)data;
    qsort(symbols, symbol_count, sizeof symbols[0], by_longest);
    for (size_t i = 0; i < symbol_count && symbols[i].longest; i++)
        fprintf(out, "LONGEST %" PRIu64 " %s\n", symbols[i].longest, symbols[i].name);
    fclose(out);
}

/* What an entry to the kernel may be named by. */
static bool is_entry_point(const char *name)
{
    static const char *const others[] = { "trap_entry", "trap_kernel", "call_slow",
                                          "return_slow", "schedule", "core_loop" };

    if (!strncmp(name, "op_", 3))
        return strcmp(name, "op_table") != 0;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (!strcmp(name, others[i]))
            return true;
    return false;
}

static bool symbols_read(const char *path)
{
    FILE *f = fopen(path, "r");
    struct symbol s = { 0 };
    char kind;

    if (!f)
        return false;
    while (fscanf(f, "%" SCNx64 " %c %55s", &s.address, &kind, s.name) == 3) {
        if (!is_entry_point(s.name) || symbol_count == MAX_SYMBOLS)
            continue;
        if (!strcmp(s.name, "core_loop"))
            core_loop = s.address;
        symbols[symbol_count++] = s;
    }
    fclose(f);
    return core_loop != 0;
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "out=", 4)) {
            out = fopen(argv[i] + 4, "w");
        } else if (strncmp(argv[i], "symbols=", 8) || !symbols_read(argv[i] + 8)) {
            fprintf(stderr, "costs: %s: unknown option, or no kernel symbols there\n", argv[i]);
            return -1;
        }
    }
    if (!out) {
        fprintf(stderr, "costs: needs out=FILE\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_atexit_cb(id, on_exit_, NULL);
    return 0;
}
