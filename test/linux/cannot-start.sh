#!/bin/sh
# SPDX-License-Identifier: MIT
# cannot-start.sh: where a vital component cannot be kept running, ./pith run ends with one line
# that says which and why, and status 125. Prints test lines for tools/testrun.
set -u
tmp=build/tmp/cannot-start-$$
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT

stops() { # NAME LINE COMPONENT FROM TO: with that in its description
	echo "TEST $1"
	sed "/component $3 /,/}/s/$4/$5/" system/linux.sys >"$tmp/system.sys"
	PITH_SYSTEM=$tmp/system.sys ./pith run --timeout 100 -- echo hello >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	if [ $status = 125 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" = 1 ] &&
		grep -q "^pith: the system stopped: $2\$" "$tmp/err"; then
		echo "PASS $1"
	else
		echo "FAIL $1: status $status"
		cat "$tmp/out" "$tmp/err"
	fi
}

stops small-capsule 'ramfs cannot start: capsule of 65536 bytes is too small' ramfs 'capsule .*' 'capsule 64K'
stops no-program 'pipe cannot start: nothing is not in the archive' pipe 'priority' 'binary nothing priority'
stops no-memory 'the supervisor cannot start: the machine has too little memory for this system' \
	serial 'capsule .*' 'capsule 900M'
echo DONE
