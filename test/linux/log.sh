#!/bin/sh
# SPDX-License-Identifier: MIT
# log.sh: what servers have logged is read at the prompt, in the order of its times, also what one
# said before it died. Prints test lines for tools/testrun.
set -u
tmp=build/tmp/log-$$
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT

echo "TEST log"
./pith run --timeout 100 -- /bin/sh -c 'servers kill ramfs; servers kill memory; sleep 1; log' \
	>"$tmp/out" 2>"$tmp/err" </dev/null
status=$?
if [ $status = 0 ] && sort -c -n "$tmp/out" && grep -q '\[ramfs\] .* files, ' "$tmp/out" &&
	grep -q '\[supervisor\] up: 7 components are ready' "$tmp/out" &&
	[ "$(grep -c '\[supervisor\] .* was killed' "$tmp/out")" = 2 ] &&
	[ "$(grep -c '\[supervisor\] .* restarted (incarnation 2)' "$tmp/out")" = 2 ]; then
	echo "PASS log"
else
	echo "FAIL log: status $status"
	cat "$tmp/out" "$tmp/err"
fi
echo DONE
