// SPDX-License-Identifier: MIT
/*
 * Memory, texts and error messages for idlc. Running out of memory ends the program.
 */
#include "idlc.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *report_file;
unsigned report_count;

void *get_memory(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);

    if (!memory) {
        fputs("idlc: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

void *grow_array(void *array, size_t count, size_t element_bytes)
{
    /* Doubled at each power of two; the old array is left. */
    void *larger;

    if (count & (count - 1))
        return array;
    larger = get_memory((count ? 2 * count : 1) * element_bytes);
    if (count)
        memcpy(larger, array, count * element_bytes);
    return larger;
}

char *make_text(const char *format, ...)
{
    va_list arguments;
    int length;
    char *text;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    text = get_memory((size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

char *to_upper(const char *text)
{
    char *upper = make_text("%s", text);

    for (char *at = upper; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return upper;
}

void report(struct position at, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%u:%u: error: ", report_file, at.line, at.column);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    report_count++;
}

char *number_text(number value)
{
    if (value > INT64_MAX)
        return make_text("%llu", (unsigned long long)value);
    return make_text("%lld", (long long)value);
}
