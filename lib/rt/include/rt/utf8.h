// SPDX-License-Identifier: MIT
/*
 * UTF-8: one character at a time, as Unicode 15 chapter 3.9 defines it (no surrogates, nothing
 * above U+10FFFF, no overlong forms). No state is kept, so a stream reader keeps the bytes of an
 * incomplete character itself.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    UTF8_REPLACEMENT = 0xfffd,
    UTF8_MAX_BYTES = 4,
};

/*
 * Decodes the first character of `text`. Returns the bytes it takes (at least 1) and sets *code.
 * Bytes that are not UTF-8 give UTF8_REPLACEMENT and the length of the longest part that could
 * have begun a character, or 1. Returns 0 if the text ends inside a character that is right so
 * far, and for length 0; *code is then unchanged.
 */
size_t utf8_decode(const char *text, size_t length, uint32_t *code);
/* Writes a character; returns its bytes, or 0 if `code` is not a Unicode scalar value. */
size_t utf8_encode(char text[UTF8_MAX_BYTES], uint32_t code);
