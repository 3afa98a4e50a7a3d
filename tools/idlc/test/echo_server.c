// SPDX-License-Identifier: MIT
/*
 * A server of protocol echo for tests. It checks with assertions that what reaches it is within the
 * protocol's limits: a dispatcher that lets anything else through ends the test.
 */
#include "echo_server.h"

#include <assert.h>
#include <string.h>

uint32_t echo_serve_null(struct echo_server *server, uint64_t badge)
{
    server->badge = badge;
    return 0;
}

uint32_t echo_serve_add(
    struct echo_server *server, uint64_t badge, uint64_t first, uint64_t second, uint64_t *sum)
{
    server->badge = badge;
    return __builtin_add_overflow(first, second, sum) ? ECHO_ERROR_OVERFLOW : 0;
}

uint32_t echo_serve_echo(
    struct echo_server *server, uint64_t badge, struct rpc_in text, struct rpc_out *copy)
{
    char buffer[ECHO_TEXT_MAX];
    size_t bytes = text.length < copy->capacity ? text.length : copy->capacity;

    (void)server;
    (void)badge;
    assert(text.length <= ECHO_TEXT_MAX && copy->capacity <= ECHO_TEXT_MAX && !copy->length);
    if (!rt_copy_from_client(text.offset, buffer, bytes) ||
        !rt_copy_to_client(copy->offset, buffer, bytes))
        return RPC_BAD_BUFFER;
    copy->length = bytes;
    return 0;
}

uint32_t echo_serve_count(struct echo_server *server, uint64_t badge, uint64_t sequence,
    uint8_t direction, uint32_t step, int64_t *value)
{
    (void)badge;
    assert(rpc_sequence_number(sequence) != 0);
    assert(direction == ECHO_DIRECTION_UP || direction == ECHO_DIRECTION_DOWN);
    assert(step >= 1 && step <= 1000);
    server->sequence = sequence;
    if (__builtin_add_overflow(server->counter,
            direction == ECHO_DIRECTION_UP ? (int64_t)step : -(int64_t)step, &server->counter)) {
        server->counter = 0;
        return ECHO_ERROR_OVERFLOW;
    }
    *value = server->counter;
    return 0;
}

uint32_t echo_serve_wait_for(
    struct echo_server *server, uint64_t badge, uint32_t park, int64_t value, int64_t *reached)
{
    (void)badge;
    if (server->counter < value) {
        server->parked = park;
        /* What would happen while the client waits. */
        if (park)
            server->counter = value;
        return RPC_PARK;
    }
    *reached = server->counter;
    return 0;
}

static void assert_shape(const struct echo_shape *shape)
{
    for (int i = 0; i < 3; i++) {
        assert(shape->corners[i].x >= -1000 && shape->corners[i].x <= 1000);
        assert(shape->corners[i].y >= -1000 && shape->corners[i].y <= 1000);
    }
    assert(!(shape->style & ~ECHO_STYLE_ALL));
    assert(shape->direction == ECHO_DIRECTION_UP || shape->direction == ECHO_DIRECTION_DOWN);
    assert(!shape->padding_27[0]);
}

static uint32_t copy_name(struct rpc_in in, struct rpc_out *out)
{
    char name[64];
    size_t bytes = in.length < out->capacity ? in.length : out->capacity;

    if (!rt_copy_from_client(in.offset, name, bytes) ||
        !rt_copy_to_client(out->offset, name, bytes))
        return RPC_BAD_BUFFER;
    out->length = bytes;
    return 0;
}

uint32_t echo_serve_move(struct echo_server *server, uint64_t badge, const struct echo_shape *shape,
    int8_t small, int16_t dx, int32_t dy, uint64_t a, uint64_t b, uint64_t c, bool mirror,
    uint64_t spilled, uint16_t spilled_style, bool spilled_bool, struct rpc_in old_name,
    struct rpc_in new_name, struct echo_shape *moved, struct rpc_out *first_name,
    struct rpc_out *second_name, int16_t *dx_back, uint64_t *a_back, uint64_t *b_back,
    uint64_t *c_back, uint64_t *d_back, uint64_t *e_back, int8_t *small_back)
{
    (void)server;
    (void)badge;
    assert_shape(shape);
    assert(small >= -5 && small <= 5 && spilled >= 1 && spilled < UINT64_MAX);
    assert(!(spilled_style & ~ECHO_STYLE_ALL));
    assert(old_name.length >= 1 && old_name.length <= 64 && new_name.length <= 64);
    assert(!moved->area && !*a_back);
    if (copy_name(old_name, first_name) || copy_name(new_name, second_name))
        return RPC_BAD_BUFFER;
    *moved = *shape;
    moved->area = spilled + spilled_style * 2 + spilled_bool + mirror * 8;
    *dx_back = dx;
    *a_back = a;
    *b_back = b;
    *c_back = c;
    *d_back = (uint64_t)(int64_t)dy;
    *e_back = spilled;
    *small_back = small;
    return a == 404 ? ECHO_ERROR_NODATA : 0;
}

uint32_t echo_serve_exchange(struct echo_server *server, uint64_t badge, uint32_t given,
    uint32_t more, uint32_t tag, uint32_t *first, uint32_t *second, uint32_t *given_count)
{
    (void)server;
    (void)badge;
    assert(given);
    *first = tag;
    *second = given + more;
    *given_count = 1 + (more != 0);
    return 0;
}

uint32_t echo_serve_name(struct echo_server *server, uint64_t badge, uint8_t index,
    struct echo_shape *shape, struct rpc_out *name)
{
    static const char text[] = "a rather long name for a shape";
    size_t bytes = sizeof(text) < name->capacity ? sizeof(text) : name->capacity;

    (void)server;
    (void)badge;
    assert(index <= 9 && name->offset == sizeof(*shape));
    shape->area = index;
    name->length = bytes;
    if (!rt_copy_to_client(name->offset, text, bytes))
        return RPC_BAD_BUFFER;
    return index == 9 ? ECHO_ERROR_NODATA : 0;
}

uint32_t echo_serve_invert(struct echo_server *server, uint64_t badge, bool first, uint8_t number,
    bool second, bool *not_first, uint8_t *same, bool *not_second)
{
    (void)server;
    (void)badge;
    *not_first = !first;
    *same = number;
    *not_second = !second;
    return 0;
}
