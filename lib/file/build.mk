# SPDX-License-Identifier: MIT
$(call user-library,file,lib/file,unsupported.c,proto-file:server:rt)
