# SPDX-License-Identifier: MIT
source 43305cbc971e511e74d6bc075f67f4b2
linux 6.1.0-56-cloud-amd64
exited 0
pid
parent
executed
0
200
7
1
1
ps
none
/scripts/processes.sh: line 12: nice: command not found
Terminated
143
0
session
x a
x b
x c
4
a b
c
/bin
/bin/sh
50
got
6
Linux
x86_64
host
0
0
root
1970-01-02 00:00:00
slept
no terminal
not a tty
1
