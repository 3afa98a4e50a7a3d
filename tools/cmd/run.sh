# SPDX-License-Identifier: MIT
# ./pith run: boots the system on this terminal, with a Linux program as the first process.

run_usage() {
	cat <<'END'
usage: ./pith run [OPTIONS] [-- CMD ARG...]

  --root DIR|IMG  the root file system: a folder (copied in) or a cpio archive; without it
                  Debian's busybox with all its names
  --smp N         cores                       --icount        count instructions exactly
  --mem MiB       memory                      --cpu MODEL     QEMU's name of a CPU
  --timeout S     end it after S seconds      -v              the system's own log, on stderr
  --kill MS       kill a server every MS milliseconds, each in turn
  --crash N       let each server crash within each 2 N of its requests, at a random one
  --net  --hostfwd RULE  --disk IMG           not yet in this version

Without a command: a shell. Ctrl-A X leaves. Status: the command's, 128+N when signal N ended it,
124 timed out, 125 the system died, 2 wrong use.
END
}

smp=1 mem='' icount='' cpu='' timeout=0 verbose='' root_fs='' chaos='' crash=''
while [ $# -gt 0 ]; do
	case $1 in
	--help | -h) run_usage; exit 0 ;;
	--icount) icount=--icount; shift; continue ;;
	-v) verbose=1; shift; continue ;;
	--net) die "$1: there is no network yet" ;;
	--) break ;;
	--smp | --mem | --timeout | --cpu | --root | --disk | --hostfwd | --kill | --crash)
		[ $# -ge 2 ] && [ "$2" != -- ] || die "$1 needs a value" ;;
	-*) die "unknown option $1" ;;
	*) die "a command comes after --, not \"$1\"" ;;
	esac
	case $1 in
	--smp) number_option "$@"; smp=$2 ;;
	--mem) number_option "$@"; mem=$2 ;;
	--timeout) number_option "$@"; timeout=$2 ;;
	--kill) number_option "$@"; chaos=$2 ;;
	--crash) number_option "$@"; crash=$2 ;;
	--cpu) cpu=$2 ;;
	--root) root_fs=$(user_path "$2") ;;
	--disk | --hostfwd) die "$1: there are no disks and no network yet" ;;
	esac
	shift 2
done
interactive=1
if [ "${1-}" = -- ]; then
	shift
	[ $# -gt 0 ] || die "no command after --"
	interactive=
fi
[ -z "$root_fs" ] || [ -e "$root_fs" ] || die "--root $root_fs: no such file or folder"

need_packages
use_tmp
build build/release/pith.elf build/release/system/linux.img build/host/guard build/host/mkroot \
	build/host/mkimage build/host/sysc build/host/feed build/host/winsize
out=build/release
if [ -z "$root_fs" ]; then
	root_cpio=$out/system/rootfs.cpio
elif [ -d "$root_fs" ]; then
	root_cpio=$PITH_TMP/root.cpio
	build/host/mkroot "$root_fs" "$root_cpio" || exit 2
else
	root_cpio=$root_fs
fi

# The file system gets room for the root and for what programs write; the machine gets the archive,
# that, and room to run in. Of a machine of a given size files get a half, as on Linux.
root_mib=$(($(wc -c <"$root_cpio") / 1048576 + 1))
files_mib=$((root_mib * 5 / 4 + 24))
half_mib=$(((${mem:-0} - root_mib) / 2))
if [ -z "$mem" ]; then
	files_mib=$((files_mib + 104))
	mem=$((root_mib + files_mib + 384))
elif [ "$mem" -ge 256 ] && [ "$half_mib" -gt "$files_mib" ]; then
	files_mib=$half_mib
fi
small_edit=''
if [ "$mem" -lt 64 ]; then # less to keep account of, too
	files_mib=$((root_mib * 5 / 4 + 4))
	small_edit='/component memory/,/}/s/capsule [0-9]*M/capsule 1M/
		/component tty/,/}/s/capsule 1664K/capsule 640K/
		/component pipe/,/}/{s/capsule 1664K/capsule 640K/; s/objects 64/objects 32/}
		/component process/,/}/s/capsule 2M log 512K/capsule 1M log 256K/'
fi
# PITH_SYSTEM: another description than that of the Linux system (tests).
sed -e "/component ramfs/,/}/s/capsule [0-9]*M/capsule ${files_mib}M/" \
	-e "$small_edit" \
	-e "/component tty/,/}/s/\"pairs\"/\"pairs${interactive:+ console}\"/" \
	"${PITH_SYSTEM:-system/linux.sys}" >"$PITH_TMP/linux.sys"
build/host/sysc "$PITH_TMP/linux.sys" "$PITH_TMP/system" || exit 2
if [ -n "$interactive" ]; then
	# shellcheck disable=SC2016 # for the shell in the guest
	set -- /bin/sh -c 'echo "Pith: Linux programs on a microkernel whose servers may die under them."
echo "Try: seq 1 200000 | sort -n | tail -1 & sleep 1; servers kill ramfs; servers kill memory; servers"
echo "Leave with exit or Ctrl-A X."
exec /bin/sh'
else
	set -- stdio=streams "$@" # to the layer: descriptors 0 to 2 are the host's, not a terminal
fi
# Words in their order, each with a NUL.
printf '%s\0' "$@" >"$PITH_TMP/command"
[ "$(wc -c <"$PITH_TMP/command")" -le 131072 ] || die "the command is longer than 128 KiB"
build/host/mkimage "$PITH_TMP/run.img" root=$out/servers/root/root.stripped \
	supervisor=$out/servers/supervisor/supervisor.stripped system="$PITH_TMP/system" \
	memory=$out/servers/memory/memory.stripped ramfs=$out/fs/ramfs/ramfs.stripped \
	serial=$out/drivers/serial/serial.stripped tty=$out/servers/tty/tty.stripped \
	virtio-console=$out/drivers/virtio-console/virtio-console.stripped pipe=$out/servers/pipe/pipe.stripped \
	process=$out/servers/process/process.stripped linux=$out/linux/linux.stripped \
	rootfs="$root_cpio" command="$PITH_TMP/command" || exit 2

# The first serial port is the terminal, the third the log. A command's stdin and stdout are the
# first virtio console, its stderr is the second.
log=$PITH_TMP/system.log
virtio() { # NUMBER SLOT CHARDEV (none: the terminal that qemu-run makes)
	[ -z "$3" ] || printf ' -chardev %s,id=v%s' "$3" "$1"
	printf ' -device virtio-serial-pci,addr=0x%s,max_ports=2,disable-modern=on,id=s%s' "$2" "$1"
	[ -z "$3" ] && device=terminal || device=v$1
	printf ' -device virtserialport,chardev=%s,bus=s%s.0,nr=1' "$device" "$1"
}
set -- --smp "$smp" --mem "$mem" --timeout "$timeout" --cpu "$cpu" $icount \
	--append "logport=3${chaos:+ chaos=$chaos}${crash:+ crash=$crash}"
if [ -n "$interactive" ]; then
	mkfifo "$PITH_TMP/size.in" "$PITH_TMP/size.out" || exit 2
	console="stdio,signal=off"
	if [ -t 0 ]; then
		set -- "$@" --interactive
		console=
		exec 6<&0 # a command in the background has no stdin of its own
		build/host/winsize $$ "$PITH_TMP/size.in" <&6 >/dev/null 2>&1 &
	fi
	tools/qemu-run "$@" --com1 "file:$PITH_TMP/console" --qemu "-serial null -serial file:$log \
		$(virtio 0 10 "$console") $(virtio 1 11 "pipe,path=$PITH_TMP/size")" \
		$out/pith.elf "$PITH_TMP/run.img"
	status=$?
else
	mkfifo "$PITH_TMP/stderr" || exit 2
	cat "$PITH_TMP/stderr" >&2 &
	errors_pid=$!
	exec 5>"$PITH_TMP/stderr" # so that cat ends with this shell's and QEMU's ends
	{
		build/host/feed 5>&- | tools/qemu-run "$@" --com1 "file:$PITH_TMP/console" \
			--qemu "-serial null -serial file:$log $(virtio 0 10 stdio,signal=off) \
			$(virtio 1 11 "file,path=$PITH_TMP/stderr")" $out/pith.elf "$PITH_TMP/run.img" 5>&-
		echo $? >"$PITH_TMP/status"
	}
	exec 5>&-
	wait "$errors_pid"
	status=$(cat "$PITH_TMP/status")
fi
ended=$(sed -n 's/^\[process\] init exited with status \([0-9]*\).*/\1/p' "$log" 2>/dev/null | tail -n 1)
if [ -n "$ended" ] && [ "$status" != 124 ]; then
	status=$ended
elif [ "$status" = 125 ] && why=$(cat "$PITH_TMP/console" "$log" 2>/dev/null |
	sed -n 's/^pith: //p; s/^\[supervisor\] stops the machine: //p' | grep .); then
	say "the system stopped: $(printf '%s\n' "$why" | tail -n 1)"
elif [ "$status" != 124 ] && [ "$status" != 0 ]; then
	[ -n "$interactive" ] || cat "$PITH_TMP/console" >&2
	say "the system died:"
	tail -n 20 "$log" >&2
fi
[ -z "$verbose" ] || cat "$log" >&2
exit "$status"
