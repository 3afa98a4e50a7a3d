# SPDX-License-Identifier: MIT
source 95154be302244fa2be544afcd89b81db
linux 6.1.0-56-cloud-amd64
exited 0
one
two
one
two
o
e
e
o
x
y
x y
closed
rw
rw
more
noclobber
yes
status 1
/scripts/redirections.sh: line 13: missing/dir: No such file or directory
status 1
0
1
2
3
[1]
[2]
[3]
in f
to-stderr
hidden
