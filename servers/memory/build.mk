# SPDX-License-Identifier: MIT
$(call user-program,memory,servers/memory,serve.c space.c pages.c,proto-memory server rt)
