# SPDX-License-Identifier: MIT
# A small build by time stamps: only what is older than its source is made again.
mkdir src obj; for f in a b c; do echo "source $f" >src/$f.c; done
build() { made=; for s in src/*.c; do o=obj/$(basename $s .c).o
	if [ ! -e $o ] || [ $s -nt $o ]; then tr a-z A-Z <$s >$o; made="$made $(basename $o)"; fi; done; echo "made:$made"; }
build; build
sleep 1.1; echo changed >src/b.c; build; build
cat obj/*.o | sort
touch -d '2000-01-01 10:00:00' src/a.c; build
touch -d '2001-01-01 10:00:00' obj/c.o; build
rm obj/a.o; build
cat obj/a.o obj/b.o >lib; wc -l <lib
stat -c %Y src/a.c
find obj -newer src/a.c | sort | wc -l
[ obj/a.o -nt src/a.c ] && echo newer; [ src/a.c -ot obj/a.o ] && echo older
echo 'x' >>src/c.c; sleep 1.1; touch src/c.c; [ src/c.c -nt obj/c.o ] && echo stale
for i in 1 2 3 4 5 6 7 8; do (echo part $i >obj/p$i) & done; wait; cat obj/p* | wc -l
sed -i 's/part/piece/' obj/p3; cat obj/p3
mv obj/p1 obj/p2 src/; ls obj src | tr '\n' ' '; echo
