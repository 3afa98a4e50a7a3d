# SPDX-License-Identifier: MIT
$(call user-program,ramfs,fs/ramfs,serve.c walk.c node.c fill.c,proto-file server rt)
