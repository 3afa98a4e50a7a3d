// SPDX-License-Identifier: MIT
/*
 * Formatted output.
 *
 * The format language is printf's without floating point, wide characters, positional arguments
 * and %n:
 *     %[-+ #0][width|*][.precision|.*][hh|h|l|ll|z|j|t] d i u x X o c s p %
 * An unknown conversion is written out as it stands and consumes no argument. %s of NULL writes
 * "(null)", %p of NULL "(nil)", as glibc does.
 *
 * Nothing here allocates or keeps state. Results count bytes, without a terminating NUL, and
 * stop at INT_MAX.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/*
 * Receives `bytes` bytes of output (never 0) in order. The text is the callee's only during the
 * call.
 */
typedef void format_sink_fn(void *context, const char *text, size_t bytes);

/* Writes to `sink`; returns the number of bytes it was given. */
int format_to(format_sink_fn *sink, void *context, const char *format, va_list arguments);

/*
 * Writes at most size - 1 bytes and a NUL to `buffer` (nothing if size is 0); returns the length
 * the whole text has: a result >= size means that it was cut.
 */
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
int __attribute__((format(printf, 3, 4)))
snprintf(char *buffer, size_t size, const char *format, ...);
