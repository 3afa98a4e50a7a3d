// SPDX-License-Identifier: MIT
/*
 * Writes NAME_client.h: one inline function per operation, which packs the words, grants the
 * memory, calls, and unpacks the reply.
 *
 * A stub trusts nothing that the server answers: lengths are checked against the capacities. It
 * cuts capacities to the protocol's limits and refuses data longer than them. Several pieces of
 * granted memory are laid together in a block on its stack.
 */
#include "idlc.h"

/* ---- the head ---- */

static void emit_parameters_of(const struct protocol *protocol, const struct member *member)
{
    const char *name = member->field.name.text;

    switch (member->kind) {
    case MEMBER_SCALAR:
        emit(", %s %s%s", c_type(protocol, &member->field.type), member->is_out ? "*" : "", name);
        break;
    case MEMBER_RECORD:
        emit(", %s%s *%s", member->is_out ? "" : "const ", c_type(protocol, &member->field.type),
            name);
        break;
    case MEMBER_BYTES:
        if (!member->behind.text)
            emit(", %svoid *%s", member->is_out ? "" : "const ", name);
        if (member->is_out)
            emit(", size_t %s_capacity, size_t *%s_length", name, name);
        else
            emit(", size_t %s_length", name);
        break;
    case MEMBER_CAP:
        emit(", uint32_t %s%s", member->is_out ? "*" : "", name);
        break;
    }
}

/* What is said of a member besides its documentation; empty if nothing is. */
static char *constraint_text(const struct member *member)
{
    const struct field *field = &member->field;

    if (member->kind == MEMBER_BYTES)
        return make_text(" %s to %s bytes%s%s%s.", number_text(field->minimum),
            number_text(field->maximum), member->behind.text ? ", right behind *" : "",
            member->behind.text ? member->behind.text : "",
            member->behind.text ? " in memory" : "");
    if (member->kind == MEMBER_CAP && member->is_out)
        return make_text(" the slot where the capability arrived, if the server passed one.");
    if (member->is_optional)
        return make_text(" a slot, or 0 for none.");
    if (field->has_range)
        return make_text(" %s to %s.", number_text(field->minimum), number_text(field->maximum));
    if (field->type.set)
        return make_text(
            " %s %s.", field->type.set->is_flags ? "flags" : "an enum", field->type.set->name.text);
    return make_text("%s", "");
}

static void emit_parameter_note(const struct member *member)
{
    const struct document *document = &member->field.document;
    char *constraint = constraint_text(member);

    if (!*constraint && !document->count)
        return;
    emit(" *   %s:%s%s%s\n", member->field.name.text, constraint, document->count ? " " : "",
        document->count ? document->lines[0] : "");
    for (size_t i = 1; i < document->count; i++)
        emit(" *       %s\n", document->lines[i]);
}

static void emit_notes(const struct operation *operation)
{
    emit("\n/*\n");
    for (size_t i = 0; i < operation->document.count; i++)
        emit(" * %s\n", operation->document.lines[i]);
    emit(" * %s%s.\n", operation->mutating ? "Mutating" : "Idempotent",
        operation->parks ? "; waits if it cannot finish at once" : "");
    for (size_t i = 0; i < operation->member_count; i++)
        emit_parameter_note(&operation->members[i]);
    if (operation->error_count)
        emit(" * Errors:");
    for (size_t i = 0; i < operation->error_count; i++)
        emit(" %s", operation->errors[i]->name.text);
    emit(operation->error_count ? "\n */\n" : " */\n");
}

static void emit_signature(const struct protocol *protocol, const struct operation *operation)
{
    emit("static inline int64_t %s_%s(uint32_t via", protocol->name.text, operation->name.text);
    for (size_t i = 0; i < operation->member_count; i++)
        emit_parameters_of(protocol, &operation->members[i]);
    emit(")\n{\n");
}

/* ---- the request ---- */

static void emit_limit(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    const char *name = member->field.name.text, *maximum = c_number(member->field.maximum);

    (void)protocol;
    (void)operation;
    if (member->is_out)
        emit(
            "    if (%s_capacity > %s)\n        %s_capacity = %s;\n", name, maximum, name, maximum);
    else
        emit("    if (%s_length > %s)\n        return RPC_BAD_FIELD;\n", name, maximum);
}

/* The terms of one request word, joined by |; NULL if nothing is in it. */
static char *word_expression(const struct operation *operation, unsigned word)
{
    char *result = NULL;

    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];
        const char *name = member->field.name.text;
        char *term = NULL;

        if (member->kind == MEMBER_BYTES && member->word == word)
            term = c_packed(make_text("%s_%s", name, member->is_out ? "capacity" : "length"), NULL,
                member->shift);
        else if (member->kind == MEMBER_SCALAR && !member->is_out && !member->is_spilled &&
                 member->word == word)
            term = c_packed(name, member->field.type.scalar, member->shift);
        else if (member->is_optional && operation->request.present_word == word)
            term = c_packed(make_text("(%s != 0)", name), NULL, operation->request.present_shift);
        if (term)
            result = result ? make_text("%s | %s", result, term) : term;
    }
    return result;
}

static void emit_words(const struct protocol *protocol, const struct operation *operation)
{
    const char *name = to_upper(operation->name.text);

    emit("    m = (struct msg){ .w = {\n");
    if (operation->mutating)
        emit("        %s_OP_%s | rt_sequence(via) << RPC_SEQUENCE_SHIFT,\n", protocol->upper, name);
    else
        emit("        %s_OP_%s,\n", protocol->upper, name);
    for (unsigned word = 1; word < WORDS; word++) {
        char *expression = word_expression(operation, word);

        if (expression)
            emit("        [%u] = %s,\n", word, expression);
    }
    emit("    } };\n");
}

/* ---- granted memory ---- */

static bool is_piece(const struct member *member, bool is_out)
{
    return member->is_out == is_out &&
           (member->kind == MEMBER_BYTES || member->kind == MEMBER_RECORD);
}

/* How many bytes a piece takes in the block: as said in this request, or at most. */
static char *piece_bytes(const struct protocol *protocol, const struct member *member, bool at_most)
{
    if (member->kind == MEMBER_RECORD)
        return make_text("sizeof(%s)", c_type(protocol, &member->field.type));
    if (at_most)
        return c_number(member->field.maximum);
    return make_text("%s_%s", member->field.name.text, member->is_out ? "capacity" : "length");
}

/* The sum over all pieces before `end` (NULL: all). */
static char *block_bytes(const struct protocol *protocol, const struct operation *operation,
    bool is_out, const struct member *end, bool at_most)
{
    const struct direction_layout *layout = is_out ? &operation->reply : &operation->request;
    char *sum = layout->spill_bytes
                    ? make_text("sizeof(%s)", spill_type(protocol, operation, is_out))
                    : NULL;

    for (size_t i = 0; i < operation->member_count && &operation->members[i] != end; i++) {
        const struct member *member = &operation->members[i];
        char *bytes;

        if (!is_piece(member, is_out))
            continue;
        bytes = piece_bytes(protocol, member, at_most);
        sum = sum ? make_text("%s + %s", sum, bytes) : bytes;
    }
    return sum ? sum : make_text("0");
}

static bool is_gathered(const struct direction_layout *layout)
{
    return layout->pieces > 1 && !layout->is_joined;
}

/* The block itself when it is not gathered. */
static char *sole_piece(const struct operation *operation, bool is_out)
{
    const struct direction_layout *layout = is_out ? &operation->reply : &operation->request;

    if (layout->spill_bytes)
        return make_text(is_out ? "&reply" : "&request");
    for (size_t i = 0; i < operation->member_count; i++)
        if (is_piece(&operation->members[i], is_out) && !operation->members[i].behind.text)
            return operation->members[i].field.name.text;
    return NULL;
}

static void emit_spill_fill(const struct protocol *protocol, const struct operation *operation)
{
    if (!operation->request.spill_bytes)
        return;
    emit("    request = (%s){\n", spill_type(protocol, operation, false));
    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];

        if (member->is_spilled && !member->is_out)
            emit("        .%s = %s,\n", member->field.name.text, member->field.name.text);
    }
    emit("    };\n");
}

static void emit_gather(const struct protocol *protocol, const struct operation *operation)
{
    if (operation->request.spill_bytes)
        emit("    memcpy(in_block, &request, sizeof(request));\n");
    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];
        char *before = block_bytes(protocol, operation, false, member, false);

        if (is_piece(member, false))
            emit("    memcpy(in_block + %s, %s, %s);\n", before, member->field.name.text,
                piece_bytes(protocol, member, false));
    }
}

static void emit_grants(const struct protocol *protocol, const struct operation *operation)
{
    emit_spill_fill(protocol, operation);
    if (is_gathered(&operation->request))
        emit_gather(protocol, operation);
    if (operation->request.pieces)
        emit("    x.in = %s;\n    x.in_len = %s;\n",
            is_gathered(&operation->request) ? "in_block" : sole_piece(operation, false),
            block_bytes(protocol, operation, false, NULL, false));
    if (operation->reply.pieces)
        emit("    x.out = %s;\n    x.out_len = %s;\n",
            is_gathered(&operation->reply) ? "out_block" : sole_piece(operation, true),
            block_bytes(protocol, operation, true, NULL, false));
}

static void emit_cap(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    const char *name = member->field.name.text;

    (void)protocol;
    (void)operation;
    if (member->is_optional)
        emit("    if (%s)\n    ", name);
    emit("    x.caps_in[x.n_caps_in++] = %s;\n", name);
}

static void emit_transfer(const struct protocol *protocol, const struct operation *operation)
{
    emit_grants(protocol, operation);
    each_member(protocol, operation, MEMBER_CAP, false, emit_cap);
    if (operation->reply.caps)
        emit("    x.n_caps_out = %zu;\n", operation->reply.caps);
}

/* ---- the reply ---- */

static void emit_length(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    const char *name = member->field.name.text;

    (void)protocol;
    (void)operation;
    emit("    *%s_length = %s;\n", name,
        c_unpacked(member->length_bits == 16 ? "uint16_t" : "uint32_t", "m.w", member->reply_word,
            member->reply_shift));
    emit("    if (*%s_length > %s_capacity)\n        return RPC_BAD_BUFFER;\n", name, name);
}

static void emit_result(
    const struct protocol *protocol, const struct operation *operation, const struct member *member)
{
    const char *name = member->field.name.text;

    (void)operation;
    if (member->is_spilled)
        emit("    *%s = reply.%s;\n", name, name);
    else
        emit("    *%s = %s;\n", name,
            c_unpacked(c_type(protocol, &member->field.type), "m.w", member->word, member->shift));
}

static void emit_received_caps(const struct operation *operation)
{
    unsigned index = 0;

    for (size_t i = 0; i < operation->member_count; i++)
        if (operation->members[i].kind == MEMBER_CAP && operation->members[i].is_out)
            emit("    *%s = x.recv_slot + %u;\n", operation->members[i].field.name.text, index++);
}

static void emit_scatter(const struct protocol *protocol, const struct operation *operation)
{
    if (operation->reply.spill_bytes)
        emit("    memcpy(&reply, out_block, sizeof(reply));\n");
    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];
        const char *name = member->field.name.text;

        if (!is_piece(member, true))
            continue;
        emit("    memcpy(%s, out_block + %s, %s);\n", name,
            block_bytes(protocol, operation, true, member, false),
            member->kind == MEMBER_BYTES ? make_text("*%s_length", name)
                                         : piece_bytes(protocol, member, false));
    }
}

/* ---- a stub ---- */

static bool needs_transfer(const struct operation *operation)
{
    return operation->request.pieces || operation->reply.pieces || operation->request.caps ||
           operation->reply.caps || operation->parks;
}

static void emit_locals(const struct protocol *protocol, const struct operation *operation)
{
    emit("    struct msg m;\n");
    if (needs_transfer(operation))
        emit("    struct xfer x;\n");
    if (operation->request.spill_bytes)
        emit("    %s request;\n", spill_type(protocol, operation, false));
    if (operation->reply.spill_bytes)
        emit("    %s reply = { 0 };\n", spill_type(protocol, operation, true));
    if (is_gathered(&operation->request))
        emit("    uint8_t in_block[%s];\n", block_bytes(protocol, operation, false, NULL, true));
    if (is_gathered(&operation->reply))
        emit("    uint8_t out_block[%s];\n", block_bytes(protocol, operation, true, NULL, true));
    emit("    int64_t status;\n\n");
}

static void emit_call(const struct operation *operation)
{
    if (operation->parks)
        emit("    status = rt_call_parks(via, &m, &x);\n");
    else if (needs_transfer(operation))
        emit("    status = rt_call_x(via, &m, &x);\n");
    else
        emit("    status = rt_call(via, &m);\n");
    emit("    if (status)\n        return status;\n");
    emit("    if (m.w[0])\n        return (uint32_t)m.w[0];\n");
}

static void emit_stub(const struct protocol *protocol, const struct operation *operation)
{
    emit_notes(operation);
    emit_signature(protocol, operation);
    emit_locals(protocol, operation);
    each_member(protocol, operation, MEMBER_BYTES, false, emit_limit);
    each_member(protocol, operation, MEMBER_BYTES, true, emit_limit);
    emit_words(protocol, operation);
    if (needs_transfer(operation)) {
        emit("    xfer_clear(&x);\n");
        emit_transfer(protocol, operation);
    }
    emit_call(operation);
    each_member(protocol, operation, MEMBER_BYTES, true, emit_length);
    if (is_gathered(&operation->reply))
        emit_scatter(protocol, operation);
    each_member(protocol, operation, MEMBER_SCALAR, true, emit_result);
    emit_received_caps(operation);
    emit("    return 0;\n}\n");
}

void emit_client(const struct protocol *protocol)
{
    emit_head(protocol, make_text("Client stubs of protocol %s. Each calls the server behind the "
                                  "gate `via` and returns 0, a positive\n"
                                  " * error of the protocol or RPC_BAD_*, or a negative kernel "
                                  "status; on an error nothing that\n"
                                  " * comes out is defined. Restarts of the server and waiting are "
                                  "handled below (rt/call.h).",
                            protocol->name.text));
    emit("#pragma once\n\n#include <rt/call.h>\n#include <rt/rpc.h>\n#include <rt/string.h>\n\n"
         "#include <proto/%s.h>\n",
        protocol->name.text);
    for (size_t i = 0; i < protocol->operation_count; i++)
        emit_stub(protocol, protocol->operations[i]);
}
