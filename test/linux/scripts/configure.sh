# SPDX-License-Identifier: MIT
# The kind of work a configure script does: probes, temporary files, here-documents, sed of a template.
conf=conf$$; mkdir $conf; cd $conf || exit 1
checking() { printf 'checking %s... ' "$1"; }
checking 'for a working cp'; echo a >t1; cp t1 t2 && cmp t1 t2 >/dev/null && echo yes || echo no
checking 'whether ln -s works'; ln -s t1 l 2>/dev/null && [ -L l ] && echo yes || echo no
checking 'whether mkdir -p is good'; mkdir -p a/b/c a/b/c && echo yes || echo no
checking 'for the path separator'; (PATH='/none;.'; cd . >/dev/null && echo ':')
checking 'for grep that handles long lines'
i=0; printf 0123456789 >long; while [ $i -lt 8 ]; do cat long long >long2; mv long2 long; i=$((i+1)); done
echo X >>long; grep -c X long
checking 'for awk'; for a in gawk mawk nawk awk; do command -v $a >/dev/null 2>&1 && { echo $a; break; }; done
checking 'maximum length of arguments'; set x $(seq 1 2000); echo $#
cat >template.in <<'E'
name=@NAME@
version=@VERSION@
prefix=@prefix@
path=@prefix@/bin
E
sed -e 's|@NAME@|prog|g' -e 's|@VERSION@|1.2|g' -e 's|@prefix@|/usr/local|g' template.in >template
cat template
cat >confdefs.h <<'E'
#define HAVE_UNISTD_H 1
#define SIZEOF_LONG 8
/* #undef HAVE_NOTHING */
E
grep -c '^#define' confdefs.h
awk '/^#define/ { print $2 "=" $3 }' confdefs.h
for f in template confdefs.h; do { echo "# $f"; cat $f; } | sed 1q; done
exec 5>log; echo "logged" >&5; (echo sub >&5); exec 5>&-; cat log
(exit 77); case $? in 77) echo skipped ;; esac
test -x /bin/sh && test -d /tmp && test ! -f nothing && echo sane
mv template final; rm -f t1 t2 l; ls; cd ..; rm -rf $conf; [ -d $conf ] || echo cleaned
