# SPDX-License-Identifier: MIT
# The Linux layer: no program like the others, because it is linked at LAYER_BASE.

LINUX_SRCS := $(wildcard linux/*.c) linux/entry.S linux/vdso.S lib/rt/call.c $(addprefix lib/rt/,string_move.c \
	string_fill.c string_compare.c string_scan.c string_bounded.c format.c number.c heap.c heap_check.c)
LINUX_CFLAGS = $(USER_CFLAGS) -fpie -fdata-sections -fvisibility=hidden -mno-red-zone -DRT_SELF_CUSTOM -Ilinux \
	-Ilib/rt/include -Iproto/golden/memory/include -Iproto/golden/file/include \
	-Iproto/golden/process/include -Iproto/golden/pipe/include \
	-Iproto/golden/terminal/include -Iproto/golden/ready/include \
	-Iproto/golden/supervisor/include
$(call compile,$(OUT)/obj/linux/linux,$(LINUX_SRCS),$(CC),LINUX_CFLAGS,)

PROGRAMS_BY_HAND += $(OUT)/linux/linux.elf
programs: $(OUT)/linux/linux.elf
$(OUT)/linux/linux.elf: $(call objects-in,$(OUT)/obj/linux/linux,$(LINUX_SRCS)) linux/layer.ld
	mkdir -p $(@D)
	$(call say,ld,$@)
	$(CC) $(LINK) -Wl,-T,linux/layer.ld -o $@ $(filter %.o,$^) -lgcc
$(OUT)/linux/linux.stripped: $(OUT)/linux/linux.elf
	$(STRIP) --strip-debug -o $@ $<
