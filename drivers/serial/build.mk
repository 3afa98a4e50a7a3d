# SPDX-License-Identifier: MIT
$(call user-program,serial,drivers/serial,main.c,file proto-ready proto-file server rt)
