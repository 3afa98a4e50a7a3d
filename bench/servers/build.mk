# SPDX-License-Identifier: MIT
$(call user-program,sbench,bench/servers,sbench.c test/system/probe.c,proto-memory proto-file proto-counter server rt)
$(call user-program,rbench,bench/servers,rbench.c,proto-memory proto-file proto-counter server rt)
