// SPDX-License-Identifier: MIT
/*
 * What idlc's parts share: the syntax tree that parse.c builds, the layout that layout.c adds to
 * it, and what the emitters (emit_*.c) need to write it out.
 *
 *     lex.c -> parse.c -> check.c -> layout.c -> emit_*.c        main.c runs them in this order
 *
 * The program is short-lived: memory comes from get_memory() and is never released. Names are
 * NUL-terminated copies. An error in the input is reported by report(); parsing stops at the
 * first one, checking goes on and reports all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WORDS = 6,
    WORD_BITS = 64,
    OPERATION_MAX = 0x7fff,
    ERROR_MAX = 0xffff,
    CAPS_MAX = 4,
    GATHER_MAX = 16384, /* RPC_GATHER_MAX */
    BUFFER_MAX = 1 << 30,
    RECORD_MAX = 4096,
};

struct position {
    unsigned line, column;
};

struct name {
    char *text;
    struct position at;
};

/* Documentation: the lines of the /// comment before a declaration. */
struct document {
    char **lines;
    size_t count;
};

/* Wide enough for every u64 and i64. */
typedef __int128 number;

/* A scalar type as it lies in memory. */
struct scalar {
    const char *name; /* in the language */
    const char *c_type;
    unsigned bits;
    bool is_signed;
    number minimum, maximum;
};

struct value {
    struct name name;
    struct document document;
    number value;
};

struct values {
    struct value **items;
    size_t count;
};

/* An enum or a set of flags. */
struct set {
    struct name name;
    struct document document;
    bool is_flags;
    const struct scalar *scalar;
    struct values values;
};

struct type {
    const struct scalar *scalar; /* also of a set; NULL for a record */
    const struct set *set;       /* NULL if none */
    const struct record *record; /* NULL if none */
};

struct field {
    struct name name;
    struct document document;
    struct position type_at;
    struct type type;
    bool is_padding;
    bool is_array;
    bool has_range;
    number minimum, maximum; /* from the range or the type */
    number count;            /* elements, or bytes of padding */
    size_t offset;
};

struct record {
    struct name name;
    struct document document;
    struct position size_at;
    number size;
    size_t alignment;
    struct field *fields;
    size_t field_count;
};

enum member_kind { MEMBER_SCALAR, MEMBER_RECORD, MEMBER_BYTES, MEMBER_CAP };

/* Something an operation takes or gives. */
struct member {
    enum member_kind kind;
    bool is_out;
    bool is_optional;     /* capabilities */
    struct name behind;   /* bytes: the struct they follow in memory; text NULL if none */
    struct field field;   /* name, document, type, limits; for bytes the limits of the length */
    bool is_spilled;      /* scalar: in the overflow struct, at field.offset */
    unsigned word, shift; /* scalar, not spilled; bytes: of the length in this direction */
    unsigned reply_word, reply_shift; /* out bytes: of the length used */
    unsigned length_bits;             /* bytes: 16 or 32 */
};

/* One part of a word, for tables and documentation. */
struct word_field {
    char *name;
    unsigned word, shift, bits;
    const char *kind; /* RPC_UNSIGNED … */
    number minimum, maximum;
    const struct set *set;
};

struct direction_layout {
    struct word_field *fields;
    size_t field_count;
    size_t spill_bytes; /* of the overflow struct; 0: there is none */
    size_t pieces;      /* parts of the granted block */
    bool is_joined;     /* two pieces that lie together in the client's memory */
    size_t bytes_max;   /* of the whole block */
    size_t caps;
    bool has_optional_cap;
    unsigned present_word, present_shift; /* of the optional capability's flag */
};

struct operation {
    struct name name;
    struct document document;
    struct position number_at;
    number number;
    bool mutating;
    bool parks;
    struct member *members;
    size_t member_count;
    struct value **errors;
    size_t error_count;
    struct direction_layout request, reply;
};

struct protocol {
    struct name name;
    struct document document;
    char *upper; /* the name in capitals */
    number version;
    struct values constants;
    struct values errors;
    struct set **sets;
    size_t set_count;
    struct record **records;
    size_t record_count;
    struct operation **operations;
    size_t operation_count;
};

/* ---- support.c ---- */

void *get_memory(size_t bytes); /* zeroed */
/* Room for one more element in an array of `count`; returns its new address. */
void *grow_array(void *array, size_t count, size_t element_bytes);
char __attribute__((format(printf, 1, 2))) * make_text(const char *format, ...);
char *to_upper(const char *text);

extern const char *report_file;
extern unsigned report_count;
/* Prints "file:line:column: error: …" and counts it. */
void __attribute__((format(printf, 2, 3))) report(struct position at, const char *format, ...);
/* "-9223372036854775808" or "18446744073709551615": decimal, in a text of its own. */
char *number_text(number value);

/* ---- lex.c ---- */

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_PUNCTUATION,
    TOKEN_RANGE /* .. */,
    TOKEN_SHIFT_LEFT,
    TOKEN_SHIFT_RIGHT,
    TOKEN_BAD,
};

struct token {
    enum token_kind kind;
    struct position at;
    char *text;   /* as written, for names and messages */
    number value; /* of a number */
    char punctuation;
    struct document document; /* the /// lines before the token */
};

struct lexer {
    const char *at, *end;
    struct position position;
};

/* After an error report_count is not 0 and the token TOKEN_BAD. */
struct token lex_next(struct lexer *lexer);

/* ---- parse.c, check.c, layout.c ---- */

/* NULL after an error. */
struct protocol *parse(const char *text, size_t length);
/* Looks up scalar types by name; NULL if there is none. */
const struct scalar *scalar_find(const char *name);
void check(const struct protocol *protocol);
/* Needs a checked protocol; may report errors. */
void lay_out(struct protocol *protocol);
/* Offsets of a record's fields and its alignment; reports where padding is missing. */
void lay_out_record(struct record *record);
size_t type_bytes(const struct type *type);

/* ---- emit.c: what the emitters share ---- */

/* Output goes to one file at a time. */
bool output_open(const char *directory, const char *name);
bool output_close(void);
void __attribute__((format(printf, 1, 2))) emit(const char *format, ...);
/* SPDX line, "generated by", what the file is. */
void emit_head(const struct protocol *protocol, const char *what);
/* A comment with `indent` tabs before it; nothing if there is no documentation. */
void emit_document(const struct document *document, unsigned indent);
/* "uint32_t" or "struct file_attributes", in a text of its own. */
char *c_type(const struct protocol *protocol, const struct type *type);
/* A constant that C reads as it is meant. */
char *c_number(number value);
/* Comparisons that are true if `expression` is outside the limits, or NULL if it cannot be. */
char *c_outside(const struct protocol *protocol, const struct field *field, const char *expression);
/* What words[word] holds from bit `shift` on, as a value of the C type. */
char *c_unpacked(const char *type, const char *words, unsigned word, unsigned shift);
/* An expression moved to its place in a word. scalar: NULL for a length or a truth value. */
char *c_packed(const char *expression, const struct scalar *scalar, unsigned shift);
/* One call for each member of a direction and of one kind, in order. */
typedef void member_fn(const struct protocol *protocol, const struct operation *operation,
    const struct member *member);
void each_member(const struct protocol *protocol, const struct operation *operation,
    enum member_kind kind, bool is_out, member_fn *call);
size_t count_members(const struct operation *operation, enum member_kind kind, bool is_out);
/* The struct for spilled fields: "struct file_open_request". */
char *spill_type(const struct protocol *protocol, const struct operation *operation, bool is_out);

void emit_types(const struct protocol *protocol);
void emit_client(const struct protocol *protocol);
void emit_server(const struct protocol *protocol);
void emit_dispatch(const struct protocol *protocol);
void emit_trace(const struct protocol *protocol);
void emit_fuzz(const struct protocol *protocol);
void emit_reference(const struct protocol *protocol);
