# SPDX-License-Identifier: MIT
# The glue that runs before the kernel and is discarded.
BOOT_SRCS += boot/entry.S boot/main.c boot/info.c boot/memory.c boot/cmdline.c boot/acpi.c \
	boot/calibrate.c boot/image.c boot/paging.c
