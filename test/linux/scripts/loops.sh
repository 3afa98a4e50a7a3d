# SPDX-License-Identifier: MIT
# for, while, until, case, break, continue, functions with returns, recursion.
for i in 1 2 3 4 5; do [ $i = 4 ] && break; [ $i = 2 ] && continue; echo $i; done
n=0; while [ $n -lt 3 ]; do n=$((n+1)); echo w$n; done
until [ $n = 0 ]; do n=$((n-1)); done; echo $n
for i in a b; do for j in 1 2 3; do [ $j = 2 ] && continue 2; echo $i$j; done; done
f() { echo "f $# $1"; return $2; }
f x 7; echo $?
fact() { [ $1 -le 1 ] && { echo 1; return; }; echo $(($1 * $(fact $(($1 - 1))))); }
fact 10
kind() { case $1 in [0-9]*) echo digit ;; a|b) echo ab ;; *.txt) echo text ;; '') echo empty ;; *) echo other ;; esac; }
kind 5x; kind b; kind q.txt; kind ''; kind zzz
local_test() { local v=in; echo $v; }
v=out; local_test; echo $v
seq 1 5 | while read x; do s=$((s+x)); echo $s; done; echo "after: $s."
i=0; while :; do i=$((i+1)); [ $i -ge 1000 ] && break; done; echo $i
set -- p q r; while [ $# -gt 0 ]; do echo $1; shift; done
shift 5 2>/dev/null || echo "cannot shift"
true && echo yes || echo no
false && echo yes || echo no
! true; echo $?
if [ -d / ] && ! [ -f / ]; then echo folder; elif true; then echo no; else echo no; fi
