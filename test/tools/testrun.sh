# SPDX-License-Identifier: MIT
# tools/testrun: no way for a test to be lost.
. test/tools/lib.sh

# Runs a script as a test program; leaves the results in $tmp/results and the output in $tmp/out.
testrun() { # STATUS EXPECTED-RESULTS SCRIPT [OPTIONS…]
	wanted_status=$1 wanted=$2 script=$3
	shift 3
	rm -f "$tmp/results"
	build/host/testrun --name r/v --results "$tmp/results" --log "$tmp/log" "$@" \
		sh -c "$script" >"$tmp/out" 2>&1 </dev/null
	status=$?
	results=$(tr '\n' ',' <"$tmp/results")
	reason="\"$script\" $*: status $status, results $results"
	[ $status = "$wanted_status" ] && [ "$results" = "$wanted" ]
}

good='echo TEST a; echo noise; echo PASS a; echo TEST b; echo "SKIP b: no"; echo DONE'

good_run() { testrun 0 'pass r/v/a,skip r/v/b,' "$good"; }
failed_test() { testrun 1 'fail r/v/a,' 'echo TEST a; echo FAIL a: x; echo DONE; exit 1'; }
no_done() { testrun 1 'pass r/v/a,fail r/v/(after a),' 'echo TEST a; echo PASS a'; }
died_in_test() { testrun 1 'fail r/v/a,' 'echo TEST a; exit 125'; }
died_after_test() {
	testrun 1 'pass r/v/a,fail r/v/(after a),' 'echo TEST a; echo PASS a; exit 125'
}
said_nothing() { testrun 1 'fail r/v/(after start),' 'exit 0'; }
bad_status() {
	testrun 1 'pass r/v/a,fail r/v/(after a),' 'echo TEST a; echo PASS a; echo DONE; exit 3'
}
forgotten_test() { testrun 1 'fail r/v/a,pass r/v/b,' 'echo TEST a; echo TEST b; echo PASS b; echo DONE'; }
hang() { testrun 1 'fail r/v/a,' 'echo TEST a; sleep 100' --timeout 1; }
stall() { testrun 1 'fail r/v/a,' 'echo TEST a; sleep 100' --stall 1; }
carriage_returns() { testrun 0 'pass r/v/a,' 'printf "TEST a\r\nPASS a\r\nDONE\r\n"'; }
filters() {
	testrun 0 'pass r/v/a,' "$good" --filter a && testrun 0 'pass r/v/a,' "$good" --filter r/v/a &&
		testrun 0 'pass r/v/a,' "$good" --filter r/a &&
		testrun 0 'pass r/v/a,skip r/v/b,' "$good" --filter v &&
		testrun 0 'pass r/v/a,skip r/v/b,' "$good" --filter r &&
		testrun 1 'fail r/v/(after a),' 'echo TEST a; echo PASS a; exit 125' --filter nothing
}
expectation() {
	testrun 0 'pass r/v,' 'echo hello 12; exit 5' --status 5 --expect 'hello [0-9]+' &&
		testrun 1 'fail r/v,' 'echo hello; exit 5' --status 5 --expect 'hello [0-9]+' &&
		testrun 1 'fail r/v,' 'echo hello 12' --status 5 --expect 'hello [0-9]+'
}

for test in good_run failed_test no_done died_in_test died_after_test said_nothing bad_status \
	forgotten_test hang stall carriage_returns filters expectation; do
	run_test $test
done
echo DONE
