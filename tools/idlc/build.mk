# SPDX-License-Identifier: MIT
# The interface compiler and its tests.

$(call host-program,idlc,tools/idlc,main.c support.c lex.c parse.c check.c layout.c emit.c \
	emit_types.c emit_client.c emit_server.c emit_tables.c emit_reference.c)

# The runtime's headers that talk to the kernel are replaced by the ones in test/include.
IDLC_TEST := -Itools/idlc/test -Itools/idlc/test/include -Ilib/rt/include

$(call host-test,idlc_roundtrip,tools/idlc,tools/idlc/test/roundtrip_test.c \
	tools/idlc/test/loopback.c tools/idlc/test/echo_server.c proto/golden/echo/echo_dispatch.c \
	proto/golden/echo/echo_trace.c proto/golden/echo/echo_fuzz.c \
	lib/rt/fuzz.c,$(IDLC_TEST) -Iproto/golden/echo/include)
$(call host-test,idlc_file,tools/idlc,tools/idlc/test/file_test.c tools/idlc/test/loopback.c \
	tools/idlc/test/file_server.c proto/golden/file/file_dispatch.c \
	proto/golden/file/file_fuzz.c lib/rt/fuzz.c,$(IDLC_TEST) -Iproto/golden/file/include)

HOST_TESTS += tools/idlc/test/idlc-errors.sh tools/idlc/test/idlc-golden.sh
