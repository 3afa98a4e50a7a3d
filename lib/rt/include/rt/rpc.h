// SPDX-License-Identifier: MIT
/*
 * What a message looks like: the rules that generated stubs, generated dispatchers and the runtime
 * share. tools/idlc/README.md describes the language.
 *
 * Request:  w0  bits 0..14   operation number
 *               bit  15      the last capability is a notification of the caller's thread on which
 *                            it will wait if the answer is RPC_PARK (set by the runtime, only for
 *                            operations that the protocol marks `parks`)
 *               bits 16..63  the sequence of a mutating operation, 0 for an idempotent one:
 *                            bits 16..31 the lane, bits 32..63 the number in the lane, from 1 on
 *           w1..w5  lengths and capacities of buffers, then fields, in the order of their
 *                   declaration, small ones sharing a word at their natural alignment
 * Reply:    w0  bits 0..31   status: 0, an error of the protocol (positive), or one of RPC_*
 *               bits 32..63  0
 *           w1..w5  as in the request
 *
 * What does not fit is a struct in memory granted to the server: a call grants at most one block to
 * read and one to write. Several pieces are laid one after the other, the overflow struct first.
 *
 * A lane is a row of mutating requests, of which at most one is unfinished: one per client thread.
 * The server keeps the last number and its reply per session and lane, so a repeated request gets
 * the stored reply.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RPC_OPERATION_MASK 0x7fffull
#define RPC_PARKS 0x8000ull
#define RPC_SEQUENCE_SHIFT 16

enum {
    /* Errors of a protocol are 1..RPC_ERROR_MAX. Those that mirror Linux's use its errno values. */
    RPC_ERROR_MAX = 0xffff,
    /* The request cannot finish now and had no effect: wait, then repeat. Never seen by callers. */
    RPC_PARK = 0x10000,
    /* No such operation, a field outside its limits, a length or capability that does not fit. */
    RPC_BAD_OPERATION = 0x10001,
    RPC_BAD_FIELD = 0x10002,
    RPC_BAD_BUFFER = 0x10003, /* granted memory is shorter than said, or cannot be accessed */
    RPC_BAD_CAPABILITY = 0x10004,
    /* A mutating request without a sequence, or an older one than the last of its lane. */
    RPC_BAD_SEQUENCE = 0x10005,
};

/* Bytes of stack that a stub or dispatcher spends at most on laying several pieces together. */
#define RPC_GATHER_MAX 16384

/* A sequence as it stands in w0, without the shift: 48 bits. */
static inline uint64_t rpc_sequence(uint16_t lane, uint32_t number)
{
    return (uint64_t)number << 16 | lane;
}
static inline uint16_t rpc_sequence_lane(uint64_t sequence)
{
    return (uint16_t)sequence;
}
static inline uint32_t rpc_sequence_number(uint64_t sequence)
{
    return (uint32_t)(sequence >> 16);
}

/* Client memory that a server may read: rt_copy_from_client(in.offset + i, …). */
struct rpc_in {
    uint64_t offset; /* into the block granted for reading */
    uint64_t length; /* within the protocol's limits; the grant itself may be shorter */
};

/* Client memory that a server may write: rt_copy_to_client(out->offset + i, …). */
struct rpc_out {
    uint64_t offset;   /* into the block granted for writing */
    uint64_t capacity; /* what the client has room for */
    uint64_t length;   /* set by the server: bytes written; 0 at the start */
};

/* For trace decoders: how a message's words are to be read. */
enum rpc_kind { RPC_UNSIGNED, RPC_SIGNED, RPC_HEX, RPC_LENGTH };

struct rpc_trace_field {
    const char *name;
    uint8_t word;  /* 1..5 */
    uint8_t shift; /* in bits */
    uint8_t bits;
    uint8_t kind; /* enum rpc_kind */
};

struct rpc_trace_operation {
    uint16_t number;
    const char *name;
    bool mutating;
    uint8_t request_count;
    uint8_t reply_count;
    const struct rpc_trace_field *request;
    const struct rpc_trace_field *reply;
};

struct rpc_trace_error {
    int32_t value;
    const char *name;
};

struct rpc_trace_protocol {
    const char *name;
    uint32_t version;
    size_t operation_count;
    size_t error_count;
    const struct rpc_trace_operation *operations; /* by rising number */
    const struct rpc_trace_error *errors;
};
