# SPDX-License-Identifier: MIT
# String work: trimming, splitting, joining, padding, case, repetition, substitution by sed and awk.
s='  padded  '; echo "[$(echo $s)]"; t=${s#"${s%%[! ]*}"}; echo "[$t]"
p=/usr/local/lib/file.tar.gz; echo ${p##*/} ${p%/*} ${p%%.*} ${p#*.} ${p##*.}
join() { d=$1; shift; printf '%s' "$1"; shift; for x; do printf '%s%s' "$d" "$x"; done; echo; }; join , a b c
rep() { n=$1; r=; while [ $n -gt 0 ]; do r=$r$2; n=$((n-1)); done; echo $r; }; rep 10 ab
echo 'Hello World' | tr 'A-Za-z' 'N-ZA-Mn-za-m'; echo 'Hello' | awk '{ print tolower($0), toupper($0) }'
printf '%-10s|%10s|%.3s\n' left right truncated
csv='1,two,"three"'; IFS=, ; set -- $csv; unset IFS; echo $# $2 $3
case abc in a*) echo prefix ;; esac; case abc in *c) echo suffix ;; esac; case a.c in a[.]c) echo dot ;; esac
x=abcdef; echo ${#x}; echo $x | cut -c2-4; expr substr $x 2 3
echo 'a-b-c' | sed 's/-/+/2; s/a/[&]/'; echo 'aaa' | sed 's/a/b/g; t; s/b/c/'
echo '2024-01-15' | sed -E 's/([0-9]+)-([0-9]+)-([0-9]+)/\3.\2.\1/'
echo 'one two three' | awk '{ for (i = NF; i; i--) printf "%s ", $i; print "" }'
printf 'x\ty\n' | cat -A 2>/dev/null || printf 'x\ty\n' | cat -vet
printf '\101\x42\n'; printf '%b\n' 'tab\there'; printf "%s\n" 'a\nb'
echo äöü | wc -c; echo äöü | sed 's/ö/o/'
[ "a b" = "a b" ] && [ a \< b ] && echo less; [ -n x ] && [ -z '' ] && echo lengths
set -- 'with space' plain; printf '<%s>' "$@"; echo; set -- "$@" third; echo $#
yes abc | head -100 | tr -d '\n' | wc -c
