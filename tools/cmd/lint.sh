# SPDX-License-Identifier: MIT
# ./pith lint: what a reviewer should not have to look for. Each check prints what it found.

case ${1-} in
'') ;;
--help) echo "usage: ./pith lint     (PITH_LINT_BASE: the commit that formatting is checked since)"
	exit 0 ;;
*) die "takes no arguments" ;;
esac
need_packages
. tools/cmd/format.sh
use_tmp
problems=0
check() { # NAME FILE: the check failed if FILE has lines
	if [ -s "$2" ]; then
		echo "lint: $1:"
		sed 's/^/  /' "$2"
		problems=1
	else
		echo "lint: $1: good"
	fi
}
out=$PITH_TMP/found
text_files() { git ls-files -co --exclude-standard | while IFS= read -r f; do
	[ -s "$f" ] && grep -qI . "$f" && printf '%s\n' "$f"; done; }

text_files | while IFS= read -r file; do
	head -n 5 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file"
done >"$out"
check "SPDX line in every file's head" "$out"

c_files | while IFS= read -r file; do
	awk -v f="$file" '
		{ line = $0; gsub(/\t/, "    ", line); gsub(/[\200-\277]/, "", line) }
		length(line) > 100 { print f ":" FNR ": " length(line) " columns" }
		/[ \t]$/ { print f ":" FNR ": blanks at the end" }' "$file"
done >"$out"
check "lines of at most 100 columns" "$out"

text_files | while IFS= read -r file; do
	case $(head -n 1 "$file") in '#!/bin/sh'*) sh -n "$file" 2>&1 ;; esac
	case $file in
	*/bash-*.sh) bash -O extglob -n "$file" 2>&1 ;; # what bash alone understands
	*.sh) sh -n "$file" 2>&1 ;;
	esac
done >"$out"
check "shell scripts parse" "$out"

base=${PITH_LINT_BASE-HEAD}
changed_c_files "$base" | while IFS= read -r file; do
	ranges=$(changed_lines "$base" "$file")
	[ -n "$ranges" ] || continue
	# shellcheck disable=SC2086 # a list
	clang-format $ranges "$file" | diff -u --label "$file" --label "$file (formatted)" "$file" -
done >"$out"
check "formatting of the changed lines (./pith fmt mends it)" "$out"

: >"$out"
make -k -j"$(nproc)" BUILD=build/lint ANALYZE=1 all </dev/null >"$out" 2>&1 ||
	printf 'the build failed\n' >>"$out"
grep -E 'error|warning|failed|\*\*\*' "$out" >"$out.short" || :
check "gcc -fanalyzer" "$out.short"
exit $problems
