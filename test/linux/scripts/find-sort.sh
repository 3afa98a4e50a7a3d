# SPDX-License-Identifier: MIT
# A tree of 400 files: find with conditions, sort, xargs, checksums of all, du-free counts.
i=0; while [ $i -lt 20 ]; do mkdir -p t/d$i; j=0; while [ $j -lt 20 ]; do echo "$i $j" >t/d$i/f$j; j=$((j+1)); done; i=$((i+1)); done
find t -type f | wc -l; find t -type d | wc -l
find t -name 'f1?' | wc -l; find t -path '*d7*' -name f3
find t -type f | sort | xargs cat | md5sum
find t -type f -size -1 | wc -l; find t -empty | wc -l
find t -maxdepth 1 | sort | head -3; find t -mindepth 2 -name f0 | wc -l
grep -rl '^7 ' t | wc -l; grep -r '19 19' t
find t -name f5 -exec rm {} \; ; find t -type f | wc -l
find t -name 'd1*' -prune -o -type f -print | wc -l
ls t | sort -t d -k 2n | tail -1; ls -R t | wc -l
for d in t/d*; do set -- $d/*; echo $#; done | sort | uniq -c | sed 's/^ *//'
find t -type f -newer t/d0/f0 | wc -l >/dev/null; find t \( -name f1 -o -name f2 \) -print | wc -l
tar cf - t | tar tf - | wc -l
cp -r t u; diff -r t u && echo same; rm u/d3/f3; diff -r t u
rm -rf t u; ls
