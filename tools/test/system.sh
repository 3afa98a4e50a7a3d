# SPDX-License-Identifier: MIT
# Ring system: servers under a checked workload, undisturbed and while they are killed.

RING_WHAT="servers that are killed while clients check every answer"

# IMAGE:CHAOS_MS:CPUS, one boot each; chaos 0 kills nothing. With one processor and kills time is the
# count of instructions: on a slow or busy host the same work fits between two kills. With two the
# clock is the host's, so the kills are further apart.
SYSTEM_CASES='counter:0:1 counter:20:1 counter:1:1 files:0:1 files:10:1 files:3:1 files:60:2 memory:0:1
	memory:10:1 memory:3:1 memory:60:2 memory-sweep:0:1 heartbeat:0:1 heartbeat:0:2'

ring_exists() {
	has_image files
}

ring_run() {
	build build/release/pith.elf build/release/system/counter.img build/release/system/files.img \
		build/release/system/memory.img build/release/system/memory-sweep.img \
		build/release/system/heartbeat.img
	for case in $SYSTEM_CASES; do
		image=${case%%:*} cpus=${case##*:}
		chaos=${case#*:} chaos=${chaos%:*}
		icount=
		[ "$cpus" -gt 1 ] || [ "$chaos" -eq 0 ] || icount=--icount
		run_tests "system/$image-chaos$chaos-cpu$cpus" --timeout 500 --status 0 \
			--expect "PASS" --elf build/release/pith.elf \
			tools/qemu-run --smp "$cpus" $icount --timeout 500 --append "chaos=$chaos" \
			build/release/pith.elf "build/release/system/$image.img"
	done
	run_tests system/supervisor-hangs --timeout 100 --status 0 --expect "without a heartbeat" \
		--elf build/release/pith.elf tools/qemu-run --timeout 100 --append "chaos=20 hang=300" \
		build/release/pith.elf build/release/system/counter.img
}
