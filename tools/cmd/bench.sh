# SPDX-License-Identifier: MIT
# ./pith bench: measures, and compares with bench/limits.

bench_usage() {
	cat <<'END'
usage: ./pith bench [NAME...]

A NAME is a group (kernel, size), or the beginning of a figure's name. A line per figure: name,
value, unit, its limit, a peer's value, and ours as a share of the peer's. Status 1 when a limit is
exceeded or a measurement fails.
END
}

case ${1-} in
--help | -h) bench_usage; exit 0 ;;
esac
for name in "$@"; do
	case $name in
	'' | *[!A-Za-z0-9._-]* | -*) die "\"$name\" cannot be a figure's name" ;;
	esac
done
names=$*

need_packages
build host
use_tmp
figures=$PITH_TMP/figures
: >"$figures"
failed=0
has_kernel=
has_image kbench && has_kernel=1
[ -n "$has_kernel" ] || [ -d kernel/core ] || die "this tree has no kernel to measure"

# Is the group wanted? It is when its name is given or a name that may begin one of its figures.
group_is_wanted() { # GROUP
	[ -n "$names" ] || return 0
	for name in $names; do
		case $name in
		"$1") return 0 ;;
		size | size.*) [ "$1" = size ] && return 0 ;;
		call.scale*) [ "$1" = scale ] && return 0 ;;
		kernel | call | call. | call.s | call.sc | call.sca | call.scal)
			[ "$1" = size ] || return 0 ;;
		*) [ "$1" = kernel ] && return 0 ;;
		esac
	done
	return 1
}

# Boots the measuring program. Its figures count only if it came to its end.
measure() { # GROUP QEMU-RUN-OPTIONS…
	group=$1
	shift
	tools/qemu-run --timeout 600 "$@" build/release/pith.elf build/release/system/kbench.img \
		</dev/null >"$PITH_TMP/serial" 2>&1
	measure_status=$?
	tr -d '\r' <"$PITH_TMP/serial" | sed -n "s/^FIGURE /$group /p" >>"$figures"
	if [ $measure_status != 0 ] || ! tr -d '\r' <"$PITH_TMP/serial" | grep -qx DONE; then
		say "bench: the measuring program failed (status $measure_status):"
		tail -n 20 "$PITH_TMP/serial" | tools/symbolise build/release/pith.elf >&2
		failed=1
	fi
}

if [ -n "$has_kernel" ] && { group_is_wanted kernel || group_is_wanted scale; }; then
	build build/release/pith.elf build/release/system/kbench.img
	group_is_wanted kernel && measure kernel --icount --append "bench=kernel"
	if group_is_wanted scale; then
		for cpus in 2 4; do
			if [ "$(nproc)" -lt $cpus ]; then
				echo "SKIP call.scale$cpus: needs $cpus cores, this machine has $(nproc)"
			else
				measure kernel --smp $cpus --append "bench=call.scale"
				sed -i "s/^kernel call.scale /kernel call.scale$cpus /" "$figures"
			fi
		done
	fi
fi
if group_is_wanted size; then
	[ ! -e kernel/build.mk ] || build build/release/pith.elf
	tools/size >"$PITH_TMP/size" || failed=1
	sed -n 's/^FIGURE /size /p' "$PITH_TMP/size" >>"$figures"
fi

awk -v names="$names" '
	function wanted(group, figure,   i) {
		if (!n) return 1
		for (i = 1; i <= n; i++)
			if (want[i] == group || index(figure, want[i]) == 1) return 1
		return 0
	}
	BEGIN { n = split(names, want, " ") }
	FILENAME == ARGV[1] {
		if ($0 ~ /^[ \t]*(#|$)/) next
		bound[$1] = $2; limit[$1] = $3; peer[$1] = $4; peers[$1] = $5
		next
	}
	wanted($1, $2) {
		count++
		text = ""; verdict = ""
		if ($2 in bound && bound[$2] != "-") {
			text = (bound[$2] == "max" ? "<= " : ">= ") limit[$2]
			if (bound[$2] == "max" ? $3 + 0 > limit[$2] + 0 : $3 + 0 < limit[$2] + 0) {
				verdict = "  LIMIT EXCEEDED"
				bad = 1
			}
		}
		compare = ""
		if ($2 in peer && peer[$2] != "-")
			compare = sprintf("%s %s (x%.2f)", peer[$2], peers[$2], $3 / peers[$2])
		extra = ""
		for (i = 5; i <= NF; i++) extra = extra " " $i
		line = sprintf("%-18s %10s %-8s %-10s %-22s%s%s", $2, $3, $4, text, compare, extra, verdict)
		sub(/ +$/, "", line)
		print line
	}
	END { exit !count ? 3 : bad }' bench/limits "$figures"
case $? in
0) exit $failed ;;
3)
	[ $failed = 0 ] || exit 1
	die "no figure is called \"$names\"" ;;
*) exit 1 ;;
esac
