# SPDX-License-Identifier: MIT
# ./pith run: boots the system on this terminal.

run_usage() {
	cat <<'END'
usage: ./pith run [OPTIONS] [-- CMD ARG...]

  --smp N         cores                       --icount        count instructions exactly
  --mem MiB       memory                      --cpu MODEL     QEMU's name of a CPU
  --timeout S     end it after S seconds      -v              show what is started
  --root DIR|IMG  --net  --hostfwd RULE  --disk IMG  and a command: not yet in this version

Ctrl-A X leaves. Status: 0, or 124 timed out, 125 the system died, 2 wrong use.
END
}

smp=1 mem=256 icount='' cpu='' timeout=0 verbose=''
while [ $# -gt 0 ]; do
	case $1 in
	--help | -h) run_usage; exit 0 ;;
	--icount) icount=--icount; shift; continue ;;
	-v) verbose=1; shift; continue ;;
	--net) die "$1: there is no network yet" ;;
	--) break ;;
	--smp | --mem | --timeout | --cpu | --root | --disk | --hostfwd)
		[ $# -ge 2 ] && [ "$2" != -- ] || die "$1 needs a value" ;;
	-*) die "unknown option $1" ;;
	*) die "a command comes after --, not \"$1\"" ;;
	esac
	case $1 in
	--smp) number_option "$@"; smp=$2 ;;
	--mem) number_option "$@"; mem=$2 ;;
	--timeout) number_option "$@"; timeout=$2 ;;
	--cpu) cpu=$2 ;;
	--root | --disk | --hostfwd) die "$1: there are no Linux programs, disks or network yet" ;;
	esac
	shift 2
done
if [ "${1-}" = -- ]; then
	shift
	[ $# -gt 0 ] || die "no command after --"
	die "\"$1\": there is no program loader yet, only the interactive system"
fi

need_packages
build build/release/pith.elf build/release/system/boot.img build/host/guard
set -- --smp "$smp" --mem "$mem" --timeout "$timeout" --cpu "$cpu" $icount
[ -t 0 ] && set -- "$@" --interactive
[ -z "$verbose" ] || say "tools/qemu-run $* build/release/pith.elf build/release/system/boot.img"
# The same process from here on: who ends it ends the emulator, and waits for that.
exec tools/qemu-run "$@" build/release/pith.elf build/release/system/boot.img
