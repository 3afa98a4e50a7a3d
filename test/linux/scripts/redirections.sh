# SPDX-License-Identifier: MIT
# Redirections: order, append, descriptors, closing, reading and writing, noclobber, errors.
echo one >f; echo two >>f; cat f
cat <f
{ echo o; echo e >&2; } >out 2>err; cat out err
{ echo o; echo e >&2; } >both 2>&1; sort both
exec 3>three; echo x >&3; echo y >&3; exec 3>&-; cat three
exec 4<three; read a <&4; read b <&4; echo $a $b; exec 4<&-
(echo z >&3) 2>/dev/null || echo "closed"
echo rw >rw; exec 5<>rw; read r <&5; echo $r; echo more >&5; exec 5>&-; cat rw
set -C; (echo no >f) 2>/dev/null || echo noclobber; echo yes >|f; cat f; set +C
cat missing 2>/dev/null || echo "status $?"
echo x >missing/dir 2>/dev/null || echo "status $?"
>empty; wc -c <empty
for i in 1 2 3; do echo $i; done >list; cat list
while read l; do echo "[$l]"; done <list
f() { echo in f; }; f >ff; cat ff
echo to-stderr >&2
exec >all; echo hidden; exec >&2; cat all
