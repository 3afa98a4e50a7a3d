# SPDX-License-Identifier: MIT
# ./pith bench: measures, and compares with bench/limits.

bench_usage() {
	cat <<'END'
usage: ./pith bench [NAME...]

A NAME is a group (kernel, boot, linux, servers, recovery, size, clock), or the beginning of a figure's name. A
line per figure: name, value, unit, its limit, a peer's value, and ours as a share of the peer's.
Status 1 when a limit is exceeded or a measurement fails. The group clock, which is measured only when
it is named, runs bench/clock/workloads.sh here and on Linux: its figures are our time as a share of
Linux's, by the clock, and need a machine that does nothing else.
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
		linux | linux.* | null.* | file.* | poll.* | select.* | epoll.* | ipc.* | ctx.* | proc.* | \
			mem.* | sig.* | fs.* | bw.*) [ "$1" = linux ] && return 0 ;;
		servers | rpc* | ramfs* | memory*) [ "$1" = servers ] && return 0 ;;
		recovery*) [ "$1" = recovery ] && return 0 ;;
		clock*) [ "$1" = clock ] && return 0 ;;
		boot.kernel) [ "$1" = kernel ] && return 0 ;;
		boot | boot.*) [ "$1" = boot ] && return 0 ;;
		call.scale*) [ "$1" = scale ] && return 0 ;;
		kernel | call | call. | call.s | call.sc | call.sca | call.scal)
			case $1 in kernel | scale) return 0 ;; esac ;;
		*) [ "$1" = kernel ] && return 0 ;;
		esac
	done
	return 1
}

# What the emulator's plugin tells goes beside the figures: mark=N becomes the costly instructions
# per sample of the Nth group of samples (less=M by=K: of the difference to group M, divided by K).
costs_join() { # FIGURES COSTS
	awk '
		function cost(i,   v) {
			v = (sum[mark, i] / sum[mark, 2] - (less ? sum[less, i] / sum[less, 2] : 0)) / by
			return int(v) == v ? v "" : sprintf("%.2f", v)
		}
		BEGIN { names = split("cr3 wrmsr iretq locked invlpg invpcid xsave xrstor", name, " ") }
		FNR == NR { if ($1 == "COSTS") { n++; for (i = 2; i <= NF; i++) sum[n, i] = $i }; next }
		{
			mark = less = 0; by = 1; line = ""
			for (f = 1; f <= NF; f++) {
				if ($f ~ /^mark=/) mark = substr($f, 6)
				else if ($f ~ /^less=/) less = substr($f, 6)
				else if ($f ~ /^by=/) by = substr($f, 4)
				else line = line (f > 1 ? " " : "") $f
			}
			if ((mark, 2) in sum)
				for (i = 1; i <= names; i++) line = line " " name[i] "=" cost(i + 3)
			print line
		}' "$2" "$1"
}

# Can this emulator tell what it executes? (Debian's can.)
costs=$PITH_TMP/costs
has_plugins=
qemu-system-x86_64 --help | grep -q '^-plugin' && has_plugins=1

# Boots a kernel and an image with instructions counted; leaves $PITH_TMP/serial and $costs.
run_counted() { # IMAGE WORDS
	: >"$costs"
	if [ -n "$has_plugins" ]; then
		nm build/release/pith.elf >"$PITH_TMP/symbols"
		tools/qemu-run --timeout 1200 --icount --append "$2" \
			--qemu "-plugin build/host/costs.so,out=$costs,symbols=$PITH_TMP/symbols" \
			build/release/pith.elf "build/release/system/$1.img"
	else
		tools/qemu-run --timeout 600 --icount --append "$2" build/release/pith.elf \
			"build/release/system/$1.img"
	fi </dev/null >"$PITH_TMP/serial" 2>&1
}

run_failed() { # WHAT STATUS
	say "bench: $1 failed (status $2):"
	tail -n 20 "$PITH_TMP/serial" | tools/symbolise build/release/pith.elf >&2
	failed=1
}

# Takes over the figures of a measuring program that came to its end.
figures_take() { # GROUP STATUS
	tr -d '\r' <"$PITH_TMP/serial" | sed -n "s/^FIGURE /$1 /p" >"$PITH_TMP/new"
	if [ -n "$has_plugins" ] && [ -s "$costs" ]; then
		costs_join "$PITH_TMP/new" "$costs" >>"$figures"
	else
		sed 's/ \(mark\|less\|by\)=[0-9]*//g' "$PITH_TMP/new" >>"$figures"
	fi
	if [ "$2" != 0 ] || ! tr -d '\r' <"$PITH_TMP/serial" | grep -qx DONE; then
		run_failed "the measuring program" "$2"
	fi
}

measure_counted() {
	run_counted kbench "bench=kernel"
	figures_take kernel $?
	[ -n "$has_plugins" ] || {
		echo "SKIP kernel.longest and costly instructions: this QEMU loads no plugins"
		return
	}
	# The longest time with interrupts off: over the measuring program, the tests, the fuzzer.
	sed -n 's/^LONGEST \(.*\)/\1 kbench/p' "$costs" >"$PITH_TMP/longest"
	for image in ktest kfuzz; do
		has_image $image || continue
		build build/release/system/$image.img
		run_counted $image ""
		image_status=$?
		[ $image_status = 0 ] || run_failed "$image" $image_status
		sed -n "s/^LONGEST \(.*\)/\1 $image/p" "$costs" >>"$PITH_TMP/longest"
	done
	sort -k1,1nr "$PITH_TMP/longest" |
		awk 'NR == 1 { print "kernel kernel.longest", $1, "instr", "operation=" $2, "in=" $3 }' \
		>>"$figures"
}

measure_scale() { # CPUS
	: >"$costs"
	tools/qemu-run --timeout 600 --smp "$1" --append "bench=call.scale" build/release/pith.elf \
		build/release/system/kbench.img </dev/null >"$PITH_TMP/serial" 2>&1
	figures_take kernel $?
	sed -i "s/^kernel call.scale /kernel call.scale$1 /" "$figures"
}

if [ -n "$has_kernel" ] && { group_is_wanted kernel || group_is_wanted scale; }; then
	build build/release/pith.elf build/release/system/kbench.img
	group_is_wanted kernel && measure_counted
	if group_is_wanted scale; then
		for cpus in 2 4; do
			if [ "$(nproc)" -lt $cpus ]; then
				echo "SKIP call.scale$cpus: needs $cpus cores, this machine has $(nproc)"
			else
				measure_scale $cpus
			fi
		done
	fi
fi
# The rows of ubench, an ordinary static Linux program, and the mean of what they are of Linux's.
measure_linux() {
	root=$PITH_TMP/bench-root
	mkdir -p "$root/usr/bin" "$root/bin" "$root/bench" || die "cannot write below build/"
	gcc -O2 -std=gnu11 -static -pthread -s -o "$root/usr/bin/ubench" bench/linux/ubench.c &&
		gcc -O2 -static -s -o "$root/usr/bin/hello" bench/linux/hello.c || die "ubench does not build"
	cp /bin/busybox "$root/bin/busybox" && ln -s busybox "$root/bin/sh"
	echo "ubench removes empty folders up to the root" >"$root/bench/keep"
	(
		unset PITH_TMP PITH_PID
		./pith run --icount --cpu max,-erms --timeout 1200 --root "$root" -- /usr/bin/ubench \
			-d /bench -r 3 -x cpu net dio ipc.unix bw.unix bw.tcp proc.fork_execdyn
	) </dev/null >"$PITH_TMP/serial" 2>&1
	linux_status=$?
	awk '$1 == "ub" && $3 != "SKIP" { print "linux", $2, $6, "instr" }
		$1 == "ub" && $3 == "SKIP" { print "SKIP " $2 ": " $4, $5, $6, $7, $8 >"/dev/stderr" }' \
		"$PITH_TMP/serial" >"$PITH_TMP/linux"
	awk 'FNR == NR { if ($4 == "Linux") peer[$1] = $5; next }
		$2 in peer { sum += log($3 / peer[$2]); n++ }
		{ print }
		END { if (n) printf "linux linux.geomean %.3f ratio rows=%d\n", exp(sum / n), n }' \
		bench/limits "$PITH_TMP/linux" >>"$figures"
	[ $linux_status = 0 ] || run_failed ubench $linux_status
}

if group_is_wanted linux; then
	measure_linux
fi

# To a shell's first command, in the smallest machine that the figure allows; and which is the
# smallest in which a shell runs two programs at once.
BOOT_MIB=48
boots_in() { # MIB: does the default root come up there?
	(
		unset PITH_TMP PITH_PID
		./pith run --mem "$1" --timeout 60 -- /bin/sh -c 'ls / | wc -l'
	) </dev/null >"$PITH_TMP/serial" 2>&1
}

measure_boot() {
	root=$PITH_TMP/boot-root
	mkdir -p "$root/bin" || die "cannot write below build/"
	gcc -O2 -std=gnu11 -static -s -o "$root/bin/boot" bench/linux/boot.c || die "bench/linux/boot.c does not build"
	cp /bin/busybox "$root/bin/busybox" && ln -s busybox "$root/bin/sh"
	(
		unset PITH_TMP PITH_PID
		./pith run --icount --cpu max,-erms --mem $BOOT_MIB --timeout 300 --root "$root" -- \
			/bin/sh -c 'exec /bin/boot'
	) </dev/null >"$PITH_TMP/serial" 2>&1
	boot_status=$?
	awk -v all=$((BOOT_MIB * 1024)) '$1 == "boot" { value[$2] = $3 }
		END {
			if (!("room" in value)) exit
			print "boot boot.shell", value["instructions"], "instr"
			printf "boot boot.memory %.1f MiB of=%d reserved=%.1f\n", (all - value["free"] - value["room"]) / 1024,
				all / 1024, (all - value["free"]) / 1024
		}' "$PITH_TMP/serial" >>"$figures"
	[ $boot_status = 0 ] || run_failed "the boot with $BOOT_MIB MiB" $boot_status
	least=$BOOT_MIB
	boots_in $least || run_failed "a shell with $least MiB" $?
	while [ $least -gt 16 ] && boots_in $((least - 2)); do
		least=$((least - 2))
	done
	echo "boot boot.least $least MiB" >>"$figures"
}

if group_is_wanted boot; then
	measure_boot
fi

# Figures that a component logs, each line behind its name in brackets.
component_figures_take() { # GROUP STATUS
	sed -i 's/^\[[a-z]*bench\] //' "$PITH_TMP/serial"
	figures_take "$1" "$2"
}

if has_image sbench && group_is_wanted servers; then
	build build/release/pith.elf build/release/system/sbench.img
	: >"$costs"
	tools/qemu-run --timeout 300 --icount build/release/pith.elf build/release/system/sbench.img \
		</dev/null >"$PITH_TMP/serial" 2>&1
	component_figures_take servers $?
fi
if has_image rbench && group_is_wanted recovery; then
	build build/release/pith.elf build/release/system/rbench.img build/release/system/rbench-icount.img
	: >"$costs"
	tools/qemu-run --timeout 200 --append chaos=30 build/release/pith.elf \
		build/release/system/rbench.img </dev/null >"$PITH_TMP/serial" 2>&1
	component_figures_take recovery $?
	tools/qemu-run --timeout 300 --icount --append chaos=5 build/release/pith.elf \
		build/release/system/rbench-icount.img </dev/null >"$PITH_TMP/serial" 2>&1
	component_figures_take recovery $?
fi
# The same script on both, by the clock; nothing of it is counted.
measure_clock() {
	root=$PITH_TMP/clock-root
	mkdir -p "$root/bin" "$root/tmp" || die "cannot write below build/"
	cp /bin/busybox "$root/bin/busybox" && ln -s busybox "$root/bin/sh"
	cp bench/clock/workloads.sh "$root/workloads.sh"
	tools/linux-run --version >/dev/null || {
		echo "SKIP clock: no Linux to compare with"
		return
	}
	say "bench: half a minute of workloads here, then on Linux"
	(
		unset PITH_TMP PITH_PID
		./pith run --timeout 300 --root "$root" -- /bin/sh /workloads.sh
	) </dev/null >"$PITH_TMP/serial" 2>&1 || { run_failed "the workloads" $?; return; }
	grep '^clock ' "$PITH_TMP/serial" | tr -d '\r' >"$PITH_TMP/clock-here"
	tools/linux-run --timeout 300 "$root" "/bin/busybox sh /workloads.sh" </dev/null \
		>"$PITH_TMP/serial" 2>&1 || { run_failed "the workloads on Linux" $?; return; }
	grep '^clock ' "$PITH_TMP/serial" | tr -d '\r' >"$PITH_TMP/clock-there"
	awk 'FNR == NR { here[$2] = $3; next }
		$2 in here && $3 > 0 {
			printf "clock clock.%s %.2f ratio here=%.2fs linux=%.2fs\n", $2, here[$2] / $3, here[$2], $3
			sum += log((here[$2] > 0 ? here[$2] : 0.01) / $3); n++
		}
		END { if (n) printf "clock clock.geomean %.3f ratio rows=%d\n", exp(sum / n), n }' \
		"$PITH_TMP/clock-here" "$PITH_TMP/clock-there" >>"$figures"
}

if [ -n "$names" ] && group_is_wanted clock; then
	measure_clock
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
	BEGIN {
		n = split(names, want, " ")
		while ((getline row <"bench/reasons") > 0)
			if (row !~ /^[ \t]*(#|$)/ && split(row, word, " ")) {
				name = word[1]
				sub(/^[^ ]+ +/, "", row)
				reason[name] = row
			}
	}
	# In lines of at most 100 columns.
	function reason_print(text,   words, word, i, line) {
		words = split(text, word, " ")
		line = "    above:"
		for (i = 1; i <= words; i++) {
			if (length(line) + length(word[i]) > 98) { print line; line = "          " }
			line = line " " word[i]
		}
		print line
	}
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
		if ($1 == "linux" && $2 in peer && peers[$2] > 0 && $3 > peers[$2])
			reason_print($2 in reason ? reason[$2] : "nobody has written down why (bench/reasons)")
	}
	END { exit !count ? 3 : bad }' bench/limits "$figures"
case $? in
0) exit $failed ;;
3)
	[ $failed = 0 ] || exit 1
	die "no figure is called \"$names\"" ;;
*) exit 1 ;;
esac
