# SPDX-License-Identifier: MIT
$(call user-program,counter,servers/counter,main.c,proto-counter server rt)
