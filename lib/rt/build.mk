# SPDX-License-Identifier: MIT
# The runtime library: RT_PURE is tested on the host, RT_KERNEL talks to the kernel.

RT_STRING := string_move.c string_fill.c string_compare.c string_scan.c string_bounded.c
RT_HEAP := heap.c heap_check.c malloc.c
RT_PURE := $(RT_STRING) $(RT_HEAP) format.c number.c tree.c hash_table.c hash_function.c sort.c \
	crc32c.c utf8.c ring.c fuzz.c

RT_KERNEL := start.S call.c component.c

$(call user-library,rt,lib/rt,$(RT_PURE) $(RT_KERNEL))

# On the host the library's functions have other names (rename.h), and strlen reads by bytes.
RT_HOST := -Ilib/rt/include -include lib/rt/test/rename.h -DRT_BYTEWISE
rt-test = $(call host-test,rt_$(1),lib/rt,lib/rt/test/$(1)_test.c $(RT_STRING) $(2),$(RT_HOST))

$(call rt-test,string,)
$(call rt-test,format,format.c number.c)
$(call rt-test,heap,$(RT_HEAP))
$(call rt-test,container,$(RT_HEAP) tree.c hash_table.c hash_function.c sort.c)
$(call rt-test,code,crc32c.c utf8.c)
$(call rt-test,ring,ring.c)
