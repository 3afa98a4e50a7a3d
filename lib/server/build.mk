# SPDX-License-Identifier: MIT
$(call user-library,server,lib/server,server.c capsule.c,rt)
