/* SPDX-License-Identifier: MIT */
/* What kbench's files share. */
#pragma once
#include <guest.h>
#include <stdint.h>

/* Operations at their worst, for the longest time with interrupts off: longest.c. */
void longest_provoke(void);
