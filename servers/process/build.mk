# SPDX-License-Identifier: MIT
$(call user-program,process,servers/process,main.c serve.c life.c task.c signal.c timer.c futex.c identity.c,\
	proto-process proto-memory proto-file proto-terminal server rt)
