// SPDX-License-Identifier: MIT
/*
 * Splits the text into tokens. Comments: // to the end of the line is dropped, /// is kept as
 * documentation for the next token. Numbers: decimal, 0x, 0o, 0b, with _ between digits; a
 * leading 0 is refused, since readers disagree on what it means.
 */
#include "idlc.h"

#include <ctype.h>
#include <string.h>

static char peek(const struct lexer *lexer, size_t ahead)
{
    return (size_t)(lexer->end - lexer->at) > ahead ? lexer->at[ahead] : 0;
}

static bool starts(const struct lexer *lexer, const char *text)
{
    size_t length = strlen(text);

    return (size_t)(lexer->end - lexer->at) >= length && !memcmp(lexer->at, text, length);
}

static void advance(struct lexer *lexer, size_t bytes)
{
    for (; bytes; bytes--, lexer->at++) {
        if (*lexer->at == '\n') {
            lexer->position.line++;
            lexer->position.column = 1;
        } else {
            lexer->position.column++;
        }
    }
}

static size_t line_length(const struct lexer *lexer)
{
    const char *newline = memchr(lexer->at, '\n', (size_t)(lexer->end - lexer->at));

    return (size_t)((newline ? newline : lexer->end) - lexer->at);
}

static void add_line(struct lexer *lexer, struct document *document, size_t length)
{
    size_t start = starts(lexer, "/// ") ? 4 : 3;
    char *line = make_text("%.*s", (int)(length - start), lexer->at + start);

    if (strstr(line, "*/"))
        report(lexer->position, "documentation cannot contain \"*/\"");
    document->lines = grow_array(document->lines, document->count, sizeof(char *));
    document->lines[document->count++] = line;
}

/* Blanks and comments. Documentation that an empty line separates from what follows is dropped. */
static void skip_blanks(struct lexer *lexer, struct document *document)
{
    while (lexer->at < lexer->end) {
        size_t length = line_length(lexer);

        if (starts(lexer, "///")) {
            add_line(lexer, document, length);
            advance(lexer, length);
        } else if (starts(lexer, "//")) {
            advance(lexer, length);
        } else if (starts(lexer, "\n\n")) {
            *document = (struct document){0};
            advance(lexer, 1);
        } else if (strchr(" \t\r\n", *lexer->at) && *lexer->at) {
            advance(lexer, 1);
        } else {
            return;
        }
    }
}

static int digit_value(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    if (isalpha((unsigned char)c))
        return tolower((unsigned char)c) - 'a' + 10;
    return 99;
}

static int take_base(const char **at)
{
    int base = 10;

    if ((*at)[0] == '0')
        base = (*at)[1] == 'x' ? 16 : (*at)[1] == 'o' ? 8 : (*at)[1] == 'b' ? 2 : 10;
    *at += base == 10 ? 0 : 2;
    return base;
}

static void lex_number(struct token *token)
{
    const char *at = token->text;
    int base = take_base(&at);

    if (base == 10 && at[0] == '0' && at[1])
        report(token->at, "\"%s\": write an octal number with 0o, a decimal one without leading 0",
            at);
    else if (!*at)
        report(token->at, "\"%s\" has no digits", token->text);
    for (; *at && !report_count; at++) {
        if (*at == '_')
            continue;
        if (digit_value(*at) >= base)
            report(token->at, "\"%s\" is not a number", token->text);
        token->value = token->value * base + digit_value(*at);
        if (token->value > UINT64_MAX)
            report(token->at, "\"%s\" needs more than 64 bits", token->text);
    }
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static size_t word_length(const struct lexer *lexer)
{
    size_t length = 0;

    while (is_word(peek(lexer, length)))
        length++;
    return length;
}

static void lex_symbol(struct lexer *lexer, struct token *token)
{
    static const struct {
        const char *text;
        enum token_kind kind;
    } PAIRS[] = {
        {"..", TOKEN_RANGE},
        {"<<", TOKEN_SHIFT_LEFT},
        {">>", TOKEN_SHIFT_RIGHT},
    };
    unsigned char c = (unsigned char)*lexer->at;

    for (size_t i = 0; i < sizeof(PAIRS) / sizeof(*PAIRS); i++) {
        if (starts(lexer, PAIRS[i].text)) {
            token->kind = PAIRS[i].kind;
            token->text = make_text("%s", PAIRS[i].text);
            return;
        }
    }
    token->punctuation = (char)c;
    token->kind = TOKEN_PUNCTUATION;
    token->text = make_text("%c", c);
    if (c && strchr("{}[]();:,=+-*/|&~", c))
        return;
    if (isprint(c))
        report(token->at, "unexpected character '%c'", c);
    else
        report(token->at, "unexpected byte 0x%02x", c);
}

struct token lex_next(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_END, .text = (char *)"end of file"};
    size_t length;

    skip_blanks(lexer, &token.document);
    token.at = lexer->position;
    if (lexer->at == lexer->end)
        return token;
    length = word_length(lexer);
    if (length) {
        token.text = make_text("%.*s", (int)length, lexer->at);
        token.kind = isdigit((unsigned char)*token.text) ? TOKEN_NUMBER : TOKEN_NAME;
        if (token.kind == TOKEN_NUMBER)
            lex_number(&token);
    } else {
        lex_symbol(lexer, &token);
        length = strlen(token.text) ? strlen(token.text) : 1;
    }
    if (report_count)
        token.kind = TOKEN_BAD;
    advance(lexer, length);
    return token;
}
