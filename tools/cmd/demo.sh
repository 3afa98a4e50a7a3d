# SPDX-License-Identifier: MIT
# ./pith demo NAME: runs tools/demo/NAME.sh, which is read into this shell.

list_demos() {
	for demo in tools/demo/*.sh; do
		[ -e "$demo" ] && basename "$demo" .sh
	done
	return 0
}

case ${1-} in
'' | --help) echo "usage: ./pith demo NAME"; echo "demos: $(list_demos | paste -s -d ' ' -)"; exit 0 ;;
*/* | -*) die "no demo is called \"$1\"" ;;
esac
[ -e "tools/demo/$1.sh" ] || die "no demo is called \"$1\" (./pith demo lists them)"
demo=$1
shift
. "tools/demo/$demo.sh"
