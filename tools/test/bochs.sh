# SPDX-License-Identifier: MIT
# Ring bochs: the kernel's tests on the processor features that QEMU's emulator lacks (PCID,
# INVPCID, x2APIC), from the ISO, with BIOS. Needs Debian's bochs, bochsbios
# and vgabios.

RING_WHAT="tests inside the guest under bochs: PCID, INVPCID, x2APIC"

ring_exists() {
	has_image ktest
}

ring_run() {
	if ! command -v bochs >/dev/null 2>&1 || [ ! -r /usr/share/bochs/BIOS-bochs-latest ] ||
		[ ! -r /usr/share/bochs/VGABIOS-lgpl-latest ]; then
		skip_test bochs "bochs is not complete (apt-get install bochs bochsbios vgabios)"
		return 0
	fi
	build build/release/pith.elf build/release/system/ktest.img
	tools/mkiso "$PITH_TMP/bochs.iso" build/release/pith.elf build/release/system/ktest.img
	for cpus in 1 4; do
		run_tests "bochs/cpu$cpus" --stall 900 --timeout 3000 --elf build/release/pith.elf \
			tools/bochs-run --smp $cpus --timeout 2900 "$PITH_TMP/bochs.iso"
	done
	# Did it have them?
	[ ! -e "$logs/bochs.cpu1.log" ] ||
		run_tests bochs/features --expect '^features: pcid .*x2apic' cat "$logs/bochs.cpu1.log"
	rm -f "$PITH_TMP/bochs.iso"
}
