// SPDX-License-Identifier: MIT
/*
 * Writes NAME_server.h (what a server implements) and NAME_dispatch.c: one function per operation
 * that unpacks and checks the request, calls the server's function and packs the reply.
 *
 * Everything that the protocol limits is checked before the server's function runs. Structs are
 * copied from the client once and checked in the copy; what goes out starts as zeros, so nothing of
 * the server's memory leaks.
 */
#include "idlc.h"

#include <string.h>

/* ---- the interface ---- */

static void emit_serve_parameter(const struct protocol *protocol, const struct member *member)
{
    const char *name = member->field.name.text, *star = member->is_out ? "*" : "";

    switch (member->kind) {
    case MEMBER_SCALAR:
        emit(", %s %s%s", c_type(protocol, &member->field.type), star, name);
        break;
    case MEMBER_RECORD:
        emit(", %s%s *%s", member->is_out ? "" : "const ", c_type(protocol, &member->field.type),
            name);
        break;
    case MEMBER_BYTES:
        emit(member->is_out ? ", struct rpc_out *%s" : ", struct rpc_in %s", name);
        break;
    case MEMBER_CAP:
        emit(", uint32_t %s%s", star, name);
        break;
    }
}

static void emit_serve_signature(const struct protocol *protocol, const struct operation *operation)
{
    emit("uint32_t %s_serve_%s(struct %s_server *server, uint64_t badge", protocol->name.text,
        operation->name.text, protocol->name.text);
    if (operation->mutating)
        emit(", uint64_t sequence");
    if (operation->parks)
        emit(", uint32_t park");
    for (size_t i = 0; i < operation->member_count; i++)
        emit_serve_parameter(protocol, &operation->members[i]);
    emit(");\n");
}

void emit_server(const struct protocol *protocol)
{
    const char *name = protocol->name.text;

    emit_head(protocol,
        make_text(
            "What a server of protocol %s implements: struct %s_server, which is its own, and one\n"
            " * function per operation. Each returns 0, one of the errors that the operation "
            "states, or (only\n"
            " * operations with `park`) RPC_PARK if it had no effect and the client shall wait.\n"
            " *\n"
            " *   badge     who calls: that of the gate's capability\n"
            " *   sequence  of a mutating request, never 0 (rt/rpc.h)\n"
            " *   park      slot of the notification to raise when the request should be repeated, "
            "or 0:\n"
            " *             RPC_PARK then makes the client repeat it at once with one\n"
            " *   capabilities in are slots that are emptied after the call (server/server.h); 0: "
            "not given\n"
            " *   what goes out is zero at the start; a capability out is the slot to pass, or 0 "
            "for none",
            name, name));
    emit("#pragma once\n\n#include <rt/rpc.h>\n#include <server/server.h>\n\n#include "
         "<proto/%s.h>\n\n",
        name);
    emit("struct %s_server;\n\n", name);
    emit("/*\n * Serves one request: m holds its words. Returns the reply's word 0, which is not "
         "put into m;\n"
         " * words 1 to 5 of the reply are in m.\n */\n");
    emit("uint64_t %s_dispatch(struct %s_server *server, uint64_t badge, struct msg *m)\n", name,
        name);
    emit("    __attribute__((warn_unused_result));\n");
    for (size_t i = 0; i < protocol->operation_count; i++) {
        emit("\n");
        emit_document(&protocol->operations[i]->document, 0);
        emit_serve_signature(protocol, protocol->operations[i]);
    }
}

/* ---- checks of structs ---- */

/* Whether a record comes in anywhere, directly or inside another. */
static bool is_received(const struct protocol *protocol, const struct record *record)
{
    for (size_t i = 0; i < protocol->operation_count; i++)
        for (size_t j = 0; j < protocol->operations[i]->member_count; j++) {
            const struct member *member = &protocol->operations[i]->members[j];

            if (member->field.type.record == record && !member->is_out)
                return true;
        }
    for (size_t i = 0; i < protocol->record_count; i++)
        for (size_t j = 0; j < protocol->records[i]->field_count; j++)
            if (protocol->records[i]->fields[j].type.record == record &&
                is_received(protocol, protocol->records[i]))
                return true;
    return false;
}

/* Whether a record can have a value that is wrong. */
static bool is_limited(const struct protocol *protocol, const struct record *record)
{
    for (size_t i = 0; i < record->field_count; i++) {
        const struct field *field = &record->fields[i];

        if (field->is_padding || (field->type.record ? is_limited(protocol, field->type.record)
                                                     : !strcmp(field->type.scalar->name, "bool") ||
                                                           c_outside(protocol, field, "")))
            return true;
    }
    return false;
}

static void emit_padding_check(const struct field *field)
{
    emit("    for (size_t i = 0; i < %s; i++)\n", number_text(field->count));
    emit("        if (value->padding_%zu[i])\n            return false;\n", field->offset);
}

static void emit_field_check(const struct protocol *protocol, const struct field *field)
{
    const char *index = field->is_array ? "[i]" : "";
    char *expression = make_text("value->%s%s", field->name.text, index), *outside;

    if (field->type.record && !is_limited(protocol, field->type.record))
        outside = NULL;
    else if (field->type.record)
        outside = make_text("!%s_is_valid(&%s)", field->type.record->name.text, expression);
    else if (!strcmp(field->type.scalar->name, "bool"))
        /* A bool must not be read as one before it is known to be 0 or 1. */
        outside = make_text("*(const uint8_t *)&%s > 1", expression);
    else
        outside = c_outside(protocol, field, expression);
    if (!outside)
        return;
    if (field->is_array)
        emit("    for (size_t i = 0; i < %s; i++)\n    ", number_text(field->count));
    emit("    if (%s)\n    %s    return false;\n", outside, field->is_array ? "    " : "");
}

static void emit_record_check(const struct protocol *protocol, const struct record *record)
{
    emit("\nstatic bool %s_is_valid(const struct %s_%s *value)\n{\n", record->name.text,
        protocol->name.text, record->name.text);
    for (size_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].is_padding)
            emit_padding_check(&record->fields[i]);
        else
            emit_field_check(protocol, &record->fields[i]);
    }
    emit("    return true;\n}\n");
}

/* ---- one operation ---- */

/* Where a piece (NULL: none, the end) begins in the block of its direction. */
static char *piece_offset(const struct operation *operation, bool is_out, const struct member *end)
{
    const struct direction_layout *layout = is_out ? &operation->reply : &operation->request;
    char *sum =
        layout->spill_bytes ? make_text(is_out ? "sizeof(reply)" : "sizeof(request)") : NULL;

    for (size_t i = 0; i < operation->member_count && &operation->members[i] != end; i++) {
        const struct member *member = &operation->members[i];
        const char *name = member->field.name.text;
        char *bytes;

        if (member->is_out != is_out ||
            (member->kind != MEMBER_RECORD && member->kind != MEMBER_BYTES))
            continue;
        bytes = member->kind == MEMBER_RECORD
                    ? make_text("sizeof(%s)", name)
                    : make_text("%s.%s", name, is_out ? "capacity" : "length");
        sum = sum ? make_text("%s + %s", sum, bytes) : bytes;
    }
    return sum ? sum : make_text("0");
}

static void emit_scalar_local(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    const struct scalar *scalar = member->field.type.scalar;
    const char *name = member->field.name.text;
    const char *type = strcmp(scalar->name, "bool") ? scalar->c_type : "uint8_t";

    (void)operation;
    /* Bools stay bytes until they are checked. */
    if (member->is_spilled)
        emit("    %s %s;\n", c_type(protocol, &member->field.type), name);
    else
        emit(
            "    %s %s = %s;\n", type, name, c_unpacked(type, "m->w", member->word, member->shift));
}

static void emit_record_local(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    (void)operation;
    emit("    %s %s%s;\n", c_type(protocol, &member->field.type), member->field.name.text,
        member->is_out ? " = { 0 }" : "");
}

static void emit_bytes_local(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    (void)protocol;
    (void)operation;
    emit("    struct rpc_%s %s = { .%s = %s };\n", member->is_out ? "out" : "in",
        member->field.name.text, member->is_out ? "capacity" : "length",
        c_unpacked(member->length_bits == 16 ? "uint16_t" : "uint32_t", "m->w", member->word,
            member->shift));
}

static void emit_result_local(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    (void)operation;
    emit("    %s %s = 0;\n",
        member->kind == MEMBER_CAP ? "uint32_t" : c_type(protocol, &member->field.type),
        member->field.name.text);
}

static void emit_dispatch_locals(const struct protocol *protocol, const struct operation *operation)
{
    if (operation->request.spill_bytes)
        emit("    %s request;\n", spill_type(protocol, operation, false));
    if (operation->reply.spill_bytes)
        emit("    %s reply = { 0 };\n", spill_type(protocol, operation, true));
    each_member(protocol, operation, MEMBER_SCALAR, false, emit_scalar_local);
    each_member(protocol, operation, MEMBER_RECORD, false, emit_record_local);
    each_member(protocol, operation, MEMBER_BYTES, false, emit_bytes_local);
    each_member(protocol, operation, MEMBER_CAP, false, emit_result_local);
    each_member(protocol, operation, MEMBER_SCALAR, true, emit_result_local);
    each_member(protocol, operation, MEMBER_RECORD, true, emit_record_local);
    each_member(protocol, operation, MEMBER_BYTES, true, emit_bytes_local);
    each_member(protocol, operation, MEMBER_CAP, true, emit_result_local);
    if (operation->parks)
        emit("    uint32_t park = 0;\n");
    emit("    uint32_t status;\n\n");
}

static void emit_sequence_check(const struct operation *operation)
{
    if (operation->mutating)
        emit("    if (!rpc_sequence_number(m->w[0] >> RPC_SEQUENCE_SHIFT))\n");
    else
        emit("    if (m->w[0] >> RPC_SEQUENCE_SHIFT)\n");
    emit("        return RPC_BAD_SEQUENCE;\n");
}

static void emit_copy_in(const char *offset, const char *name)
{
    emit("    if (!rt_copy_from_client(%s, &%s, sizeof(%s)))\n        return RPC_BAD_BUFFER;\n",
        offset, name, name);
}

/* The pieces of the block in their order: overflow struct, then structs and bytes as declared. */
static void emit_pieces(const struct operation *operation, bool is_out)
{
    if (operation->request.spill_bytes && !is_out)
        emit_copy_in("0", "request");
    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];
        char *offset = piece_offset(operation, is_out, member);

        if (member->is_out != is_out)
            continue;
        if (member->kind == MEMBER_RECORD && !is_out)
            emit_copy_in(offset, member->field.name.text);
        if (member->kind == MEMBER_BYTES && strcmp(offset, "0"))
            emit("    %s.offset = %s;\n", member->field.name.text, offset);
    }
}

static void emit_scalar_check(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    const char *name = member->field.name.text;
    char *outside = c_outside(protocol, &member->field, name);

    (void)operation;
    if (!strcmp(member->field.type.scalar->name, "bool")) {
        outside = member->is_spilled ? make_text("*(const uint8_t *)&request.%s > 1", name)
                                     : make_text("%s > 1", name);
    } else if (member->is_spilled) {
        outside = c_outside(protocol, &member->field, make_text("request.%s", name));
    }
    if (outside)
        emit("    if (%s)\n        return RPC_BAD_FIELD;\n", outside);
    if (member->is_spilled)
        emit("    %s = request.%s;\n", name, name);
}

static void emit_record_use(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    (void)operation;
    if (is_limited(protocol, member->field.type.record))
        emit("    if (!%s_is_valid(&%s))\n        return RPC_BAD_FIELD;\n",
            member->field.type.record->name.text, member->field.name.text);
}

static void emit_bytes_check(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    const char *name = member->field.name.text, *what = member->is_out ? "capacity" : "length";
    number limit = ((number)1 << member->length_bits) - 1;

    (void)protocol;
    (void)operation;
    if (!member->is_out && member->field.minimum > 0)
        emit("    if (%s.length < %s)\n        return RPC_BAD_FIELD;\n", name,
            c_number(member->field.minimum));
    if (member->field.maximum < limit)
        emit("    if (%s.%s > %s)\n        return RPC_BAD_FIELD;\n", name, what,
            c_number(member->field.maximum));
}

static void emit_caps_in(const struct operation *operation)
{
    unsigned index = 0;

    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];
        const char *name = member->field.name.text;

        if (member->kind != MEMBER_CAP || member->is_out)
            continue;
        if (member->is_optional) {
            emit("    if (%s) {\n", c_unpacked("uint8_t", "m->w", operation->request.present_word,
                                        operation->request.present_shift));
            emit("        %s = rt_received_cap(%u);\n        if (!%s)\n", name, index++, name);
            emit("            return RPC_BAD_CAPABILITY;\n    }\n");
        } else {
            emit("    %s = rt_received_cap(%u);\n    if (!%s)\n", name, index++, name);
            emit("        return RPC_BAD_CAPABILITY;\n");
        }
    }
    if (operation->parks) {
        emit("    if (m->w[0] & RPC_PARKS) {\n        park = rt_received_cap(%u);\n", index);
        emit("        if (!park)\n            return RPC_BAD_CAPABILITY;\n    }\n");
    }
}

static void emit_argument(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    bool by_address = member->is_out || member->kind == MEMBER_RECORD;

    (void)protocol;
    (void)operation;
    emit(", %s%s", by_address ? "&" : "", member->field.name.text);
}

static void emit_serve_call(const struct protocol *protocol, const struct operation *operation)
{
    emit("    status = %s_serve_%s(server, badge", protocol->name.text, operation->name.text);
    if (operation->mutating)
        emit(", m->w[0] >> RPC_SEQUENCE_SHIFT");
    if (operation->parks)
        emit(", park");
    for (size_t i = 0; i < operation->member_count; i++)
        emit_argument(protocol, operation, &operation->members[i]);
    emit(");\n    if (status)\n        return status;\n");
}

static void emit_copy_out(const char *offset, const char *name)
{
    emit("    if (!rt_copy_to_client(%s, &%s, sizeof(%s)))\n        return RPC_BAD_BUFFER;\n",
        offset, name, name);
}

/* Structs that go out, at their places in the block. */
static void emit_copies_out(const struct operation *operation)
{
    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];

        if (member->is_spilled && member->is_out)
            emit("    reply.%s = %s;\n", member->field.name.text, member->field.name.text);
    }
    if (operation->reply.spill_bytes)
        emit_copy_out("0", "reply");
    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];
        const char *name = member->field.name.text;

        if (member->is_out && member->kind == MEMBER_RECORD)
            emit_copy_out(piece_offset(operation, true, member), name);
        if (member->is_out && member->kind == MEMBER_BYTES)
            emit("    if (%s.length > %s.capacity)\n        return RPC_BAD_BUFFER;\n", name, name);
    }
}

/* The terms of one reply word, joined by |; NULL if nothing is in it. */
static char *reply_word(const struct operation *operation, unsigned word)
{
    char *result = NULL;

    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];
        char *term = NULL;

        if (!member->is_out || member->is_spilled)
            continue;
        if (member->kind == MEMBER_BYTES && member->reply_word == word)
            term = c_packed(
                make_text("%s.length", member->field.name.text), NULL, member->reply_shift);
        else if (member->kind == MEMBER_SCALAR && member->word == word)
            term = c_packed(member->field.name.text, member->field.type.scalar, member->shift);
        if (term)
            result = result ? make_text("%s | %s", result, term) : term;
    }
    return result;
}

static void emit_reply_words(const struct operation *operation)
{
    for (unsigned word = 1; word < WORDS; word++) {
        char *expression = reply_word(operation, word);

        if (expression)
            emit("    m->w[%u] = %s;\n", word, expression);
    }
}

static void emit_caps_out(const struct operation *operation)
{
    unsigned index = 0;

    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];
        const char *name = member->field.name.text;

        if (member->kind == MEMBER_CAP && member->is_out)
            emit("    if (%s)\n        rt_reply_cap(%u, %s);\n", name, index++, name);
    }
}

static void emit_operation(const struct protocol *protocol, const struct operation *operation)
{
    /* Each in a frame of its own: a small operation must not pay for the locals of a large one. */
    emit("\nstatic uint64_t __attribute__((noinline))\ndispatch_%s(struct %s_server *server, "
         "uint64_t badge, struct msg *m)\n{\n",
        operation->name.text, protocol->name.text);
    emit_dispatch_locals(protocol, operation);
    emit_sequence_check(operation);
    each_member(protocol, operation, MEMBER_BYTES, false, emit_bytes_check);
    each_member(protocol, operation, MEMBER_BYTES, true, emit_bytes_check);
    emit_pieces(operation, false);
    emit_pieces(operation, true);
    each_member(protocol, operation, MEMBER_SCALAR, false, emit_scalar_check);
    each_member(protocol, operation, MEMBER_RECORD, false, emit_record_use);
    emit_caps_in(operation);
    emit_serve_call(protocol, operation);
    emit_copies_out(operation);
    emit_reply_words(operation);
    emit_caps_out(operation);
    emit("    return 0;\n}\n");
}

void emit_dispatch(const struct protocol *protocol)
{
    const char *name = protocol->name.text;

    emit_head(
        protocol, make_text("Server dispatch of protocol %s; see proto/%s_server.h.", name, name));
    emit("#include <proto/%s_server.h>\n", name);
    for (size_t i = 0; i < protocol->record_count; i++)
        if (is_received(protocol, protocol->records[i]) &&
            is_limited(protocol, protocol->records[i]))
            emit_record_check(protocol, protocol->records[i]);
    for (size_t i = 0; i < protocol->operation_count; i++)
        emit_operation(protocol, protocol->operations[i]);
    emit("\nuint64_t %s_dispatch(struct %s_server *server, uint64_t badge, struct msg *m)\n{\n",
        name, name);
    emit("    switch (m->w[0] & (RPC_OPERATION_MASK | RPC_PARKS)) {\n");
    for (size_t i = 0; i < protocol->operation_count; i++) {
        const struct operation *operation = protocol->operations[i];
        char *constant = make_text("%s_OP_%s", protocol->upper, to_upper(operation->name.text));

        emit("    case %s:\n", constant);
        if (operation->parks)
            emit("    case %s | RPC_PARKS:\n", constant);
        emit("        return dispatch_%s(server, badge, m);\n", operation->name.text);
    }
    emit("    default:\n        return RPC_BAD_OPERATION;\n    }\n}\n");
}
