# SPDX-License-Identifier: MIT
$(call user-program,files,test/system,files.c,proto-file server rt)
$(call user-program,hang,test/system,hang.c,proto-counter server rt)
$(call user-program,heartbeat,test/system,heartbeat.c,proto-counter server rt)
$(call user-program,memory-test,test/system,memory.c probe.c,proto-memory server rt)
