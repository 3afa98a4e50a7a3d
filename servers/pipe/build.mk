# SPDX-License-Identifier: MIT
$(call user-program,pipe,servers/pipe,main.c,file proto-pipe proto-ready proto-file server rt)
