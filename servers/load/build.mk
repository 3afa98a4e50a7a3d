# SPDX-License-Identifier: MIT
$(call user-program,load,servers/load,main.c,proto-counter server rt)
