# SPDX-License-Identifier: MIT
source f1b81045955b31b9e30b52c2539b5456
linux 6.1.0-56-cloud-amd64
exited 1
a 1
a 4
b 2
c 3
a 1
3
a 1
3c
1a
2b
4a
c 3
b 2
top
c 3
a 1
b 2
a 4
z 3
x 1
y 2
x 4
4
a 5
b 2
c 3
root /bin/sh
nobody /bin/sh
 3.14|ab   |00042|ff
11 world 7 HELLO WORLD
3 c
X
3
1
2
4
caba
helo
bcd
      2 x
      1 y
c 3,c 3
8
9
10
1
2
1
3
5
7
a       b
abc
def
gh
 41 42 01
olleh
hheelllloo
2
3:b 2
c 3
b 2
a 1
a 4
none
X
X
     1	c 3
a 4
        4         8        16 t
1
10
100
9
1 9 10 100 
/scripts/text.sh: line 30: comm: command not found
key -> value
8
b
5
12 str x %
0000000   c       3  \n   a       1  \n   b       2  \n   a       4  \n
/scripts/text.sh: line 35: split: command not found
cat: can't open 'partab': No such file or directory
