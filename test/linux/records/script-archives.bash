# SPDX-License-Identifier: MIT
source 183d0f6d1e3b9dbb8707343c6fa0657b
linux 6.1.0-56-cloud-amd64
exited 0
d/
d/e/
d/e/s
d/link
d/numbers
same
e/s
750
640
5
good
gzip
bzip2
gzip: can't open 'n.gz': File exists
cpio
ea4d0a24dabcaa11f9aa979b872d162b  d/numbers
763ceab1c1f9165c45031c86313c16f2cbb0ad0c  d/numbers
4c47b3e816fbe7d40cef9f665ba8f0be1ae68b5e8e7ed70f5b6bab7f70528e8f  d/e/s
/scripts/archives.sh: line 11: cksum: command not found
d/numbers: OK
d/e/s: OK
d/e/s: FAILED
300
/scripts/archives.sh: line 15: split: command not found
cat: can't open 's.*': No such file or directory
cmp: EOF on -
broken
DATA
small
x
c21hbGwKeAo=
small
x
 1f 8b
identical
