# SPDX-License-Identifier: MIT
# Ring system: servers under a checked workload, undisturbed, while they are killed, and while they
# crash at random requests of theirs.

RING_WHAT="servers that are killed while clients check every answer"

# IMAGE:CHAOS_MS:CPUS, one boot each; chaos 0 kills nothing. With one processor and kills time is the
# count of instructions: on a slow or busy host the same work fits between two kills. With two the
# clock is the host's, so the kills are further apart.
SYSTEM_CASES='counter:0:1 counter:20:1 counter:1:1 files:0:1 files:10:1 files:3:1 files:60:2 memory:0:1
	memory:10:1 memory:3:1 memory:60:2 memory-sweep:0:1 heartbeat:0:1 heartbeat:0:2'

ring_exists() {
	has_image files
}

ring_run() {
	build build/release/pith.elf build/release/system/counter.img build/release/system/files.img \
		build/release/system/memory.img build/release/system/memory-sweep.img \
		build/release/system/heartbeat.img
	for case in $SYSTEM_CASES; do
		image=${case%%:*} cpus=${case##*:}
		chaos=${case#*:} chaos=${chaos%:*}
		icount=
		[ "$cpus" -gt 1 ] || [ "$chaos" -eq 0 ] || icount=--icount
		run_tests "system/$image-chaos$chaos-cpu$cpus" --timeout 500 --status 0 \
			--expect "PASS" --elf build/release/pith.elf \
			tools/qemu-run --smp "$cpus" $icount --timeout 500 --append "chaos=$chaos" \
			build/release/pith.elf "build/release/system/$image.img"
	done
	crash_run counter 4 1
	crash_run counter 50 2
	crash_run files 3 1
	crash_run files 20 2
	crash_run memory 5 1
	crash_run memory 50 2
	run_tests system/supervisor-hangs --timeout 100 --status 0 --expect "without a heartbeat" \
		--elf build/release/pith.elf tools/qemu-run --timeout 100 --append "chaos=20 hang=300" \
		build/release/pith.elf build/release/system/counter.img
}

# One boot in which each server, and the supervisor, crashes at a random event out of its next
# 2 * MEAN ones, again and again: at the begin of a request, before its commit or after it.
crash_run() { # IMAGE MEAN CPUS
	test=system/$1-crash$2-cpu$3
	icount=
	[ "$3" -gt 1 ] || icount=--icount
	run_tests "$test" --timeout 500 --status 0 --expect "PASS" --elf build/release/pith.elf \
		tools/qemu-run --smp "$3" $icount --timeout 500 --append "crash=$2" \
		build/release/pith.elf "build/release/system/$1.img"
	[ ! -e "$logs/$(printf '%s' "$test" | tr '/' '.').log" ] ||
		crashes_report "$logs/$(printf '%s' "$test" | tr '/' '.').log"
}

# Deaths by server from the supervisor's log, and how many of them in a request.
crashes_report() { # LOG
	awk '/died as planned in/ { n = $NF + 0; deaths[$2]++; requests[$2] += $(NF - 1) == "request"
			if (!least[$2] || n < least[$2]) least[$2] = n
			if (n > most[$2]) most[$2] = n }
		/supervisor died: vector 3/ { supervisor++ }
		END { for (s in deaths)
				printf("    %-16s %6d deaths, %6d with a request in flight, at its %d. to %d.\n", s,
					deaths[s], requests[s], least[s], most[s])
			if (supervisor) printf("    %-16s %6d deaths\n", "supervisor", supervisor) }' "$1"
}
