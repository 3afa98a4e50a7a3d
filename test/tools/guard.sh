# SPDX-License-Identifier: MIT
# tools/guard: statuses, and that nothing survives whoever started it.
. test/tools/lib.sh
guard=build/host/guard

statuses() {
	expect_status 0 $guard true && expect_status 7 $guard sh -c 'exit 7' &&
		expect_status 137 $guard sh -c 'kill -9 $$' && expect_status 127 $guard "$tmp/none" &&
		expect_status 2 $guard && expect_status 2 $guard --timeout x true
}

timeout() { expect_status 124 $guard --timeout 0.5 sleep 60; }

# Ends a guarded command's starter by a signal; the command and the folder must go.
killed_by() { # SIGNAL
	mkdir -p "$tmp/folder/sub"
	$guard --remove "$tmp/folder" sh -c 'echo $$ >"$0"; exec sleep 60' "$tmp/pid" &
	front=$!
	eventually test -s "$tmp/pid" || { reason="did not start"; return 1; }
	command=$(cat "$tmp/pid")
	kill "-$1" $front
	wait $front 2>/dev/null
	reason="the command outlives SIG$1"
	eventually sh -c "! kill -0 $command 2>/dev/null" || return 1
	reason="the folder outlives SIG$1"
	eventually test ! -e "$tmp/folder" || return 1
	rm -f "$tmp/pid"
}
killed() { killed_by TERM && killed_by KILL && killed_by HUP; }

watched() {
	sleep 60 &
	watched=$!
	$guard --watch $watched sh -c 'echo $$ >"$0"; exec sleep 60' "$tmp/pid" &
	eventually test -s "$tmp/pid" || { reason="did not start"; return 1; }
	kill $watched
	wait $watched 2>/dev/null
	reason="the command outlives the watched process"
	eventually sh -c "! kill -0 $(cat "$tmp/pid") 2>/dev/null"
}

watch_only() {
	sleep 60 &
	watched=$!
	mkdir "$tmp/folder"
	$guard --watch $watched --remove "$tmp/folder" &
	kill -9 $watched
	wait $watched 2>/dev/null
	reason="the folder outlives its owner"
	eventually test ! -e "$tmp/folder"
}

run_test statuses
run_test timeout
run_test killed
run_test watched
run_test watch_only
echo DONE
