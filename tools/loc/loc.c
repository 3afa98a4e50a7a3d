// SPDX-License-Identifier: MIT
/*
 * loc: counts lines of C and assembly without comments and blank lines.
 *
 *     loc FILE...        prints "LINES FILE" for each, then "LINES total"
 *
 * Comments are C's two kinds, and in files ending in .S also '#' at a line's beginning that is no
 * preprocessor directive. A line of code with more than 100 columns (a tab reaches to the next
 * multiple of 4, a UTF-8 character counts one) is an error: it is named on stderr and the status is
 * 1. Line count must not become better by making lines longer.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_COLUMNS = 100, TAB_COLUMNS = 4 };

enum state { CODE, STRING, CHARACTER, LINE_COMMENT, BLOCK_COMMENT };

static int long_lines;

static int next_column(int column, int byte)
{
    if (byte == '\t')
        return column - column % TAB_COLUMNS + TAB_COLUMNS;
    return (byte & 0xc0) == 0x80 ? column : column + 1;
}

// In assembly: does a line that starts with '#' hold no directive?
static bool is_hash_comment(const char *line)
{
    static const char *const directives[] = {
        "include", "define", "undef", "if", "el", "endif", "error", "pragma", "line", "warning"};

    if (*line++ != '#')
        return false;
    while (isblank((unsigned char)*line))
        line++;
    for (size_t i = 0; i < sizeof directives / sizeof *directives; i++)
        if (strncmp(line, directives[i], strlen(directives[i])) == 0)
            return false;
    return true;
}

// Steps over one line; says whether it holds code. `state` is carried from line to line.
static bool line_has_code(const char *at, bool is_assembly, enum state *state)
{
    bool code = false;

    if (is_assembly && *state == CODE && is_hash_comment(at + strspn(at, " \t")))
        return false;
    for (; *at && *at != '\n'; at++) {
        switch (*state) {
        case CODE:
            if (at[0] == '/' && at[1] == '*') {
                *state = BLOCK_COMMENT;
                at++;
                continue;
            }
            if (at[0] == '/' && at[1] == '/') {
                *state = LINE_COMMENT;
                continue;
            }
            if (*at == '"')
                *state = STRING;
            if (*at == '\'' && !is_assembly)
                *state = CHARACTER;
            code |= !isspace((unsigned char)*at);
            break;
        case STRING:
        case CHARACTER:
            code = true;
            if (*at == '\\' && at[1] && at[1] != '\n')
                at++;
            else if (*at == (*state == STRING ? '"' : '\''))
                *state = CODE;
            break;
        case BLOCK_COMMENT:
            if (at[0] == '*' && at[1] == '/') {
                *state = CODE;
                at++;
            }
            break;
        case LINE_COMMENT:
            break;
        }
    }
    if (*state != BLOCK_COMMENT)
        *state = CODE;
    return code;
}

static void check_columns(const char *line, const char *path, int number)
{
    int columns = 0;

    for (; *line && *line != '\n'; line++)
        columns = next_column(columns, (unsigned char)*line);
    if (columns <= MAX_COLUMNS)
        return;
    fprintf(stderr, "%s:%d: %d columns\n", path, number, columns);
    long_lines++;
}

static int count_file(const char *path)
{
    const char *dot = strrchr(path, '.');
    bool is_assembly = dot && strcmp(dot, ".S") == 0;
    enum state state = CODE;
    char line[65536];
    int count = 0, number = 0;
    FILE *in = fopen(path, "r");

    if (!in) {
        perror(path);
        return -1;
    }
    while (fgets(line, sizeof line, in)) {
        number++;
        if (line_has_code(line, is_assembly, &state)) {
            count++;
            check_columns(line, path, number);
        }
    }
    fclose(in);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        int count = count_file(argv[i]);

        if (count < 0)
            return 2;
        printf("%d %s\n", count, argv[i]);
        total += count;
    }
    printf("%d total\n", total);
    return long_lines != 0;
}
