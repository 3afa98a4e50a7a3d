# SPDX-License-Identifier: MIT
# Ring crash-long: kills servers at each step of their protocols, on request only.

RING_WHAT="kills servers at each step of their protocols"

ring_exists() {
	has_image crash
}

ring_run() {
	build CONFIG=debug build/debug/pith.elf build/debug/system/crash.img
	run_tests crash-long --stall 300 --timeout 7200 --elf build/debug/pith.elf \
		tools/qemu-run --smp 4 --timeout 7200 build/debug/pith.elf build/debug/system/crash.img
}
