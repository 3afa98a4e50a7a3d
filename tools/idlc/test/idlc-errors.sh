#!/bin/sh
# SPDX-License-Identifier: MIT
# idlc's messages: every case of bad_input.cases must be refused with exactly the expected messages,
# status 1 and no output; every protocol cut short or with one byte changed must end in a message
# or in success, never in a crash. Run from the repository's root after `make host`.

set -u
idlc=${IDLC:-build/host/idlc}
here=tools/idlc/test
tmp=$(mktemp -d "${PITH_TMP:-${TMPDIR:-/tmp}}/idlc.XXXXXX") || exit 2
trap 'rm -rf "$tmp"' EXIT
failed=0

fail() { # REASON
	echo "FAIL $name: $1"
	failed=1
}

awk -v dir="$tmp" '
	/^=== / { name = $2; print name; part = dir "/" name ".idl"; printf "" >part; next }
	/^---$/ { part = dir "/" name ".expected"; printf "" >part; next }
	part { print >part }
' $here/bad_input.cases >"$tmp/names"

while read -r name; do
	echo "TEST $name"
	cp "$tmp/$name.idl" "$tmp/t.idl"
	$idlc "$tmp/t.idl" "$tmp/out" 2>"$tmp/messages"
	status=$?
	sed "s|^$tmp/t.idl:||" "$tmp/messages" >"$tmp/got"
	if [ $status != 1 ]; then
		fail "status $status, not 1"
	elif [ -e "$tmp/out" ]; then
		fail "wrote output"
	elif ! cmp -s "$tmp/got" "$tmp/$name.expected"; then
		fail "said $(tr '\n' ';' <"$tmp/got")"
	else
		echo "PASS $name"
	fi
	rm -rf "$tmp/out"
done <"$tmp/names"

name=usage
echo "TEST $name"
$idlc >"$tmp/messages" 2>&1
[ $? = 1 ] && $idlc "$tmp/none.idl" >>"$tmp/messages" 2>&1
if [ $? = 1 ] && grep -q '^usage: ' "$tmp/messages" && grep -q 'none.idl: No such file' "$tmp/messages"; then
	echo "PASS $name"
else
	fail "said $(tr '\n' ';' <"$tmp/messages")"
fi

# Cut at every 37th byte, then one byte changed at every 41st.
name=damaged_input
echo "TEST $name"
reason=
bytes=$(wc -c <proto/echo.idl)
i=1
while [ $i -lt "$bytes" ]; do
	head -c $i proto/echo.idl >"$tmp/echo.idl"
	$idlc "$tmp/echo.idl" 2>"$tmp/messages"
	status=$?
	said=0
	[ ! -s "$tmp/messages" ] || said=1
	[ $status = $said ] || reason="cut at $i: status $status"
	i=$((i + 37))
done
i=1
while [ $i -lt "$bytes" ]; do
	{ head -c $i proto/echo.idl; printf '{'; tail -c +$((i + 2)) proto/echo.idl; } >"$tmp/echo.idl"
	$idlc "$tmp/echo.idl" 2>"$tmp/messages"
	status=$?
	[ $status -le 1 ] || reason="changed at $i: status $status"
	i=$((i + 41))
done
if [ -z "$reason" ]; then echo "PASS $name"; else fail "$reason"; fi
echo DONE
exit $failed
