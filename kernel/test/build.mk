# SPDX-License-Identifier: MIT
$(call user-program,ktest,kernel/test,start.S ktest.c,)
