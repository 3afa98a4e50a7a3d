// SPDX-License-Identifier: MIT
/*
 * CRC-32C against the published check values and bit by bit; UTF-8 against a table made from the
 * definition, over every code point and every sequence of two bytes, and random longer ones.
 */
#include <rt/crc32c.h>
#include <rt/string.h>
#include <rt/utf8.h>

#include "restore.h"

#include "test.h"

#include <string.h>

static uint32_t crc_by_bits(const unsigned char *at, size_t bytes)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < bytes; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void crc32c_known(void)
{
    unsigned char block[32];

    CHECK(crc32c(0, "123456789", 9) == 0xe3069283);
    CHECK(crc32c_portable(0, "123456789", 9) == 0xe3069283);
    /* RFC 3720 B.4 */
    memset(block, 0, sizeof(block));
    CHECK(crc32c(0, block, 32) == 0x8a9136aa);
    memset(block, 0xff, sizeof(block));
    CHECK(crc32c(0, block, 32) == 0x62a8ab43);
    CHECK(crc32c(0, block, 0) == 0);
}

static void crc32c_agrees(void)
{
    for (int round = 0; round < 5000; round++) {
        size_t bytes = test_below(300), cut = test_below(bytes + 1);
        unsigned char *block = malloc(bytes + 1);
        uint32_t expected;

        for (size_t i = 0; i < bytes; i++)
            block[i] = (unsigned char)test_random();
        expected = crc_by_bits(block, bytes);
        CHECK(crc32c(0, block, bytes) == expected);
        CHECK(crc32c_portable(0, block, bytes) == expected);
        CHECK(crc32c(crc32c(0, block, cut), block + cut, bytes - cut) == expected);
        free(block);
    }
}

/* Encoded from the definition, one range at a time. */
static size_t encode(unsigned char *to, uint32_t code)
{
    if (code < 0x80) {
        to[0] = (unsigned char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (unsigned char)(0xc0 + code / 64);
        to[1] = (unsigned char)(0x80 + code % 64);
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (unsigned char)(0xe0 + code / 4096);
        to[1] = (unsigned char)(0x80 + code / 64 % 64);
        to[2] = (unsigned char)(0x80 + code % 64);
        return 3;
    }
    to[0] = (unsigned char)(0xf0 + code / 262144);
    to[1] = (unsigned char)(0x80 + code / 4096 % 64);
    to[2] = (unsigned char)(0x80 + code / 64 % 64);
    to[3] = (unsigned char)(0x80 + code % 64);
    return 4;
}

static void utf8_every_code(void)
{
    for (uint32_t code = 0; code < 0x120000; code++) {
        bool scalar = code < 0xd800 || (code > 0xdfff && code < 0x110000);
        unsigned char expected[4];
        size_t bytes = encode(expected, code), used;
        uint32_t decoded = 1;
        char ours[4];

        CHECK(utf8_encode(ours, code) == (scalar ? bytes : 0), "%x", code);
        CHECK(!scalar || !memcmp(ours, expected, bytes), "%x", code);
        used = utf8_decode((char *)expected, bytes, &decoded);
        CHECK(scalar ? used == bytes && decoded == code : used == 1 && decoded == UTF8_REPLACEMENT,
            "%x: %zu bytes, %x", code, used, decoded);
        for (size_t cut = 0; scalar && cut < bytes; cut++)
            CHECK(!utf8_decode((char *)expected, cut, &decoded), "%x cut at %zu", code, cut);
    }
}

static void utf8_known_errors(void)
{
    /* Text, length, bytes of the first character, and whether it is an error. */
    static const struct {
        const char *text;
        size_t length, used;
    } cases[] = {
        {"\x80", 1, 1},
        {"\xc0\x80", 2, 1},
        {"\xc1\xbf", 2, 1},
        {"\xc2\x20", 2, 1},
        {"\xe0\x80\x80", 3, 1},
        {"\xe0\xa0\x20", 3, 2},
        {"\xed\xa0\x80", 3, 1},
        {"\xf0\x80\x80\x80", 4, 1},
        {"\xf0\x90\x80\x20", 4, 3},
        {"\xf4\x90\x80\x80", 4, 1},
        {"\xf5\x80", 2, 1},
        {"\xff", 1, 1},
        {"\xfe", 1, 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint32_t code = 0;

        CHECK(utf8_decode(cases[i].text, cases[i].length, &code) == cases[i].used, "case %zu", i);
        CHECK(code == UTF8_REPLACEMENT, "case %zu", i);
    }
}

/* On random bytes it always advances, never past the end, and gives only scalar values. */
static void utf8_random(void)
{
    for (int round = 0; round < 100000; round++) {
        size_t length = 1 + test_below(8);
        char *text = malloc(length);

        for (size_t i = 0; i < length; i++)
            text[i] = (char)(test_below(3) ? 0x80 + test_below(128) : test_random());
        for (size_t at = 0; at < length;) {
            uint32_t code = 0xd800;
            size_t used = utf8_decode(text + at, length - at, &code);

            if (!used)
                break;
            CHECK(used <= length - at);
            CHECK(code < 0x110000 && (code < 0xd800 || code > 0xdfff));
            at += used;
        }
        free(text);
    }
}

int main(void)
{
    TEST(crc32c_known);
    TEST(crc32c_agrees);
    TEST(utf8_every_code);
    TEST(utf8_known_errors);
    TEST(utf8_random);
    return test_result();
}
