# SPDX-License-Identifier: MIT
# A plugin for the emulator: see costs.c.
HOST_PROGRAMS += $(HOST)/costs.so
$(HOST)/costs.so: tools/costs/costs.c Makefile
	mkdir -p $(@D)
	$(call say,link,$@)
	$(HOST_CC) $(filter-out -MMD -MP,$(HOST_CFLAGS)) -fPIC -shared -fvisibility=hidden -o $@ $<
