# SPDX-License-Identifier: MIT
# tools/symbolise: finds a function's name, and lets every other line through.
. test/tools/lib.sh

names() {
	elf=build/host/loc
	address=$(nm $elf | awk '$3 == "main" { print $1 }')
	cp $elf "$tmp/program.elf"
	output=$(printf 'hello  %%s\nbt 0x%s\nubt program %s\nubt none 12\nend' "$address" "$address" |
		tools/symbolise $elf "$tmp")
	reason=$output
	[ "$(printf '%s\n' "$output" | grep -c 'main at loc.c:')" = 2 ] &&
		printf '%s\n' "$output" | grep -qx 'hello  %s' &&
		printf '%s\n' "$output" | grep -q 'no none.elf' && printf '%s\n' "$output" | grep -qx end
}

run_test names
echo DONE
