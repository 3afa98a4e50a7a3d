# SPDX-License-Identifier: MIT
$(call user-library,guest,test/guest,guest.c)
$(call user-program,ktest,kernel/test,start.S ktest.c,guest)
