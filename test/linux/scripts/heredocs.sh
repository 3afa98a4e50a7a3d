# SPDX-License-Identifier: MIT
# Here-documents in loops, functions, pipelines; large ones; nested command substitution.
for i in 1 2; do cat <<E
loop $i
E
done
f() { cat <<E
in f $1
E
}
f x; f y | tr a-z A-Z
cat <<A; cat <<B
first
A
second
B
v=$(cat <<E
captured $(echo inner)
E
); echo "$v"
cat <<"E" | sed 's/\$/S/'
cost $5 \n `no`
E
i=0; { while [ $i -lt 3000 ]; do echo "line number $i of a large document"; i=$((i+1)); done; } >big
sh <<E
wc -l <big; echo $((6 * 7))
E
while read a b; do echo "$b $a"; done <<E
1 one
2 two
E
cat <<E >out
to a file
E
cat out
read x <<E
single
E
echo $x
sh -s arg1 arg2 <<'E'
echo "script from stdin: $# $2"
E
cat - <<E out
dash
E
