# SPDX-License-Identifier: MIT
$(call host-program,feed,tools/feed,feed.c)
