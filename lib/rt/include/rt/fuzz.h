// SPDX-License-Identifier: MIT
/*
 * Random requests of a protocol, for fuzzing its server through the generated tables
 * (NAME_fuzz.c). The caller sends them, over a gate or straight into a dispatcher, and judges the
 * answers:
 *
 *     struct rpc_fuzz fuzz = { .protocol = &file_fuzz, .state = seed };
 *     rpc_fuzz_make(&fuzz, &request, block, sizeof(block));
 *     … call with request.words, the first request.in_bytes of block, request.out_bytes, caps …
 *     if (!rpc_fuzz_is_stated(&request, reply_word_0)) … the server broke its protocol
 *
 * Each field is mostly within its limits, sometimes at or just outside them, sometimes anything;
 * operations are sometimes unknown, sequences sometimes missing, blocks sometimes too short. The
 * same state gives the same requests. Nothing is allocated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpc_fuzz_field {
    uint8_t word, shift, bits;
    uint64_t minimum, maximum; /* signed fields: sign-extended */
};

struct rpc_fuzz_operation {
    uint16_t number;
    bool mutating, parks;
    uint8_t caps_in;
    uint64_t in_bytes_max, out_bytes_max;
    size_t field_count, error_count;
    const struct rpc_fuzz_field *fields;
    const uint32_t *errors;
};

struct rpc_fuzz_protocol {
    const char *name;
    size_t operation_count;
    const struct rpc_fuzz_operation *operations;
};

struct rpc_fuzz {
    const struct rpc_fuzz_protocol *protocol;
    uint64_t state; /* of the random generator; any value */
};

struct rpc_fuzz_request {
    const struct rpc_fuzz_operation *operation; /* NULL: an unknown one */
    uint64_t words[6];
    size_t in_bytes;  /* to grant for reading, at most the block's size */
    size_t out_bytes; /* to grant for writing */
    unsigned caps;    /* to pass along, mostly as many as the operation wants */
};

uint64_t rpc_fuzz_random(struct rpc_fuzz *fuzz);
/* Makes the next request and fills `block` (`size` bytes) with what it grants for reading. */
void rpc_fuzz_make(
    struct rpc_fuzz *fuzz, struct rpc_fuzz_request *request, void *block, size_t size);
/* May the operation answer so? Success, an error it states, RPC_BAD_* or a fair RPC_PARK. */
bool rpc_fuzz_is_stated(const struct rpc_fuzz_request *request, uint64_t answer);
