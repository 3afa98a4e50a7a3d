#!/bin/sh
# SPDX-License-Identifier: MIT
# limits.sh: a memory hog is refused or killed, a fork bomb meets a limit, and afterwards the
# machine is as before; also while servers are killed, and with a memory server that has little
# room of its own. Prints test lines for tools/testrun.
set -u
tmp=build/tmp/limits-$$
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/script" <<'END'
used() { free | sed -n 's/^Mem: *[0-9]* *\([0-9]*\) .*/\1/p'; }
echo warm | cat
before=$(used)
for round in 1 2; do
	dd if=/dev/zero of=/dev/null bs=1000M count=1 2>/dev/null
	echo "more than there is: $?"
	awk 'BEGIN { for (i = 0;; i++) a[i] = i }' 2>/dev/null
	echo "a hog: $?"
	setsid sh -c 'while sleep 1000 & do :; done' 2>/dev/null
	echo "a fork bomb: $?"
	kill -9 -1
	sleep 2
	echo "alive" | cat
done
after=$(used)
[ $((after - before)) -lt 2000 ] && echo "no page is lost" || echo "used $before, then $after"
END

sed '/component memory/,/}/{s/capsule .*/capsule 1M/; s/pages .*/pages 160/}' system/linux.sys \
	>"$tmp/small.sys"
for case in 0 50 small; do
	ms=$case name=limits-kill-$case system=system/linux.sys
	[ $case != small ] || ms=0 name=limits-small system=$tmp/small.sys
	echo "TEST $name"
	kill=''
	[ $ms = 0 ] || kill="--kill $ms"
	# shellcheck disable=SC2086
	PITH_SYSTEM=$system ./pith run --timeout 200 --mem 200 -v $kill -- /bin/sh -c "$(cat "$tmp/script")" \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	if [ $status = 0 ] && [ "$(grep -c '^a hog: 137' "$tmp/out")" = 2 ] &&
		[ "$(grep -c '^more than there is: 1' "$tmp/out")" = 2 ] &&
		[ "$(grep -c '^alive' "$tmp/out")" = 2 ] &&
		[ "$(grep -c '^a fork bomb: [1-9]' "$tmp/out")" = 2 ] &&
		grep -q '^no page is lost' "$tmp/out" && grep -q 'out of memory: space' "$tmp/err"; then
		echo "PASS $name"
	else
		echo "FAIL $name: status $status"
		cat "$tmp/out"
		grep -v 'was killed\|restarted' "$tmp/err" | tail -n 10
	fi
done
echo DONE
