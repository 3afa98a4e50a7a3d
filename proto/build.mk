# SPDX-License-Identifier: MIT
# One library for each protocol: proto-NAME offers <proto/NAME.h>, <proto/NAME_client.h> and
# <proto/NAME_server.h>, and holds the dispatcher, the trace tables and the fuzzer's tables.
#
# Builds use the files checked in below proto/golden; a test keeps them equal to what idlc writes.
# After a change of a protocol or of idlc: make golden

PROTOCOLS := $(sort $(basename $(notdir $(wildcard proto/*.idl))))
# (the libraries it uses are joined by colons: the list becomes one word)
protocol = $(call user-library,proto-$(1),proto/golden/$(1),$(addprefix \
	$(1)_,dispatch.c trace.c fuzz.c),rt:server)
$(foreach p,$(PROTOCOLS),$(call protocol,$(p)))

.PHONY: golden
golden: $(HOST)/idlc
	rm -rf proto/golden
	for p in $(PROTOCOLS); do $(HOST)/idlc proto/$$p.idl proto/golden || exit 1; done
