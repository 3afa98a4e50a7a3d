# SPDX-License-Identifier: MIT
# Read by ./pith debug, after every *.py here and before it connects.
set pagination off
set print pretty on
set disassembly-flavor intel
