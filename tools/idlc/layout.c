// SPDX-License-Identifier: MIT
/*
 * Where everything lies: fields in structs, and what an operation carries in words and in granted
 * memory.
 *
 * Words 1 to 5 are filled in order, each part at its natural alignment and never across two words:
 * first the lengths (or capacities) of all buffers and the flag of an optional capability, then the
 * scalars as declared. From the first scalar that does not fit on, scalars go into an overflow
 * struct at the start of the block granted in that direction; structs and bytes follow in order.
 */
#include "idlc.h"

#include <string.h>

/* ---- structs ---- */

size_t type_bytes(const struct type *type)
{
    return type->record ? (size_t)type->record->size : type->scalar->bits / 8;
}

static size_t type_alignment(const struct type *type)
{
    return type->record ? type->record->alignment : type->scalar->bits / 8;
}

static size_t align_up(size_t offset, size_t alignment)
{
    return (offset + alignment - 1) / alignment * alignment;
}

/* Where the field ends. */
static size_t lay_out_field(struct record *record, struct field *field, size_t offset)
{
    size_t aligned, alignment;

    field->offset = offset;
    if (field->is_padding)
        return offset + (size_t)field->count;
    alignment = type_alignment(&field->type);
    aligned = align_up(offset, alignment);
    if (aligned != offset) {
        report(field->type_at, "\"%s\" would lie at offset %zu: put \"padding %zu;\" before it",
            field->name.text, offset, aligned - offset);
        field->offset = aligned;
    }
    if (alignment > record->alignment)
        record->alignment = alignment;
    return field->offset + type_bytes(&field->type) * (size_t)field->count;
}

void lay_out_record(struct record *record)
{
    unsigned before = report_count;
    size_t offset = 0, aligned;

    record->alignment = 1;
    for (size_t i = 0; i < record->field_count; i++)
        offset = lay_out_field(record, &record->fields[i], offset);
    aligned = align_up(offset, record->alignment);
    if (report_count != before)
        return;
    if (aligned != offset)
        report(record->name.at, "\"%s\" ends at offset %zu: put \"padding %zu;\" at its end",
            record->name.text, offset, aligned - offset);
    else if (offset != (size_t)record->size)
        report(record->size_at, "\"%s\" has %zu bytes, not %s", record->name.text, offset,
            number_text(record->size));
}

/* ---- words ---- */

struct cursor {
    unsigned word, bit;
    bool is_full;
};

/* Finds a place of `bits` bits; false if there is none, then or later. */
static bool take_bits(struct cursor *cursor, unsigned bits, unsigned *word, unsigned *shift)
{
    unsigned bit = (cursor->bit + bits - 1) / bits * bits;

    if (bit + bits > WORD_BITS) {
        cursor->word++;
        bit = 0;
    }
    if (cursor->is_full || cursor->word >= WORDS) {
        cursor->is_full = true;
        return false;
    }
    *word = cursor->word;
    *shift = bit;
    cursor->bit = bit + bits;
    return true;
}

static void add_field(struct direction_layout *layout, struct word_field field)
{
    layout->fields = grow_array(layout->fields, layout->field_count, sizeof(field));
    layout->fields[layout->field_count++] = field;
}

static void place_length(struct direction_layout *layout, struct cursor *cursor,
    struct member *member, const char *suffix, bool is_reply)
{
    struct word_field field = {
        .name = make_text("%s_%s", member->field.name.text, suffix),
        .kind = "RPC_LENGTH",
        .minimum = member->is_out ? 0 : member->field.minimum,
        .maximum = member->field.maximum,
    };

    member->length_bits = field.bits = member->field.maximum > UINT16_MAX ? 32 : 16;
    if (!take_bits(cursor, field.bits, &field.word, &field.shift)) {
        report(member->field.name.at, "too many buffers: their lengths do not fit in the words");
        return;
    }
    if (is_reply) {
        member->reply_word = field.word;
        member->reply_shift = field.shift;
    } else {
        member->word = field.word;
        member->shift = field.shift;
    }
    add_field(layout, field);
}

static void place_lengths(struct operation *operation, struct direction_layout *layout,
    struct cursor *cursor, bool is_reply)
{
    for (size_t i = 0; i < operation->member_count; i++) {
        struct member *member = &operation->members[i];

        if (member->kind != MEMBER_BYTES || (is_reply && !member->is_out))
            continue;
        place_length(
            layout, cursor, member, !is_reply && member->is_out ? "capacity" : "length", is_reply);
    }
}

static void place_caps(struct operation *operation, struct direction_layout *layout,
    struct cursor *cursor, bool is_out)
{
    for (size_t i = 0; i < operation->member_count; i++) {
        struct member *member = &operation->members[i];
        struct word_field field = {.kind = "RPC_UNSIGNED", .bits = 8, .maximum = 1};

        if (member->kind != MEMBER_CAP || member->is_out != is_out)
            continue;
        layout->caps++;
        if (!member->is_optional)
            continue;
        field.name = make_text("%s_present", member->field.name.text);
        if (!take_bits(cursor, field.bits, &field.word, &field.shift)) {
            report(member->field.name.at, "too many buffers: no word is left for a flag");
            return;
        }
        layout->has_optional_cap = true;
        layout->present_word = field.word;
        layout->present_shift = field.shift;
        add_field(layout, field);
    }
}

static void spill(struct direction_layout *layout, struct member *member)
{
    size_t bytes = type_bytes(&member->field.type);

    member->is_spilled = true;
    member->field.offset = align_up(layout->spill_bytes, bytes);
    layout->spill_bytes = member->field.offset + bytes;
}

static void place_scalars(struct operation *operation, struct direction_layout *layout,
    struct cursor *cursor, bool is_out)
{
    for (size_t i = 0; i < operation->member_count; i++) {
        struct member *member = &operation->members[i];
        const struct scalar *scalar = member->field.type.scalar;
        struct word_field field = {
            .name = member->field.name.text,
            .minimum = member->field.minimum,
            .maximum = member->field.maximum,
            .set = member->field.type.set,
        };

        if (member->kind != MEMBER_SCALAR || member->is_out != is_out)
            continue;
        field.bits = scalar->bits;
        field.kind = scalar->is_signed                  ? "RPC_SIGNED"
                     : field.set && field.set->is_flags ? "RPC_HEX"
                                                        : "RPC_UNSIGNED";
        if (!take_bits(cursor, scalar->bits, &field.word, &field.shift)) {
            spill(layout, member);
            continue;
        }
        member->word = field.word;
        member->shift = field.shift;
        add_field(layout, field);
    }
    layout->spill_bytes = align_up(layout->spill_bytes, 8);
}

/* ---- granted memory ---- */

static void count_pieces(struct operation *operation, struct direction_layout *layout, bool is_out)
{
    const struct member *last = NULL;

    layout->pieces = layout->spill_bytes != 0;
    layout->bytes_max = layout->spill_bytes;
    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];

        if (member->is_out != is_out ||
            (member->kind != MEMBER_BYTES && member->kind != MEMBER_RECORD))
            continue;
        layout->pieces++;
        layout->bytes_max += member->kind == MEMBER_BYTES ? (size_t)member->field.maximum
                                                          : type_bytes(&member->field.type);
        if (member->behind.text)
            layout->is_joined = true;
        last = member;
    }
    if (layout->is_joined && layout->spill_bytes)
        report(last->field.name.at, "\"behind\" needs that all other fields fit in the words");
    else if (layout->pieces > 1 && !layout->is_joined && layout->bytes_max > GATHER_MAX)
        report(last->field.name.at,
            "the %zu parts that go %s must be laid together, which takes up to %zu bytes (limit "
            "%d)",
            layout->pieces, is_out ? "out" : "in", layout->bytes_max, GATHER_MAX);
}

static void lay_out_operation(struct operation *operation)
{
    struct cursor request = {.word = 1}, reply = {.word = 1};

    place_lengths(operation, &operation->request, &request, false);
    place_caps(operation, &operation->request, &request, false);
    place_scalars(operation, &operation->request, &request, false);
    place_lengths(operation, &operation->reply, &reply, true);
    place_caps(operation, &operation->reply, &reply, true);
    place_scalars(operation, &operation->reply, &reply, true);
    count_pieces(operation, &operation->request, false);
    count_pieces(operation, &operation->reply, true);
}

void lay_out(struct protocol *protocol)
{
    for (size_t i = 0; i < protocol->operation_count; i++)
        lay_out_operation(protocol->operations[i]);
}
