# SPDX-License-Identifier: MIT
# The part of the runtime library that talks to the kernel.
RT_SRCS := start.S component.c call.c
