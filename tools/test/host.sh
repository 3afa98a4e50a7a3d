# SPDX-License-Identifier: MIT
# Ring host: unit tests of pure code on the host, with sanitizers (make variable HOST_TESTS).

RING_WHAT="unit tests on the host, with sanitizers"

ring_exists() {
	[ -n "$(make -s list-host-tests </dev/null 2>/dev/null)" ]
}

ring_run() {
	build host-tests
	for program in $(make -s list-host-tests </dev/null); do
		run_tests "host/$(basename "$program")" --timeout 120 "$program"
	done
}
