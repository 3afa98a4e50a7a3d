// SPDX-License-Identifier: MIT
/*
 * Random requests; see rt/fuzz.h. The proportions are chosen so that about half of the requests
 * pass all checks of a dispatcher and reach the server's functions.
 */
#include <rt/fuzz.h>

#include <rt/rpc.h>
#include <rt/string.h>

enum { ONE_IN = 24 /* how often something is made wrong on purpose */ };

uint64_t rpc_fuzz_random(struct rpc_fuzz *fuzz)
{
    uint64_t x = fuzz->state += 0x9e3779b97f4a7c15;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static uint64_t below(struct rpc_fuzz *fuzz, uint64_t limit)
{
    return limit ? rpc_fuzz_random(fuzz) % limit : 0;
}

static bool rarely(struct rpc_fuzz *fuzz)
{
    return below(fuzz, ONE_IN) == 0;
}

/* Small numbers are as likely as large ones. */
static uint64_t spread(struct rpc_fuzz *fuzz, uint64_t span)
{
    uint64_t value = rpc_fuzz_random(fuzz) >> below(fuzz, 64);

    return span == UINT64_MAX ? value : value % (span + 1);
}

static uint64_t field_value(struct rpc_fuzz *fuzz, const struct rpc_fuzz_field *field)
{
    if (rarely(fuzz))
        return rpc_fuzz_random(fuzz);
    if (rarely(fuzz))
        return (below(fuzz, 2) ? field->maximum : field->minimum) + below(fuzz, 3) - 1;
    return field->minimum + spread(fuzz, field->maximum - field->minimum);
}

static void place(uint64_t words[6], const struct rpc_fuzz_field *field, uint64_t value)
{
    uint64_t mask = field->bits == 64 ? UINT64_MAX : ((uint64_t)1 << field->bits) - 1;

    words[field->word] &= ~(mask << field->shift);
    words[field->word] |= (value & mask) << field->shift;
}

/* Zeros, small bytes, names, a path that is often one, or anything: structs and names both get
 * their chance. */
static void fill_block(struct rpc_fuzz *fuzz, unsigned char *block, size_t bytes)
{
    static const char path[] = "tmp/../tmp/a/../";
    uint64_t kind = below(fuzz, 5);

    for (size_t i = 0; i < bytes; i++) {
        uint64_t random = rpc_fuzz_random(fuzz);

        block[i] = kind == 0 ? 0 : kind == 1 ? (random & 15) < 3 : (unsigned char)random;
        if (kind == 2)
            block[i] = "abc/./.-"[random & 7];
        if (kind == 4)
            block[i] = (unsigned char)path[i % (sizeof(path) - 1)];
    }
}

static uint64_t first_word(struct rpc_fuzz *fuzz, const struct rpc_fuzz_operation *operation)
{
    uint64_t word = operation ? operation->number : rpc_fuzz_random(fuzz);
    bool mutating = operation && operation->mutating;

    if (mutating != rarely(fuzz))
        word |= rpc_sequence((uint16_t)below(fuzz, 4), 1 + (uint32_t)below(fuzz, 100))
                << RPC_SEQUENCE_SHIFT;
    if (operation && operation->parks && below(fuzz, 2))
        word |= RPC_PARKS;
    return word;
}

/* The operation whose number is in the word, which may be an accident. */
static const struct rpc_fuzz_operation *operation_in(
    const struct rpc_fuzz_protocol *protocol, uint64_t word)
{
    for (size_t i = 0; i < protocol->operation_count; i++)
        if (protocol->operations[i].number == (word & RPC_OPERATION_MASK))
            return &protocol->operations[i];
    return NULL;
}

static size_t smaller(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

void rpc_fuzz_make(
    struct rpc_fuzz *fuzz, struct rpc_fuzz_request *request, void *block, size_t size)
{
    const struct rpc_fuzz_protocol *protocol = fuzz->protocol;
    const struct rpc_fuzz_operation *operation = NULL;

    memset(request, 0, sizeof(*request));
    if (!rarely(fuzz))
        operation = &protocol->operations[below(fuzz, protocol->operation_count)];
    if (rarely(fuzz))
        for (size_t i = 1; i < 6; i++)
            request->words[i] = rpc_fuzz_random(fuzz);
    request->words[0] = first_word(fuzz, operation);
    request->operation = operation = operation_in(protocol, request->words[0]);
    if (!operation)
        return;
    for (size_t i = 0; i < operation->field_count; i++)
        place(request->words, &operation->fields[i], field_value(fuzz, &operation->fields[i]));
    request->in_bytes = smaller(operation->in_bytes_max, size);
    request->out_bytes = (size_t)operation->out_bytes_max;
    request->caps = operation->caps_in + ((request->words[0] & RPC_PARKS) != 0);
    if (rarely(fuzz))
        request->in_bytes = below(fuzz, request->in_bytes + 1);
    if (rarely(fuzz))
        request->out_bytes = below(fuzz, request->out_bytes + 1);
    if (rarely(fuzz))
        request->caps = (unsigned)below(fuzz, 5);
    fill_block(fuzz, block, smaller(request->in_bytes, 512));
}

bool rpc_fuzz_is_stated(const struct rpc_fuzz_request *request, uint64_t answer)
{
    const struct rpc_fuzz_operation *operation = request->operation;

    if (answer == RPC_BAD_OPERATION)
        return true;
    if (!operation)
        return false;
    if (answer == 0 || (answer >= RPC_BAD_FIELD && answer <= RPC_BAD_SEQUENCE))
        return true;
    if (answer == RPC_PARK)
        return operation->parks;
    for (size_t i = 0; i < operation->error_count; i++)
        if (operation->errors[i] == answer)
            return true;
    return false;
}
