# SPDX-License-Identifier: MIT
$(call host-program,winsize,tools/winsize,winsize.c)
