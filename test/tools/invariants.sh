# SPDX-License-Identifier: MIT
# docs/invariants.md lists the predicates of kernel/core/check.c, all of them and no others.
. test/tools/lib.sh

page_and_file_agree() {
	grep -o 'TRY([a-z0-9_]*' kernel/core/check.c | sed 's/TRY(//' | grep -vx predicate | sort -u \
		>"$tmp/file"
	sed -n 's/^| `\([a-z0-9_]*\)` |.*/\1/p' docs/invariants.md | sort >"$tmp/page"
	reason="they differ: $(diff "$tmp/file" "$tmp/page" | grep '^[<>]' | tr '\n' ' ')"
	[ -s "$tmp/file" ] && cmp -s "$tmp/file" "$tmp/page"
}

run_test page_and_file_agree
echo DONE
