// SPDX-License-Identifier: MIT
/*
 * Numbers from text.
 *
 * number_scan reads the longest number at the start of a text and says where it ends; number_parse
 * wants the whole text to be one number. No blanks are skipped. Base 0 takes "0x" as 16, "0b" as 2
 * and a leading "0" as 8, as C does; base 16 also accepts the "0x".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum number_status {
    NUMBER_OK,
    NUMBER_EMPTY,   /* no digit where a number should start */
    NUMBER_INVALID, /* something follows the number (number_parse), or a bad base */
    NUMBER_RANGE,   /* more than `maximum`, or outside the signed range */
};

/*
 * text, length  need not be terminated
 * base          0, or 2 to 36
 * maximum       the largest value that is right, for instance UINT32_MAX
 * value         set if the result is NUMBER_OK
 * used          bytes of the number; set unless NUMBER_EMPTY or NUMBER_INVALID
 */
enum number_status number_scan(const char *text, size_t length, unsigned base, uint64_t maximum,
    uint64_t *value, size_t *used);
enum number_status number_parse(
    const char *text, size_t length, unsigned base, uint64_t maximum, uint64_t *value);
/* The same with an optional sign, for minimum <= value <= maximum. */
enum number_status number_parse_signed(const char *text, size_t length, unsigned base,
    int64_t minimum, int64_t maximum, int64_t *value);
