/* SPDX-License-Identifier: MIT */
#include <kernel.h>
bool kernel_check(const char **what)
{
    (void)what;
    return true;
}
