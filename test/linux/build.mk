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
