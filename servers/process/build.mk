# SPDX-License-Identifier: MIT
$(call user-program,process,servers/process,main.c serve.c life.c signal.c,proto-process \
	proto-memory server rt)
