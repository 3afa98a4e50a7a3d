# SPDX-License-Identifier: MIT
#
# The one Makefile. Everything it makes is below build/ (see CONTRIBUTING.md).
#
#   make                      the kernel, all programs and images, release build
#   make CONFIG=debug         the same with -DPITH_DEBUG and the kernel's own checks
#   make host-tests           host tools and host unit tests
#
# Each component has a build.mk, included here, which adds to the lists
#   BOOT_SRCS, KERNEL_SRCS    paths from the repository's root
#   KERNEL_INCLUDES           folders
# or calls one of these (a source without a slash is in FOLDER, one with a slash is a path from
# the root; a library LIB offers LIB's FOLDER/include):
#   $(call user-library,NAME,FOLDER,SOURCES[,LIBS])       build/CONFIG/FOLDER/libNAME.a
#   $(call user-program,NAME,FOLDER,SOURCES,LIBS)         build/CONFIG/FOLDER/NAME.elf
#   $(call host-program,NAME,FOLDER,SOURCES[,CFLAGS])     build/host/NAME
#   $(call host-test,NAME,FOLDER,SOURCES[,CFLAGS])        build/host/test/NAME, with sanitizers,
#                                                         run by the ring "host" of ./pith test
#   $(call image,NAME,MEMBER=FILE…)                       build/CONFIG/system/NAME.img
# The host functions know nothing of the target: they compile with the host's own headers.

CONFIG ?= release
BUILD ?= build
ARCH := x86_64
# The image that ./pith run and ./pith image boot.
RUN_IMAGE ?= ktest

ifeq ($(filter release debug,$(CONFIG)),)
$(error CONFIG is release or debug, not "$(CONFIG)")
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
ifndef VERBOSE
.SILENT:
endif

CC := gcc
AR := gcc-ar
STRIP := strip
HOST_CC := gcc
OUT := $(BUILD)/$(CONFIG)
GEN := $(BUILD)/gen
HOST := $(BUILD)/host

# ---------------------------------------------------------------------------- flags

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
# Paths in debug information are relative, so that two clones build the same bytes.
COMMON := -std=gnu11 $(WARNINGS) -g -MMD -MP -ffile-prefix-map=$(CURDIR)=.
ANALYZE ?=
ifneq ($(ANALYZE),)
COMMON += -fanalyzer
endif
DEBUG_release :=
DEBUG_debug := -DPITH_DEBUG

TARGET := $(COMMON) $(DEBUG_$(CONFIG)) -O2 -ffreestanding -fwrapv -fno-pic -fno-pie \
	-mgeneral-regs-only -fno-stack-protector -fcf-protection=none -I$(GEN) -Iabi/include
KERNEL_INCLUDES := kernel/include kernel/arch/$(ARCH)/include kernel/arch/$(ARCH)
# Small, except for what types.h's ALWAYS_INLINE marks.
KERNEL_CFLAGS = $(TARGET) -Os -mpreferred-stack-boundary=3 -mincoming-stack-boundary=3 \
	-fno-strict-aliasing -mcmodel=kernel -mno-red-zone -fno-asynchronous-unwind-tables \
	$(addprefix -I,$(KERNEL_INCLUDES))
BOOT_CFLAGS = $(TARGET) -mcmodel=small -mno-red-zone -fno-asynchronous-unwind-tables \
	-Iboot -Iboot/include $(addprefix -I,$(KERNEL_INCLUDES))
USER_CFLAGS := $(TARGET) -mno-sse -mno-mmx -mno-avx -fno-asynchronous-unwind-tables
HOST_CFLAGS := $(COMMON) -O2 -D_GNU_SOURCE -I$(GEN) -Iabi/include
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,-z,noexecstack

# ---------------------------------------------------------------------------- functions

say = printf '  %-8s %s\n' '$(1)' '$(2)'
# Sources of FOLDER $(1): names without a slash are in it.
sources-in = $(foreach s,$(2),$(if $(findstring /,$(s)),$(s),$(1)/$(s)))
objects-in = $(addprefix $(1)/,$(addsuffix .o,$(2)))

# Generated headers come before every object. $(call compile,OBJECTDIR,SOURCE,CC,FLAGSVAR,EXTRA)
define compile-rule
$(1)/$(2).o: $(2) Makefile $$(BUILD_FILES) $$(ARCH_BUILD_FILES) | $$(ABI)
	mkdir -p $$(@D)
	$$(call say,cc,$(2))
	$(3) $$($(4)) $(5) -c -o $$@ $$<
DEPS += $(1)/$(2).d
endef
compile = $(foreach s,$(2),$(eval $(call compile-rule,$(1),$(s),$(3),$(4),$(5))))

lib-includes = $(foreach l,$(1),-I$(LIB_$(l)_FOLDER)/include)
lib-files = $(foreach l,$(1),$(OUT)/$(LIB_$(l)_FOLDER)/lib$(l).a)

define user-library
$(eval LIB_$(1)_FOLDER := $(2))
$(eval LIBRARIES += $(1):$(4))
$(eval LIB_$(1)_SRCS := $(call sources-in,$(2),$(3)))
endef

define user-program
$(eval PROGRAMS += $(2)/$(1))
$(eval PROGRAM_$(2)/$(1)_SRCS := $(call sources-in,$(2),$(3)))
$(eval PROGRAM_$(2)/$(1)_LIBS := $(4))
endef

# Libraries and programs are defined after all fragments were read, so their order is free.
define library-rules
$(call compile,$(OUT)/obj/lib-$(1),$(LIB_$(1)_SRCS),$(CC),USER_CFLAGS,-I$(LIB_$(1)_FOLDER) \
	-I$(LIB_$(1)_FOLDER)/include $(call lib-includes,$(2)))
$(eval $(OUT)/$(LIB_$(1)_FOLDER)/lib$(1).a: $(call objects-in,$(OUT)/obj/lib-$(1),$(LIB_$(1)_SRCS))
	mkdir -p $$(@D)
	$$(call say,ar,$$@)
	rm -f $$@
	$(AR) rcsD $$@ $$^)
endef

define program-link
$(OUT)/$(1).elf: $(2) $(3) lib/rt/user.ld
	mkdir -p $$(@D)
	$$(call say,ld,$$@)
	$(CC) $(LINK) -Wl,-T,lib/rt/user.ld -o $$@ $(2) -Wl,--start-group $(3) -lgcc -Wl,--end-group
$(OUT)/$(1).stripped: $(OUT)/$(1).elf
	$(STRIP) --strip-debug -o $$@ $$<
endef
define program-rules
$(call compile,$(OUT)/obj/$(1),$(PROGRAM_$(1)_SRCS),$(CC),USER_CFLAGS,-I$(patsubst %/,%,$(dir \
	$(1))) $(call lib-includes,$(PROGRAM_$(1)_LIBS)))
$(eval $(call program-link,$(1),$(call objects-in,$(OUT)/obj/$(1),$(PROGRAM_$(1)_SRCS)),$(call \
	lib-files,$(PROGRAM_$(1)_LIBS))))
endef

define host-link
$(HOST)/$(1): $(2)
	mkdir -p $$(@D)
	$$(call say,link,$$@)
	$(HOST_CC) $(3) -o $$@ $(2)
endef
define host-rules
$(call compile,$(HOST)/obj/$(1),$(call sources-in,$(2),$(3)),$(HOST_CC),HOST_CFLAGS,-I$(2) $(4))
$(eval $(call host-link,$(1),$(call objects-in,$(HOST)/obj/$(1),$(call sources-in,$(2),$(3))),$(5)))
endef
define host-program
$(eval HOST_PROGRAMS += $(HOST)/$(1))
$(call host-rules,$(1),$(2),$(3),$(4),)
endef
define host-test
$(eval HOST_TESTS += $(HOST)/test/$(1))
$(call host-rules,test/$(1),$(2),$(3),$(SANITIZE) -O1 $(4),$(SANITIZE))
endef

# Programs go into images without their debug information.
member-files = $(foreach m,$(1),$(patsubst %.elf,%.stripped,$(lastword $(subst =, ,$(m)))))
define image-rule
IMAGES += $(OUT)/system/$(1).img
$(OUT)/system/$(1).img: $(call member-files,$(2)) $(HOST)/mkimage
	mkdir -p $$(@D)
	$$(call say,image,$$@)
	$(HOST)/mkimage $$@ $(patsubst %.elf,%.stripped,$(2))
endef
image = $(eval $(call image-rule,$(1),$(2)))

# ---------------------------------------------------------------------------- components

BUILD_FILES := $(wildcard boot/build.mk kernel/build.mk kernel/*/build.mk lib/build.mk \
	lib/*/build.mk tools/build.mk tools/*/build.mk test/build.mk test/*/build.mk \
	bench/build.mk bench/*/build.mk proto/build.mk servers/*/build.mk fs/*/build.mk \
	drivers/*/build.mk drivers/*/*/build.mk linux/build.mk system/build.mk)
# These are included by kernel/arch/build.mk.
ARCH_BUILD_FILES := $(wildcard kernel/arch/$(ARCH)/build.mk)

# Headers and reference pages are generated from the tables in abi/.
ABI_TABLES := $(wildcard abi/*.tbl)
ABI := $(if $(ABI_TABLES),$(GEN)/abi/.done)

include $(BUILD_FILES)

$(foreach l,$(LIBRARIES),$(call library-rules,$(firstword $(subst :, ,$(l))),$(wordlist 2,99,$(subst \
	:, ,$(l)))))
$(foreach p,$(PROGRAMS),$(call program-rules,$(p)))

# abigen makes what every other compilation waits for, so it has a rule of its own.
$(GEN)/abi/.done: $(ABI_TABLES) $(HOST)/abigen
	mkdir -p $(@D) docs/reference
	$(call say,abigen,$(@D))
	$(HOST)/abigen abi $(@D) docs/reference
	touch $@
# So that what includes such a header is made anew in the same run.
$(GEN)/abi/%.h: $(GEN)/abi/.done ;
$(HOST)/abigen: $(wildcard tools/abigen/*.c tools/abigen/*.h) Makefile
	mkdir -p $(@D)
	$(call say,link,$@)
	$(HOST_CC) $(filter-out -MMD -MP,$(HOST_CFLAGS)) -o $@ $(filter %.c,$^)

# ---------------------------------------------------------------------------- the kernel

KERNEL := $(OUT)/pith.elf
KERNEL_LD := kernel/arch/$(ARCH)/kernel.ld
KERNEL_OBJS := $(call objects-in,$(OUT)/obj/boot,$(BOOT_SRCS)) \
	$(call objects-in,$(OUT)/obj/pith-kernel,$(KERNEL_SRCS))
$(call compile,$(OUT)/obj/boot,$(BOOT_SRCS),$(CC),BOOT_CFLAGS)
$(call compile,$(OUT)/obj/pith-kernel,$(KERNEL_SRCS),$(CC),KERNEL_CFLAGS)

$(KERNEL): $(KERNEL_OBJS) $(KERNEL_LD)
	mkdir -p $(@D)
	$(call say,ld,$@)
	$(CC) $(LINK) -Wl,-T,$(KERNEL_LD) -o $@ $(KERNEL_OBJS)

# ---------------------------------------------------------------------------- images

# One program alone as the image's root, once the program exists: IMAGE:PROGRAM
SINGLE_IMAGES := ktest:kernel/test/ktest kbench:bench/kernel/kbench kfuzz:test/fuzz/kfuzz
$(foreach i,$(SINGLE_IMAGES),$(if $(filter $(lastword $(subst :, ,$(i))),$(PROGRAMS)),$(call \
	image,$(firstword $(subst :, ,$(i))),root=$(OUT)/$(lastword $(subst :, ,$(i))).elf)))

$(OUT)/system/boot.img: $(OUT)/system/$(RUN_IMAGE).img Makefile
	cp $< $@

# ISO images: what ./pith run boots, and the kernel's tests for the boot matrix.
$(OUT)/pith.iso: $(KERNEL) $(OUT)/system/boot.img boot/grub/grub.cfg tools/mkiso
	$(call say,iso,$@)
	tools/mkiso $@ $(KERNEL) $(OUT)/system/boot.img
$(OUT)/test.iso: $(KERNEL) $(OUT)/system/ktest.img boot/grub/grub.cfg tools/mkiso
	$(call say,iso,$@)
	tools/mkiso $@ $(KERNEL) $(OUT)/system/ktest.img test=boot

# ---------------------------------------------------------------------------- goals

.PHONY: all kernel programs images host host-tests list-host-tests list-images clean
all: $(if $(KERNEL_SRCS),kernel) programs images host
kernel: $(KERNEL)
programs: $(PROGRAMS:%=$(OUT)/%.elf)
images: $(IMAGES)
host: $(HOST_PROGRAMS)
host-tests: host $(HOST_TESTS)
# For the shell tools: what this tree has.
list-host-tests:
	$(foreach t,$(HOST_TESTS),echo $(t);)
list-images:
	$(foreach i,$(basename $(notdir $(IMAGES))),echo $(i);)
clean:
	rm -rf $(BUILD)

-include $(DEPS)
