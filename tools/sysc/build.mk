# SPDX-License-Identifier: MIT
$(call host-program,sysc,tools/sysc,sysc.c,-Ilib/spawn/include)
