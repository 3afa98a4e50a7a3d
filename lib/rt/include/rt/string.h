// SPDX-License-Identifier: MIT
/*
 * Memory blocks and C strings.
 *
 * The functions that C's <string.h> names do what the C standard says; those of POSIX and BSD what
 * their manual pages say. Nothing here allocates, keeps state or touches vector registers, so
 * all of it may be used in signal-like contexts (event handlers) and before the heap exists.
 *
 * It does not do: locales, strtok, strcoll, wide characters.
 */
#pragma once

#include <stddef.h>

/* Copies `bytes` bytes; the blocks do not overlap. Returns `to`. */
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
/* Copies `bytes` bytes as if through a buffer of its own: blocks may overlap. Returns `to`. */
void *memmove(void *to, const void *from, size_t bytes);
/* Sets `bytes` bytes to the low eight bits of `value`. Returns `to`. */
void *memset(void *to, int value, size_t bytes);
/* <0, 0 or >0 as the first differing byte, taken as unsigned, of `a` is less or greater. */
int memcmp(const void *a, const void *b, size_t bytes);
/* First byte equal to (unsigned char)value, or NULL. */
void *memchr(const void *block, int value, size_t bytes);
/* Last byte equal to (unsigned char)value, or NULL. */
void *memrchr(const void *block, int value, size_t bytes);

/* Bytes before the NUL. */
size_t strlen(const char *text);
/* Bytes before the NUL, at most `limit`; reads no byte past text[limit - 1]. */
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit);
/* First or last place of (char)c, the terminating NUL included; or NULL. */
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);
/* First place of (char)c, or the terminating NUL. */
char *strchrnul(const char *text, int c);
/* First place of `part` in `text`, or NULL. Time is the product of both lengths at worst. */
char *strstr(const char *text, const char *part);
/* Length of the start of `text` that has only (strspn) or none (strcspn) of `set`'s bytes. */
size_t strspn(const char *text, const char *set);
size_t strcspn(const char *text, const char *set);
/*
 * Copies or appends with a bound: `size` is that of the whole destination, which is always
 * terminated if size > 0. Returns the length it tried to make; a result >= size means that the
 * text was cut.
 */
size_t strlcpy(char *restrict to, const char *restrict from, size_t size);
size_t strlcat(char *restrict to, const char *restrict from, size_t size);
