# SPDX-License-Identifier: MIT
$(call user-program,process,servers/process,main.c serve.c life.c signal.c,proto-process \
	proto-memory proto-terminal server rt)
