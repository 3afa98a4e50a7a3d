# SPDX-License-Identifier: MIT
$(call user-program,files,test/system,files.c,proto-file server rt)
