# SPDX-License-Identifier: MIT
# Ring crash-long: servers crash at random requests of theirs, from every third one on average to
# every hundredth, under checked workloads and under the Linux programs.

. tools/test/system.sh # crash_run
RING_WHAT="servers that crash at random requests of theirs, about an hour"

ring_exists() {
	has_image files
}

ring_run() {
	build build/release/pith.elf build/release/system/counter.img build/release/system/files.img \
		build/release/system/memory.img build/release/system/linux.img build/host/guard \
		build/host/mkroot build/host/mkimage build/host/sysc linux-tests \
		build/linux-test/hostile
	for mean in 3 4 5 7 10 14 20 30 50 100; do
		for image in counter files memory; do
			crash_run "$image" "$mean" 1
			crash_run "$image" "$mean" 2
		done
	done
	run_tests crash-long/hostile --timeout 20000 --stall 7000 env PITH_HOSTILE=1000000 \
		PITH_HOSTILE_TIMEOUT=7000 sh test/linux/hostile.sh
	for mean in 30 100 300; do
		for set in glibc-crashed busybox-crashed bash-crashed programs-crashed; do
			run_tests "crash-long/$set-$mean" --timeout 3000 --stall 2000 \
				env CONFORM_CRASH_MEAN=$mean CONFORM_BOOT_TIMEOUT=1500 \
				tools/conform/conform compare $set
		done
	done
}
