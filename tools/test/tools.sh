# SPDX-License-Identifier: MIT
# Ring tools: the scripts test/tools/*.sh, which test ./pith and the host tools themselves.

RING_WHAT="./pith and the host tools themselves"

# These tests start ./pith test, which must not start them again.
ring_exists() {
	[ -z "${PITH_INSIDE_TOOLS-}" ]
}

ring_run() {
	PITH_INSIDE_TOOLS=1
	export PITH_INSIDE_TOOLS
	for script in test/tools/*.sh; do
		[ "$script" != test/tools/lib.sh ] || continue
		run_tests tools --timeout 300 sh "$script"
	done
	unset PITH_INSIDE_TOOLS
}
