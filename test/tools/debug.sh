# SPDX-License-Identifier: MIT
# ./pith debug: each helper of tools/gdb in batch mode, at a moment when a thread is inside a
# server; a forced panic, whose backtrace has to name the function; ./pith trace.
. test/tools/lib.sh

if ! command -v gdb >/dev/null 2>&1; then
	for test in threads caps services queues tables panic_names_the_function iretq_refuses; do
		echo "TEST debug.$test"
		echo "SKIP debug.$test: gdb is not installed"
	done
else
	# The test calls a server that spins, and asks whether the gate is drained: the second time
	# it is not.
	timeout 240 ./pith debug --image ktest --append test=gates.drained-answers-e-busy -- -batch \
		-ex 'break op_gate_drained' -ex 'ignore 1 1' -ex continue \
		-ex pith-threads -ex 'echo ==caps\n' -ex pith-caps -ex 'echo ==services\n' \
		-ex pith-services -ex 'echo ==queues\n' -ex pith-queues -ex 'echo ==tables\n' \
		-ex pith-tables -ex 'echo ==end\n' -ex 'pith-caps 0' </dev/null >"$tmp/gdb" 2>&1
	shown() { # FROM TO REGEX…
		from=$1 to=$2
		shift 2
		sed -n "/^$from/,/^$to/p" "$tmp/gdb" >"$tmp/part"
		for regex in "$@"; do
			grep -qE "$regex" "$tmp/part" ||
				{ reason="no line like \"$regex\": $(head -c 2000 "$tmp/gdb")"; return 1; }
		done
	}
	threads() {
		shown Breakpoint ==caps '^thread 1 +core 0 priority 32 ready \(runs\) space ' \
			'^    waits on notification [0-9a-f]+ until [0-9]+ ns' \
			'^    frame: service [0-9a-f]+ level 3 rip ' '^    frame: user rip '
	}
	caps() {
		shown ==caps ==services '^ +1 region +ffff[0-9a-f]+ grant\+use\+manage' \
			'^ +[0-9]+ service +ffff' '^ +[0-9]+ gate +ffff' &&
			shown ==end nothing '0 is not a space; there are: [0-9a-f]+'
	}
	services() {
		shown ==services ==queues '^service [0-9a-f]+ level 3 open incarnation 1 gates 1' \
			'^    pool [0-9a-f]+ space [0-9a-f]+ entry [0-9a-f]+' '^    core 0: 1 stacks, 1 in use'
	}
	queues() {
		shown ==queues ==tables '^core 0 runs thread 1' '^    priority 31: thread 3' \
			'^    deadline [0-9]+ ns: thread 2' '^kernel lock: taken'
	}
	tables() {
		shown ==tables ==end '^000000200000-[0-9a-f]+ r-x physical ' '^[0-9a-f]{12}-[0-9a-f]{12} rw- '
	}
	# A pointer that the debugger breaks is the kernel's own bug as far as the kernel knows.
	panic_names_the_function() {
		timeout 120 ./pith debug --image ktest --append test=regions.growing -- -batch \
			-ex 'break op_region_grow' -ex continue -ex 'set var $rdi = 8' \
			-ex 'set var r = (struct region *)8' -ex delete -ex continue \
			</dev/null 2>&1 | tools/symbolise build/debug/pith.elf >"$tmp/panic"
		reason=$(tail -n 15 "$tmp/panic")
		grep -q '^PANIC: exception 14 in the kernel' "$tmp/panic" &&
			grep -qE '^bt [0-9a-f]+  op_region_grow at page.c:[0-9]+' "$tmp/panic" &&
			grep -qE '^bt [0-9a-f]+  operation_locked at entry.S:[0-9]+' "$tmp/panic" &&
			grep -qE '^ev [0-9]+ panic thread=1' "$tmp/panic"
	}
	# AMD's iretq faults where the user's stack pointer is no canonical address. QEMU's does not: a
	# bad stack segment makes it fault, which is taken back when the kernel looks at the fault.
	iretq_refuses() {
		cat >"$tmp/iretq.gdb" <<-'END'
			python
			def word(address):
			    return int(gdb.parse_and_eval('*(unsigned long *)%d' % address)) & (1 << 64) - 1
			def symbol(name):
			    return int(gdb.parse_and_eval('(unsigned long)&' + name)) & (1 << 64) - 1
			area = 0xffffffffc0000000 # CPU_BASE: the text of entry.S begins there once more
			text, code = symbol('entry_text_start'), 0
			gdb.execute('set trust-readonly-sections on') # there are no page tables yet
			for line in gdb.execute('x/64i resume_all', to_string=True).splitlines():
			    words = line.replace('=>', '').replace(':', ' ').split()
			    if words[-1] == 'iretq' and not code:
			        code = int(words[0], 16)
			gdb.execute('set trust-readonly-sections off')
			gdb.execute('hbreak *%d' % (area + code - text))
			gdb.execute('continue')
			frame = int(gdb.parse_and_eval('$rsp')) & (1 << 64) - 1
			segment = word(frame + 32)
			gdb.execute('set *(unsigned long *)%d = 0xfff8' % (frame + 32))
			gdb.execute('hbreak trap_kernel')
			gdb.execute('continue')
			gdb.execute('set *(unsigned long *)%d = %d' % (frame + 32, segment))
			gdb.execute('set *(unsigned long *)%d = 0x4000000000000000' % (frame + 24))
			gdb.execute('continue')
			at = int(gdb.parse_and_eval('$rip')) & (1 << 64) - 1
			print('refused', word(frame + 24), at == area + code - text)
			end
		END
		timeout 120 ./pith debug --image ktest --append test=faults -- -batch -x "$tmp/iretq.gdb" \
			</dev/null >"$tmp/iretq" 2>&1
		reason=$(tail -n 15 "$tmp/iretq")
		grep -q '^refused 0 True' "$tmp/iretq"
	}
	for test in threads caps services queues tables panic_names_the_function iretq_refuses; do
		run_test $test
	done
fi

trace_is_decoded() {
	timeout 120 ./pith trace --image ktest --append test=notify.raise </dev/null >"$tmp/trace" 2>&1
	status=$?
	reason="status $status: $(tail -n 15 "$tmp/trace")"
	[ $status = 0 ] && grep -q '^PASS notify' "$tmp/trace" &&
		grep -qE '^ev [0-9]+ op thread=1 operation=notification_create first_argument=[0-9a-f]+$' \
			"$tmp/trace" &&
		grep -qE '^ev [0-9]+ raise thread=1 notification=[0-9a-f]+ bits=[0-9a-f]+$' "$tmp/trace" &&
		grep -qE '^ev [0-9]+ switch thread=[0-9]+ from=[0-9a-f]+ to=[0-9a-f]+$' "$tmp/trace" &&
		! grep -qE '^ev [0-9]+ event-' "$tmp/trace"
}
run_test trace_is_decoded
echo DONE
