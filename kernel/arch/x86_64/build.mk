# SPDX-License-Identifier: MIT
KERNEL_SRCS += $(addprefix kernel/arch/x86_64/,start.S trampoline.S features.c boot_alloc.c \
	cpu_area.c cpu_init.c apic.c ioapic.c clock.c smp.c console.c)
