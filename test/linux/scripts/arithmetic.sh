# SPDX-License-Identifier: MIT
# Arithmetic in the shell, bc-like awk, overflow, bases, comparison, primes, fibonacci.
echo $((9223372036854775807)) $((9223372036854775807 + 1)) $((-7 / 2)) $((-7 % 3))
echo $((1 ? 2 : 3)) $((0 || 5)) $((3 && 0)) $((~5)) $((5 ^ 3)) $((5 & 3)) $((5 | 3)) $((!0))
x=5; echo $((x += 2)) $x $((x * x)) $((x == 7))
a=0; b=1; i=0; while [ $i -lt 50 ]; do c=$((a + b)); a=$b; b=$c; i=$((i + 1)); done; echo $a
n=2; count=0; while [ $count -lt 25 ]; do d=2; p=1
	while [ $((d * d)) -le $n ]; do [ $((n % d)) = 0 ] && { p=0; break; }; d=$((d + 1)); done
	[ $p = 1 ] && { printf '%d ' $n; count=$((count + 1)); }; n=$((n + 1)); done; echo
gcd() { [ $2 = 0 ] && echo $1 || gcd $2 $(($1 % $2)); }; gcd 1071 462
collatz=27; steps=0; while [ $collatz != 1 ]; do [ $((collatz % 2)) = 0 ] && collatz=$((collatz / 2)) || collatz=$((3 * collatz + 1)); steps=$((steps + 1)); done; echo $steps
awk 'BEGIN { for (i = 1; i <= 10; i++) s += 1 / i; printf "%.10f\n", s }'
awk 'BEGIN { printf "%.6f %.6f %.6f\n", sqrt(2), exp(1), atan2(0, -1) }'
awk 'BEGIN { print 2 ^ 10, 7 % 3, int(-3.7), 1e3, 0.1 + 0.2 }'
printf '%d %o %x %X\n' 255 255 255 255; printf '%.3f %e\n' 3.14159 12345.678
echo 'scale=20; 1/3; 2^100' | bc
echo '5 3 + p' | dc
factor 123456789
(echo $((1 / 0))) 2>/dev/null; echo "status $?"
[ abc -eq 1 ] 2>/dev/null; echo $?
