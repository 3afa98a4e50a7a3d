# SPDX-License-Identifier: MIT
# tools/mkimage: the archive's bytes, and clear errors.
. test/tools/lib.sh
mkimage=build/host/mkimage

contents() {
	printf 'abc' >"$tmp/a"
	printf 'defg' >"$tmp/b"
	$mkimage "$tmp/out" root="$tmp/a" dir/b="$tmp/b" || return 1
	# Two members and the trailer: (110+5→116)+4, (110+6→116)+4, 110+11→124.
	size=$(wc -c <"$tmp/out")
	[ "$size" = 364 ] || { reason="size $size, not 364"; return 1; }
	[ "$(head -c 6 "$tmp/out")" = 070701 ] || { reason="magic number"; return 1; }
	tr '\0' '\n' <"$tmp/out" | grep -q '^abc$' || { reason="first member's contents"; return 1; }
	tr '\0' '\n' <"$tmp/out" | grep -q 'TRAILER!!!$' || { reason="no trailer"; return 1; }
}

elf_on_a_page() {
	printf 'abc' >"$tmp/a"
	printf '\177ELF the rest' >"$tmp/b"
	$mkimage "$tmp/out" root="$tmp/a" program="$tmp/b" other="$tmp/b" || return 1
	for at in 4096 8192; do
		reason="no ELF file at byte $at"
		tail -c +$((at + 1)) "$tmp/out" | head -c 13 | cmp -s - "$tmp/b" || return 1
	done
	# For whoever reads archives the names are as they were.
	! command -v cpio >/dev/null || [ "$(cpio -t --quiet <"$tmp/out" | tail -n 1)" = other ]
}

same_bytes() {
	printf 'abc' >"$tmp/a"
	$mkimage "$tmp/1" root="$tmp/a"
	touch -d '2001-01-01' "$tmp/a"
	chmod 600 "$tmp/a"
	$mkimage "$tmp/2" root="$tmp/a"
	reason="time or mode of a member shows"
	cmp -s "$tmp/1" "$tmp/2"
}

errors() {
	printf 'abc' >"$tmp/a"
	expect_status 2 $mkimage "$tmp/out" &&
		expect_status 1 $mkimage "$tmp/out" first="$tmp/a" &&
		expect_status 1 $mkimage "$tmp/out" root="$tmp/none" &&
		expect_status 1 $mkimage "$tmp/out" root="$tmp" &&
		expect_status 1 $mkimage "$tmp/out" root &&
		expect_status 1 $mkimage "$tmp/out" root="$tmp/a" root="$tmp/a" &&
		expect_status 1 $mkimage "$tmp/out" root="$tmp/a" TRAILER!!!="$tmp/a" || return 1
	reason="a failed run leaves an output file"
	[ ! -e "$tmp/out" ]
}

run_test contents
run_test elf_on_a_page
run_test same_bytes
run_test errors
echo DONE
