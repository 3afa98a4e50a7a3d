/* SPDX-License-Identifier: MIT */
/* The trace: a ring of events per core, always compiled in, switched by trace_enable, or by the
 * word trace on the command line: then each event goes to the console too. In numbers: the host
 * (tools/symbolise) knows abi/events.tbl. */
#include <arch/platform.h>
#include <arch/x86.h>
#include <kernel.h>

#define READ_BATCH 32u

bool trace_on, trace_loud;

static void trace_print(const struct trace_entry *e)
{
    console_printf("ev %lu %u thread=%u %lx %lx\n", e->tsc, e->event, e->thread, e->a, e->b);
}

void trace_write(u32 event, u64 a, u64 b)
{
    struct cpu *cpu = cpu_self();
    if (!cpu->trace)
        return;
    struct trace_entry *e = &cpu->trace[cpu->trace_next++ % TRACE_ENTRIES];
    *e = (struct trace_entry){ rdtsc(), event, cpu->thread ? cpu->thread->id : 0, a, b };
    if (trace_loud)
        trace_print(e);
}

void trace_dump(void)
{
    const struct cpu *cpu = cpu_self();
    u64 from = cpu->trace_next > 32 ? cpu->trace_next - 32 : 0;
    for (u64 i = from; cpu->trace && i < cpu->trace_next; i++)
        trace_print(&cpu->trace[i % TRACE_ENTRIES]);
}

struct result op_trace_read(struct control *control, u64 core, u64 position, u64 buffer)
{
    (void)control;
    REFUSE_IF(core >= cpu_count, E_RANGE);
    const struct cpu *cpu = cpu_of((u32)core);
    u64 next = cpu->trace_next, oldest = next > TRACE_ENTRIES ? next - TRACE_ENTRIES : 0;
    if (position < oldest)
        position = oldest;
    REFUSE_IF(position > next, E_RANGE);
    u64 count = min_u64(next - position, READ_BATCH);
    for (u64 i = 0; i < count; i++)
        if (!user_write(buffer + i * sizeof(struct trace_entry),
                        &cpu->trace[(position + i) % TRACE_ENTRIES], sizeof(struct trace_entry)))
            return fail(-E_MEMORY);
    return ok((position + count) << 8 | count);
}

struct result op_trace_enable(struct control *control, u64 on)
{
    (void)control;
    trace_on = on != 0;
    return ok(0);
}
