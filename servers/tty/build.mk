# SPDX-License-Identifier: MIT
$(call user-program,tty,servers/tty,main.c serve.c discipline.c line.c,file proto-terminal \
	proto-ready proto-file server rt)
