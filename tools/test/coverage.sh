# SPDX-License-Identifier: MIT
# Ring coverage: how much of the release kernel the tests of ring kernel run. It exists once
# test/coverage/minimum does, which holds the least percentage of lines and then, a line each, the
# functions that no test can reach.

RING_WHAT="how much of the kernel the tests run"

ring_exists() {
	has_image ktest && [ -e test/coverage/minimum ]
}

ring_run() {
	elf=build/release/pith.elf
	build $elf build/release/system/ktest.img
	for cpus in 1 4; do
		tools/qemu-run --smp $cpus --timeout 900 --qemu "-d in_asm -D $PITH_TMP/asm.$cpus" \
			$elf build/release/system/ktest.img </dev/null >"$logs/coverage.$cpus.log" 2>&1
	done
	run_tests coverage --timeout 120 tools/coverage $elf test/coverage/minimum \
		"$PITH_TMP/asm.1" "$PITH_TMP/asm.4"
	sed -n 's/^FIGURE \(coverage.lines .*\)/\1 of the kernel are run/p' "$logs/coverage.log"
	rm -f "$PITH_TMP"/asm.*
}
