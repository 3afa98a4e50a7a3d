// SPDX-License-Identifier: MIT
/*
 * The state of the tests' echo server.
 */
#pragma once

#include <proto/echo_server.h>

struct echo_server {
    int64_t counter;
    uint64_t badge;    /* of the last null or add */
    uint64_t sequence; /* of the last count */
    uint32_t parked;   /* the last notification given to wait_for */
};
