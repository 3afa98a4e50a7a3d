// SPDX-License-Identifier: MIT
/*
 * UTF-8 decoding and encoding; see rt/utf8.h.
 */
#include <rt/utf8.h>

enum { CONTINUATION_LOW = 0x80, CONTINUATION_HIGH = 0xbf };

struct lead {
    unsigned bytes;    /* of the whole character; 0: cannot start one */
    uint8_t low, high; /* what the second byte may be */
    uint8_t payload;   /* the lead's bits of the code */
};

/* The second byte's limits exclude overlong forms, surrogates and codes above U+10FFFF. */
static struct lead classify(uint8_t byte)
{
    struct lead lead = {.low = CONTINUATION_LOW, .high = CONTINUATION_HIGH};

    if (byte >= 0xc2 && byte <= 0xdf) {
        lead.bytes = 2;
        lead.payload = byte & 0x1f;
    } else if (byte >= 0xe0 && byte <= 0xef) {
        lead.bytes = 3;
        lead.payload = byte & 0x0f;
        if (byte == 0xe0)
            lead.low = 0xa0;
        if (byte == 0xed)
            lead.high = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
        lead.bytes = 4;
        lead.payload = byte & 0x07;
        if (byte == 0xf0)
            lead.low = 0x90;
        if (byte == 0xf4)
            lead.high = 0x8f;
    }
    return lead;
}

size_t utf8_decode(const char *text, size_t length, uint32_t *code)
{
    struct lead lead;
    uint32_t result;

    if (!length)
        return 0;
    if ((uint8_t)*text < 0x80) {
        *code = (uint8_t)*text;
        return 1;
    }
    lead = classify((uint8_t)*text);
    result = lead.payload;
    for (size_t at = 1; at < lead.bytes; at++) {
        uint8_t byte;

        if (at == length)
            return 0;
        byte = (uint8_t)text[at];
        if (byte < lead.low || byte > lead.high) {
            *code = UTF8_REPLACEMENT;
            return at;
        }
        result = result << 6 | (byte & 0x3f);
        lead.low = CONTINUATION_LOW;
        lead.high = CONTINUATION_HIGH;
    }
    *code = lead.bytes ? result : UTF8_REPLACEMENT;
    return lead.bytes ? lead.bytes : 1;
}

size_t utf8_encode(char text[UTF8_MAX_BYTES], uint32_t code)
{
    size_t bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    for (size_t at = bytes; at-- > 1; code >>= 6)
        text[at] = (char)(0x80 | (code & 0x3f));
    text[0] = (char)(lead[bytes] | code);
    return bytes;
}
