/* SPDX-License-Identifier: MIT */
#include "kbench.h"

void longest_provoke(void)
{
}
