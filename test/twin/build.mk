# SPDX-License-Identifier: MIT
# No sanitizers: their shadow memory lies where page types go. The assembly wants low addresses.
$(call host-rules,test/twin,test/twin,main.c twin.c kernel/arch/x86_64/entry.S,-no-pie -fno-pie \
	-Wno-pedantic -Ikernel/include -Ikernel/arch/x86_64/include -Ikernel/arch/x86_64,-no-pie)
HOST_TESTS += $(HOST)/test/twin
