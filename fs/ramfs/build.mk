# SPDX-License-Identifier: MIT
$(call user-program,ramfs,fs/ramfs,serve.c walk.c mount.c node.c session.c share.c lock.c fill.c,proto-file proto-memory server rt)
