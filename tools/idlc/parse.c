// SPDX-License-Identifier: MIT
/*
 * Builds the syntax tree. A recursive-descent parser: one function per construct of the language
 * (README.md has the grammar). Names must be declared before they are used, so constants and types
 * are resolved while parsing and no cycle can arise.
 *
 * After the first error every function returns without effect: failed() is true, and next() stays
 * where it is.
 */
#include "idlc.h"

#include <string.h>

static const struct scalar SCALARS[] = {
    {"u8", "uint8_t", 8, false, 0, UINT8_MAX},
    {"u16", "uint16_t", 16, false, 0, UINT16_MAX},
    {"u32", "uint32_t", 32, false, 0, UINT32_MAX},
    {"u64", "uint64_t", 64, false, 0, UINT64_MAX},
    {"i8", "int8_t", 8, true, INT8_MIN, INT8_MAX},
    {"i16", "int16_t", 16, true, INT16_MIN, INT16_MAX},
    {"i32", "int32_t", 32, true, INT32_MIN, INT32_MAX},
    {"i64", "int64_t", 64, true, INT64_MIN, INT64_MAX},
    {"bool", "bool", 8, false, 0, 1},
};

struct parser {
    struct lexer lexer;
    struct token token;
    struct protocol *protocol;
    unsigned depth; /* of parentheses */
};

const struct scalar *scalar_find(const char *name)
{
    for (size_t i = 0; i < sizeof(SCALARS) / sizeof(*SCALARS); i++)
        if (!strcmp(SCALARS[i].name, name))
            return &SCALARS[i];
    return NULL;
}

/* ---- tokens ---- */

static bool failed(void)
{
    return report_count != 0;
}

static void next(struct parser *parser)
{
    if (!failed())
        parser->token = lex_next(&parser->lexer);
}

static void expected(struct parser *parser, const char *what)
{
    if (!failed())
        report(parser->token.at, "expected %s, found \"%s\"", what, parser->token.text);
}

static bool is_punctuation(const struct parser *parser, char c)
{
    return parser->token.kind == TOKEN_PUNCTUATION && parser->token.punctuation == c && !failed();
}

static bool accept(struct parser *parser, char c)
{
    if (!is_punctuation(parser, c))
        return false;
    next(parser);
    return true;
}

static void expect(struct parser *parser, char c)
{
    if (!accept(parser, c))
        expected(parser, make_text("\"%c\"", c));
}

static bool is_word(const struct parser *parser, const char *word)
{
    return parser->token.kind == TOKEN_NAME && !strcmp(parser->token.text, word) && !failed();
}

static bool accept_word(struct parser *parser, const char *word)
{
    if (!is_word(parser, word))
        return false;
    next(parser);
    return true;
}

static void expect_word(struct parser *parser, const char *word)
{
    if (!accept_word(parser, word))
        expected(parser, make_text("\"%s\"", word));
}

static struct name expect_name(struct parser *parser, const char *what)
{
    struct name name = {.text = parser->token.text, .at = parser->token.at};

    if (parser->token.kind != TOKEN_NAME)
        expected(parser, what);
    next(parser);
    return name;
}

static bool in_block(struct parser *parser)
{
    return !failed() && !is_punctuation(parser, '}') && parser->token.kind != TOKEN_END;
}

/* ---- expressions ---- */

static number parse_or(struct parser *parser);

static struct value *value_find(const struct values *values, const char *name)
{
    for (size_t i = 0; i < values->count; i++)
        if (!strcmp(values->items[i]->name.text, name))
            return values->items[i];
    return NULL;
}

static number parse_primary(struct parser *parser)
{
    struct token token = parser->token;
    struct value *constant;
    number value;

    if (++parser->depth > 100 && !failed())
        report(token.at, "expression nested too deeply");
    if (accept(parser, '(')) {
        value = parse_or(parser);
        expect(parser, ')');
    } else if (accept(parser, '-')) {
        value = -parse_primary(parser);
    } else if (token.kind == TOKEN_NUMBER) {
        next(parser);
        value = token.value;
    } else {
        struct name name = expect_name(parser, "a number or a constant");

        constant = failed() ? NULL : value_find(&parser->protocol->constants, name.text);
        if (!constant && !failed())
            report(name.at, "no constant \"%s\" is declared before this", name.text);
        value = constant ? constant->value : 0;
    }
    parser->depth--;
    return value;
}

/* Keeps values within what u64 and i64 hold together, so that nothing overflows. */
static number limited(struct position at, number value)
{
    if (value >= INT64_MIN && value <= UINT64_MAX)
        return value;
    if (!failed())
        report(at, "the value does not fit in 64 bits");
    return 0;
}

static number divided(struct position at, number left, number right)
{
    if (right)
        return left / right;
    if (!failed())
        report(at, "division by zero");
    return 0;
}

static number parse_product(struct parser *parser)
{
    number value = parse_primary(parser);

    while (is_punctuation(parser, '*') || is_punctuation(parser, '/')) {
        struct token token = parser->token;
        number right;

        next(parser);
        right = parse_primary(parser);
        /* Both are within 65 bits, so a product could pass 127 bits only from 2^63 * 2^64. */
        if (token.punctuation == '*')
            value = right && (value > (number)UINT64_MAX / (right < 0 ? -right : right) ||
                                 value < -(number)UINT64_MAX / (right < 0 ? -right : right))
                        ? limited(token.at, (number)UINT64_MAX + 1)
                        : limited(token.at, value * right);
        else
            value = divided(token.at, value, right);
    }
    return value;
}

static number parse_sum(struct parser *parser)
{
    number value = parse_product(parser);

    while (is_punctuation(parser, '+') || is_punctuation(parser, '-')) {
        struct token token = parser->token;
        number right;

        next(parser);
        right = parse_product(parser);
        value = limited(token.at, token.punctuation == '+' ? value + right : value - right);
    }
    return value;
}

static number parse_shift(struct parser *parser)
{
    number value = parse_sum(parser);

    while (parser->token.kind == TOKEN_SHIFT_LEFT || parser->token.kind == TOKEN_SHIFT_RIGHT) {
        struct token token = parser->token;
        number right;

        next(parser);
        right = parse_sum(parser);
        if ((right < 0 || right > 63 || value < 0) && !failed())
            report(token.at, "a shift takes a positive number and 0 to 63 bits");
        if (failed())
            return 0;
        value = limited(
            token.at, token.kind == TOKEN_SHIFT_LEFT ? value << (int)right : value >> (int)right);
    }
    return value;
}

static number parse_and(struct parser *parser)
{
    number value = parse_shift(parser);

    while (accept(parser, '&'))
        value &= parse_shift(parser);
    return value;
}

static number parse_or(struct parser *parser)
{
    number value = parse_and(parser);

    while (accept(parser, '|'))
        value |= parse_and(parser);
    return value;
}

static number parse_expression(
    struct parser *parser, number minimum, number maximum, const char *what)
{
    struct position at = parser->token.at;
    number value = parse_or(parser);

    if (!failed() && (value < minimum || value > maximum))
        report(at, "%s must be %s to %s, not %s", what, number_text(minimum), number_text(maximum),
            number_text(value));
    return value;
}

/* ---- types and fields ---- */

static const struct set *set_find(const struct protocol *protocol, const char *name)
{
    for (size_t i = 0; i < protocol->set_count; i++)
        if (!strcmp(protocol->sets[i]->name.text, name))
            return protocol->sets[i];
    return NULL;
}

static const struct record *record_find(const struct protocol *protocol, const char *name)
{
    for (size_t i = 0; i < protocol->record_count; i++)
        if (!strcmp(protocol->records[i]->name.text, name))
            return protocol->records[i];
    return NULL;
}

static struct type parse_type(struct parser *parser)
{
    struct name name = expect_name(parser, "a type");
    struct type type = {0};

    if (failed())
        return type;
    type.scalar = scalar_find(name.text);
    type.set = set_find(parser->protocol, name.text);
    type.record = record_find(parser->protocol, name.text);
    if (type.set)
        type.scalar = type.set->scalar;
    if (!type.scalar && !type.record)
        report(name.at, "no type \"%s\" is declared before this", name.text);
    return type;
}

/* `range A..B` behind a scalar field; otherwise the limits are the type's. */
static void parse_range(struct parser *parser, struct field *field)
{
    const struct scalar *scalar = field->type.scalar;
    struct position at = parser->token.at;

    if (scalar) {
        field->minimum = scalar->minimum;
        field->maximum = scalar->maximum;
    }
    if (!accept_word(parser, "range"))
        return;
    if (!failed() && (!scalar || field->type.set || field->is_array))
        report(at, "only a single number can have a range");
    if (failed())
        return;
    field->has_range = true;
    field->minimum =
        parse_expression(parser, scalar->minimum, scalar->maximum, "the range's start");
    if (parser->token.kind != TOKEN_RANGE)
        expected(parser, "\"..\"");
    next(parser);
    field->maximum = parse_expression(parser, scalar->minimum, scalar->maximum, "the range's end");
    if (!failed() && field->minimum > field->maximum)
        report(at, "the range is empty");
}

static struct field parse_field(struct parser *parser)
{
    struct field field = {
        .document = parser->token.document, .type_at = parser->token.at, .count = 1};

    if (accept_word(parser, "padding")) {
        field.is_padding = true;
        field.name.at = field.type_at;
        field.count = parse_expression(parser, 1, RECORD_MAX, "padding");
    } else {
        field.type = parse_type(parser);
        field.name = expect_name(parser, "the field's name");
        if (accept(parser, '[')) {
            field.is_array = true;
            field.count = parse_expression(parser, 1, RECORD_MAX, "the number of elements");
            expect(parser, ']');
        }
        parse_range(parser, &field);
    }
    expect(parser, ';');
    return field;
}

static void parse_record(struct parser *parser, struct document document)
{
    struct protocol *protocol = parser->protocol;
    struct record *record = get_memory(sizeof(*record));

    record->document = document;
    record->name = expect_name(parser, "the struct's name");
    expect_word(parser, "size");
    record->size_at = parser->token.at;
    record->size = parse_expression(parser, 1, RECORD_MAX, "a struct's size");
    expect(parser, '{');
    while (in_block(parser)) {
        record->fields = grow_array(record->fields, record->field_count, sizeof(*record->fields));
        record->fields[record->field_count++] = parse_field(parser);
    }
    expect(parser, '}');
    if (failed())
        return;
    lay_out_record(record);
    protocol->records = grow_array(protocol->records, protocol->record_count, sizeof(record));
    protocol->records[protocol->record_count++] = record;
}

/* ---- named values ---- */

/* NAME = expression ; */
static void parse_value(
    struct parser *parser, struct values *values, number minimum, number maximum, const char *what)
{
    struct value *value = get_memory(sizeof(*value));

    value->document = parser->token.document;
    value->name = expect_name(parser, "a name");
    expect(parser, '=');
    value->value = parse_expression(parser, minimum, maximum, what);
    expect(parser, ';');
    if (failed())
        return;
    values->items = grow_array(values->items, values->count, sizeof(value));
    values->items[values->count++] = value;
}

static void parse_errors(struct parser *parser)
{
    expect(parser, '{');
    while (in_block(parser))
        parse_value(parser, &parser->protocol->errors, 1, ERROR_MAX, "an error's value");
    expect(parser, '}');
}

static void parse_set(struct parser *parser, struct document document, bool is_flags)
{
    struct protocol *protocol = parser->protocol;
    struct set *set = get_memory(sizeof(*set));
    struct name storage;

    set->document = document;
    set->is_flags = is_flags;
    set->name = expect_name(parser, "the type's name");
    expect(parser, ':');
    storage = expect_name(parser, "an unsigned type");
    set->scalar = failed() ? NULL : scalar_find(storage.text);
    if (!failed() && (!set->scalar || *storage.text != 'u'))
        report(storage.at, "enums and flags are stored as u8, u16, u32 or u64, not \"%s\"",
            storage.text);
    expect(parser, '{');
    while (in_block(parser))
        parse_value(parser, &set->values, is_flags, set->scalar->maximum, "the value");
    expect(parser, '}');
    if (failed())
        return;
    protocol->sets = grow_array(protocol->sets, protocol->set_count, sizeof(set));
    protocol->sets[protocol->set_count++] = set;
}

/* ---- operations ---- */

/* bytes NAME[MAX] or [MIN..MAX], optionally behind STRUCT */
static void parse_bytes(struct parser *parser, struct member *member)
{
    struct field *field = &member->field;

    member->kind = MEMBER_BYTES;
    field->name = expect_name(parser, "the buffer's name");
    expect(parser, '[');
    field->maximum = parse_expression(parser, 0, BUFFER_MAX, "a buffer's limit");
    if (!failed() && parser->token.kind == TOKEN_RANGE) {
        next(parser);
        field->minimum = field->maximum;
        field->maximum = parse_expression(parser, 1, BUFFER_MAX, "a buffer's limit");
        if (!failed() && field->minimum > field->maximum)
            report(field->name.at, "the limits of \"%s\" exclude every length", field->name.text);
    } else if (!failed() && !field->maximum) {
        report(field->name.at, "\"%s\" could never hold a byte", field->name.text);
    }
    expect(parser, ']');
    if (accept_word(parser, "behind"))
        member->behind = expect_name(parser, "a struct's name");
}

static void parse_member(struct parser *parser, struct operation *operation, bool is_out)
{
    struct member member = {.is_out = is_out};
    struct document document = parser->token.document;

    next(parser);
    member.field.type_at = parser->token.at;
    member.field.count = 1;
    if (accept_word(parser, "bytes")) {
        parse_bytes(parser, &member);
    } else if (accept_word(parser, "cap")) {
        member.kind = MEMBER_CAP;
        member.field.name = expect_name(parser, "the capability's name");
        member.is_optional = accept_word(parser, "optional");
    } else {
        member.field.type = parse_type(parser);
        member.kind = member.field.type.record ? MEMBER_RECORD : MEMBER_SCALAR;
        member.field.name = expect_name(parser, "a name");
        parse_range(parser, &member.field);
    }
    member.field.document = document;
    expect(parser, ';');
    if (failed())
        return;
    operation->members = grow_array(operation->members, operation->member_count, sizeof(member));
    operation->members[operation->member_count++] = member;
}

/* NAME, NAME… ; */
static void parse_stated_errors(struct parser *parser, struct operation *operation)
{
    do {
        struct name name = expect_name(parser, "an error's name");
        struct value *error = failed() ? NULL : value_find(&parser->protocol->errors, name.text);

        if (failed())
            return;
        if (!error)
            report(name.at, "no error \"%s\" is declared before this", name.text);
        for (size_t i = 0; i < operation->error_count; i++)
            if (operation->errors[i] == error && error)
                report(name.at, "\"%s\" is stated twice", name.text);
        operation->errors = grow_array(operation->errors, operation->error_count, sizeof(error));
        operation->errors[operation->error_count++] = error;
    } while (accept(parser, ','));
    expect(parser, ';');
}

static void parse_qualifiers(struct parser *parser, struct operation *operation)
{
    bool idempotent = false;
    struct position at = parser->token.at;

    while (parser->token.kind == TOKEN_NAME && !failed()) {
        bool *flag = is_word(parser, "idempotent") ? &idempotent
                     : is_word(parser, "mutating") ? &operation->mutating
                     : is_word(parser, "parks")    ? &operation->parks
                                                   : NULL;

        if (!flag)
            expected(parser, "\"idempotent\", \"mutating\", \"parks\" or \"{\"");
        else if (*flag)
            report(parser->token.at, "\"%s\" stands twice", parser->token.text);
        else
            *flag = true;
        next(parser);
    }
    if (!failed() && idempotent == operation->mutating)
        report(at, "an operation is either \"idempotent\" or \"mutating\"");
}

static void parse_operation(struct parser *parser, struct document document)
{
    struct protocol *protocol = parser->protocol;
    struct operation *operation = get_memory(sizeof(*operation));

    operation->document = document;
    operation->number_at = parser->token.at;
    operation->number = parse_expression(parser, 1, OPERATION_MAX, "an operation's number");
    operation->name = expect_name(parser, "the operation's name");
    parse_qualifiers(parser, operation);
    expect(parser, '{');
    while (in_block(parser)) {
        if (is_word(parser, "in") || is_word(parser, "out"))
            parse_member(parser, operation, is_word(parser, "out"));
        else if (accept_word(parser, "errors"))
            parse_stated_errors(parser, operation);
        else
            expected(parser, "\"in\", \"out\", \"errors\" or \"}\"");
    }
    expect(parser, '}');
    if (failed())
        return;
    protocol->operations =
        grow_array(protocol->operations, protocol->operation_count, sizeof(operation));
    protocol->operations[protocol->operation_count++] = operation;
}

/* ---- the whole ---- */

static void parse_declaration(struct parser *parser)
{
    struct document document = parser->token.document;

    if (accept_word(parser, "const"))
        parse_value(parser, &parser->protocol->constants, INT64_MIN, UINT64_MAX, "a constant");
    else if (accept_word(parser, "errors"))
        parse_errors(parser);
    else if (is_word(parser, "enum") || is_word(parser, "flags")) {
        bool is_flags = is_word(parser, "flags");

        next(parser);
        parse_set(parser, document, is_flags);
    } else if (accept_word(parser, "struct"))
        parse_record(parser, document);
    else if (accept_word(parser, "operation"))
        parse_operation(parser, document);
    else
        expected(parser, "\"const\", \"errors\", \"enum\", \"flags\", \"struct\" or \"operation\"");
}

static void parse_constant_document(struct parser *parser, struct document document, size_t before)
{
    struct values *constants = &parser->protocol->constants;

    /* The documentation stands before the word const, not before the name. */
    if (constants->count > before)
        constants->items[before]->document = document;
}

struct protocol *parse(const char *text, size_t length)
{
    struct protocol *protocol = get_memory(sizeof(*protocol));
    struct parser parser = {
        .lexer = {.at = text, .end = text + length, .position = {1, 1}},
        .protocol = protocol,
    };

    next(&parser);
    protocol->document = parser.token.document;
    expect_word(&parser, "protocol");
    protocol->name = expect_name(&parser, "the protocol's name");
    expect_word(&parser, "version");
    protocol->version = parse_expression(&parser, 1, UINT32_MAX, "a version");
    expect(&parser, ';');
    while (!failed() && parser.token.kind != TOKEN_END) {
        struct document document = parser.token.document;
        size_t constants = protocol->constants.count;

        parse_declaration(&parser);
        parse_constant_document(&parser, document, constants);
    }
    if (failed())
        return NULL;
    protocol->upper = to_upper(protocol->name.text);
    return protocol;
}
