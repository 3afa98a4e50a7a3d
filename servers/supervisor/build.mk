# SPDX-License-Identifier: MIT
$(call user-program,supervisor,servers/supervisor,main.c control.c watch.c region.c log.c,\
	proto-supervisor server spawn rt)
