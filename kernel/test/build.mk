# SPDX-License-Identifier: MIT
$(call user-library,guest,test/guest,guest.c)
$(call user-program,ktest,kernel/test,start.S harness.c boot.c caps.c regions.c maps.c threads.c \
	notify.c services.c faults.c smp.c,guest)
