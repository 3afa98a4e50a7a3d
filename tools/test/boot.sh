# SPDX-License-Identifier: MIT
# Ring boot: the machines of test/boot/matrix, each booted once.

RING_WHAT="boots on the machines of test/boot/matrix"

ring_exists() {
	has_image ktest && [ -e test/boot/matrix ]
}

boot_case() { # NAME STATUS OPTIONS REGEX
	test_is_wanted boot "$1" || return 0
	free=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
	needed=$(printf '%s\n' "$3" | sed -n 's/.*--needs-mem \([0-9]*\).*/\1/p')
	options=$(printf '%s\n' "$3" | sed 's/--needs-mem [0-9]*//; s|@ISO|build/release/test.iso|')
	if [ -n "$needed" ] && [ "${free:-0}" -lt "$needed" ]; then
		skip_test "boot/$1" "needs $needed MiB of free memory, there are ${free:-0}"
		return 0
	fi
	case $options in
	*--iso*) ;;
	*) options="$options --append test=boot build/release/pith.elf build/release/system/ktest.img" ;;
	esac
	# shellcheck disable=SC2086 # a list
	run_tests "boot/$1" --status "$2" --expect "$4" --timeout 300 --elf build/release/pith.elf \
		tools/qemu-run --timeout 240 $options
}

ring_run() {
	build build/release/pith.elf build/release/system/ktest.img build/release/test.iso
	grep -vE '^[[:space:]]*(#|$)' test/boot/matrix >"$PITH_TMP/matrix"
	# Fields are separated by bars with blanks around them.
	while IFS= read -r line <&4; do
		boot_case "$(printf '%s\n' "$line" | awk -F ' *[|] *' '{ print $1 }')" \
			"$(printf '%s\n' "$line" | awk -F ' *[|] *' '{ print $2 }')" \
			"$(printf '%s\n' "$line" | awk -F ' *[|] *' '{ print $3 }')" \
			"$(printf '%s\n' "$line" | awk '{ sub(/^[^|]*[|][^|]*[|][^|]*[|] */, ""); print }')"
	done 4<"$PITH_TMP/matrix"
}
