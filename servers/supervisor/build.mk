# SPDX-License-Identifier: MIT
$(call user-program,supervisor,servers/supervisor,main.c control.c watch.c region.c,\
	proto-supervisor server spawn rt)
