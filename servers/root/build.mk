# SPDX-License-Identifier: MIT
$(call user-program,root,servers/root,start.S main.c,spawn rt)
