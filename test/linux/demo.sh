#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh: the demo that the README promises comes to its good end.
set -u
echo "TEST demo-crash"
if shown=$(./pith demo crash 2>&1) && printf '%s\n' "$shown" | grep -q 'the same result each time'; then
	echo "PASS demo-crash"
else
	echo "FAIL demo-crash: $(printf '%s\n' "$shown" | tail -n 1)"
	printf '%s\n' "$shown"
fi
echo DONE
