# SPDX-License-Identifier: MIT
# ./pith debug: boots the debug build under gdb.

debug_usage() {
	cat <<'END'
usage: ./pith debug [--image NAME] [--append WORDS] [--smp N] [--mem MiB] [-- GDB ARG...]

The machine waits at its first instruction; gdb has read tools/gdb/*. What the machine says on
its serial port is shown when gdb ends, and is in $PITH_TMP/serial meanwhile.
END
}

image=boot append='' smp=1 mem=256
while [ $# -gt 0 ]; do
	case $1 in
	--help | -h) debug_usage; exit 0 ;;
	--) shift; break ;;
	--image | --append | --smp | --mem) [ $# -ge 2 ] || die "$1 needs a value" ;;
	*) die "unknown option $1" ;;
	esac
	case $1 in
	--image) image=$2 ;;
	--append) append=$2 ;;
	--smp) number_option "$@"; smp=$2 ;;
	--mem) number_option "$@"; mem=$2 ;;
	esac
	shift 2
done

need_packages
build CONFIG=debug build/debug/pith.elf "build/debug/system/$image.img" build/host/guard
use_tmp
tools/qemu-run --smp "$smp" --mem "$mem" --append "$append" --timeout 0 --gdb "$PITH_TMP/gdb" \
	build/debug/pith.elf "build/debug/system/$image.img" \
	</dev/null >"$PITH_TMP/serial" 2>&1 &
machine=$!
tries=0
while [ ! -S "$PITH_TMP/gdb" ]; do
	tries=$((tries + 1))
	if [ $tries -gt 100 ] || ! kill -0 $machine 2>/dev/null; then
		cat "$PITH_TMP/serial" >&2
		die "the machine did not start"
	fi
	sleep 0.1
done

say "serial output: $PITH_TMP/serial"
commands=$PITH_TMP/commands
echo 'set confirm off' >"$commands"
for file in tools/gdb/*.py tools/gdb/*.gdb; do
	[ -e "$file" ] && echo "source $file" >>"$commands"
done
echo "target remote $PITH_TMP/gdb" >>"$commands"
gdb -q -iex 'set auto-load safe-path /' -x "$commands" "$@" build/debug/pith.elf
status=$?
kill $machine 2>/dev/null
wait $machine 2>/dev/null
cat "$PITH_TMP/serial"
exit $status
