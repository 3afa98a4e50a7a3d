# SPDX-License-Identifier: MIT
# ./pith: wrong use, statuses, and what must not be left behind.
. test/tools/lib.sh

refused() { # WORDS IN THE MESSAGE, ARGUMENTS…
	words=$1
	shift
	output=$(./pith "$@" 2>&1 </dev/null)
	status=$?
	[ $status = 2 ] || { reason="./pith $*: status $status, not 2"; return 1; }
	[ "$(printf '%s\n' "$output" | wc -l)" = 1 ] || { reason="./pith $*: not one line"; return 1; }
	case $output in
	*"$words"*) ;;
	*) reason="./pith $*: \"$output\" lacks \"$words\""; return 1 ;;
	esac
}

bad_arguments() {
	refused 'unknown command "nonsense"' nonsense &&
		refused 'unknown option --nonsense' run --nonsense &&
		refused '--smp needs a value' run --smp &&
		refused '--smp needs a positive number' run --smp many &&
		refused '--mem needs a positive number' run --mem 0 &&
		refused 'no command after --' run -- &&
		refused 'unknown option --nonsense' test --nonsense &&
		refused "cannot be a test's name" test 'a b;c' &&
		refused "cannot be a figure's name" bench --nonsense &&
		refused 'no demo is called "nonsense"' demo nonsense &&
		refused 'takes no arguments' image x &&
		refused 'takes no arguments' doctor x &&
		refused 'takes no arguments' lint x &&
		refused 'unknown argument' fmt x &&
		refused 'unknown option -x' debug -x &&
		refused 'unknown option -x' trace -x
}

unknown_test_name() {
	output=$(./pith test tools/nonsense 2>&1)
	[ $? = 2 ] || { reason="status is not 2: $output"; return 1; }
}

help() {
	for arguments in --help 'run --help' 'test --help' 'bench --help' 'demo --help' 'debug --help'; do
		# shellcheck disable=SC2086 # a list
		./pith $arguments >"$tmp/out" 2>&1 && [ -s "$tmp/out" ] ||
			{ reason="./pith $arguments"; return 1; }
	done
}

works_from_elsewhere() {
	pith=$PWD/pith
	(cd / && "$pith" doctor >/dev/null 2>&1) || { reason="doctor fails in /"; return 1; }
}

closed_streams() {
	./pith doctor <&- >&- 2>&- || { reason="doctor with all streams closed"; return 1; }
}

# A folder of commands without any of the packages, where a script plays apt-get.
bare_machine() { # UID
	rm -rf "$tmp/bin"
	mkdir "$tmp/bin"
	for tool in sh dirname basename cat grep sed awk env tail head; do
		ln -s "$(command -v $tool)" "$tmp/bin/$tool"
	done
	printf '#!/bin/sh\necho %s\n' "$1" >"$tmp/bin/id"
	cat >"$tmp/bin/apt-get" <<END
#!/bin/sh
echo "\$*" >>"$tmp/apt"
case \$* in
*--print-uris*) echo 'Need to get 12 MB of archives.'
	echo 'After this operation, 34 MB of additional disk space will be used.' ;;
esac
END
	chmod +x "$tmp/bin/id" "$tmp/bin/apt-get"
	: >"$tmp/apt"
}

# As root: the list of packages, their size said, then one installation without recommends.
apt_as_root() {
	bare_machine 0
	output=$(PATH=$tmp/bin ./pith run 2>&1 </dev/null)
	[ $? = 2 ] || { reason="status is not 2: $output"; return 1; }
	reason="apt-get was called so: $(cat "$tmp/apt")"
	[ "$(head -n 1 "$tmp/apt")" = "update -q" ] || return 1
	tail -n 1 "$tmp/apt" |
		grep -q '^install -q -y --no-install-recommends .*gcc .*qemu-system-x86' || return 1
	grep -qE 'gdb|grub|clang|ovmf' "$tmp/apt" && return 1
	reason="what is installed, why and how large is not said: $output"
	case $output in
	*'qemu-system-x86 (the emulator)'*'download 12 MB, 34 MB on disk'*'still missing'*) ;;
	*) return 1 ;;
	esac
}

# With neither root nor sudo, what is missing is one apt line and status 2.
apt_line() {
	bare_machine 1000
	output=$(PATH=$tmp/bin ./pith run 2>&1 </dev/null)
	[ $? = 2 ] || { reason="status is not 2: $output"; return 1; }
	[ ! -s "$tmp/apt" ] || { reason="apt-get was called: $(cat "$tmp/apt")"; return 1; }
	printf '%s\n' "$output" | grep -q '^apt-get update && apt-get install .*qemu-system-x86' ||
		{ reason="no apt line: $output"; return 1; }
}

run_test bad_arguments
run_test unknown_test_name
run_test help
run_test works_from_elsewhere
run_test closed_streams
run_test apt_as_root
run_test apt_line
echo DONE
