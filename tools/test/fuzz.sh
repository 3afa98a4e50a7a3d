# SPDX-License-Identifier: MIT
# Ring fuzz: random system calls against the debug kernel, which checks itself; a short run.

RING_WHAT="random system calls, a short run"

ring_exists() {
	has_image kfuzz
}

ring_run() {
	build CONFIG=debug build/debug/pith.elf build/debug/system/kfuzz.img
	for cpus in 1 4; do
		run_tests "fuzz/cpu$cpus" --stall 400 --timeout 1200 --elf build/debug/pith.elf \
			tools/qemu-run --smp $cpus --timeout 1200 build/debug/pith.elf \
			build/debug/system/kfuzz.img
	done
}
