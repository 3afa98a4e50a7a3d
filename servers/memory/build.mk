# SPDX-License-Identifier: MIT
$(call user-program,memory,servers/memory,serve.c map.c range.c fault.c object.c clone.c life.c layer.c pages.c,proto-memory server rt)
