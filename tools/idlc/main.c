// SPDX-License-Identifier: MIT
/*
 * idlc: compiles a protocol.
 *
 *     idlc NAME.idl DIRECTORY       writes DIRECTORY/NAME/… (README.md lists the files)
 *     idlc NAME.idl                 only checks
 *
 * Exits with 0, or with 1 after messages on stderr; then no file was written, unless writing
 * itself failed.
 */
#include "idlc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { INPUT_MAX = 4 * 1024 * 1024 };

static bool read_input(const char *path, char **text, size_t *length)
{
    FILE *in = fopen(path, "rb");

    if (!in) {
        fprintf(stderr, "idlc: %s: %s\n", path, strerror(errno));
        return false;
    }
    *text = get_memory(INPUT_MAX);
    *length = fread(*text, 1, INPUT_MAX, in);
    if (ferror(in) || *length == INPUT_MAX) {
        fprintf(stderr, "idlc: %s: %s\n", path, ferror(in) ? "cannot read" : "too large");
        fclose(in);
        return false;
    }
    fclose(in);
    return true;
}

/* The file must be called as the protocol in it, so that includes find each other. */
static void check_file_name(const struct protocol *protocol, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (strcmp(slash ? slash + 1 : path, make_text("%s.idl", protocol->name.text)))
        report(protocol->name.at, "protocol \"%s\" must be in a file called %s.idl",
            protocol->name.text, protocol->name.text);
}

static bool write_all(const struct protocol *protocol, const char *directory)
{
    static const struct {
        const char *format;
        void (*write)(const struct protocol *);
    } OUTPUTS[] = {
        {"%s/include/proto/%s.h", emit_types},
        {"%s/include/proto/%s_client.h", emit_client},
        {"%s/include/proto/%s_server.h", emit_server},
        {"%s/%s_dispatch.c", emit_dispatch},
        {"%s/%s_trace.c", emit_trace},
        {"%s/%s_fuzz.c", emit_fuzz},
        {"%s/%s.md", emit_reference},
    };

    for (size_t i = 0; i < sizeof(OUTPUTS) / sizeof(*OUTPUTS); i++) {
        char name[512];

        snprintf(name, sizeof(name), OUTPUTS[i].format, protocol->name.text, protocol->name.text);
        if (!output_open(directory, name))
            return false;
        OUTPUTS[i].write(protocol);
        if (!output_close())
            return false;
    }
    return true;
}

int main(int count, char **arguments)
{
    struct protocol *protocol;
    char *text;
    size_t length;

    if (count != 2 && count != 3) {
        fputs("usage: idlc NAME.idl [DIRECTORY]\n", stderr);
        return 1;
    }
    report_file = arguments[1];
    if (!read_input(arguments[1], &text, &length))
        return 1;
    protocol = parse(text, length);
    if (protocol) {
        check_file_name(protocol, arguments[1]);
        check(protocol);
    }
    if (!report_count)
        lay_out(protocol);
    if (report_count)
        return 1;
    return count == 3 && !write_all(protocol, arguments[2]);
}
