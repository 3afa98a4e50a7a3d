# SPDX-License-Identifier: MIT
KERNEL_SRCS += $(addprefix kernel/core/,main.c lock.c cap.c thread.c sched.c wheel.c notify.c service.c \
	call.c fault.c interrupt.c time.c io.c trace.c panic.c system.c memory.c dispatch.c)
KERNEL_SRCS += $(addprefix kernel/mm/,page.c map.c space.c) kernel/arch/x86_64/entry.S
# The kernel's invariants, checked by the debug build only.
ifeq ($(CONFIG),debug)
KERNEL_SRCS += kernel/core/check.c
endif
