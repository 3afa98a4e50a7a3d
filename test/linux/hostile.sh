#!/bin/sh
# SPDX-License-Identifier: MIT
# hostile.sh: a program that knows its layer asks every server, and the kernel, for anything at
# all: each answer is one that the protocol states, no server dies, and other programs go on.
# PITH_HOSTILE says how many requests each gets. Prints test lines for tools/testrun.
set -u
requests=${PITH_HOSTILE:-3000}
tmp=build/tmp/hostile-$$
mkdir -p "$tmp/root/tmp" "$tmp/root/dev"
trap 'rm -rf "$tmp"' EXIT
cp build/linux-test/hostile "$tmp/root/hostile"
for kill in '' '--kill 100'; do
	name=hostile-requests${kill:+-killed}
	echo "TEST $name"
	# shellcheck disable=SC2086
	./pith run --timeout "${PITH_HOSTILE_TIMEOUT:-300}" -v $kill --root "$tmp/root" -- /hostile "$requests" \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	cat "$tmp/out"
	if [ $status = 0 ] && ! grep -q ' died: ' "$tmp/err"; then # (a kill has another line)
		echo "PASS $name"
	else
		echo "FAIL $name: status $status"
		grep ' died: ' "$tmp/err" | head -n 5
		tail -n 5 "$tmp/err"
	fi
done
echo DONE
