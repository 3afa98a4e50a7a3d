#!/bin/sh
# SPDX-License-Identifier: MIT
# What idlc writes now must be what is checked in below proto/golden: a change of the generator or
# of a protocol shows in review. `make golden` renews the files. Also: the same input gives the
# same bytes, and no golden file is left of a protocol that is gone. Run from the repository's root
# after `make host`.

set -u
idlc=${IDLC:-build/host/idlc}
tmp=$(mktemp -d "${PITH_TMP:-${TMPDIR:-/tmp}}/idlc.XXXXXX") || exit 2
trap 'rm -rf "$tmp"' EXIT
failed=0

check() { # NAME REASON-IF-NOT-EMPTY
	if [ -z "$2" ]; then echo "PASS $1"; else echo "FAIL $1: $2"; failed=1; fi
}

for file in proto/*.idl; do
	name=$(basename "$file" .idl)
	echo "TEST $name"
	if ! $idlc "$file" "$tmp" 2>"$tmp/messages"; then
		check "$name" "$(head -1 "$tmp/messages")"
		continue
	fi
	check "$name" "$(diff -r "proto/golden/$name" "$tmp/$name" 2>&1 | head -3 | tr '\n' ' ')"
done
echo "TEST no_leftovers"
left=
for folder in proto/golden/*; do
	[ -e "proto/$(basename "$folder").idl" ] || left="$left $folder"
done
check no_leftovers "${left:+no protocol for$left}"
echo DONE
exit $failed
