# SPDX-License-Identifier: MIT
# The same programs for Linux and for Pith: each static, with glibc and with musl.
LINUX_TESTS := $(basename $(notdir $(wildcard test/linux/*.c)))
LINUX_TEST_OUT := $(BUILD)/linux-test
LINUX_TEST_CFLAGS := -static -s -O1 -std=gnu11 -Wall -Wextra -Werror -Wno-nonnull -Wno-restrict -Itest/linux/include

$(LINUX_TEST_OUT)/glibc/%: test/linux/%.c test/linux/include/try.h test/linux/build.mk
	mkdir -p $(@D)
	$(call say,glibc,$@)
	$(CC) $(LINUX_TEST_CFLAGS) -o $@ $< -pthread -lrt -lutil
$(LINUX_TEST_OUT)/musl/%: test/linux/%.c test/linux/include/try.h test/linux/build.mk
	mkdir -p $(@D)
	$(call say,musl,$@)
	musl-gcc $(LINUX_TEST_CFLAGS) -o $@ $< -pthread
$(LINUX_TEST_OUT)/driver: test/linux/driver/driver.c test/linux/build.mk
	mkdir -p $(@D)
	musl-gcc $(LINUX_TEST_CFLAGS) -o $@ $<

.PHONY: linux-tests
linux-tests: $(LINUX_TEST_OUT)/driver $(LINUX_TESTS:%=$(LINUX_TEST_OUT)/glibc/%) \
	$(LINUX_TESTS:%=$(LINUX_TEST_OUT)/musl/%)

# Programs nobody here wrote: Debian's Lua and SQLite in small mains.
$(LINUX_TEST_OUT)/programs/lua: test/linux/programs/lua.c
	mkdir -p $(@D)
	$(call say,glibc,$@)
	$(CC) -static -s -O1 -Wall -Wextra -Werror -I/usr/include/lua5.4 -o $@ $< -l:liblua5.4.a -lm 2>$(LINUX_TEST_OUT)/$(@F).log || { cat $(LINUX_TEST_OUT)/$(@F).log; false; }
$(LINUX_TEST_OUT)/programs/sqlite: test/linux/programs/sqlite.c
	mkdir -p $(@D)
	$(call say,glibc,$@)
	$(CC) -static -s -O1 -Wall -Wextra -Werror -o $@ $< -l:libsqlite3.a -lm -pthread 2>$(LINUX_TEST_OUT)/$(@F).log || { cat $(LINUX_TEST_OUT)/$(@F).log; false; }
linux-tests: $(LINUX_TEST_OUT)/programs/lua $(LINUX_TEST_OUT)/programs/sqlite

# A program that knows where the layer's functions and data lie, and calls servers by itself.
HOSTILE_SRCS := test/linux/hostile/hostile.c lib/rt/fuzz.c $(foreach p,memory process file pipe terminal \
	ready supervisor,proto/golden/$(p)/$(p)_fuzz.c)
HOSTILE_LAYER := $(BUILD)/release/linux/linux.elf
hostile_at = 0x$(shell nm $(HOSTILE_LAYER) | sed -n 's/^\([0-9a-f]*\) . $(1)$$/\1/p')
$(LINUX_TEST_OUT)/hostile: $(HOSTILE_SRCS) $(HOSTILE_LAYER) linux/block.h test/linux/build.mk
	mkdir -p $(@D)
	$(call say,glibc,$@)
	$(CC) $(LINUX_TEST_CFLAGS) -Ilib/rt/include -iquote linux -Iabi/include -I$(GEN) \
		$(foreach p,memory process file pipe terminal ready supervisor,-Iproto/golden/$(p)/include) -DHOSTILE_CALL=$(call hostile_at,rt_call) \
		-DHOSTILE_CALL_X=$(call hostile_at,rt_call_x) -DHOSTILE_DATA=$(call hostile_at,layer_data) \
		-DHOSTILE_DATA_END=$(call hostile_at,layer_data_end) -o $@ $(HOSTILE_SRCS)
