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
		emit(", %s%s *%s", member->is_out ? "" : "const ", c_type(protocol, &member->field.type), name);
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

	emit_head(protocol, make_text(
		"What a server of protocol %s implements: struct %s_server, which is its own, and one\n"
		" * function per operation. Each returns 0, one of the errors that the operation states, or (only\n"
		" * operations with `park`) RPC_PARK if it had no effect and the client shall wait.\n"
		" *\n"
		" *   badge     who calls: that of the gate's capability\n"
		" *   sequence  of a mutating request, never 0 (rt/rpc.h)\n"
		" *   park      slot of the notification to raise when the request should be repeated, or 0:\n"
		" *             RPC_PARK then makes the client repeat it at once with one\n"
		" *   capabilities in are slots that the server empties or moves before it returns; 0: not given\n"
		" *   what goes out is zero at the start; a capability out is the slot to pass", name, name));
	emit("#pragma once\n\n#include <rt/rpc.h>\n#include <rt/serve.h>\n\n#include <proto/%s.h>\n\n", name);
	emit("struct %s_server;\n\n", name);
	emit("/* Serves one request: m holds its words, and the reply's on return. */\n");
	emit("void %s_dispatch(struct %s_server *server, uint64_t badge, struct msg *m);\n", name, name);
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

static void emit_padding_check(const struct field *field)
{
	emit("    for (size_t i = 0; i < %s; i++)\n", number_text(field->count));
	emit("        if (value->padding_%zu[i])\n            return false;\n", field->offset);
}

static void emit_field_check(const struct protocol *protocol, const struct field *field)
{
	const char *index = field->is_array ? "[i]" : "";
	char *expression = make_text("value->%s%s", field->name.text, index), *outside;

	if (field->type.record)
		outside = make_text("!%s_is_valid(&%s)", field->type.record->name.text, expression);
	else if (!strcmp(field->type.scalar->name, "bool"))
		/* A bool must not be read as one before it is known to be 0 or 1. */
		outside = make_text("((const uint8_t *)&%s)[0] > 1", expression);
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
	emit("\nstatic bool %s_is_valid(const struct %s_%s *value)\n{\n    (void)value;\n", record->name.text,
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

static bool has_block(const struct direction_layout *layout)
{
	return layout->pieces != 0;
}

static void emit_scalar_local(const struct protocol *protocol, const struct operation *operation,
	const struct member *member)
{
	const struct scalar *scalar = member->field.type.scalar;
	const char *name = member->field.name.text;

	(void)operation;
	/* Bools stay bytes until they are checked. */
	if (member->is_spilled)
		emit("    %s %s;\n", c_type(protocol, &member->field.type), name);
	else if (!strcmp(scalar->name, "bool"))
		emit("    uint8_t %s = (uint8_t)(m->w[%u] >> %u);\n", name, member->word, member->shift);
	else
		emit("    %s %s = (%s)(m->w[%u] >> %u);\n", scalar->c_type, name, scalar->c_type, member->word,
			member->shift);
}

static void emit_record_local(const struct protocol *protocol, const struct operation *operation,
	const struct member *member)
{
	(void)operation;
	emit("    %s %s%s;\n", c_type(protocol, &member->field.type), member->field.name.text,
		member->is_out ? " = { 0 }" : "");
}

static void emit_bytes_local(const struct protocol *protocol, const struct operation *operation,
	const struct member *member)
{
	(void)protocol;
	(void)operation;
	emit("    struct rpc_%s %s = { .%s = (uint%u_t)(m->w[%u] >> %u) };\n", member->is_out ? "out" : "in",
		member->field.name.text, member->is_out ? "capacity" : "length", member->length_bits,
		member->word, member->shift);
}

static void emit_result_local(const struct protocol *protocol, const struct operation *operation,
	const struct member *member)
{
	(void)operation;
	emit("    %s %s = 0;\n", member->kind == MEMBER_CAP ? "uint32_t" : c_type(protocol, &member->field.type),
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
	if (has_block(&operation->request))
		emit("    uint64_t in_offset = 0;\n");
	if (has_block(&operation->reply))
		emit("    uint64_t out_offset = 0;\n");
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

static void emit_copy_in(const char *name)
{
	emit("    if (rt_copy_from_client(in_offset, &%s, sizeof(%s)))\n        return RPC_BAD_BUFFER;\n", name,
		name);
	emit("    in_offset += sizeof(%s);\n", name);
}

/* The pieces of the block in their order: overflow struct, structs, bytes among each other. */
static void emit_in_pieces(const struct operation *operation)
{
	if (operation->request.spill_bytes)
		emit_copy_in("request");
	for (size_t i = 0; i < operation->member_count; i++) {
		const struct member *member = &operation->members[i];
		const char *name = member->field.name.text;

		if (member->is_out)
			continue;
		if (member->kind == MEMBER_RECORD)
			emit_copy_in(name);
		if (member->kind == MEMBER_BYTES)
			emit("    %s.offset = in_offset;\n    in_offset += %s.length;\n", name, name);
	}
}

static void emit_out_pieces(const struct operation *operation)
{
	if (operation->reply.spill_bytes)
		emit("    out_offset += sizeof(reply);\n");
	for (size_t i = 0; i < operation->member_count; i++) {
		const struct member *member = &operation->members[i];
		const char *name = member->field.name.text;

		if (!member->is_out)
			continue;
		if (member->kind == MEMBER_RECORD)
			emit("    out_offset += sizeof(%s);\n", name);
		if (member->kind == MEMBER_BYTES)
			emit("    %s.offset = out_offset;\n    out_offset += %s.capacity;\n", name, name);
	}
}

static void emit_scalar_check(const struct protocol *protocol, const struct operation *operation,
	const struct member *member)
{
	const char *name = member->field.name.text;
	char *outside = c_outside(protocol, &member->field, name);

	(void)operation;
	if (!strcmp(member->field.type.scalar->name, "bool")) {
		outside = member->is_spilled ? make_text("((const uint8_t *)&request.%s)[0] > 1", name)
					     : make_text("%s > 1", name);
	} else if (member->is_spilled) {
		outside = c_outside(protocol, &member->field, make_text("request.%s", name));
	}
	if (outside)
		emit("    if (%s)\n        return RPC_BAD_FIELD;\n", outside);
	if (member->is_spilled)
		emit("    %s = request.%s;\n", name, name);
}

static void emit_record_use(const struct protocol *protocol, const struct operation *operation,
	const struct member *member)
{
	(void)protocol;
	(void)operation;
	emit("    if (!%s_is_valid(&%s))\n        return RPC_BAD_FIELD;\n", member->field.type.record->name.text,
		member->field.name.text);
}

static void emit_bytes_check(const struct protocol *protocol, const struct operation *operation,
	const struct member *member)
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
			emit("    if ((uint8_t)(m->w[%u] >> %u)) {\n    ", operation->request.present_word,
				operation->request.present_shift);
			emit("    %s = rt_received_cap(%u);\n        if (!%s)\n", name, index++, name);
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

static void emit_argument(const struct protocol *protocol, const struct operation *operation,
	const struct member *member)
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

/* Structs that go out, at their places in the block. */
static void emit_copies_out(const struct protocol *protocol, const struct operation *operation)
{
	char *offset = make_text("0");

	for (size_t i = 0; i < operation->member_count; i++) {
		const struct member *member = &operation->members[i];

		if (member->is_spilled && member->is_out)
			emit("    reply.%s = %s;\n", member->field.name.text, member->field.name.text);
	}
	if (operation->reply.spill_bytes) {
		emit("    if (rt_copy_to_client(0, &reply, sizeof(reply)))\n        return RPC_BAD_BUFFER;\n");
		offset = make_text("sizeof(reply)");
	}
	for (size_t i = 0; i < operation->member_count; i++) {
		const struct member *member = &operation->members[i];
		const char *name = member->field.name.text;

		if (!member->is_out)
			continue;
		if (member->kind == MEMBER_RECORD) {
			emit("    if (rt_copy_to_client(%s, &%s, sizeof(%s)))\n        return RPC_BAD_BUFFER;\n",
				offset, name, name);
			offset = make_text("%s + sizeof(%s)", offset, c_type(protocol, &member->field.type));
		} else if (member->kind == MEMBER_BYTES) {
			emit("    if (%s.length > %s.capacity)\n        return RPC_BAD_BUFFER;\n", name, name);
			offset = make_text("%s + %s.capacity", offset, name);
		}
	}
}

static void emit_reply_words(const struct operation *operation)
{
	for (unsigned word = 1; word < WORDS; word++) {
		bool first = true;

		for (size_t i = 0; i < operation->member_count; i++) {
			const struct member *member = &operation->members[i];
			const char *name = member->field.name.text, *cast = "";
			bool is_bytes = member->kind == MEMBER_BYTES;
			unsigned shift = is_bytes ? member->reply_shift : member->shift;

			if (!member->is_out || member->is_spilled ||
			    (is_bytes ? member->reply_word : member->word) != word ||
			    (!is_bytes && member->kind != MEMBER_SCALAR))
				continue;
			if (!is_bytes && member->field.type.scalar->is_signed)
				cast = make_text("(uint%u_t)", member->field.type.scalar->bits);
			emit(first ? "    m->w[%u] = " : " |\n        ", word);
			emit("(uint64_t)%s%s%s", cast, name, is_bytes ? ".length" : "");
			if (shift)
				emit(" << %u", shift);
			first = false;
		}
		if (!first)
			emit(";\n");
	}
}

static void emit_caps_out(const struct operation *operation)
{
	unsigned index = 0;

	for (size_t i = 0; i < operation->member_count; i++)
		if (operation->members[i].kind == MEMBER_CAP && operation->members[i].is_out)
			emit("    rt_reply_cap(%u, %s);\n", index++, operation->members[i].field.name.text);
}

static void emit_operation(const struct protocol *protocol, const struct operation *operation)
{
	emit("\nstatic uint32_t dispatch_%s(struct %s_server *server, uint64_t badge, struct msg *m)\n{\n",
		operation->name.text, protocol->name.text);
	emit_dispatch_locals(protocol, operation);
	emit_sequence_check(operation);
	each_member(protocol, operation, MEMBER_BYTES, false, emit_bytes_check);
	each_member(protocol, operation, MEMBER_BYTES, true, emit_bytes_check);
	emit_in_pieces(operation);
	emit_out_pieces(operation);
	each_member(protocol, operation, MEMBER_SCALAR, false, emit_scalar_check);
	each_member(protocol, operation, MEMBER_RECORD, false, emit_record_use);
	emit_caps_in(operation);
	if (has_block(&operation->request))
		emit("    (void)in_offset;\n");
	if (has_block(&operation->reply))
		emit("    (void)out_offset;\n");
	emit_serve_call(protocol, operation);
	emit_copies_out(protocol, operation);
	emit_reply_words(operation);
	emit_caps_out(operation);
	emit("    return 0;\n}\n");
}

void emit_dispatch(const struct protocol *protocol)
{
	const char *name = protocol->name.text;

	emit_head(protocol, make_text("Server dispatch of protocol %s; see proto/%s_server.h.", name, name));
	emit("#include <proto/%s_server.h>\n", name);
	for (size_t i = 0; i < protocol->record_count; i++)
		if (is_received(protocol, protocol->records[i]))
			emit_record_check(protocol, protocol->records[i]);
	for (size_t i = 0; i < protocol->operation_count; i++)
		emit_operation(protocol, protocol->operations[i]);
	emit("\nvoid %s_dispatch(struct %s_server *server, uint64_t badge, struct msg *m)\n{\n", name, name);
	emit("    switch (m->w[0] & (RPC_OPERATION_MASK | RPC_PARKS)) {\n");
	for (size_t i = 0; i < protocol->operation_count; i++) {
		const struct operation *operation = protocol->operations[i];
		char *constant = make_text("%s_OP_%s", protocol->upper, to_upper(operation->name.text));

		emit("    case %s:\n", constant);
		if (operation->parks)
			emit("    case %s | RPC_PARKS:\n", constant);
		emit("        m->w[0] = dispatch_%s(server, badge, m);\n        break;\n", operation->name.text);
	}
	emit("    default:\n        m->w[0] = RPC_BAD_OPERATION;\n    }\n}\n");
}
