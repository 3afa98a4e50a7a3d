// SPDX-License-Identifier: MIT
/*
 * Writes NAME.h: constants, errors, enums, flags, structs with asserted layouts, operation numbers
 * and the overflow structs of operations.
 */
#include "idlc.h"

#include <string.h>

static void emit_constant(const struct protocol *protocol, const struct value *constant)
{
    const char *name = constant->name.text;

    emit_document(&constant->document, 0);
    /* An enumerator has type int; larger values need a type of their own. */
    if (constant->value >= INT32_MIN && constant->value <= INT32_MAX)
        emit("enum { %s_%s = %s };\n", protocol->upper, name, c_number(constant->value));
    else
        emit("#define %s_%s %s\n", protocol->upper, name, c_number(constant->value));
}

static void emit_errors(const struct protocol *protocol)
{
    if (!protocol->errors.count)
        return;
    emit("\n/* Errors, as stubs return them. */\nenum {\n");
    for (size_t i = 0; i < protocol->errors.count; i++) {
        const struct value *error = protocol->errors.items[i];

        emit_document(&error->document, 1);
        emit("    %s_ERROR_%s = %s,\n", protocol->upper, error->name.text,
            number_text(error->value));
    }
    emit("};\n");
}

static void emit_set_values(const struct protocol *protocol, const struct set *set)
{
    char *prefix = make_text("%s_%s", protocol->upper, to_upper(set->name.text));
    number all = 0;

    for (size_t i = 0; i < set->values.count; i++) {
        const struct value *value = set->values.items[i];

        emit_document(&value->document, 1);
        if (set->is_flags)
            emit("    %s_%s = 0x%llx,\n", prefix, value->name.text,
                (unsigned long long)value->value);
        else
            emit("    %s_%s = %s,\n", prefix, value->name.text, c_number(value->value));
        all |= value->value;
    }
    if (set->is_flags)
        emit("    %s_ALL = 0x%llx,\n", prefix, (unsigned long long)all);
}

static void emit_validity(const struct protocol *protocol, const struct set *set)
{
    emit("static inline bool %s_%s_is_valid(uint64_t value)\n{\n    switch (value) {\n",
        protocol->name.text, set->name.text);
    for (size_t i = 0; i < set->values.count; i++)
        emit("    case %s_%s_%s:\n", protocol->upper, to_upper(set->name.text),
            set->values.items[i]->name.text);
    emit("        return true;\n    default:\n        return false;\n    }\n}\n");
}

static void emit_set(const struct protocol *protocol, const struct set *set)
{
    emit("\n");
    emit_document(&set->document, 0);
    emit("/* Stored as %s. */\n", set->scalar->c_type);
    if (set->is_flags)
        emit("enum {\n");
    else
        emit("enum %s_%s {\n", protocol->name.text, set->name.text);
    emit_set_values(protocol, set);
    emit("};\n");
    if (!set->is_flags)
        emit_validity(protocol, set);
}

static void emit_field(const struct protocol *protocol, const struct field *field)
{
    emit_document(&field->document, 1);
    if (field->is_padding) {
        emit("    uint8_t padding_%zu[%s]; /* 0 */\n", field->offset, number_text(field->count));
        return;
    }
    emit("    %s %s", c_type(protocol, &field->type), field->name.text);
    if (field->is_array)
        emit("[%s]", number_text(field->count));
    emit(";");
    if (field->has_range)
        emit(" /* %s to %s */", number_text(field->minimum), number_text(field->maximum));
    if (field->type.set)
        emit(" /* %s_%s */", protocol->upper, to_upper(field->type.set->name.text));
    emit("\n");
}

static void emit_record(const struct protocol *protocol, const struct record *record)
{
    char *tag = make_text("struct %s_%s", protocol->name.text, record->name.text);

    emit("\n");
    emit_document(&record->document, 0);
    emit("%s {\n", tag);
    for (size_t i = 0; i < record->field_count; i++)
        emit_field(protocol, &record->fields[i]);
    emit("};\n_Static_assert(sizeof(%s) == %s, \"size\");\n", tag, number_text(record->size));
    for (size_t i = 0; i < record->field_count; i++)
        if (!record->fields[i].is_padding)
            emit("_Static_assert(offsetof(%s, %s) == %zu, \"offset\");\n", tag,
                record->fields[i].name.text, record->fields[i].offset);
}

static size_t emit_gap(size_t from, size_t to)
{
    if (to > from)
        emit("    uint8_t padding_%zu[%zu];\n", from, to - from);
    return to;
}

static void emit_spill(
    const struct protocol *protocol, const struct operation *operation, bool is_out)
{
    size_t bytes = is_out ? operation->reply.spill_bytes : operation->request.spill_bytes,
           offset = 0;
    char *tag = spill_type(protocol, operation, is_out);

    if (!bytes)
        return;
    emit("\n/* What of %s does not fit in the words. */\n%s {\n", operation->name.text, tag);
    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];

        if (!member->is_spilled || member->is_out != is_out)
            continue;
        emit_gap(offset, member->field.offset);
        emit("    %s %s;\n", c_type(protocol, &member->field.type), member->field.name.text);
        offset = member->field.offset + type_bytes(&member->field.type);
    }
    emit_gap(offset, bytes);
    emit("};\n_Static_assert(sizeof(%s) == %zu, \"size\");\n", tag, bytes);
}

void emit_types(const struct protocol *protocol)
{
    emit_head(protocol, make_text("The types and constants of protocol %s.", protocol->name.text));
    emit("#pragma once\n\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n\n");
    emit_document(&protocol->document, 0);
    emit("enum { %s_VERSION = %s };\n", protocol->upper, number_text(protocol->version));
    emit("\n/* Operations. */\nenum {\n");
    for (size_t i = 0; i < protocol->operation_count; i++)
        emit("    %s_OP_%s = %s,\n", protocol->upper, to_upper(protocol->operations[i]->name.text),
            number_text(protocol->operations[i]->number));
    emit("};\n");
    emit_errors(protocol);
    if (protocol->constants.count)
        emit("\n");
    for (size_t i = 0; i < protocol->constants.count; i++)
        emit_constant(protocol, protocol->constants.items[i]);
    for (size_t i = 0; i < protocol->set_count; i++)
        emit_set(protocol, protocol->sets[i]);
    for (size_t i = 0; i < protocol->record_count; i++)
        emit_record(protocol, protocol->records[i]);
    for (size_t i = 0; i < protocol->operation_count; i++) {
        emit_spill(protocol, protocol->operations[i], false);
        emit_spill(protocol, protocol->operations[i], true);
    }
}
