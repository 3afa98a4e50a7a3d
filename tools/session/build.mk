# SPDX-License-Identifier: MIT
$(call host-program,session,tools/session,session.c)
