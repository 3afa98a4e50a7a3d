# SPDX-License-Identifier: MIT
# set -e, -u, -x, -f, -a, -n; unset; readonly; export; getopts; eval; dot; command; type.
(set -e; false; echo no); echo $?
(set -e; false || true; echo yes)
(set -e; if false; then :; fi; echo still)
(set -u; echo $undefined; echo no) 2>/dev/null; echo $?
(set -f; echo /*) 
(set -a; EXPORTED=1; sh -c 'echo $EXPORTED')
readonly R=5; (R=6) 2>/dev/null || echo readonly; echo $R
V=1; unset V; echo "${V-unset}"
A=x sh -c 'echo $A'; echo "${A-none}"
export E=2; sh -c 'echo $E'
parse() { OPTIND=1; while getopts ab:c o; do case $o in a) echo a ;; b) echo "b=$OPTARG" ;; c) echo c ;; *) echo bad ;; esac; done; shift $((OPTIND - 1)); echo "rest: $*"; }
parse -a -b val -c x y; parse -bval; parse -z 2>/dev/null
eval 'x=3; echo $x'; cmd='echo evaluated'; $cmd; eval "$cmd again"
echo 'DOT=yes; return 4' >dot; . ./dot; echo $? $DOT
command echo direct; command -v cd; type nothing-there >/dev/null 2>&1 || echo unknown
echo() { command printf '%s\n' "wrapped $1"; }; echo hi; unset -f echo; echo plain
nothing-there 2>/dev/null; echo $?
./dot 2>/dev/null; echo $?
/ 2>/dev/null; echo $?
exit_in() { (exit 9); }; exit_in; echo $?
alias ll='echo aliased' 2>/dev/null; true
: ${X:=5}; echo $X; test 3 -gt 2 && test a != b && echo tests
[ 1 = 2 ] || [ x ] && [ ! '' ] && echo logic
set -- a 'b c'; for i; do echo "<$i>"; done; echo "$*" "$@"; IFS=-; echo "$*"
