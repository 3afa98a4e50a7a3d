# SPDX-License-Identifier: MIT
# Ring linux: unmodified Linux programs, also while the servers under them are killed.

RING_WHAT="unmodified Linux programs while servers are killed"

ring_exists() {
	has_image linux
}

ring_run() {
	build build/release/pith.elf build/release/system/linux.img build/host/guard \
		build/host/mkroot build/host/mkimage build/host/sysc
	for script in test/linux/*.sh; do
		name=$(basename "$script" .sh)
		run_tests "linux/$name" --timeout 400 --stall 120 sh "$script"
	done
}
