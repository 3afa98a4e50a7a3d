// SPDX-License-Identifier: MIT
/*
 * mkimage: packs a boot image.
 *
 * A boot image is a cpio archive ("newc": 110 bytes of ASCII header, name, contents, each padded to
 * 4 bytes) of plain files, in the order given. The first member is the first user program and is
 * called "root". The result depends only on the members' names and contents: every time, owner
 * and inode is fixed. An ELF file's contents begin at a multiple of 4096 bytes, so that its pages
 * can be mapped where they are: the name before them is filled up with zeros, which are part of it.
 *
 *     mkimage OUTPUT NAME=FILE...
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_MAX_BYTES = 255, ALIGNMENT = 4, HEADER_BYTES = 110, PAGE_BYTES = 4096 };

static const char *output_name;

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
    va_list arguments;

    fputs("mkimage: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (output_name)
        remove(output_name);
    exit(1);
}

static void pad(FILE *out, size_t written)
{
    for (; written % ALIGNMENT; written++)
        fputc(0, out);
}

// What follows the header begins at a multiple of align.
static void write_header(
    FILE *out, unsigned inode, unsigned mode, size_t size, const char *name, size_t align)
{
    size_t name_bytes = strlen(name) + 1;
    size_t fill =
        align == ALIGNMENT ? 0 : -((size_t)ftell(out) + HEADER_BYTES + name_bytes) % align;
    name_bytes += fill;
    int header_bytes = fprintf(out, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X",
        inode, mode, 0u, 0u, 1u, 0u, size, 0u, 0u, 0u, 0u, name_bytes, 0u);

    fwrite(name, 1, name_bytes - fill, out);
    for (; fill; fill--)
        fputc(0, out);
    pad(out, (size_t)header_bytes + name_bytes);
}

static char *read_file(const char *path, size_t *size)
{
    struct stat info;
    FILE *in = fopen(path, "rb");
    char *contents;

    if (!in || fstat(fileno(in), &info) != 0)
        fail("%s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        fail("%s: not a plain file", path);
    if (info.st_size > 0xffffffffl)
        fail("%s: larger than 4 GiB", path);
    *size = (size_t)info.st_size;
    contents = malloc(*size + 1);
    if (!contents)
        fail("%s: out of memory", path);
    if (fread(contents, 1, *size, in) != *size)
        fail("%s: cannot read all of it", path);
    fclose(in);
    return contents;
}

static void write_member(FILE *out, unsigned inode, const char *name, const char *path)
{
    size_t size;
    char *contents = read_file(path, &size);

    bool elf = size >= 4 && !memcmp(contents, "\177ELF", 4);
    write_header(out, inode, 0100755, size, name, elf ? PAGE_BYTES : ALIGNMENT);
    fwrite(contents, 1, size, out);
    pad(out, size);
    free(contents);
}

// Checks every NAME=FILE before anything is written; splits it in place.
static void check_members(int count, char **members, char **paths)
{
    for (int i = 0; i < count; i++) {
        char *equals = strchr(members[i], '=');

        if (!equals || equals == members[i] || !equals[1])
            fail("\"%s\" is not NAME=FILE", members[i]);
        *equals = 0;
        paths[i] = equals + 1;
        if (strlen(members[i]) > NAME_MAX_BYTES || members[i][0] == '/')
            fail("bad member name \"%s\"", members[i]);
        if (strcmp(members[i], "TRAILER!!!") == 0)
            fail("the member name \"TRAILER!!!\" ends an archive");
        for (int j = 0; j < i; j++)
            if (strcmp(members[i], members[j]) == 0)
                fail("two members are called \"%s\"", members[i]);
    }
    if (strcmp(members[0], "root") != 0)
        fail("the first member must be \"root\", not \"%s\"", members[0]);
}

int main(int argc, char **argv)
{
    char **paths;
    FILE *out;

    if (argc < 3) {
        fputs("usage: mkimage OUTPUT root=FILE [NAME=FILE...]\n", stderr);
        return 2;
    }
    paths = calloc((size_t)argc, sizeof *paths);
    if (!paths)
        fail("out of memory");
    check_members(argc - 2, argv + 2, paths);
    out = fopen(argv[1], "wb");
    if (!out)
        fail("%s: %s", argv[1], strerror(errno));
    output_name = argv[1];
    for (int i = 0; i < argc - 2; i++)
        write_member(out, (unsigned)i + 1, argv[i + 2], paths[i]);
    write_header(out, 0, 0, 0, "TRAILER!!!", ALIGNMENT);
    if (ferror(out) || fclose(out) != 0)
        fail("%s: cannot write: %s", argv[1], strerror(errno));
    free(paths);
    return 0;
}
