# SPDX-License-Identifier: MIT
# Files: create, copy, move, link, remove, modes, tests, find.
mkdir -p a/b/c; touch a/1 a/b/2 a/b/c/3
find a | sort
cp -r a z; ls z/b
mv z y; [ -d z ] || echo moved
ln y/1 hard; ln -s y/1 soft; [ y/1 -ef hard ] && echo same; [ -L soft ] && readlink soft
echo text >soft; cat hard
chmod 600 hard; stat -c '%a %h %s' y/1
rm soft; [ -e y/1 ] && echo there
rm -r y; cat hard
[ -s hard ] && echo full; [ -s a/1 ] || echo empty
[ -r hard ] && [ -w hard ] && [ ! -x hard ] && echo rw
touch -d '2001-02-03 04:05:06' old; stat -c %Y old
touch new; [ new -nt old ] && echo newer
rmdir a 2>/dev/null || echo "not empty"
find a -name '[23]' -exec echo {} \; | sort
find a -type d | wc -l
rm -rf a; ls
cp missing x 2>/dev/null || echo "status $?"
mkdir d; cd d; pwd | sed 's|.*/||'; cd ..; cd - >/dev/null; pwd | sed 's|.*/||'; cd ..
echo data | tee t1 t2 >/dev/null; cmp t1 t2 && echo equal
echo Data >t2; cmp t1 t2 | sed 's/:.*//' ; diff t1 t2
dd if=/dev/zero of=hole bs=1 count=1 seek=99999 2>/dev/null; stat -c %s hole
truncate -s 10 hole; wc -c <hole
basename /x/y.c .c; dirname /x/y.c
umask 077; touch private; stat -c %a private
