// SPDX-License-Identifier: MIT
/*
 * Writes NAME_trace.c (names and places of all fields, for decoders of traces and messages, and
 * the errors each operation states) and NAME_fuzz.c (limits of all fields, for rt/fuzz.h).
 */
#include "idlc.h"

/* ---- trace ---- */

static void emit_trace_fields(const struct operation *operation, bool is_reply)
{
    const struct direction_layout *layout = is_reply ? &operation->reply : &operation->request;

    if (!layout->field_count)
        return;
    emit("\nstatic const struct rpc_trace_field %s_%s[] = {\n", operation->name.text,
        is_reply ? "reply" : "request");
    for (size_t i = 0; i < layout->field_count; i++) {
        const struct word_field *field = &layout->fields[i];

        emit("    { \"%s\", %u, %u, %u, %s },\n", field->name, field->word, field->shift,
            field->bits, field->kind);
    }
    emit("};\n");
}

static void emit_trace_operation(const struct operation *operation)
{
    const char *name = operation->name.text;

    emit("    { %s, \"%s\", %s, %zu, %zu, ", number_text(operation->number), name,
        operation->mutating ? "true" : "false", operation->request.field_count,
        operation->reply.field_count);
    emit(operation->request.field_count ? "%s_request, " : "NULL, ", name);
    emit(operation->reply.field_count ? "%s_reply },\n" : "NULL },\n", name);
}

/* Operations by rising number, as decoders search them. */
static const struct operation *operation_after(const struct protocol *protocol, number last)
{
    const struct operation *best = NULL;

    for (size_t i = 0; i < protocol->operation_count; i++) {
        const struct operation *operation = protocol->operations[i];

        if (operation->number > last && (!best || operation->number < best->number))
            best = operation;
    }
    return best;
}

static void emit_errors_table(const struct protocol *protocol)
{
    if (!protocol->errors.count)
        return;
    emit("\nstatic const struct rpc_trace_error errors[] = {\n");
    for (size_t i = 0; i < protocol->errors.count; i++)
        emit("    { %s, \"%s\" },\n", number_text(protocol->errors.items[i]->value),
            protocol->errors.items[i]->name.text);
    emit("};\n");
}

void emit_trace(const struct protocol *protocol)
{
    const struct operation *operation = operation_after(protocol, 0);
    const char *name = protocol->name.text;

    emit_head(protocol, make_text("How messages of protocol %s are read; see rt/rpc.h.", name));
    emit("#include <rt/rpc.h>\n\nextern const struct rpc_trace_protocol %s_trace;\n", name);
    for (size_t i = 0; i < protocol->operation_count; i++) {
        emit_trace_fields(protocol->operations[i], false);
        emit_trace_fields(protocol->operations[i], true);
    }
    emit("\nstatic const struct rpc_trace_operation operations[] = {\n");
    for (; operation; operation = operation_after(protocol, operation->number))
        emit_trace_operation(operation);
    emit("};\n");
    emit_errors_table(protocol);
    emit("\nconst struct rpc_trace_protocol %s_trace = {\n", name);
    emit("    .name = \"%s\",\n    .version = %s,\n", name, number_text(protocol->version));
    emit("    .operation_count = %zu,\n    .error_count = %zu,\n", protocol->operation_count,
        protocol->errors.count);
    emit("    .operations = operations,\n    .errors = %s,\n};\n",
        protocol->errors.count ? "errors" : "NULL");
}

/* ---- fuzzing ---- */

static void emit_fuzz_fields(const struct operation *operation)
{
    if (!operation->request.field_count)
        return;
    emit("\nstatic const struct rpc_fuzz_field %s_fields[] = {\n", operation->name.text);
    for (size_t i = 0; i < operation->request.field_count; i++) {
        const struct word_field *field = &operation->request.fields[i];
        number minimum = field->minimum, maximum = field->maximum;

        /* Of an enum the values are near the limits of its declared ones. */
        if (field->set) {
            maximum = 0;
            for (size_t j = 0; j < field->set->values.count; j++)
                maximum = field->set->is_flags ? maximum | field->set->values.items[j]->value
                          : maximum > field->set->values.items[j]->value
                              ? maximum
                              : field->set->values.items[j]->value;
        }
        emit("    { %u, %u, %u, (uint64_t)%s, (uint64_t)%s },\n", field->word, field->shift,
            field->bits, c_number(minimum), c_number(maximum));
    }
    emit("};\n");
}

static void emit_fuzz_errors(const struct protocol *protocol, const struct operation *operation)
{
    if (!operation->error_count)
        return;
    emit("\nstatic const uint32_t %s_errors[] = {\n", operation->name.text);
    for (size_t i = 0; i < operation->error_count; i++)
        emit("    %s_ERROR_%s,\n", protocol->upper, operation->errors[i]->name.text);
    emit("};\n");
}

static void emit_fuzz_operation(const struct operation *operation)
{
    const char *name = operation->name.text;

    emit("    {\n        .number = %s,\n        .mutating = %s,\n        .parks = %s,\n",
        number_text(operation->number), operation->mutating ? "true" : "false",
        operation->parks ? "true" : "false");
    emit("        .caps_in = %zu,\n        .in_bytes_max = %zu,\n        .out_bytes_max = %zu,\n",
        operation->request.caps, operation->request.bytes_max, operation->reply.bytes_max);
    emit("        .field_count = %zu,\n        .error_count = %zu,\n",
        operation->request.field_count, operation->error_count);
    if (operation->request.field_count)
        emit("        .fields = %s_fields,\n", name);
    if (operation->error_count)
        emit("        .errors = %s_errors,\n", name);
    emit("    },\n");
}

void emit_fuzz(const struct protocol *protocol)
{
    const char *name = protocol->name.text;

    emit_head(
        protocol, make_text("What a fuzzer has to know of protocol %s; see rt/fuzz.h.", name));
    emit("#include <rt/fuzz.h>\n\n#include <proto/%s.h>\n\nextern const struct rpc_fuzz_protocol "
         "%s_fuzz;\n",
        name, name);
    for (size_t i = 0; i < protocol->operation_count; i++) {
        emit_fuzz_fields(protocol->operations[i]);
        emit_fuzz_errors(protocol, protocol->operations[i]);
    }
    emit("\nstatic const struct rpc_fuzz_operation operations[] = {\n");
    for (size_t i = 0; i < protocol->operation_count; i++)
        emit_fuzz_operation(protocol->operations[i]);
    emit("};\n\nconst struct rpc_fuzz_protocol %s_fuzz = {\n", name);
    emit("    .name = \"%s\",\n    .operation_count = %zu,\n    .operations = operations,\n};\n",
        name, protocol->operation_count);
}
