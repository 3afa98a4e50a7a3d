# SPDX-License-Identifier: MIT
$(call user-program,console,drivers/console,main.c discipline.c,file proto-terminal \
	proto-ready proto-file server rt)
