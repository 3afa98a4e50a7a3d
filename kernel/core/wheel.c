/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: a radix wheel per core. Eight levels of 64 slots; level l holds the times
 * whose highest base-64 digit that differs from wheel_base is digit l, in the slot of that
 * digit. So the lowest non-empty level's lowest slot is always the earliest, every step
 * handles one thread, and one step moves it at least a level down.
 *
 * Invariant: a bit in wheel_bits[l] is set exactly when the slot has threads; a thread's
 * timer_slot is 1 + 64 * l + slot while queued. Only the own core touches its wheel.
 */
#include <arch/platform.h>
#include <kernel.h>

#define ADVANCE_STEPS 8u
#define DIGIT(t, l) ((u32)((t) >> (6 * (l)) & 63u))

static void slot_insert(struct cpu *cpu, struct thread *t, u64 at)
{
    u64 difference = at ^ cpu->wheel_base;
    u32 level = difference ? (63u - (u32)__builtin_clzll(difference)) / 6u : 0;
    if (level >= WHEEL_LEVELS) {
        level = WHEEL_LEVELS - 1; /* years away: looked at again when the slot comes */
        at = (1ull << (6 * WHEEL_LEVELS)) - 1;
    }
    struct thread **head = &cpu->wheel->slots[level][DIGIT(at, level)];
    t->timer_slot = 1 + level * WHEEL_SLOTS + DIGIT(at, level);
    t->timer_prev = 0;
    t->timer_next = *head;
    if (*head)
        (*head)->timer_prev = t;
    *head = t;
    cpu->wheel_bits[level] |= 1ull << DIGIT(at, level);
}

static u64 slot_time(u64 deadline_ns)
{
    u64 up = (1ull << WHEEL_SHIFT) - 1;
    return deadline_ns > UINT64_MAX - up ? UINT64_MAX >> WHEEL_SHIFT
                                         : (deadline_ns + up) >> WHEEL_SHIFT;
}

void wheel_insert(struct cpu *cpu, struct thread *t, u64 deadline_ns)
{
    u64 at = slot_time(deadline_ns);
    t->deadline_ns = deadline_ns;
    slot_insert(cpu, t, at > cpu->wheel_base ? at : cpu->wheel_base + 1);
    u64 next = wheel_next_ns(cpu);
    if (next < cpu->armed_ns) {
        cpu->armed_ns = next;
        timer_arm(next);
    }
}

void wheel_remove(struct cpu *cpu, struct thread *t)
{
    if (!t->timer_slot)
        return;
    u32 level = (t->timer_slot - 1) / WHEEL_SLOTS, digit = (t->timer_slot - 1) % WHEEL_SLOTS;
    if (t->timer_prev)
        t->timer_prev->timer_next = t->timer_next;
    else
        cpu->wheel->slots[level][digit] = t->timer_next;
    if (t->timer_next)
        t->timer_next->timer_prev = t->timer_prev;
    if (!cpu->wheel->slots[level][digit])
        cpu->wheel_bits[level] &= ~(1ull << digit);
    t->timer_slot = 0;
    t->timer_next = t->timer_prev = 0;
}

/* The slot to work on next: one that the base stands in (left from an earlier step), else
 * the earliest. */
static bool slot_first(const struct cpu *cpu, u32 *level, u32 *digit, u64 *start)
{
    u64 base = cpu->wheel_base;
    for (u32 l = WHEEL_LEVELS; l-- > 0;)
        if (cpu->wheel_bits[l] >> DIGIT(base, l) & 1) {
            *level = l;
            *digit = DIGIT(base, l);
            *start = base;
            return true;
        }
    for (u32 l = 0; l < WHEEL_LEVELS; l++)
        if (cpu->wheel_bits[l]) {
            *level = l;
            *digit = (u32)__builtin_ctzll(cpu->wheel_bits[l]);
            u64 above = l == 10 ? 0 : base >> (6 * (l + 1)) << (6 * (l + 1));
            *start = above | (u64)*digit << (6 * l);
            return true;
        }
    return false;
}

u64 wheel_next_ns(const struct cpu *cpu)
{
    u32 level, digit;
    u64 start;
    return slot_first(cpu, &level, &digit, &start) ? start << WHEEL_SHIFT : UINT64_MAX;
}

/* Moves the base to now and ends the waits whose deadline has come, at most 8 threads a
 * call; wheel_next_ns() says when to come back. */
void wheel_advance(struct cpu *cpu, u64 now_ns)
{
    u64 target = now_ns >> WHEEL_SHIFT, start;
    u32 level, digit;
    for (u32 i = 0; i < ADVANCE_STEPS; i++) {
        if (!slot_first(cpu, &level, &digit, &start) || start > target) {
            if (target > cpu->wheel_base)
                cpu->wheel_base = target;
            return;
        }
        cpu->wheel_base = start;
        struct thread *t = cpu->wheel->slots[level][digit];
        wheel_remove(cpu, t);
        if (slot_time(t->deadline_ns) <= start)
            wait_end(t, -E_TIME, 0);
        else
            slot_insert(cpu, t, slot_time(t->deadline_ns));
    }
}
