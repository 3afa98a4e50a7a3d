// SPDX-License-Identifier: MIT
/*
 * Generated code at work: stubs and dispatcher of protocol echo joined by a loopback. Every shape
 * of operation goes through with random values; each limit is passed by one; blocks are cut short;
 * a hostile server lies to the stubs; random requests run into the dispatcher; the trace tables
 * read what the stubs wrote.
 */
#include "../../../lib/rt/test/test.h"

#include <string.h>

#include <rt/fuzz.h>

#include <proto/echo_client.h>

#include "echo_server.h"
#include "loopback.h"

enum { GATE = 5, ROUNDS = 20000, FUZZ_ROUNDS = 300000 };

extern const struct rpc_fuzz_protocol echo_fuzz;
extern const struct rpc_trace_protocol echo_trace;

static struct echo_server server;

static void serve_echo(uint64_t badge, struct msg *m)
{
    m->w[0] = echo_dispatch(&server, badge, m);
}

static void reset(void)
{
    memset(&loopback, 0, sizeof(loopback));
    memset(&server, 0, sizeof(server));
    loopback.serve = serve_echo;
}

/* Sends raw words; returns w0 of the reply. */
static uint64_t send(uint64_t w0, uint64_t w1, uint64_t w2, struct xfer *x)
{
    struct msg m = {.w = {w0, w1, w2}};
    struct xfer none = {0};

    rt_call_x(GATE, &m, x ? x : &none);
    return m.w[0];
}

static struct echo_shape good_shape(void)
{
    struct echo_shape shape = {
        .style = ECHO_STYLE_DASHED, .direction = ECHO_DIRECTION_UP, .visible = true};

    for (int i = 0; i < 3; i++)
        shape.corners[i] = (struct echo_point){(int32_t)test_below(2001) - 1000, -1000};
    shape.area = test_random();
    return shape;
}

static void plain_words(void)
{
    uint64_t sum = 1;

    reset();
    CHECK(echo_null(GATE) == 0 && server.badge == 1000 + GATE);
    CHECK(echo_add(GATE, 3, 4, &sum) == 0 && sum == 7);
    CHECK(echo_add(GATE, UINT64_MAX, 1, &sum) == ECHO_ERROR_OVERFLOW && sum == 7);
    loopback.kernel_status = -9;
    CHECK(echo_add(GATE, 3, 4, &sum) == -9 && sum == 7);
}

static void buffers(void)
{
    char text[ECHO_TEXT_MAX + 1], copy[ECHO_TEXT_MAX + 1];
    size_t length;

    reset();
    for (int round = 0; round < ROUNDS / 10; round++) {
        size_t bytes = test_below(ECHO_TEXT_MAX + 1), capacity = test_below(ECHO_TEXT_MAX + 2);

        memset(copy, 0, sizeof(copy));
        for (size_t i = 0; i < bytes; i++)
            text[i] = (char)test_random();
        CHECK(echo_echo(GATE, text, bytes, copy, capacity, &length) == 0);
        CHECK(length == (bytes < capacity ? bytes : capacity));
        CHECK(!memcmp(text, copy, length));
        CHECK(length == sizeof(copy) || !copy[length]);
    }
    loopback.calls = 0;
    CHECK(
        echo_echo(GATE, text, sizeof(text), copy, 0, &length) == RPC_BAD_FIELD && !loopback.calls);
    CHECK(!loopback.wrote_outside);
}

static void mutating(void)
{
    int64_t value;

    reset();
    CHECK(echo_count(GATE, ECHO_DIRECTION_UP, 1000, &value) == 0 && value == 1000);
    CHECK(server.sequence == rpc_sequence(3, 1));
    CHECK(echo_count(GATE, ECHO_DIRECTION_DOWN, 1, &value) == 0 && value == 999);
    CHECK(server.sequence == rpc_sequence(3, 2) && rpc_sequence_lane(server.sequence) == 3);
    CHECK(echo_count(GATE, 3, 1, &value) == RPC_BAD_FIELD);
    CHECK(echo_count(GATE, 0, 1, &value) == RPC_BAD_FIELD);
    CHECK(echo_count(GATE, ECHO_DIRECTION_UP, 0, &value) == RPC_BAD_FIELD);
    CHECK(echo_count(GATE, ECHO_DIRECTION_UP, 1001, &value) == RPC_BAD_FIELD);
    CHECK(server.counter == 999);
}

static void parking(void)
{
    int64_t reached;

    reset();
    CHECK(echo_wait_for(GATE, 0, &reached) == 0 && reached == 0 && loopback.calls == 1);
    CHECK(echo_wait_for(GATE, 10, &reached) == 0 && reached == 10);
    CHECK(loopback.calls == 4 && server.parked == LOOPBACK_NOTIFICATION);
}

static void everything_at_once(void)
{
    reset();
    for (int round = 0; round < ROUNDS; round++) {
        struct echo_shape shape = good_shape(), moved;
        char old_name[64], new_name[64], first[64], second[64];
        size_t old_length = 1 + test_below(64), new_length = test_below(65), first_length,
               second_length;
        size_t capacity = test_below(70);
        int16_t dx = (int16_t)test_random(), dx_back;
        int32_t dy = (int32_t)test_random();
        int8_t small = (int8_t)((int)test_below(11) - 5), small_back;
        uint64_t a = test_random(), b = test_random(), c = test_random(),
                 spilled = test_random() | 1;
        uint64_t a_back, b_back, c_back, d_back, e_back;
        bool mirror = test_below(2);

        spilled -= spilled == UINT64_MAX;
        memset(old_name, (int)test_random(), sizeof(old_name));
        memset(new_name, (int)test_random(), sizeof(new_name));
        CHECK(echo_move(GATE, &shape, small, dx, dy, a, b, c, mirror, spilled, ECHO_STYLE_ALL, true,
                  old_name, old_length, new_name, new_length, &moved, first, capacity,
                  &first_length, second, 64, &second_length, &dx_back, &a_back, &b_back, &c_back,
                  &d_back, &e_back, &small_back) == 0);
        CHECK(a_back == a && b_back == b && c_back == c && e_back == spilled);
        CHECK((int32_t)d_back == dy && dx_back == dx && small_back == small);
        CHECK(moved.area == spilled + 2 * ECHO_STYLE_ALL + 1 + 8 * mirror);
        CHECK(!memcmp(moved.corners, shape.corners, sizeof(shape.corners)));
        CHECK(first_length == (capacity > 64              ? 64
                                  : capacity < old_length ? capacity
                                                          : old_length) ||
              first_length == old_length);
        CHECK(second_length == new_length);
        CHECK(!memcmp(first, old_name, first_length) && !memcmp(second, new_name, second_length));
    }
    CHECK(!loopback.wrote_outside);
}

static void capabilities(void)
{
    uint32_t first, second, count;

    reset();
    CHECK(echo_exchange(GATE, 30, 0, 99, &first, &second, &count) == 0 && count == 1);
    CHECK(
        loopback.transfer.n_caps_in == 1 && first == LOOPBACK_RECEIVE_SLOT && second == first + 1);
    CHECK(loopback.reply_caps[0] == 99 && loopback.reply_caps[1] == 30);
    CHECK(echo_exchange(GATE, 30, 12, 99, &first, &second, &count) == 0 && count == 2);
    CHECK(loopback.reply_caps[1] == 42 && loopback.transfer.n_caps_out == 2);
    /* Said to be there, but not sent. */
    CHECK(send(ECHO_OP_EXCHANGE, 0, 0, NULL) == RPC_BAD_CAPABILITY);
    CHECK(send(ECHO_OP_EXCHANGE, 1, 0, &(struct xfer){.caps_in = {4}, .n_caps_in = 1}) ==
          RPC_BAD_CAPABILITY);
    CHECK(send(ECHO_OP_WAIT_FOR | RPC_PARKS, 1, 0, NULL) == RPC_BAD_CAPABILITY);
}

static void joined_memory(void)
{
    struct {
        struct echo_shape shape;
        char name[300];
    } out;
    size_t length;

    reset();
    memset(&out, 'x', sizeof(out));
    CHECK(echo_name(GATE, 4, &out.shape, sizeof(out.name), &length) == 0);
    CHECK(out.shape.area == 4 && out.shape.style == 0 && length == 31);
    CHECK(!strcmp(out.name, "a rather long name for a shape"));
    CHECK(echo_name(GATE, 4, &out.shape, 3, &length) == 0 && length == 3);
    CHECK(echo_name(GATE, 9, &out.shape, 3, &length) == ECHO_ERROR_NODATA);
    CHECK(echo_name(GATE, 10, &out.shape, 3, &length) == RPC_BAD_FIELD);
}

static void truth_values(void)
{
    reset();
    for (unsigned bits = 0; bits < 4; bits++) {
        bool first = bits & 1, second = bits >> 1, not_first, not_second;
        uint8_t same;

        CHECK(echo_invert(GATE, first, 200, second, &not_first, &same, &not_second) == 0);
        CHECK(not_first == !first && not_second == !second && same == 200);
    }
    CHECK(send(ECHO_OP_INVERT, 2, 0, NULL) == RPC_BAD_FIELD);
    CHECK(send(ECHO_OP_INVERT, 0x20000, 0, NULL) == RPC_BAD_FIELD);
    CHECK(send(ECHO_OP_INVERT, 0x010001, 0, NULL) == 0);
}

static void first_words(void)
{
    reset();
    CHECK(send(0, 0, 0, NULL) == RPC_BAD_OPERATION);
    CHECK(send(10, 0, 0, NULL) == RPC_BAD_OPERATION);
    CHECK(send(ECHO_OP_NULL | RPC_PARKS, 0, 0, NULL) == RPC_BAD_OPERATION);
    CHECK(send(ECHO_OP_NULL | 1 << 16, 0, 0, NULL) == RPC_BAD_SEQUENCE);
    CHECK(send(ECHO_OP_COUNT, 1 | (uint64_t)1 << 32, 0, NULL) == RPC_BAD_SEQUENCE);
    CHECK(send(ECHO_OP_COUNT | (uint64_t)7 << 16, 1 | (uint64_t)1 << 32, 0, NULL) ==
          RPC_BAD_SEQUENCE);
    CHECK(send(ECHO_OP_COUNT | (uint64_t)1 << 32, 1 | (uint64_t)1 << 32, 0, NULL) == 0);
}

/* One request of move whose block, fields or length can be changed. */
struct move_block {
    struct echo_move_request request;
    struct echo_shape shape;
    char names[128];
};

static uint64_t send_move(
    const struct move_block *block, size_t in_bytes, size_t out_bytes, uint64_t w1, int8_t small)
{
    static char out[1024];
    struct xfer x = {.in = block, .in_len = in_bytes, .out = out, .out_len = out_bytes};

    return send(ECHO_OP_MOVE, w1, (uint8_t)small, &x);
}

static void blocks_are_checked(void)
{
    const uint64_t lengths = 10 | 20 << 16;
    const size_t fixed = offsetof(struct move_block, names);
    const size_t out = sizeof(struct echo_move_reply) + sizeof(struct echo_shape);
    struct move_block good = {.request = {.spilled = 1}, .shape = good_shape()}, bad;

    reset();
    CHECK(send_move(&good, fixed + 30, out, lengths, 0) == 0);
    for (size_t bytes = 0; bytes < fixed; bytes++)
        CHECK(send_move(&good, bytes, out, lengths, 0) == RPC_BAD_BUFFER, "%zu", bytes);
    for (size_t bytes = 0; bytes < out; bytes++)
        CHECK(send_move(&good, fixed + 30, bytes, lengths, 0) == RPC_BAD_BUFFER, "%zu", bytes);
    CHECK(send_move(&good, fixed + 30, out, lengths, 6) == RPC_BAD_FIELD);
    CHECK(send_move(&good, fixed + 30, out, lengths, -6) == RPC_BAD_FIELD);
    CHECK(send_move(&good, fixed + 30, out, 0, 0) == RPC_BAD_FIELD, "empty name");
    CHECK(send_move(&good, fixed + 128, out, 65, 0) == RPC_BAD_FIELD, "long name");
#define BAD(change)                                                                                \
    do {                                                                                           \
        bad = good;                                                                                \
        change;                                                                                    \
        CHECK(send_move(&bad, fixed + 30, out, lengths, 0) == RPC_BAD_FIELD, "%s", #change);       \
    } while (0)
    BAD(bad.request.spilled = 0);
    BAD(bad.request.spilled = UINT64_MAX);
    BAD(bad.request.spilled_style = 4);
    BAD(*(uint8_t *)&bad.request.mirror = 2);
    BAD(*(uint8_t *)&bad.request.spilled_bool = 0x80);
    BAD(bad.shape.corners[2].y = 1001);
    BAD(bad.shape.corners[0].x = -1001);
    BAD(bad.shape.style = 0x8000);
    BAD(bad.shape.direction = 0);
    BAD(bad.shape.direction = 3);
    BAD(*(uint8_t *)&bad.shape.visible = 2);
    BAD(bad.shape.padding_27[0] = 1);
#undef BAD
}

static uint64_t lie;

static void serve_lies(uint64_t badge, struct msg *m)
{
    (void)badge;
    memset(m, 0, sizeof(*m));
    m->w[1] = lie;
}

/* Lengths beyond the capacity must not reach the caller's memcpy. */
static void hostile_server(void)
{
    struct echo_shape shape = good_shape(), moved;
    char *first = malloc(8), *second = malloc(8);
    size_t first_length, second_length;
    int16_t i16;
    int8_t i8;
    uint64_t u[5];

    reset();
    loopback.serve = serve_lies;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t status;

        lie = test_random();
        if (test_below(2))
            lie &= 0x000f000f;
        status = echo_move(GATE, &shape, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, "a", 1, "", 0, &moved, first,
            8, &first_length, second, 8, &second_length, &i16, &u[0], &u[1], &u[2], &u[3], &u[4],
            &i8);
        CHECK(status == ((uint16_t)lie <= 8 && (uint16_t)(lie >> 16) <= 8 ? 0 : RPC_BAD_BUFFER));
        status = echo_echo(GATE, "a", 1, first, 8, &first_length);
        CHECK(status == ((uint16_t)lie <= 8 ? 0 : RPC_BAD_BUFFER));
    }
    free(first);
    free(second);
}

static void random_requests(void)
{
    struct rpc_fuzz fuzz = {.protocol = &echo_fuzz, .state = test_random()};
    unsigned successes = 0;

    reset();
    for (int round = 0; round < FUZZ_ROUNDS; round++) {
        struct rpc_fuzz_request request;
        char in[512], *out;
        struct msg m;
        struct xfer x = {.in = in};

        rpc_fuzz_make(&fuzz, &request, in, sizeof(in));
        out = malloc(request.out_bytes + 1);
        memcpy(m.w, request.words, sizeof(m.w));
        x.in_len = request.in_bytes;
        x.out = out;
        x.out_len = request.out_bytes;
        for (x.n_caps_in = 0; x.n_caps_in < request.caps && x.n_caps_in < 4; x.n_caps_in++)
            x.caps_in[x.n_caps_in] = 50 + x.n_caps_in;
        rt_call_x(GATE, &m, &x);
        free(out);
        successes += m.w[0] == 0;
        CHECK(rpc_fuzz_is_stated(&request, m.w[0]), "operation %llx answered %llx",
            (unsigned long long)request.words[0], (unsigned long long)m.w[0]);
    }
    CHECK(successes > FUZZ_ROUNDS / 4, "only %u succeeded", successes);
}

static uint64_t traced(const struct rpc_trace_operation *operation, const char *name)
{
    for (int i = 0; i < operation->request_count; i++) {
        const struct rpc_trace_field *field = &operation->request[i];
        uint64_t value = loopback.request.w[field->word] >> field->shift;

        if (!strcmp(field->name, name))
            return field->bits == 64 ? value : value & (((uint64_t)1 << field->bits) - 1);
    }
    return 0xbad;
}

static void trace_tables(void)
{
    int64_t value;
    size_t length;
    char copy[100];

    reset();
    CHECK(echo_trace.operation_count == 9 && echo_trace.error_count == 2);
    for (size_t i = 1; i < echo_trace.operation_count; i++)
        CHECK(echo_trace.operations[i].number > echo_trace.operations[i - 1].number);
    echo_count(GATE, ECHO_DIRECTION_DOWN, 321, &value);
    CHECK(!strcmp(echo_trace.operations[3].name, "count") && echo_trace.operations[3].mutating);
    CHECK(traced(&echo_trace.operations[3], "direction") == 2);
    CHECK(traced(&echo_trace.operations[3], "step") == 321);
    echo_echo(GATE, "text", 4, copy, 100, &length);
    CHECK(traced(&echo_trace.operations[2], "text_length") == 4);
    CHECK(traced(&echo_trace.operations[2], "copy_capacity") == 100);
}

int main(void)
{
    TEST(plain_words);
    TEST(buffers);
    TEST(mutating);
    TEST(parking);
    TEST(everything_at_once);
    TEST(capabilities);
    TEST(joined_memory);
    TEST(truth_values);
    TEST(first_words);
    TEST(blocks_are_checked);
    TEST(hostile_server);
    TEST(random_requests);
    TEST(trace_tables);
    return test_result();
}
