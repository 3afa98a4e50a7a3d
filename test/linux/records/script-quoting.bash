# SPDX-License-Identifier: MIT
source d4359ab2f7a28919742370129a62ff2c
linux 6.1.0-56-cloud-amd64
exited 0
2
1
1
2 p q
tab	$a `x` \ "q"
single $a "double" it's
a b	c
p|q||  |
*.none [z]* nothing?
f 3 f1 f2
f*
f1 f2 f 3 f2
<f 3>
<f1>
<f2>
two one 8 two default set
given given
status 1
a*b a
7 9 3 1 32 1 31 8
nested deep
multi
line
here one  two sub $no
here $a raw
stripped
