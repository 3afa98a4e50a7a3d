// SPDX-License-Identifier: MIT
/*
 * The tests' file server.
 */
#pragma once

#include <proto/file_server.h>

/* What every operation answers once it accepted its arguments: 0 or an error. */
extern uint32_t file_server_answer;
