# SPDX-License-Identifier: MIT
# Ring kernel: the test program inside the guest, on the debug and the release kernel, 1 and 4 CPUs.

RING_WHAT="tests inside the guest, on the real kernel"

ring_exists() {
	has_image ktest
}

ring_run() {
	# A single name is passed on, so that the guest need not run the others.
	guest_filter=
	case $names in
	'' | kernel | *' '*) ;;
	kernel/*-cpu*/*) guest_filter="test=${names##*/}" ;;
	kernel/*) guest_filter="test=${names#kernel/}" ;;
	*/*) ;;
	*) guest_filter="test=$names" ;;
	esac
	for config in debug release; do
		build CONFIG=$config build/$config/pith.elf build/$config/system/ktest.img
		for cpus in 1 4; do
			run_tests "kernel/$config-cpu$cpus" --stall 180 --timeout 1500 \
				--elf build/$config/pith.elf \
				tools/qemu-run --smp $cpus --timeout 1500 --append "$guest_filter" \
				build/$config/pith.elf build/$config/system/ktest.img
		done
	done
}
