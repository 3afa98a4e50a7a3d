# SPDX-License-Identifier: MIT
# tools/qemu-run: statuses, the terminal, and that no emulator stays behind. The machines here are
# stopped at their first instruction (-S), so that nothing depends on what they boot.
. test/tools/lib.sh

stopped="tools/qemu-run --qemu -S --iso build/host/loc" # any file does

# The emulators among the descendants of process PID. (A bare machine has no ps.)
emulators_below() { # PID
	for child in $(cat /proc/[0-9]*/stat 2>/dev/null |
		sed 's/(.*)/x/' | awk -v p="$1" '$4 == p && $3 != "Z" { print $1 }'); do
		case $(tr '\0' ' ' <"/proc/$child/cmdline" 2>/dev/null) in
		qemu-system*) echo "$child" ;;
		*) emulators_below "$child" ;;
		esac
	done
}
gone() { ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null; }

wrong_use() {
	expect_status 2 tools/qemu-run && expect_status 2 tools/qemu-run --nonsense x &&
		expect_status 2 tools/qemu-run --uefi a b && expect_status 2 tools/qemu-run --smp &&
		expect_status 2 tools/qemu-run "$tmp/none" "$tmp/none"
}

qemu_refuses() {
	expect_status 125 $stopped --cpu nonsense
}

times_out() {
	expect_status 124 $stopped --timeout 1
}

# Ends the script by a signal: its emulator and its temporary files must go.
killed_by() { # SIGNAL
	PITH_TMP=$tmp/own
	mkdir -p "$PITH_TMP"
	export PITH_TMP
	$stopped --timeout 0 </dev/null >"$tmp/out" 2>&1 &
	script=$!
	unset PITH_TMP
	emulator=
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		emulator=$(emulators_below $script)
		[ -z "$emulator" ] || break
		sleep 0.5
	done
	[ -n "$emulator" ] || { reason="did not start: $(cat "$tmp/out")"; kill $script; return 1; }
	kill "-$1" $script
	wait $script 2>/dev/null
	reason="the emulator outlives SIG$1"
	eventually gone "$emulator" || return 1
	reason="temporary files outlive SIG$1"
	eventually sh -c "[ -z \"\$(ls -A '$tmp/own')\" ]"
}
killed() { killed_by TERM && killed_by HUP && killed_by KILL; }

# On a terminal of its own: leaves by WHAT, then the terminal must be as before.
terminal_after() { # WHAT (shell commands that print input or end $(cat $tmp/pid)) EXPECTED-STATUS
	rm -f "$tmp/before" "$tmp/after" "$tmp/pid"
	cat >"$tmp/session" <<END
stty -g >"$tmp/before"
sh -c 'echo \$\$ >"$tmp/pid"; exec $stopped --timeout 0 --interactive'
echo \$? >"$tmp/status"
sleep 1
stty -g >"$tmp/after"
END
	{
		eventually test -s "$tmp/pid"
		sleep 1.5
		eval "$1"
		eventually test -e "$tmp/after"
	} | script -qec "sh $tmp/session" /dev/null >"$tmp/out" 2>&1
	[ -e "$tmp/after" ] || { reason="\"$1\" does not end it"; return 1; }
	[ "$(cat "$tmp/status")" = "$2" ] || { reason="$1: status $(cat "$tmp/status"), not $2"; return 1; }
	reason="$1: the terminal has other settings"
	cmp -s "$tmp/before" "$tmp/after"
}
terminal() {
	terminal_after "printf '\\001x'" 0 && terminal_after 'kill $(cat $tmp/pid)' 143 &&
		terminal_after 'kill -9 $(cat $tmp/pid)' 137
}

at_once() {
	$stopped --timeout 3 </dev/null >"$tmp/1" 2>&1 &
	first=$!
	$stopped --timeout 1 </dev/null >"$tmp/2" 2>&1
	second_status=$?
	kill -0 $first || { reason="one run's end ended another"; return 1; }
	wait $first
	reason="statuses $? and $second_status"
	[ "$reason" = "statuses 124 and 124" ]
}

run_test wrong_use
run_test qemu_refuses
run_test times_out
run_test killed
if command -v script >/dev/null 2>&1; then
	run_test terminal
else
	echo "SKIP qemu-run.terminal: no script(1) to make a terminal"
fi
run_test at_once
echo DONE
