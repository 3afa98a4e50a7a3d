# SPDX-License-Identifier: MIT
# tools/loc: what counts as a line of code.
. test/tools/lib.sh

count() { build/host/loc "$1" | awk 'END { print $1 }'; }

c_lines() {
	cat >"$tmp/x.c" <<'END'
// a comment

/* one
 * more
 */
int a; // code
int b; /* code */
/* before */ int c;
char *s = "/* no comment", t = '"', *u = "// none either";
int d; /* begins
ends */ int e;
END
	reason="counted $(count "$tmp/x.c"), not 6"
	[ "$(count "$tmp/x.c")" = 6 ]
}

assembly_lines() {
	cat >"$tmp/x.S" <<'END'
# a comment
#include <x.h>
#define A 1
	mov %rax, %rbx # code

	/* no code */
END
	reason="counted $(count "$tmp/x.S"), not 3"
	[ "$(count "$tmp/x.S")" = 3 ]
}

long_lines() {
	printf 'int %0100d;\n' 0 | sed 's/ 0/ a/' >"$tmp/x.c"
	expect_status 1 build/host/loc "$tmp/x.c"
}

run_test c_lines
run_test assembly_lines
run_test long_lines
echo DONE
