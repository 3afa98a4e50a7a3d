# SPDX-License-Identifier: MIT
# Ring fuzz-long: like fuzz, for as long as PITH_FUZZ_SECONDS says (an hour), with a fresh seed.

RING_WHAT="random system calls for an hour (PITH_FUZZ_SECONDS)"

ring_exists() {
	has_image kfuzz
}

ring_run() {
	seconds=${PITH_FUZZ_SECONDS-3600}
	seed=$(date +%s)
	build CONFIG=debug build/debug/pith.elf build/debug/system/kfuzz.img
	echo "seed $seed, $seconds seconds"
	run_tests fuzz-long --stall 300 --timeout $((seconds + 300)) --elf build/debug/pith.elf \
		tools/qemu-run --smp 4 --timeout $((seconds + 300)) \
		--append "seed=$seed seconds=$seconds" \
		build/debug/pith.elf build/debug/system/kfuzz.img
}
