#!/bin/sh
# SPDX-License-Identifier: MIT
# crash.sh: a busybox script runs undisturbed, then again while each server is killed in turn, and
# while they crash at random requests; the outputs must be the same to the byte. Prints test lines
# for tools/testrun.
set -u
tmp=build/tmp/crash-$$
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/script" <<'END'
i=0
while [ $i -lt 30 ]; do
	echo "line $i $(echo $i | sha256sum | cut -c1-16)"
	i=$((i+1))
done
find /bin -name 'b*' | sort | head -20
seq 1 3000 | sort -n | tail -1
mkdir -p /tmp/w && cd /tmp/w
for f in a b c d e; do seq 1 500 > $f; done
cat a b c d e | tr 0-9 a-j | sort | uniq -c | head -5
tar cf - a b c d e | gzip -c | gunzip -c | tar tf -
sleep 0.3 & sleep 0.2 & wait
for f in a b c d e; do mv $f $f.old; done
ls | sort | tr '\n' ' '
echo
rm -r /tmp/w && echo removed
sha256sum /bin/busybox | cut -c1-20
exit 3
END

run() { # NAME OPTIONS…
	name=$1
	shift
	./pith run --timeout 100 -v "$@" -- /bin/sh -c "$(cat "$tmp/script")" \
		>"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null
}

echo "TEST undisturbed"
run undisturbed
status=$?
if [ $status = 3 ] && grep -q removed "$tmp/undisturbed.out"; then
	echo "PASS undisturbed"
else
	echo "FAIL undisturbed: status $status"
	tail -n 5 "$tmp/undisturbed.out" "$tmp/undisturbed.err"
fi
killed() { # NAME WHAT OPTIONS…: WHAT the log says of each death
	test=$1 what=$2
	shift 2
	echo "TEST $test"
	run kill "$@"
	status=$?
	kills=$(grep -c "$what" "$tmp/kill.err")
	# When a client is inside, its call comes back as RESTART and is made again.
	if [ $status = 3 ] && cmp -s "$tmp/undisturbed.out" "$tmp/kill.out" && [ "$kills" -gt 1 ]; then
		echo "$kills servers died"
		echo "PASS $test"
	else
		echo "FAIL $test: status $status, $kills deaths"
		diff "$tmp/undisturbed.out" "$tmp/kill.out" | head -5
		tail -n 5 "$tmp/kill.err"
	fi
}
for ms in 200 50 15; do
	killed "kill-every-$ms-ms" 'was killed' --kill "$ms"
done
for mean in 300 30; do
	killed "crash-at-one-request-in-$mean" 'died as planned' --crash "$mean"
done
echo DONE
