# SPDX-License-Identifier: MIT
# Quotes, escapes, word splitting, IFS, globs that match nothing.
a='one  two'
set -- $a; echo $#
set -- "$a"; echo $#
IFS=:; set -- x:y::z; echo $#
v='p:q'; set -- $v; echo "$# $1 $2"
unset IFS
echo "tab	\$a \`x\` \\ \"q\""
echo 'single $a "double"' "it's"
echo a\ b\	c
printf '%s|' "$@" '' "  "; echo
echo *.none [z]* nothing?
touch f1 f2 'f 3'
echo f*; echo "f*"; echo f[12] f[!1]*
for f in f*; do echo "<$f>"; done
echo ${a#one} ${a%two} ${#a} "${a##* }" ${none:-default} ${none:+x} ${a:+set}
echo ${none:=given} $none
(echo ${missing:?is missing}) 2>/dev/null || echo "status $?"
x='a*b'; echo "$x" ${x%\**}
echo $((1 + 2 * 3)) $(( (1+2)*3 )) $((7 / 2)) $((7 % 3)) $((1 << 5)) $((5 > 3)) $((0x1f)) $((010))
echo "$(echo "nested "$(echo "deep")"")"
echo "multi
line"
echo $'x' | od -c | head -1 >/dev/null
cat <<EOF
here $a $(echo sub) \$no
EOF
cat <<'EOF'
here $a raw
EOF
cat <<-EOF
	stripped
	EOF
