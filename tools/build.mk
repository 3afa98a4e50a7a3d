# SPDX-License-Identifier: MIT
$(call host-program,mkimage,tools/mkimage,mkimage.c)
$(call host-program,guard,tools/guard,guard.c)
$(call host-program,testrun,tools/testrun,testrun.c)
$(call host-program,loc,tools/loc,loc.c)
