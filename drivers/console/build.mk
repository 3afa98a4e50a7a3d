# SPDX-License-Identifier: MIT
$(call user-program,console,drivers/console,main.c,file proto-file server rt)
