# SPDX-License-Identifier: MIT
# Pipelines, statuses, PIPESTATUS-free forms, subshells, groups, long chains, SIGPIPE.
echo abc | tr a-c A-C
false | true; echo $?
true | false; echo $?
(exit 3); echo $?
{ echo a; echo b; } | sort -r
x=1; (x=2; echo $x); echo $x
echo 5 | { read y; echo got $y; }
yes | head -3
seq 1 100000 | head -2
seq 1 20000 | sort -rn | head -1
seq 1 1000 | sed 's/$/ x/' | awk '{ s += $1 } END { print s, NR }' | cat | cat | cat | rev | rev
seq 1 5000 | grep 7 | grep -v 1 | cut -c1-2 | sort | uniq -c | sort -rn | head -3
cat /dev/null | wc -c
echo one two three | wc -w
printf 'b\na\nc\n' | sort | tee copy | tail -1; cat copy
(echo out; echo err >&2) 2>&1 | sort
mkfifo p 2>/dev/null || echo "no fifo"
dd if=/dev/zero bs=1024 count=300 2>/dev/null | md5sum
echo done | (cat; exit 9); echo $?
