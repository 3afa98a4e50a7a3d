# SPDX-License-Identifier: MIT
$(call user-library,spawn,lib/spawn,spawn.c status.c crash.c,rt)
