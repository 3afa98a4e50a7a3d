/* SPDX-License-Identifier: MIT */
/* The supervisor's service. */
#include "supervisor.h"

void control_open(void)
{
}
