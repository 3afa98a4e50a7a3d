# SPDX-License-Identifier: MIT
# For the tests of the tools: read into each script, from the repository's root.

set -u
tmp=$(mktemp -d "${PITH_TMP:-build}/test.XXXXXX") || exit 2
trap 'rm -rf "$tmp"' EXIT
# What these tests start is nobody's child but theirs.
unset PITH_TMP PITH_PID

# Runs a function as a test; when it fails it has set $reason.
run_test() { # FUNCTION
	name=$(basename "$0" .sh).$1
	echo "TEST $name"
	reason="status of the last command"
	if "$1"; then echo "PASS $name"; else echo "FAIL $name: $reason"; fi
}

expect_status() { # STATUS COMMAND…
	expected=$1
	shift
	output=$("$@" 2>&1 </dev/null)
	status=$?
	[ $status = "$expected" ] || { reason="$*: status $status, not $expected: $output"; return 1; }
}

# Waits up to 10 seconds for a condition.
eventually() { # COMMAND…
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		"$@" && return 0
		sleep 0.5
	done
	return 1
}
