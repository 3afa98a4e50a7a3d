# SPDX-License-Identifier: MIT
# bash-long.sh: what bash has beyond a plain shell: arrays, functions, here-documents and here-strings,
# process substitution, traps, coprocesses, arithmetic, patterns, and the errors of each.

section() { printf '== %s\n' "$1"; }

section 'indexed arrays'
a=(zero one 'two words' three)
echo "${#a[@]} ${a[0]} ${a[2]} ${a[-1]}"
a+=(four)
a[10]=ten
echo "${!a[@]}"
printf '<%s>' "${a[@]}"
echo
printf '<%s>' "${a[@]:1:2}"
echo
unset 'a[1]'
echo "${!a[*]}"
b=("${a[@]/o/O}")
echo "${b[*]}"
c=("${a[@]#t}")
echo "${c[*]}"
IFS=, eval 'joined="${a[*]}"'
echo "$joined"
reverse() {
	local -a in=("$@") out=()
	local i
	for ((i = ${#in[@]} - 1; i >= 0; i--)); do
		out+=("${in[i]}")
	done
	echo "${out[*]}"
}
reverse 1 2 3 4 5
mapfile -t lines < <(seq 1 5)
echo "${#lines[@]} ${lines[3]}"
read -r -a words <<<'split these words'
echo "${words[1]} of ${#words[@]}"

section 'associative arrays'
declare -A color=([sky]=blue [grass]=green)
color[sun]=yellow
for key in $(printf '%s\n' "${!color[@]}" | sort); do
	echo "$key is ${color[$key]}"
done
unset 'color[sky]'
echo "${#color[@]} ${color[sky]-nothing}"
[[ -v color[sun] ]] && echo 'sun is set'
declare -A count
for word in the cat and the dog and the bird; do
	((count[$word]++))
done
for word in $(printf '%s\n' "${!count[@]}" | sort); do
	printf '%s=%d ' "$word" "${count[$word]}"
done
echo

section 'functions'
outer() {
	local x=outer
	inner
	echo "after inner: $x"
}
inner() {
	x=changed-by-inner
	echo "inner sees it"
}
outer
echo "${x-unset outside}"
fibonacci() {
	(($1 < 2)) && { echo "$1"; return; }
	echo $(($(fibonacci $(($1 - 1))) + $(fibonacci $(($1 - 2)))))
}
fibonacci 9
by_name() {
	local -n reference=$1
	reference+=' and more'
}
target=text
by_name target
echo "$target"
returns() { return "$1"; }
returns 42
echo $?
variadic() { echo "$# ${*: -1} ${1:-none}"; }
variadic a b c
variadic
with_default() { echo "${1:-default} ${2-unset} ${3+given}"; }
with_default '' '' ''
declare -f returns | head -n 1
unset -f returns
returns 1 2>/dev/null || echo "no such function: $?"

section 'conditions'
[[ abc == a* ]] && echo pattern
[[ abc == 'a*' ]] || echo literal
[[ abc123 =~ ^([a-z]+)([0-9]+)$ ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
[[ -d / && ! -f / ]] && echo folder
[[ 10 -gt 9 && a < b ]] && echo compared
[[ -z '' || $(echo side effect) ]] && echo short
if ((5 > 3 && 2 ** 10 == 1024)); then echo arithmetic; fi
case abcd in
a?c*) echo first ;;&
*d) echo second ;;
*) echo never ;;
esac
case x in
x) echo falls ;&
y) echo through ;;
esac

section 'loops'
for ((i = 0, j = 10; i < j; i += 3, j--)); do
	echo -n "$i:$j "
done
echo
for i in {1..5} {a..e..2} x{1,2}y; do
	echo -n "$i "
done
echo
for i in {01..03}; do echo -n "$i "; done
echo
i=0
while true; do
	((++i % 2)) && continue
	((i > 6)) && break
	echo -n "$i "
done
echo
until ((i <= 0)); do ((i -= 3)); done
echo "$i"
select_from() { PS3='? '; select item in one two; do echo "chose ${item:-nothing}"; break; done; }
select_from <<<2 2>/dev/null

section 'expansions'
path=/usr/local/share/file.tar.gz
echo "${path##*/} ${path%/*} ${path%%.*} ${path#*/} ${path//\//:}"
text='Hello World'
echo "${text^^} ${text,,} ${text:0:5} ${text: -5} ${#text} ${text/World/There} ${text//[aeiou]/_}"
echo "${undefined:-fallback} ${undefined:=assigned} $undefined"
(: "${missing:?must be set}") 2>/dev/null || echo "status $?"
variable=text
echo "${!variable}"
printf '%q %q\n' 'with space' "quo'te"
echo "${text@Q}"
printf -v formatted '%05.2f|%-6s|%x' 3.14159 ab 255
echo "$formatted"
echo $'tab\there' $'nul\x41' | od -An -c | head -n 1
set -- one 'two three' four
echo "$# $* ${@:2:1} ${*: -1}"
shopt -s extglob
echo "${path%%+([a-z.])}"
case foo.c in !(*.h)) echo 'not a header' ;; esac
shopt -s nullglob
none=(no-such-*)
echo "${#none[@]}"
shopt -u nullglob

section 'arithmetic'
echo $((16#ff + 2#101 + 010)) $((7 ** 3)) $((-7 / 2)) $((-7 % 3)) $((1 << 40))
((x = 5, y = x * 2, z = x > 3 ? y : 0))
echo "$x $y $z"
echo $((x++ + ++x)) "$x" $((x ^= 3)) $((~x)) $((!x))
let 'w = 3 * 4' && echo "$w"
(echo $((1 / 0))) 2>/dev/null || echo "division: $?"
declare -i number=5
number+=7
echo "$number"
printf '%d ' {1..20}
echo

section 'here-documents'
name=reader
cat <<EOF
Dear $name, $((6 * 7)) times $(echo hello)
	with a tab and \$5
EOF
cat <<'EOF'
Dear $name, $(nothing)
EOF
cat <<-EOF
	without the tab
	EOF
tr a-z A-Z <<<"a here-string of $name"
while IFS=: read -r user _ uid _; do
	echo "$user $uid"
done </etc/passwd
mapfile -t -n 2 first <<EOF
alpha
beta
gamma
EOF
echo "${first[*]}"

section 'process substitution'
diff <(seq 1 5) <(seq 1 2 5)
cat <(echo one) <(echo two)
paste -d+ <(printf '%s\n' a b) <(printf '%s\n' 1 2)
seq 1 10 | tee >(awk '{ s += $1 } END { print "sum", s }' >sum) | tail -n 1
wait
for try in 1 2 3 4 5 6 7 8 9 10; do [ -s sum ] && break; sleep 0.1; done
cat sum
sum=0
while read -r n; do ((sum += n)); done < <(seq 1 100)
echo "$sum"

section 'pipelines'
false | true | false
echo "${PIPESTATUS[@]}"
set -o pipefail
false | true
echo $?
set +o pipefail
seq 1 1000 | sort -rn | head -n 3 | tr '\n' ' '
echo
shopt -s lastpipe
echo kept | read -r kept
echo "$kept"
{ echo out; echo err >&2; } 2>&1 | sort
echo both &>file
cat file
echo more &>>file
wc -l <file
exec {fd}>named
echo "to a named descriptor" >&"$fd"
exec {fd}>&-
cat named

section 'traps'
(
	trap 'echo "exit with $?"' EXIT
	exit 3
)
echo $?
(
	trap 'echo terminated; exit 9' TERM
	kill -TERM $BASHPID
	echo never
)
echo $?
(
	set -E
	trap 'echo "error in line"' ERR
	false
	true
)
debugged() {
	trap 'n=$((n + 1))' DEBUG
	:
	:
	trap - DEBUG
	echo "$((n > 1))"
}
n=0
debugged
(
	trap '' INT
	kill -INT $BASHPID
	echo ignored
)
(
	trap 'echo returned' RETURN
	f() { echo "in f"; }
	declare -ft f
	f
)

section 'jobs'
sleep 0.1 &
wait $!
echo $?
(exit 4) &
wait $!
echo $?
for i in 1 2 3; do (sleep 0.0$i; exit "$i") & pids[i]=$!; done
for i in 1 2 3; do wait "${pids[i]}"; echo -n "$? "; done
echo
sleep 20 &
kill %1 2>/dev/null || kill $!
wait $! 2>/dev/null
echo $?
coproc UPPER { while read -r line; do echo "${line^^}"; done; }
echo 'to the coprocess' >&"${UPPER[1]}"
read -r answer <&"${UPPER[0]}"
echo "$answer"
exec {UPPER[1]}>&-
wait "$UPPER_PID" 2>/dev/null
(sleep 0.05; exit 6) &
wait -n $!
echo $?

section 'files'
mkdir -p tree/{a,b}/{1,2}
touch tree/a/1/file
shopt -s globstar
echo tree/**/
[[ tree/a/1/file -nt /etc/passwd ]] && echo newer
while IFS= read -r -d '' found; do echo "$found"; done < <(find tree -type f -print0)
pushd tree >/dev/null && echo "${PWD##*/}" && popd >/dev/null
umask 027
touch masked
stat -c %a masked
type -t cd; type -t section; type -t if; type -t cat
hash -r
printf '%(%Y-%m-%d)T\n' 86400
[[ $EPOCHSECONDS -gt 1700000000 ]] && echo 'the year is right'
((RANDOM != RANDOM || RANDOM != RANDOM)) && echo 'random numbers'
echo "${BASH_VERSINFO[0]}" "$SHLVL" >/dev/null
set -u
(echo "$nothing_there") 2>/dev/null || echo "unset: $?"
set +u
set -e
(false; echo never) || echo "subshell: $?"
echo 'the end'
