# SPDX-License-Identifier: MIT
# Text tools: sed, awk, cut, tr, sort, uniq, paste, join-like work, fold, expand, od.
printf 'c 3\na 1\nb 2\na 4\n' >t
sort t; sort -k2n t | head -1; sort -u -k1,1 t | wc -l
sed -n '2p' t; sed 's/\([a-z]\) \([0-9]\)/\2\1/' t; sed '/^a/d' t; sed -e '1i\' -e 'top' t | head -1
sed -n '/c/,/b/p' t; sed '$!d' t; sed 'y/abc/xyz/' t; sed -n '$=' t
awk '{ n[$1] += $2 } END { for (k in n) print k, n[k] }' t | sort
awk -F: '{ print $1, $NF }' /etc/passwd
awk 'BEGIN { printf "%5.2f|%-5s|%05d|%x\n", 3.14159, "ab", 42, 255 }'
awk 'BEGIN { s = "hello world"; print length(s), substr(s, 7), index(s, "wor"), toupper(s) }'
awk 'BEGIN { n = split("a,b,c", p, ","); print n, p[3]; gsub(/b/, "X", p[2]); print p[2] }'
cut -d' ' -f2 t; cut -c1 t | tr -d '\n'; echo
tr -s 'l' <<E
hellllo
E
echo abc | tr 'a-y' 'b-z'
uniq -c <<E
x
x
y
E
paste -d, t t | head -1
seq 10 | tail -n +8; seq 10 | head -n -8; seq 1 2 7
echo 'a	b' | expand; echo abcdefgh | fold -w 3
printf 'AB\001' | od -An -tx1
echo hello | rev; echo hello | sed 's/./&&/g'
grep -c a t; grep -n b t; grep -v a t; grep -E 'a [14]' t; grep -q z t || echo none; echo aXbXc | grep -o 'X'
nl t | head -1; tac t | head -1; wc t
printf '%s\n' 10 9 100 1 | sort; printf '%s\n' 10 9 100 1 | sort -n | tr '\n' ' '; echo
comm -12 t t | head -1
echo 'key=value' | { IFS='=' read k v; echo "$k -> $v"; }
expr 5 + 3; expr abc : 'a\(.\)c'; expr length hello
printf '%d %s %c %%\n' 12 str xyz
od -c t | head -1
split -l 2 t part; cat partab
