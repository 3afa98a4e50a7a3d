/* SPDX-License-Identifier: MIT */
/*
 * abigen ABI_DIR OUT_DIR DOC_DIR: turns abi/{operations,errors,events}.tbl into
 *   OUT_DIR/    errors.h      error numbers
 *   OUT_DIR/    events.h      trace event numbers
 *   OUT_DIR/    operations.h  operation numbers
 *   OUT_DIR/    op_limit.h    how many numbers there are
 *   OUT_DIR/    op_table.h    kernel: a row for each operation, see kernel/core/dispatch.c
 *   OUT_DIR/    stubs.h       user: one inline function per operation
 *   DOC_DIR/operations.md     the reference page
 * Any malformed line ends it with file:line: message.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_OPS  128
#define MAX_ARGS 6

struct argument { /* type: of the object, "new" for an empty slot, empty for a number */
    char name[24], type[16], right[16];
    int self, none;
};
struct op {
    int number, arg_count, direct;
    char name[40];
    struct argument args[MAX_ARGS];
    char value[256], errors[256], doc[1024];
};
struct entry {
    int number;
    char name[40], doc[256];
};

static struct op ops[MAX_OPS];
static struct entry errors[MAX_OPS], events[MAX_OPS];
static int op_count, error_count, event_count;
static const char *file_name;
static int line_number;

static void die(const char *format, ...)
{
    va_list a;
    va_start(a, format);
    if (file_name)
        fprintf(stderr, "%s:%d: ", file_name, line_number);
    vfprintf(stderr, format, a);
    fputc('\n', stderr);
    va_end(a);
    exit(1);
}

static void take(char *to, size_t size, const char *from)
{
    if (strlen(from) >= size)
        die("too long: %s", from);
    strcpy(to, from);
}

static const char *const types[] = {"region", "space", "time", "thread", "service", "pool", "gate",
                                    "notification", "interrupt", "io", "control", "new", 0};
static const char *const rights[] = {"grant", "use", "manage", "wait", "debug", "interrupt", 0};

static void must_be_one_of(const char *const *list, const char *word)
{
    for (int i = 0; list[i]; i++)
        if (!strcmp(list[i], word))
            return;
    die("unknown word %s", word);
}

/* NAME, NAME:TYPE or NAME:TYPE.WORD… */
static void argument_read(struct argument *a, char *text)
{
    char *type = strchr(text, ':');
    if (type)
        *type++ = 0;
    take(a->name, sizeof a->name, text);
    char *word = type ? strchr(type, '.') : 0;
    if (word)
        *word++ = 0;
    if (type)
        must_be_one_of(types, type);
    take(a->type, sizeof a->type, type ? type : "");
    while (word) {
        char *next = strchr(word, '.');
        if (next)
            *next++ = 0;
        if (!strcmp(word, "self")) {
            a->self = 1;
        } else if (!strcmp(word, "none")) {
            a->none = 1;
        } else {
            must_be_one_of(rights, word);
            take(a->right, sizeof a->right, word);
        }
        word = next;
    }
    if (a->self && strcmp(a->type, "space"))
        die("%s: only a space can be the own one", a->name);
}

static struct op *op_open(char *rest)
{
    if (op_count == MAX_OPS)
        die("more than %d operations", MAX_OPS);
    struct op *o = &ops[op_count++];
    char *word = strtok(rest, " ");
    o->number = word ? atoi(word) : 0;
    if (o->number < 1 || o->number >= MAX_OPS)
        die("operation number out of range");
    for (int i = 0; i < op_count - 1; i++)
        if (ops[i].number == o->number)
            die("operation number %d used twice", o->number);
    word = strtok(0, " ");
    if (!word)
        die("operation without a name");
    take(o->name, sizeof o->name, word);
    while ((word = strtok(0, " "))) {
        if (o->arg_count == MAX_ARGS)
            die("%s: more than %d arguments", o->name, MAX_ARGS);
        argument_read(&o->args[o->arg_count++], word);
    }
    return o;
}

static void entry_open(struct entry *list, int *count, char *rest)
{
    if (*count == MAX_OPS)
        die("too many entries");
    struct entry *e = &list[(*count)++];
    char *word = strtok(rest, " ");
    e->number = word ? atoi(word) : 0;
    word = strtok(0, " ");
    if (e->number < 1 || !word)
        die("expected a number and a name");
    take(e->name, sizeof e->name, word);
    word = strtok(0, "");
    while (word && *word == ' ')
        word++;
    take(e->doc, sizeof e->doc, word ? word : "");
}

static void read_table(const char *dir, const char *name)
{
    char path[4096], line[2048];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    if (!f) {
        file_name = 0;
        die("%s: %s", path, strerror(errno));
    }
    file_name = path;
    line_number = 0;
    struct op *o = 0;
    while (fgets(line, sizeof line, f)) {
        line_number++;
        line[strcspn(line, "\n")] = 0;
        if (!*line || *line == '#')
            continue;
        char *space = strchr(line, ' ');
        char *rest = space ? space + 1 : line + strlen(line);
        if (space)
            *space = 0;
        if (!strcmp(line, "op"))
            o = op_open(rest);
        else if (!strcmp(line, "error"))
            entry_open(errors, &error_count, rest);
        else if (!strcmp(line, "event"))
            entry_open(events, &event_count, rest);
        else if (o && !strcmp(line, "direct"))
            o->direct = 1;
        else if (o && !strcmp(line, "value"))
            take(o->value, sizeof o->value, rest);
        else if (o && !strcmp(line, "errors"))
            take(o->errors, sizeof o->errors, rest);
        else if (o && !strcmp(line, "doc"))
            take(o->doc, sizeof o->doc, rest);
        else
            die("unknown word %s", line);
    }
    fclose(f);
    file_name = 0;
}

static FILE *create(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    for (char *p = path + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            mkdir(path, 0777);
            *p = '/';
        }
    FILE *f = fopen(path, "w");
    if (!f)
        die("%s: %s", path, strerror(errno));
    if (strstr(name, ".h"))
        fprintf(f, "/* SPDX-License-Identifier: MIT */\n/* Made by abigen; do not edit. */\n"
                   "#pragma once\n");
    return f;
}

static void upper(char *to, const char *from)
{
    while ((*to++ = (char)toupper((unsigned char)*from++)))
        ;
}

static void write_entries(
    const char *out, const char *name, const char *prefix, struct entry *list, int count)
{
    char file[64], up[64];
    snprintf(file, sizeof file, "%ss.h", name);
    FILE *f = create(out, file);
    for (int i = 0; i < count; i++) {
        upper(up, list[i].name);
        fprintf(f, "#define %s%s %d /* %s */\n", prefix, up, list[i].number, list[i].doc);
    }
    fclose(f);
}

static int op_max(void)
{
    int max = 0;
    for (int i = 0; i < op_count; i++)
        if (ops[i].number > max)
            max = ops[i].number;
    return max;
}

static int is_object(const struct argument *a)
{
    return a->type[0] && strcmp(a->type, "new");
}

/* An operand of the dispatcher, see kernel/core/dispatch.c. */
static void add_operand(char *row, size_t size, const struct argument *a)
{
    char type[32], right[32];
    size_t n = strlen(row);
    upper(type, a->type);
    upper(right, a->right[0] ? a->right : "none");
    if (!is_object(a))
        snprintf(row + n, size - n, ", %s", a->type[0] ? "NEW" : "WORD");
    else if (a->self)
        snprintf(row + n, size - n, ", SELF(%s)", right);
    else
        snprintf(row + n, size - n, ", %s(%s, %s)", a->none ? "OPTIONAL" : "CAP", type, right);
}

/* A row for each operation: DIRECT or LOCKED(number, name, parameters, operands…). */
static void write_op_row(FILE *f, const struct op *o)
{
    char row[512], operands[256] = "";
    snprintf(row, sizeof row, "%s(%d, %s, (%s", o->direct ? "DIRECT" : "LOCKED", o->number, o->name,
        o->arg_count ? "" : "void");
    for (int a = 0; a < o->arg_count; a++) {
        size_t n = strlen(row);
        const char *comma = a ? ", " : "";
        if (is_object(&o->args[a]) && !o->direct)
            snprintf(row + n, sizeof row - n, "%sstruct %s *", comma, o->args[a].type);
        else
            snprintf(row + n, sizeof row - n, "%su64", comma);
    }
    int count = o->direct ? 0 : o->arg_count;
    while (count && !o->args[count - 1].type[0])
        count--;
    for (int a = 0; a < count; a++)
        add_operand(operands, sizeof operands, &o->args[a]);
    if (strlen(row) + strlen(operands) > 91) /* the operands in a line of their own */
        fprintf(f, " \\\n    %s), \\\n       %s)", row, operands + 1);
    else
        fprintf(f, " \\\n    %s)%s)", row, operands);
}

static void write_op_table(const char *out)
{
    FILE *f = create(out, "op_limit.h");
    fprintf(f, "#define OP_LIMIT %d /* above every operation's number */\n", op_max() + 1);
    fclose(f);
    f = create(out, "op_table.h");
    fprintf(f, "#include <abi/op_limit.h>\n#define OP_TABLE");
    for (int i = 0; i < op_count; i++)
        write_op_row(f, &ops[i]);
    fprintf(f, "\n");
    fclose(f);
}

static void write_operations(const char *out)
{
    char up[64];
    FILE *f = create(out, "operations.h");
    for (int i = 0; i < op_count; i++) {
        upper(up, ops[i].name);
        fprintf(f, "#define OP_%s %d\n", up, ops[i].number);
    }
    fprintf(f, "#include <abi/op_limit.h>\n");
    fclose(f);

    write_op_table(out);
}

static void write_stubs(const char *out)
{
    FILE *f = create(out, "stubs.h");
    static const char *reg[MAX_ARGS] = {"rdi", "rsi", "rdx", "r10", "r8", "r9"};
    fprintf(f, "#include <abi/contract.h>\n#include <abi/errors.h>\n#include <abi/operations.h>\n"
               "struct pith_result { int64_t status; uint64_t value; };\n");
    for (int i = 0; i < op_count; i++) {
        struct op *o = &ops[i];
        char up[64];
        upper(up, o->name);
        fprintf(f, "/* %s\n * Value: %s. Errors: %s. */\n", o->doc, o->value, o->errors);
        fprintf(f, "static inline struct pith_result pith_%s(", o->name);
        for (int a = 0; a < o->arg_count; a++)
            fprintf(f, "%suint64_t %s", a ? ", " : "", o->args[a].name);
        fprintf(f, "%s)\n{\n", o->arg_count ? "" : "void");
        for (int a = 0; a < MAX_ARGS; a++)
            if (a < o->arg_count)
                fprintf(f, "    register uint64_t r_%d __asm__(\"%s\") = %s;\n", a, reg[a],
                    o->args[a].name);
            else
                fprintf(f, "    register uint64_t r_%d __asm__(\"%s\");\n", a, reg[a]);
        fprintf(f, "    int64_t status;\n    __asm__ volatile(\"syscall\" : \"=a\"(status)");
        for (int a = 0; a < MAX_ARGS; a++)
            fprintf(f, ", \"%sr\"(r_%d)", a < o->arg_count ? "+" : "=", a);
        fprintf(f, "\n        : \"0\"((uint64_t)OP_CODE(OP_%s)) : \"rcx\", \"r11\", \"memory\");\n",
            up);
        fprintf(f, "    return (struct pith_result){ status, r_2 };\n}\n");
    }
    fclose(f);
}

static void write_argument_reference(FILE *f, const struct argument *a)
{
    if (!a->type[0])
        return;
    if (!is_object(a)) {
        fprintf(f, "- `%s`: an empty slot\n", a->name);
        return;
    }
    fprintf(f, "- `%s`: a capability to a %s", a->name, a->type);
    if (a->right[0])
        fprintf(f, " with the right %s", a->right);
    fprintf(f, "%s\n", a->self ? "; 0: the own space" : a->none ? "; 0: none" : "");
}

static void write_reference(const char *dir)
{
    FILE *f = create(dir, "operations.md");
    fprintf(f, "<!-- SPDX-License-Identifier: MIT -->\n# Kernel operations\n\nMade from "
               "`abi/operations.tbl` and `abi/errors.tbl` by "
               "`tools/abigen`; edit those.\nHow registers are used: "
               "`abi/include/abi/contract.h`.\n\n");
    for (int i = 0; i < op_count; i++) {
        struct op *o = &ops[i];
        fprintf(f, "## %d. %s(", o->number, o->name);
        for (int a = 0; a < o->arg_count; a++)
            fprintf(f, "%s%s", a ? ", " : "", o->args[a].name);
        fprintf(f, ")\n%s\n\n", o->doc);
        for (int a = 0; a < o->arg_count; a++)
            write_argument_reference(f, &o->args[a]);
        fprintf(f, "- value: %s\n- errors: %s\n\n", o->value, o->errors);
    }
    fprintf(f, "## Errors\n\n| number | name | meaning |\n|---:|---|---|\n");
    for (int i = 0; i < error_count; i++)
        fprintf(f, "| %d | %s | %s |\n", errors[i].number, errors[i].name, errors[i].doc);
    fclose(f);
}

/* What looking up the arguments may answer has to be in the list of errors. */
static void errors_match_arguments(const struct op *o)
{
    for (int a = 0; a < o->arg_count; a++) {
        const struct argument *x = &o->args[a];
        if ((x->type[0] && !strstr(o->errors, "E_CAP")) ||
            (x->right[0] && !strstr(o->errors, "E_RIGHT")) ||
            (!strcmp(x->type, "new") && !strstr(o->errors, "E_BUSY")))
            die("operation %s: an error of argument %s is not listed", o->name, x->name);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: abigen ABI_DIR OUT_DIR DOC_DIR\n");
        return 2;
    }
    read_table(argv[1], "errors.tbl");
    read_table(argv[1], "events.tbl");
    read_table(argv[1], "operations.tbl");
    for (int i = 0; i < op_count; i++) {
        char list[256];
        errors_match_arguments(&ops[i]);
        strcpy(list, ops[i].errors);
        for (char *w = strtok(list, " "); w; w = strtok(0, " ")) {
            int known = !strcmp(w, "none");
            for (int e = 0; e < error_count; e++)
                known |= !strcmp(errors[e].name, w);
            if (!known)
                die("operation %s: unknown error %s", ops[i].name, w);
        }
    }
    write_entries(argv[2], "error", "", errors, error_count);
    write_entries(argv[2], "event", "EVENT_", events, event_count);
    write_operations(argv[2]);
    write_stubs(argv[2]);
    write_reference(argv[3]);
    return 0;
}
