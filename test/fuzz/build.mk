# SPDX-License-Identifier: MIT
$(call user-program,kfuzz,test/fuzz,kernel/test/start.S kfuzz.c world.c arguments.c,guest)
