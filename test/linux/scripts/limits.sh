# SPDX-License-Identifier: MIT
# What a shell meets at the edges: many files, long lines, deep folders, many descriptors, big loops.
i=0; while [ $i -lt 500 ]; do : >f$i; i=$((i+1)); done; ls | wc -l; echo f* | wc -w; rm f*; ls | wc -l
l=x; i=0; while [ $i -lt 14 ]; do l=$l$l; i=$((i+1)); done; echo ${#l}; echo $l | wc -c
d=.; i=0; while [ $i -lt 40 ]; do mkdir dir; cd dir; i=$((i+1)); done; pwd | tr -cd / | wc -c; cd /tmp
f() { [ $1 = 0 ] && { echo bottom; return; }; f $(($1 - 1)); }; f 200
exec 3>/dev/null 4>/dev/null 5>/dev/null 6>/dev/null 7>/dev/null 8>/dev/null 9>/dev/null; echo x >&9; echo opened
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
sh -c 'ulimit -f 1; dd if=/dev/zero of=/tmp/limited bs=512 count=10 2>/dev/null; echo $?' 2>/dev/null | tail -1 | grep -c .
seq 1 30000 | wc -l; seq 1 30000 | awk '{ s += $1 } END { print s }'
a=$(seq 1 20000); echo "$a" | tail -1
echo $(seq 1 3000) | wc -w
(ulimit -n 20; exec 19>/dev/null && echo nineteen)
cat /dev/zero | head -c 200000 | tr '\0' 'z' | wc -c
x=0; for i in $(seq 1 2000); do x=$((x + i)); done; echo $x
