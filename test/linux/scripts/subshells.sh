# SPDX-License-Identifier: MIT
# Command substitution and subshells: nesting, trailing newlines, variables, exit in each, speed.
x=$(echo a; echo b); echo "$x"; echo $x
y=$(printf 'trailing\n\n\n'); echo "[$y]"
echo $(echo $(echo $(echo deep)))
z=$(exit 3); echo $?
v=1; w=$(v=2; echo $v); echo $v $w
(cd /; pwd); pwd | sed 's|.*/||'
a=`echo back\`echo tick\``; echo $a
echo "$(cat <<E
inside
E
)"
n=0; for i in $(seq 1 60); do n=$((n + $(echo $i))); done; echo $n
f() { (return 4); echo $?; }; f
( ( ( echo three ) ) )
(exit 1) || (exit 2) || echo $?
x=$( (echo sub; exit 5) ); echo $? $x
{ x=group; }; echo $x; ( x=sub ); echo $x
big=$(seq 1 5000); echo ${#big}
set -- $(echo 1 2 3); echo $3
echo "$(echo "quoted 'inner' \"double\"")"
! (false) && echo negated
out=$(sh -c 'echo out; echo err >&2' 2>&1); echo "$out"
(trap 'echo t' EXIT; exit 6); echo $?
