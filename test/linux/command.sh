#!/bin/sh
# SPDX-License-Identifier: MIT
# command.sh: what ./pith run makes of the command that it is given, and of a root that has next to
# nothing. Prints test lines for tools/testrun.
set -u
tmp=build/tmp/command-$$
mkdir -p "$tmp/root/bin"
trap 'rm -rf "$tmp"' EXIT
cp /bin/busybox "$tmp/root/bin/"

runs() { # NAME STATUS COMMAND…: with that status; stdout and stderr are left in $tmp
	echo "TEST $1"
	name=$1 wanted=$2
	shift 2
	./pith run --timeout 100 "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	[ $status = "$wanted" ]
}
result() { # of the last condition
	if [ $? = 0 ]; then
		echo "PASS $name"
	else
		echo "FAIL $name: status $status"
		head -c 2000 "$tmp/out" "$tmp/err"
	fi
}

# shellcheck disable=SC2046 # words
runs many-words 0 -- echo $(seq 20000) && [ "$(cat "$tmp/out")" = "$(seq 20000 | tr '\n' ' ' | sed 's/ $//')" ]
result
# shellcheck disable=SC2016 # for the shell in the guest
runs empty-words 0 -- sh -c 'printf "<%s>" "$@"' x '' a '' 'b c' && [ "$(cat "$tmp/out")" = '<><a><><b c>' ]
result
# shellcheck disable=SC2046
runs too-many-words 2 -- echo $(seq 40000) && grep -q 'longer than 128 KiB' "$tmp/err"
result
# shellcheck disable=SC2016
runs environment 0 -- A=1 'B=two words' sh -c 'echo "$A,$B,$HOME"' && [ "$(cat "$tmp/out")" = '1,two words,/root' ]
result
runs not-there 127 -- nothing &&
	grep -q 'cannot run nothing: there is no such file (error 2)' "$tmp/err"
result
runs no-program 127 -- /etc/passwd && grep -q 'cannot run /etc/passwd: it may not be executed' "$tmp/err"
result
runs bare-root 0 --root "$tmp/root" -- busybox sh -c \
	'echo x >/dev/null && echo shared >/dev/shm/a && cat /dev/shm/a && ls /dev/null /tmp && ls -d /proc/self/fd' &&
	[ "$(head -n 1 "$tmp/out")" = shared ]
result
echo DONE
