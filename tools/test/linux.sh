# SPDX-License-Identifier: MIT
# Ring linux: unmodified Linux programs, also while the servers under them are killed.

RING_WHAT="unmodified Linux programs: compared with Linux, and while servers are killed"
CONFORM_SETS='glibc musl busybox bash applets programs glibc-killed programs-killed glibc-crashed busybox-crashed programs-crashed'

ring_exists() {
	has_image linux
}

ring_run() {
	build build/release/pith.elf build/release/system/linux.img build/host/guard \
		build/host/mkroot build/host/mkimage build/host/sysc build/linux-test/hostile
	for script in test/linux/*.sh; do
		scripts_are_wanted || break
		name=$(basename "$script" .sh)
		run_tests "linux/$name" --timeout 700 --stall 400 sh "$script"
	done
	conform_run
}

# Programs that have run on Linux before: the same binaries here, compared with the records.
conform_run() {
	build linux-tests
	for set in $CONFORM_SETS; do
		conform_names "$set" || continue
		# shellcheck disable=SC2086 # lists
		run_tests "linux/$set" --timeout 900 --stall 600 tools/conform/conform compare \
			${linux_mode:+--$linux_mode} "$set" $prefixes
	done
}

# $prefixes: what to run of a set, as beginnings of names; fails when nothing of it is asked for.
conform_names() { # SET
	prefixes=''
	[ -n "$names" ] || return 0
	for asked in $names; do
		case $asked in
		linux | linux/ | linux/"$1" | linux/"$1"/ | "$1") prefixes=''; return 0 ;;
		linux/"$1"/*) prefixes="$prefixes ${asked#linux/"$1"/}" ;;
		"$1"/*) prefixes="$prefixes ${asked#"$1"/}" ;;
		*/*) ;;
		*) prefixes="$prefixes $asked" ;;
		esac
	done
	[ -n "$prefixes" ]
}

# Is anything asked for that is not a test of these sets?
scripts_are_wanted() {
	[ -n "$names" ] || return 0
	for asked in $names; do
		asked=${asked#linux/}
		case " $CONFORM_SETS " in
		*" ${asked%%/*} "*) ;;
		*) return 0 ;;
		esac
	done
	return 1
}
