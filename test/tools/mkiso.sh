# SPDX-License-Identifier: MIT
# tools/mkiso: the same bytes from the same inputs, at another time and in another folder.
. test/tools/lib.sh

same_bytes() {
	mkdir "$tmp/1" "$tmp/2"
	echo image >"$tmp/1/image"
	cp build/host/loc "$tmp/1/kernel" # any ELF file
	tools/mkiso "$tmp/1/iso" "$tmp/1/kernel" "$tmp/1/image" words || { reason="mkiso fails"; return 1; }
	sleep 2 # the coarsest time stamp, FAT's, counts in twos
	cp "$tmp/1/image" "$tmp/1/kernel" "$tmp/2/"
	tools/mkiso "$tmp/2/iso" "$tmp/2/kernel" "$tmp/2/image" words || { reason="mkiso fails"; return 1; }
	reason="two runs differ"
	cmp -s "$tmp/1/iso" "$tmp/2/iso"
}

errors() {
	expect_status 2 tools/mkiso "$tmp/iso" || return 1
	expect_status 1 tools/mkiso "$tmp/iso" "$tmp/none" "$tmp/none" || return 1
	reason="a failed run leaves something behind"
	[ -z "$(find "$tmp" -maxdepth 1 -name 'iso*')" ]
}

run_test same_bytes
run_test errors
echo DONE
