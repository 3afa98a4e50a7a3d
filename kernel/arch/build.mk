# SPDX-License-Identifier: MIT
include kernel/arch/$(ARCH)/build.mk
