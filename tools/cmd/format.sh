# SPDX-License-Identifier: MIT
# Which C files and lines there are to format: for fmt and lint.

c_files() { git ls-files -co --exclude-standard -- '*.c' '*.h'; }

# Does this commit exist? A repository may have none yet.
commit_exists() { git rev-parse -q --verify "$1^{commit}" >/dev/null 2>&1; }

changed_c_files() { # COMMIT
	{
		! commit_exists "$1" || git diff --name-only --diff-filter=d "$1" -- '*.c' '*.h'
		git ls-files -o --exclude-standard -- '*.c' '*.h'
	} | sort -u
}

# clang-format's options for the lines that differ from COMMIT; none when no line does.
changed_lines() { # COMMIT FILE
	if ! git ls-files --error-unmatch -- "$2" >/dev/null 2>&1; then
		echo "--lines=1:$(wc -l <"$2")"
		return
	fi
	commit_exists "$1" || return 0
	git diff -U0 "$1" -- "$2" | sed -n 's/^@@ [^+]*+\([0-9,]*\) @@.*/\1/p' |
		awk -F , '{ count = NF > 1 ? $2 : 1; if (count) print "--lines=" $1 ":" $1 + count - 1 }'
}
