// SPDX-License-Identifier: MIT
/*
 * What the grammar cannot say: names are well formed and unique, also after they became C; values
 * and numbers are unique; flags are single bits; capabilities and buffers are within what a call
 * can carry. Reports every violation.
 */
#include "idlc.h"

#include <ctype.h>
#include <string.h>

/* Names that generated functions use for their own parameters and variables. */
static const char *const LOCALS[] = {
    "via",
    "m",
    "x",
    "status",
    "server",
    "badge",
    "sequence",
    "park",
    "in_block",
    "out_block",
    "request",
    "reply",
    "memcpy",
    "msg",
    "xfer",
};

/* What C and the language keep for themselves. */
static const char *const RESERVED[] = {
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "typedef",
    "typeof",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "asm",
    "bool",
    "true",
    "false",
    "bytes",
    "cap",
    "padding",
    "in",
    "out",
    "errors",
    "range",
    "behind",
    "optional",
};

/* Names in use, to find those that stand twice. */
struct names {
    struct name *items;
    size_t count;
};

static void add_name(struct names *names, struct name name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i].text, name.text))
            continue;
        report(name.at, "the name \"%s\" is already taken at line %u", name.text,
            names->items[i].at.line);
        return;
    }
    names->items = grow_array(names->items, names->count, sizeof(name));
    names->items[names->count++] = name;
}

static void add_text(struct names *names, struct position at, char *text)
{
    add_name(names, (struct name){.text = text, .at = at});
}

static bool is_among(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i], text))
            return true;
    return false;
}

static bool is_reserved(const char *text)
{
    return is_among(text, RESERVED, sizeof(RESERVED) / sizeof(*RESERVED)) || scalar_find(text);
}

/* No character for which `wrong` is true. */
static bool has_none(const char *text, int (*wrong)(int))
{
    for (; *text; text++)
        if (wrong((unsigned char)*text))
            return false;
    return true;
}

static void check_lower(struct name name)
{
    if (!has_none(name.text, isupper) || !islower((unsigned char)*name.text) ||
        strstr(name.text, "__"))
        report(name.at, "\"%s\": this name must be lower case, words joined by one _", name.text);
    else if (is_reserved(name.text))
        report(name.at, "\"%s\" is a reserved name", name.text);
}

static void check_upper(struct name name)
{
    if (!has_none(name.text, islower) || strstr(name.text, "__") || *name.text == '_')
        report(name.at, "\"%s\": this name must be upper case, words joined by one _", name.text);
}

/* ---- values ---- */

/* Names and values of a block are unique, and its C names in the whole protocol. */
static void check_values(const struct protocol *protocol, const struct values *values,
    const char *prefix, struct names *c_names, bool unique)
{
    for (size_t i = 0; i < values->count; i++) {
        const struct value *value = values->items[i];

        check_upper(value->name);
        add_text(c_names, value->name.at,
            make_text("%s_%s%s", protocol->upper, prefix, value->name.text));
        for (size_t j = 0; unique && j < i; j++)
            if (values->items[j]->value == value->value)
                report(value->name.at, "\"%s\" has the same value as \"%s\"", value->name.text,
                    values->items[j]->name.text);
    }
}

static void check_set(const struct protocol *protocol, const struct set *set, struct names *c_names)
{
    char *prefix = make_text("%s_", to_upper(set->name.text));

    check_lower(set->name);
    if (!set->values.count)
        report(set->name.at, "\"%s\" has no values", set->name.text);
    check_values(protocol, &set->values, prefix, c_names, true);
    for (size_t i = 0; set->is_flags && i < set->values.count; i++) {
        const struct value *value = set->values.items[i];

        if (value->value & (value->value - 1))
            report(value->name.at, "flag \"%s\" is not a single bit", value->name.text);
    }
    if (set->is_flags)
        add_text(c_names, set->name.at, make_text("%s_%sALL", protocol->upper, prefix));
}

/* ---- structs ---- */

static void check_record(const struct record *record)
{
    struct names names = {0};

    check_lower(record->name);
    if (!record->field_count)
        report(record->name.at, "\"%s\" has no fields", record->name.text);
    for (size_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].is_padding)
            continue;
        check_lower(record->fields[i].name);
        add_name(&names, record->fields[i].name);
    }
}

/* ---- operations ---- */

/* The names of the C parameters and locals that a member leads to. */
static void add_member_names(const struct member *member, struct names *names)
{
    const struct name *name = &member->field.name;

    if (is_among(name->text, LOCALS, sizeof(LOCALS) / sizeof(*LOCALS)))
        report(
            name->at, "\"%s\" is a reserved name for what an operation takes or gives", name->text);
    add_name(names, *name);
    if (member->kind != MEMBER_BYTES)
        return;
    add_text(names, name->at, make_text("%s_length", name->text));
    if (member->is_out)
        add_text(names, name->at, make_text("%s_capacity", name->text));
}

static void check_caps(const struct operation *operation, bool is_out)
{
    const struct member *optional = NULL;
    size_t limit = CAPS_MAX - (operation->parks && !is_out), count = 0;

    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];

        if (member->kind != MEMBER_CAP || member->is_out != is_out)
            continue;
        if (++count == limit + 1)
            report(member->field.name.at, "a call carries at most %d capabilities%s", CAPS_MAX,
                limit < CAPS_MAX ? ", of which an operation that parks needs one" : "");
        if (optional)
            report(optional->field.name.at, "only the last capability can be optional");
        if (member->is_optional && is_out)
            report(member->field.name.at, "only a capability that goes in can be optional");
        optional = member->is_optional ? member : NULL;
    }
    if (optional && operation->parks)
        report(optional->field.name.at, "an operation that parks has no optional capability: the "
                                        "notification follows the others");
}

/* `behind` needs the struct right before it, and nothing else in that direction. */
static void check_behind(const struct operation *operation, const struct member *bytes)
{
    size_t others = 0;
    const struct member *record = NULL;

    for (size_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];

        if (member->is_out != bytes->is_out || member == bytes)
            continue;
        if (member->kind == MEMBER_RECORD && !strcmp(member->field.name.text, bytes->behind.text))
            record = member;
        else if (member->kind == MEMBER_RECORD || member->kind == MEMBER_BYTES)
            others++;
    }
    if (!record || record > bytes)
        report(bytes->behind.at, "no struct \"%s\" goes %s before these bytes", bytes->behind.text,
            bytes->is_out ? "out" : "in");
    else if (others)
        report(bytes->behind.at, "\"behind\" needs a struct and bytes alone in their direction");
}

static void check_operation(const struct protocol *protocol, const struct operation *operation)
{
    struct names names = {0};

    (void)protocol;
    check_lower(operation->name);
    for (size_t i = 0; i < operation->member_count; i++) {
        check_lower(operation->members[i].field.name);
        add_member_names(&operation->members[i], &names);
        if (operation->members[i].behind.text)
            check_behind(operation, &operation->members[i]);
    }
    check_caps(operation, false);
    check_caps(operation, true);
}

static void check_numbers(const struct protocol *protocol)
{
    for (size_t i = 0; i < protocol->operation_count; i++)
        for (size_t j = 0; j < i; j++)
            if (protocol->operations[i]->number == protocol->operations[j]->number)
                report(protocol->operations[i]->number_at, "number %s is already operation \"%s\"",
                    number_text(protocol->operations[i]->number),
                    protocol->operations[j]->name.text);
}

/* A C function or struct tag may come from two places. */
static void check_functions(const struct protocol *protocol)
{
    struct names functions = {0}, tags = {0};

    for (size_t i = 0; i < protocol->operation_count; i++) {
        struct name name = protocol->operations[i]->name;

        add_name(&functions, name);
        add_text(&functions, name.at, make_text("serve_%s", name.text));
        add_text(&tags, name.at, make_text("%s_request", name.text));
        add_text(&tags, name.at, make_text("%s_reply", name.text));
    }
    for (size_t i = 0; i < protocol->set_count; i++)
        add_name(&tags, protocol->sets[i]->name);
    for (size_t i = 0; i < protocol->record_count; i++)
        add_name(&tags, protocol->records[i]->name);
    add_text(&tags, protocol->name.at, (char *)"server");
    add_text(&functions, protocol->name.at, (char *)"dispatch");
    add_text(&functions, protocol->name.at, (char *)"states_error");
    add_text(&functions, protocol->name.at, (char *)"trace");
    add_text(&functions, protocol->name.at, (char *)"fuzz");
}

void check(const struct protocol *protocol)
{
    struct names c_names = {0};

    check_lower(protocol->name);
    if (!protocol->operation_count)
        report(protocol->name.at, "protocol \"%s\" has no operations", protocol->name.text);
    add_text(&c_names, protocol->name.at, make_text("%s_VERSION", protocol->upper));
    check_values(protocol, &protocol->constants, "", &c_names, false);
    check_values(protocol, &protocol->errors, "ERROR_", &c_names, true);
    for (size_t i = 0; i < protocol->set_count; i++)
        check_set(protocol, protocol->sets[i], &c_names);
    for (size_t i = 0; i < protocol->record_count; i++)
        check_record(protocol->records[i]);
    for (size_t i = 0; i < protocol->operation_count; i++) {
        const struct operation *operation = protocol->operations[i];

        add_text(&c_names, operation->name.at,
            make_text("%s_OP_%s", protocol->upper, to_upper(operation->name.text)));
        check_operation(protocol, operation);
    }
    check_numbers(protocol);
    check_functions(protocol);
}
