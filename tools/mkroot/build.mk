# SPDX-License-Identifier: MIT
$(call host-program,mkroot,tools/mkroot,mkroot.c)
