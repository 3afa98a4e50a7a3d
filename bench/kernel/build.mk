# SPDX-License-Identifier: MIT
$(call user-program,kbench,bench/kernel,kernel/test/start.S kbench.c longest.c measure.S,guest)
