# SPDX-License-Identifier: MIT
source c5bc85f8cc9c019029a24bc9aa0cc851
linux 6.1.0-56-cloud-amd64
exited 0
1
yes
still
1
/*
1
readonly
5
unset
x
none
2
a
b=val
c
rest: x y
b=val
rest: 
bad
rest: 
3
evaluated
evaluated again
4 yes
direct
cd
unknown
wrapped hi
plain
127
126
126
9
5
tests
logic
<a>
<b c>
a b c a b c
a-b c
