# SPDX-License-Identifier: MIT
# A small report from a data file: reading records, sums per group, sorting, formatting, joining.
cat >orders <<'E'
1001 north apples 12 0.50
1002 south pears 7 0.80
1003 north plums 30 0.25
1004 east apples 5 0.55
1005 south apples 11 0.50
1006 west plums 2 0.30
1007 north pears 9 0.75
E
cat >managers <<'E'
east Eve
north Nora
south Sam
E
while read id region item count price; do
	[ "$count" -ge 9 ] && echo "$id: $count $item"
done <orders
awk '{ t[$2] += $4 * $5 } END { for (r in t) printf "%-6s %7.2f\n", r, t[r] }' orders | sort
awk '{ n[$3] += $4 } END { for (i in n) print n[i], i }' orders | sort -rn
sort -k2,2 orders | awk '$2 != last { if (last) print last, c; last = $2; c = 0 } { c++ } END { print last, c }'
awk 'NR == FNR { m[$1] = $2; next } { print $1, ($2 in m ? m[$2] : "nobody") }' managers orders
cut -d' ' -f3 orders | sort | uniq -c | sort -k1,1rn -k2 | awk '{ print $1, $2 }'
total=0; for n in $(cut -d' ' -f4 orders); do total=$((total + n)); done; echo "total $total"
sed -n 's/^\([0-9]*\) north \(.*\)/\2 [\1]/p' orders
tr ' ' ';' <orders | head -2; head -1 orders | tr ' ' '\n' | nl
awk 'BEGIN { OFS = "," } { $1 = $1; print }' orders | tail -1
sort -t' ' -k5,5n -k1,1n orders | cut -d' ' -f1 | tr '\n' ' '; echo
